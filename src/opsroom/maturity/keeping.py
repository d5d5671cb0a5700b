"""What the clock does: note how levels moved, in every project, one row a day at most."""

from dataclasses import replace
from datetime import timedelta

from opsroom.access import queries as access
from opsroom.kit import rounds
from opsroom.kit.canonical import digest
from opsroom.kit.db import Database, Tx

from . import queries, store
from .model import Assessment, Past

SYSTEM = "system:maturity"
EVERY = timedelta(hours=6)


def overdue(db: Database) -> bool:
    """Whether the levels of any project are to be looked at."""
    return rounds.overdue(db, store.clocks, SYSTEM, access.projects)


def look(db: Database) -> int:
    """Look at the project that is longest due, and note what moved; how many subjects stand
    otherwise than before.

    Levels are read without holding anybody up; what moved is written subject by subject. Safe
    to repeat: what stands as before leaves nothing.
    """
    taken = rounds.take(db, store.clocks, SYSTEM, access.projects, lease=EVERY)
    if taken is None:
        return 0
    actor = replace(taken, may=frozenset({"read"}))
    with db.read(actor) as tx:
        found = queries.summary(tx)
        every = (found.project, *found.agents, *found.prompts)
        moved = [one for one in every if _moved(_newest(tx, one), one)]
    kept = 0
    for one in moved:
        with db.write(actor) as tx:
            kept += _kept(tx, one)
    return kept


def _kept(tx: Tx, one: Assessment) -> bool:
    was = _newest(tx, one)
    if not _moved(was, one):
        return False
    store.put(
        tx,
        Past(
            subject=one.subject, day=f"{tx.now:%Y-%m-%d}", level=one.level, digest=_digest(one)
        ),
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


def _newest(tx: Tx, one: Assessment) -> Past | None:
    return next(iter(store.history(tx, one.subject, limit=1)), None)


def _moved(was: Past | None, one: Assessment) -> bool:
    return was is None or was.digest != _digest(one)


def _digest(one: Assessment) -> str:
    return digest([[each.level, each.name, each.met] for each in one.criteria])
