"""What the clock does in every project: what was kept long enough goes, a little at a time."""

from datetime import timedelta

from opsroom.access import queries as access
from opsroom.kit import rounds
from opsroom.kit.db import Actor, Tx

from . import commands, store

SYSTEM = "system:retention"
EVERY = timedelta(hours=1)
AT_ONCE = 200


def overdue(tx: Tx) -> bool:
    """Whether any project is to be looked at."""
    return bool(rounds.due(tx, store.clocks, access.projects(tx)))


def tick(tx: Tx) -> int:
    """Remove what is due in the project that waits longest; how much it was."""
    for project in rounds.due(tx, store.clocks, access.projects(tx))[:1]:
        if rounds.claim(tx, store.clocks, project, until=tx.now + EVERY):
            tx.actor = Actor(SYSTEM, project, human=False)
            done = commands.remove_old(tx, limit=AT_ONCE)
            if done >= AT_ONCE:
                rounds.wind(tx, store.clocks, project, at=tx.now)
            return done
    return 0
