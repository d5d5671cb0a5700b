"""Looking at the calendar: what is due, what was, and how well it was kept."""

from dataclasses import replace
from datetime import datetime

from opsroom.access import queries as access
from opsroom.access.model import fingerprint
from opsroom.kit.db import Actor, Tx

from . import reviewing, store
from .errors import FeedNotFound, OccasionNotFound
from .model import Kind, Occasion, Settings, Streak, Waiting, streak

PAGE = 50
MOST = 500
MOST_MINE = 100
MOST_LOOKED = 200  # for a streak


def occasion(tx: Tx, occasion_id: str) -> Occasion:
    """One occasion. What an access review found is for those who could do something about it.

    Raises `OccasionNotFound`.
    """
    found = store.occasion(tx, occasion_id)
    if found is None:
        raise OccasionNotFound(occasion_id)
    return _shown(tx, found)


def due(
    tx: Tx, *, kind: Kind | None = None, until: datetime | None = None, limit: int = PAGE
) -> list[Occasion]:
    """What is open or begun, the earliest due first."""
    return [_shown(tx, one) for one in store.live(tx, kind=kind, until=until, limit=limit)]


def occasions(
    tx: Tx,
    *,
    kind: Kind | None = None,
    subject: str = "",
    before: str | None = None,
    limit: int = PAGE,
) -> list[Occasion]:
    """Everything, newest first."""
    found = store.latest(tx, kind=kind, subject=subject, before=before, limit=limit)
    return [_shown(tx, one) for one in found]


def between(tx: Tx, since: datetime, until: datetime, *, limit: int = MOST) -> list[Occasion]:
    """What is or was due in this time, earliest first."""
    return [_shown(tx, one) for one in store.between(tx, since, until, limit=limit)]


def count_overdue(tx: Tx) -> int:
    return store.count_overdue(tx)


def mine(tx: Tx, *, until: datetime) -> list[Waiting]:
    """What is due by then for whoever looks, at most a hundred: what they own, and what nobody
    does.
    """
    if "review" not in tx.actor.may:
        return []
    return store.waiting(tx, owners=("", tx.actor.name), until=until, limit=MOST_MINE)


def count_mine(tx: Tx) -> int:
    """How much is overdue for whoever looks."""
    return len(mine(tx, until=tx.now))


def streaks(tx: Tx, *, subject: str = "") -> list[Streak]:
    """How well each kind was kept, over its last two hundred occasions; those that there were."""
    found: list[Streak] = []
    for kind in Kind:
        seen = store.latest(tx, kind=kind, subject=subject, limit=MOST_LOOKED)
        if seen:
            ordered = sorted(seen, key=lambda one: (one.promised, one.id), reverse=True)
            found.append(streak(kind, ordered, now=tx.now))
    return found


def settings(tx: Tx) -> Settings:
    return store.settings(tx)


def reader_of(tx: Tx, secret: str) -> Actor:
    """Who reads the calendar under an address, with the roles that they hold now.

    Raises `FeedNotFound`, also for those who may not look any more.
    """
    found = store.feed(tx, fingerprint(secret))
    if found is None:
        raise FeedNotFound
    tx.actor = Actor(found.person, found.project, human=True)
    roles = access.roles_of(tx, found.person) or ()
    may = access.permissions(tx, roles)
    if "read" not in may:
        raise FeedNotFound
    return Actor(found.person, found.project, may, roles)


def _shown(tx: Tx, one: Occasion) -> Occasion:
    if one.kind is not Kind.ACCESS_REVIEW or reviewing.PERMISSION in tx.actor.may:
        return one
    return replace(one, evidence=(), questions=(), answers={})
