"""Making reports, and looking at schedules and at what was sent."""

from collections.abc import Iterator
from dataclasses import replace

from opsroom.kit.canonical import sha256
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.wire import adapter
from opsroom.traces.queries import Reads

from . import store
from .catalog import report
from .errors import CopyNotFound, ScheduleNotFound
from .model import Answer, Ask, Copy, Schedule

PAGE = 50


def answer(tx: Tx, name: str, ask: Ask, *, telemetry: Reads | None = None) -> Answer:
    """A page of a report; the first has the facts over all of it.

    Raises `NoReport`, and `TelemetryUnavailable` for what cannot be told without it.
    """
    wanted = report(name)
    found = wanted.look(tx, ask, telemetry)
    return Answer(
        report=name,
        title=wanted.title,
        question=wanted.question,
        project=tx.project,
        agent=ask.agent,
        since=ask.since,
        until=ask.until,
        made_at=tx.now,
        facts=tuple(found.facts),
        columns=wanted.columns,
        rows=tuple(found.rows),
        next=found.next,
        notes=tuple(found.notes),
    )


def pages(
    db: Database, actor: Actor, name: str, ask: Ask, *, telemetry: Reads | None = None
) -> Iterator[Answer]:
    """A report page after page, each in a transaction of its own, so that whoever reads slowly
    keeps nobody from the database. Raises as `answer` does.
    """
    while True:
        with db.read(actor) as tx:
            found = answer(tx, name, ask, telemetry=telemetry)
        yield found
        if not found.next:
            return
        ask = replace(ask, after=found.next)


def schedule(tx: Tx, schedule_id: str) -> Schedule:
    """Raises `ScheduleNotFound`."""
    found = store.schedule(tx, schedule_id)
    if found is None:
        raise ScheduleNotFound(schedule_id)
    return found


def schedules(tx: Tx) -> list[Schedule]:
    """Those at work, oldest first."""
    return store.live(tx)


def copies(
    tx: Tx, *, report: str = "", before: str | None = None, limit: int = PAGE
) -> list[Copy]:
    """What was sent, newest first; go on with the last id as `before`."""
    return store.copies(tx, report=report, before=before, limit=limit)


def copy(tx: Tx, copy_id: str) -> tuple[Copy, Answer, bool]:
    """What was sent exactly as it was, and whether it still is what its digest says.

    Raises `CopyNotFound`.
    """
    found = store.copy(tx, copy_id)
    if found is None:
        raise CopyNotFound(copy_id)
    kept, body = found
    whole = sha256(body.encode()) == kept.digest
    return kept, adapter(Answer).validate_json(body), whole
