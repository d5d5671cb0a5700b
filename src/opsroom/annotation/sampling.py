"""Filling queues: drawn from traces, from the items of a dataset, or traces by their ids.

What is drawn is read from telemetry outside any transaction and taken in by one. What people
look at is copied then, cut at 20,000 characters: both reviewers see the same, and a label
stays worth something when telemetry has forgotten its trace.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from opsroom.actions import queries as actions
from opsroom.datasets import Item
from opsroom.datasets import queries as datasets
from opsroom.drift import queries as drifts
from opsroom.drift.model import Drift, State
from opsroom.kit.db import Actor, Database, Tx
from opsroom.traces.draws import Lot, Way, draw, exchanges, kept_since
from opsroom.traces.errors import TraceNotFound
from opsroom.traces.exchange import Exchange
from opsroom.traces.model import Filter
from opsroom.traces.parsing import parse
from opsroom.traces.queries import Reads
from opsroom.traces.sampling import LONGEST_RUN

from . import commands, queries, store
from .errors import BadQueue, NothingToDraw, QueueClosed
from .model import (
    MOST_DRAWN,
    MOST_SUBJECT,
    MOST_TASKS,
    MOST_TEXT,
    TRACE,
    Drawn,
    How,
    Queue,
    QueueState,
    Source,
    TaskDraft,
    as_text,
)

MOST_WRONG = 20_000  # turns that went wrong, looked up for one draw
MOST_DRIFTS = 50
WAYS = {How.RANDOM: Way.RANDOM, How.UNCERTAIN: Way.UNCERTAIN, How.FAILED: Way.FAILED}


def sample(
    db: Database, telemetry: Reads, actor: Actor, queue_id: str, *, size: int | None = None
) -> Drawn:
    """Draw from traces as the queue says, and add what is not in it yet; `size` is the queue's
    target unless said.

    Raises `QueueNotFound`, `QueueClosed`, `NothingToDraw`, `BadTraceFilter`, `BadQueue`, and
    `DriftNotFound`.
    """
    with db.read(actor) as tx:
        queue = queries.queue(tx, queue_id)
        if queue.state is QueueState.CLOSED:
            raise QueueClosed(queue_id)
        source, now = queue.source, tx.now
        since, until = source.window(now)
        wrong, examples = _known(tx, source, since, until)
        seed = source.seed or store.secret_of(tx, queue_id)
    most = queue.target if size is None else size
    if not 1 <= most <= MOST_DRAWN:
        raise BadQueue(f"a draw takes 1 to {MOST_DRAWN} tasks")
    if source.how is How.GIVEN:
        raise NothingToDraw(queue_id)
    if source.how is How.DRIFT:
        lot = Lot(traces=tuple(examples[:most]), population=len(examples))
        since, until = kept_since(telemetry, actor.project, lot.traces) or (since, until)
    else:
        lot = draw(
            telemetry,
            actor.project,
            Filter(agent=source.agent, where=parse(source.q)),
            WAYS[source.how],
            since=since,
            until=until,
            seed=seed,
            most=most,
            also=wrong,
        )
    drafts = _drafts(db, telemetry, actor, queue, lot.traces, since, until)
    drawn = Drawn(
        how=source.how,
        since=since,
        until=until,
        population=lot.population,
        drawn=len(lot.traces),
        added=0,
        wordless=sum(not one.input for one in drafts),
        at=now,
    )
    with db.write(actor) as tx:
        return commands.take_in(tx, queue_id, drafts, drawn)


def add_traces(
    db: Database, telemetry: Reads, actor: Actor, queue_id: str, traces: Sequence[str]
) -> int:
    """Put these traces before people; how many of them were not there yet. Raises
    `TraceNotFound` for one that is not kept, and what `add_tasks` raises.
    """
    wanted = list(dict.fromkeys(one.lower() for one in traces))
    with db.read(actor) as tx:
        queue = queries.queue(tx, queue_id)
    between = kept_since(telemetry, actor.project, wanted)
    if between is None:
        raise TraceNotFound(wanted[0] if wanted else "")
    drafts = _drafts(db, telemetry, actor, queue, wanted, *between)
    with db.write(actor) as tx:
        there = store.there(tx, queue_id, {TRACE + one for one in wanted})
        known = there | {one.subject for one in drafts}
        for one in wanted:
            if TRACE + one not in known:
                raise TraceNotFound(one)
        return commands.add_tasks(tx, queue_id, drafts)


def add_items(tx: Tx, queue_id: str, dataset: str, *, split: str | None = None) -> int:
    """Put the items of a version of a dataset before people; how many were not there yet.

    An item of the shape `{"input": …, "answer": …}` is shown as such; of any other, what is
    looked at is the answer it notes, else the one it expects. Raises what `add_tasks` raises,
    and what a dataset that is not there does.
    """
    version, spec = datasets.dataset(tx, dataset)
    items = datasets.items(tx, spec, split=split, limit=MOST_TASKS + 1)
    drafts = [of_item(one, version.name) for one in items]
    return commands.add_tasks(tx, queue_id, drafts)


def of_item(item: Item, dataset: str) -> TaskDraft:
    """A task of an item. Its subject is the content, so the next version of the dataset does
    not bring it a second time.
    """
    asked: JsonValue = item.input
    answer: JsonValue = item.metadata.get("answered", item.expected)
    if isinstance(item.input, dict) and set(item.input) == {"input", "answer"}:
        asked, answer = item.input["input"], item.input["answer"]
    expected = item.expected if answer != item.expected else None
    domain, trace = item.metadata.get("domain"), item.metadata.get("trace")
    return TaskDraft(
        subject=f"dataset/{dataset}#{item.hash[:16]}",
        input=asked,
        output=answer,
        context="" if expected is None else f"expected: {as_text(expected)}"[:MOST_TEXT],
        domain=_word(domain if isinstance(domain, str) else dataset),
        trace=_word(trace if isinstance(trace, str) else ""),
    )


def of_trace(found: Exchange) -> TaskDraft:
    return TaskDraft(
        subject=TRACE + found.trace_id,
        input=_clean(found.asked)[:MOST_TEXT],
        output=_clean(found.answered)[:MOST_TEXT],
        context=_clean(found.version or found.agent)[:MOST_SUBJECT],
        domain=_word(found.agent),
        trace=found.trace_id,
    )


def _known(
    tx: Tx, source: Source, since: datetime, until: datetime
) -> tuple[list[str], list[str]]:
    """What the database knows that a draw needs: traces that went wrong, examples of drifts."""
    match source.how:
        case How.FAILED:
            return actions.traces_gone_wrong(
                tx, since=since, until=until + LONGEST_RUN, limit=MOST_WRONG
            ), []
        case How.DRIFT:
            found = (
                [drifts.drift(tx, source.drift)]
                if source.drift
                else drifts.drifts(tx, limit=MOST_DRIFTS)
            )
            return [], _examples(found, source.agent)
        case _:
            return [], []


def _examples(found: Sequence[Drift], agent: str) -> list[str]:
    """What shows the drifts that are open, of one agent or of all; each trace once."""
    shown = (
        trace
        for one in found
        if one.state is State.OPEN and agent in {"", one.agent}
        for trace in one.traces_now
    )
    return list(dict.fromkeys(shown))


def _drafts(
    db: Database,
    telemetry: Reads,
    actor: Actor,
    queue: Queue,
    traces: Sequence[str],
    since: datetime,
    until: datetime,
) -> list[TaskDraft]:
    """Tasks of those traces that are not in the queue yet and are kept, in their order."""
    with db.read(actor) as tx:
        there = store.there(tx, queue.id, {TRACE + one for one in traces})
    new = [one for one in traces if TRACE + one not in there]
    if not new:
        return []
    about = exchanges(telemetry, actor.project, new, since=since, until=until)
    return [of_trace(about[one]) for one in new if one in about]


def _word(value: str) -> str:
    return _clean(value)[:MOST_SUBJECT]


def _clean(text: Any) -> str:
    """Text that every database can hold."""
    return str(text).replace("\0", "").encode(errors="replace").decode()
