"""Rounds: work that comes up again and again in each project, done by whichever process is free.

A table of clocks (`project`, `next_at`) says when each project is due. Who claims one has it for a
while; what fails is tried again after that, by anybody.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Table, select, update

from .db import Actor, Database, Tx, insert_missing

Projects = Callable[[Tx], Sequence[str]]


def due(tx: Tx, clocks: Table, projects: Sequence[str]) -> list[str]:
    """Which of the projects are due: those never looked at, then the longest due."""
    rows = tx.conn.execute(select(clocks.c.project, clocks.c.next_at))
    found: dict[str, datetime] = {row.project: row.next_at for row in rows}
    never = [one for one in projects if one not in found]
    late = [one for one in projects if one in found and found[one] <= tx.now]
    return [*never, *sorted(late, key=lambda one: found[one])]


def claim(tx: Tx, clocks: Table, project: str, *, until: datetime) -> bool:
    """Take a project on until then; False where somebody else was faster."""
    insert_missing(tx, clocks, [{"project": project, "next_at": tx.now}])
    done = tx.conn.execute(
        update(clocks)
        .where(clocks.c.project == project, clocks.c.next_at <= tx.now)
        .values(next_at=until)
    )
    return done.rowcount == 1


def wind(tx: Tx, clocks: Table, project: str, *, at: datetime) -> None:
    """Come to the project again then."""
    tx.conn.execute(update(clocks).where(clocks.c.project == project).values(next_at=at))


def overdue(db: Database, clocks: Table, system: str, projects: Projects) -> bool:
    """Whether any project is due."""
    return bool(_due(db, clocks, system, projects))


def take(
    db: Database, clocks: Table, system: str, projects: Projects, *, lease: timedelta
) -> Actor | None:
    """Take the project that is longest due on for so long: `system` at work in it. None where
    none is due, or somebody else was faster.
    """
    for project in _due(db, clocks, system, projects)[:1]:
        actor = Actor(system, project, human=False)
        with db.write(actor) as tx:
            if claim(tx, clocks, project, until=tx.now + lease):
                return actor
    return None


def _due(db: Database, clocks: Table, system: str, projects: Projects) -> list[str]:
    with db.read(Actor(system, "", human=False)) as tx:
        return due(tx, clocks, projects(tx))
