"""What the clock does: note how levels moved, in every project, one row a day at most."""

from datetime import timedelta

from opsroom.access import queries as access
from opsroom.kit import rounds
from opsroom.kit.canonical import digest
from opsroom.kit.db import Actor, Tx

from . import queries, store
from .model import Assessment, Past

SYSTEM = "system:maturity"
EVERY = timedelta(hours=6)


def overdue(tx: Tx) -> bool:
    """Whether the levels of any project are to be looked at."""
    return bool(rounds.due(tx, store.clocks, access.projects(tx)))


def tick(tx: Tx) -> int:
    """Look at the project that is longest due; how many subjects stand otherwise than before."""
    for project in rounds.due(tx, store.clocks, access.projects(tx))[:1]:
        if rounds.claim(tx, store.clocks, project, until=tx.now + EVERY):
            tx.actor = Actor(SYSTEM, project, frozenset({"read"}), human=False)
            return keep(tx)
    return 0


def keep(tx: Tx) -> int:
    """Note what moved. Safe to repeat: what stands as before leaves nothing."""
    found = queries.summary(tx)
    return sum(_kept(tx, one) for one in (found.project, *found.agents, *found.prompts))


def _kept(tx: Tx, one: Assessment) -> bool:
    was = next(iter(store.history(tx, one.subject, limit=1)), None)
    now = digest([[each.level, each.name, each.met] for each in one.criteria])
    if was is not None and was.digest == now:
        return False
    store.put(
        tx, Past(subject=one.subject, day=f"{tx.now:%Y-%m-%d}", level=one.level, digest=now)
    )
    if was is None or was.level != one.level:
        tx.record(
            "maturity.moved",
            one.subject,
            before=was.level if was else 0,
            after=one.level,
            title=one.title,
            missing=[each.name for each in one.missing][:10],
        )
    return True
