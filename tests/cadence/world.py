"""A customs desk in production, and the clock that its calendar follows."""

from collections.abc import Mapping
from datetime import datetime

from tests.retraining.world import ADA, BEN, desk
from tests.retraining.world import SYSTEM as EVERYWHERE

from opsroom.access import store as access
from opsroom.app.kinds import KINDS
from opsroom.cadence import commands, planning, queries
from opsroom.cadence.looking import Work
from opsroom.cadence.model import Answer, Kind, Occasion, Verdict
from opsroom.cadence.reactions import reactions
from opsroom.journal import outbox
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database

__all__ = ["ADA", "BEN", "EVERYWHERE", "desk"]
HOLDS = Answer(verdict=Verdict.HOLDS)


def act(why: str = "because") -> Answer:
    return Answer(verdict=Verdict.ACT, because=why)


def project(db: Database, name: str = "default") -> None:
    with db.write(Actor("nobody", "", human=False)) as tx:
        if not access.has_project(tx, name):
            access.add_project(tx, name)


def tick(db: Database) -> int:
    """Let the clock do what is due in every project."""
    moved = 0
    while planning.overdue(db):
        moved += planning.look(db)
    return moved


def on(clock: ManualClock, day: str) -> None:
    """Move the clock on to a day."""
    clock.move(datetime.fromisoformat(f"{day}T09:00:00+00:00") - clock.now())


def hear(db: Database) -> None:
    outbox.pump(db, reactions())


def live(db: Database, kind: Kind | None = None, by: Actor = ADA) -> list[Occasion]:
    with db.read(by) as tx:
        return queries.due(tx, kind=kind)


def only(db: Database, kind: Kind, by: Actor = ADA) -> Occasion:
    (one,) = live(db, kind, by)
    return one


def start(
    db: Database, one: Occasion, by: Actor = ADA, work: tuple[Work, ...] | None = None
) -> Occasion:
    with db.write(by) as tx:
        return commands.start(tx, one.id, kinds=KINDS, work=work)


def close(
    db: Database,
    one: Occasion,
    by: Actor = ADA,
    answers: Mapping[str, Answer] | None = None,
) -> Occasion:
    """Close it; what is not answered otherwise holds."""
    with db.write(by) as tx:
        given = dict.fromkeys(one.questions, HOLDS) | dict(answers or {})
        return commands.close(tx, one.id, answers=given, note="as it should be")


def told(db: Database, event: str, by: Actor = ADA) -> list[str]:
    """The subjects of an event, oldest first."""
    with db.read(by) as tx:
        found = journal.entries(tx, event=event, limit=200)
        return [entry.subject for entry, _ in reversed(found)]
