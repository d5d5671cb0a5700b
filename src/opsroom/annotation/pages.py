"""Review queues in the browser: what there is, whether people agree, and one task on one screen.

Opening a task is a form, since it keeps others from it; looking again is a link. A label opens
the next task, so that keys are all it takes. Nothing here needs a script but the keys.
"""

from dataclasses import dataclass
from typing import Annotated, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.db import Tx
from opsroom.registry.routes import KnownKinds
from opsroom.traces.telemetry import Traces
from opsroom.web.charts import Tone
from opsroom.web.render import Notice, Pages

from . import agreeing, commands, queries, samples, sampling
from .model import LEASE, Asks, How, QueueDraft, Source, State, TaskView, as_text

PAGE = 50
SHOWN = 20
KEYS = "123456789"
PATH = "/queues"
router = APIRouter(prefix=PATH, include_in_schema=False)
Text = Annotated[str, Query(max_length=200)]
Word = Annotated[str, Form(max_length=300)]
Long = Annotated[str, Form(max_length=20_000)]
TaskId = Annotated[str, Form(max_length=200)]
NOTICES = {
    "queue_opened": Notice(text="The queue is open."),
    "queue_sampled": Notice(text="Drawn. What there was to draw from is said below."),
    "queue_closed": Notice(text="Closed. What is settled can still be taken away."),
    "queue_stored": Notice(text="The settled labels are items of this dataset now."),
    "task_labelled": Notice(text="Noted."),
    "task_disputed": Notice(
        text="Noted. The other reviewer said something else, so a third person decides.",
        tone="warn",
    ),
    "task_skipped": Notice(text="Left to others.", tone="info"),
}
HOWS = {
    How.GIVEN: "tasks that are given",
    How.RANDOM: "traces at random",
    How.UNCERTAIN: "traces the agent was least sure of",
    How.DRIFT: "examples of drift",
    How.FAILED: "traces that failed or went to a person",
}
STATES: dict[State, tuple[str, Tone]] = {
    State.WAITING: ("waits", "muted"),
    State.LABELLED: ("waits for a second person", "info"),
    State.DISPUTED: ("disputed", "warn"),
    State.SETTLED: ("settled", "good"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a task needs to be labelled on one screen, whichever kind of queue it is of."""

    id: str
    name: str
    rubric: str
    labels: tuple[tuple[str, str], ...]  # with the key of each, where there is one
    settled: int
    tasks: int
    mine: int
    why_not: str = ""
    sample: bool = False


@router.get("")
def list_page(
    request: Request, tx: Read, *, everything: bool = False, before: Text | None = None
) -> Response:
    """What can be labelled, and how far it is."""
    found = queries.queues(tx, everything=everything, before=before, limit=PAGE + 1)
    shown = found[:PAGE]
    first = samples.lines(tx) if before is None else []
    return _pages(request).render(
        request,
        "annotation/list.html",
        lines=[*first, *queries.lines(tx, shown)],
        everything=everything,
        before=before,
        next=shown[-1].id if len(found) > PAGE else "",
        hows=[(how.value, words) for how, words in HOWS.items()],
        may="author" in tx.actor.may,
        draft=QueueDraft(name=""),
    )


@router.post("")
def open_queue(
    request: Request,
    tx: Write,
    name: Word,
    purpose: Long = "",
    asks: Asks = Asks.LABEL,
    labels: Annotated[str, Form(max_length=1_000)] = "",
    rubric: Long = "",
    how: How = How.GIVEN,
    agent: Word = "",
    q: Annotated[str, Form(max_length=2_000)] = "",
    hours: Annotated[int, Form()] = 168,
    second: Annotated[float, Form()] = 20.0,
    target: Annotated[int, Form()] = 50,
) -> Response:
    """Open a queue. Labels stand in a line, with commas between them; the share is in percent."""
    told = tuple(part for one in labels.split(",") if (part := one.strip()))
    made = commands.open_queue(
        tx,
        QueueDraft(
            name=name,
            purpose=purpose,
            asks=asks,
            labels=told,
            rubric=rubric,
            source=Source(how=how, agent=agent.strip(), q=q.strip(), hours=hours),
            second=second / 100,
            target=target,
        ),
    )
    return _pages(request).redirect(f"{PATH}/{made.id}", notice="queue_opened")


@router.get("/{queue_id}")
def queue_page(request: Request, queue_id: str, tx: Read, after: int = 0) -> Response:
    """How far a queue is, and whether people agree. The sample of a release has its own page."""
    if samples.is_sample(queue_id):
        line = samples.line(tx, queue_id)
        return _pages(request).redirect(f"/releases/{line.id}/sample")
    report = queries.report(tx, queue_id)
    disputed = queries.tasks(tx, queue_id, states=[State.DISPUTED], limit=SHOWN)
    settled = queries.tasks(tx, queue_id, states=[State.SETTLED], after=after, limit=SHOWN + 1)
    word, tone = agreeing.verdict(report.agreement)
    return _pages(request).render(
        request,
        "annotation/queue.html",
        report=report,
        queue=report.queue,
        progress=report.progress,
        agreed=report.agreement,
        word=word,
        tone=tone,
        how=HOWS[report.queue.source.how],
        disputed=[one for _, one in disputed],
        settled=[one for _, one in settled[:SHOWN]],
        after=after,
        next=settled[SHOWN - 1][0] if len(settled) > SHOWN else 0,
        states=STATES,
        brief=_brief,
        may=tx.actor.may,
        human=tx.actor.human,
    )


@router.post("/{queue_id}/sample")
def sample(
    request: Request,
    actor: Caller,
    queue_id: str,
    size: Annotated[int | None, Form()] = None,
) -> Response:
    """Draw from traces."""
    sampling.sample(database(request), _traces(request), actor, queue_id, size=size)
    return _pages(request).redirect(f"{PATH}/{queue_id}", notice="queue_sampled")


@router.post("/{queue_id}/dataset")
def store_dataset(
    request: Request, queue_id: str, tx: Write, known: KnownKinds, dataset: Word
) -> Response:
    """Store the settled labels as items of a dataset, and show it."""
    version, _, _ = commands.as_dataset(tx, queue_id, dataset.strip(), kinds=known)
    return _pages(request).redirect(f"/datasets/{version.name}", notice="queue_stored")


@router.post("/{queue_id}/close")
def close(request: Request, queue_id: str, tx: Write, note: Long) -> Response:
    """Take no more tasks and no more labels."""
    commands.close_queue(tx, queue_id, note=note)
    return _pages(request).redirect(f"{PATH}/{queue_id}", notice="queue_closed")


@router.get("/{queue_id}/next")
def next_page(
    request: Request, queue_id: str, tx: Read, do: Text = "", after: Text = ""
) -> Response:
    """The task that is before the person, or a way to the next one."""
    work = _work(tx, queue_id)
    if work.sample:
        found = samples.next_task(tx, queue_id, after=after)
    else:
        found = queries.held(tx, queue_id)
    return _pages(request).render(
        request,
        "annotation/next.html",
        work=work,
        task=found,
        skipping=do == "skip",
        later=f"{PATH}/{queue_id}/next?{urlencode({'after': found.id})}" if found else "",
        minutes=LEASE.total_seconds() / 60,
        text=as_text,
    )


@router.post("/{queue_id}/next")
def take(request: Request, queue_id: str, tx: Write, task: TaskId = "") -> Response:
    """Open the next task, or this one, for the person alone."""
    if not samples.is_sample(queue_id):
        if task:
            commands.take(tx, queue_id, task)
        else:
            commands.take_next(tx, queue_id)
    else:
        samples.line(tx, queue_id)
    return _onward(request, queue_id)


@router.post("/{queue_id}/label")
def label(
    request: Request,
    queue_id: str,
    tx: Write,
    task: TaskId,
    label: Long,
    reason: Annotated[str, Form(max_length=2_000)] = "",
    revision: Annotated[int | None, Form()] = None,
) -> Response:
    """Say what it is, and open the next one."""
    if samples.is_sample(queue_id):
        samples.label(tx, queue_id, task, label, reason=reason.strip())
        return _onward(request, queue_id, "task_labelled")
    done = commands.label(tx, queue_id, task, label, reason=reason, revision=revision)
    commands.take_next(tx, queue_id)
    disputed = done.state is State.DISPUTED
    return _onward(request, queue_id, "task_disputed" if disputed else "task_labelled")


@router.post("/{queue_id}/skip")
def skip(
    request: Request,
    queue_id: str,
    tx: Write,
    task: TaskId,
    reason: Annotated[str, Form(max_length=2_000)],
) -> Response:
    """Leave it to others, and open the next one."""
    commands.skip(tx, queue_id, task, reason=reason)
    commands.take_next(tx, queue_id)
    return _onward(request, queue_id, "task_skipped")


@router.get("/{queue_id}/tasks/{task_id}")
def task_page(request: Request, queue_id: str, task_id: str, tx: Read) -> Response:
    """One task: what it was about, and what may be told of it."""
    queue = queries.queue(tx, queue_id)
    found = queries.task(tx, queue_id, task_id)
    may = "review" in tx.actor.may and tx.actor.human and queue.state.value == "open"
    word, tone = STATES[found.state]
    return _pages(request).render(
        request,
        "annotation/task.html",
        queue=queue,
        task=found,
        word=word,
        tone=tone,
        may=may and found.mine is None and found.state is not State.SETTLED,
        text=as_text,
    )


def _work(tx: Tx, queue_id: str) -> Work:
    if samples.is_sample(queue_id):
        line = samples.line(tx, queue_id)
        return Work(
            id=line.id,
            name=line.name,
            rubric=samples.RUBRIC,
            labels=tuple(zip(samples.LABELS, KEYS, strict=False)),
            settled=line.settled,
            tasks=line.tasks,
            mine=line.mine,
            why_not=samples.why_not(tx, queue_id),
            sample=True,
        )
    queue = queries.queue(tx, queue_id)
    (line,) = queries.lines(tx, [queue])
    keys = [KEYS[place] if place < len(KEYS) else "" for place in range(len(queue.labels))]
    closed = "" if line.state == "open" else "this queue is closed"
    return Work(
        id=queue.id,
        name=queue.name,
        rubric=queue.rubric,
        labels=tuple(zip(queue.labels, keys, strict=True)),
        settled=line.settled,
        tasks=line.tasks,
        mine=line.mine,
        why_not=closed if tx.actor.human else "only people label",
    )


def _brief(one: TaskView) -> str:
    """What a task is called in a list."""
    return as_text(one.input).strip() or one.subject


def _onward(request: Request, queue_id: str, notice: str = "") -> Response:
    return _pages(request).redirect(f"{PATH}/{queue_id}/next", notice=notice)


def _traces(request: Request) -> Traces:
    return cast("Traces", request.app.state.traces)


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
