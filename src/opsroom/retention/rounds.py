"""What the clock does in every project: what was kept long enough goes, a little at a time."""

from datetime import timedelta

from opsroom.access import queries as access
from opsroom.kit import rounds
from opsroom.kit.db import Database

from . import commands, store

SYSTEM = "system:retention"
EVERY = timedelta(hours=1)
AT_ONCE = 200


def overdue(db: Database) -> bool:
    """Whether any project is to be looked at."""
    return rounds.overdue(db, store.clocks, SYSTEM, access.projects)


def look(db: Database) -> int:
    """Remove what is due in the project that waits longest; how much it was.

    Safe to repeat, and in several processes at once.
    """
    actor = rounds.take(db, store.clocks, SYSTEM, access.projects, lease=EVERY)
    if actor is None:
        return 0
    with db.write(actor) as tx:
        done = commands.remove_old(tx, limit=AT_ONCE)
        if done >= AT_ONCE:
            rounds.wind(tx, store.clocks, actor.project, at=tx.now)
    return done
