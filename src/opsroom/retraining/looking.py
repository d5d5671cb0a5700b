"""A light look at telemetry: which models serve agents now, and what a trace of theirs costs.

Telemetry is read outside any transaction; what was seen is taken in by one.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from opsroom.access import queries as access
from opsroom.kit import rounds
from opsroom.kit.db import Actor, Database
from opsroom.kit.errors import OpsroomError
from opsroom.traces import sampling, spending
from opsroom.traces.queries import Reads
from opsroom.traces.spending import Served, Spent

from . import commands, reckoning, store
from .errors import NothingToImprove
from .holding import SYSTEM

log = logging.getLogger(__name__)
EVERY = timedelta(hours=6)
NEW = timedelta(days=1)
BEFORE = timedelta(days=14)
WEEK = timedelta(days=7)
LEASE = timedelta(minutes=30)  # for a project; what failed is tried again after it


@dataclass(frozen=True, slots=True)
class Change:
    """Another model serves than before, since `first`."""

    before: str
    after: str
    first: datetime


def overdue(db: Database) -> bool:
    """Whether any project is due to be looked at."""
    return rounds.overdue(db, store.clocks, SYSTEM, access.projects)


def look(db: Database, telemetry: Reads) -> int:
    """Look at the agents of the project that is longest due; return how many were looked at.

    Safe to repeat, and in several processes at once.
    """
    actor = rounds.take(db, store.clocks, SYSTEM, access.projects, lease=LEASE)
    if actor is None:
        return 0
    now = db.clock.now()
    looked = _look_around(db, telemetry, actor, now)
    with db.write(actor) as tx:
        rounds.wind(tx, store.clocks, actor.project, at=now + EVERY)
    return looked


def news(served: Sequence[Served], named: Sequence[str], *, now: datetime) -> Change | None:
    """Whether the provider has another model answer than before.

    Of the models that served in 14 days, those that began in the last one are new; where all
    are, nothing is known of before. What the manifest itself names is what was asked for.
    """
    new = [one for one in served if one.first >= now - NEW and one.model not in named]
    old = [one for one in served if one.first < now - NEW]
    if not new or not old:
        return None
    after = max(new, key=lambda one: (one.first, one.model))
    before = max(old, key=lambda one: (one.last, one.model))
    return Change(before=before.model, after=after.model, first=after.first)


def _look_around(db: Database, telemetry: Reads, actor: Actor, now: datetime) -> int:
    agents = sampling.agents_at_work(telemetry, actor.project, since=now - NEW, until=now)
    spent = spending.spent(telemetry, actor.project, [(now - WEEK, now)])
    looked = 0
    for agent in agents:
        try:
            _look_at(db, telemetry, actor, agent, spent.get(agent, {}).get(0), now)
        except OpsroomError as error:
            log.warning("agent %s was not looked at: %s", agent, error)
        else:
            looked += 1
    return looked


def _look_at(
    db: Database,
    telemetry: Reads,
    actor: Actor,
    agent: str,
    spent: Spent | None,
    now: datetime,
) -> None:
    with db.read(actor) as tx:
        try:
            _, spec = reckoning.serving(tx, agent)
        except NothingToImprove:
            return
    named = (spec.model.model, *spec.model.fallbacks)
    served = spending.served(telemetry, actor.project, agent, since=now - BEFORE, until=now)
    change = news(served, named, now=now)
    priced = spent is not None and spent.traces > 0 and spent.usd > 0 and not spent.unpriced
    with db.write(actor) as tx:
        if spent is not None and priced:
            commands.costs(tx, agent, Decimal(str(round(spent.usd / spent.traces, 8))))
        if change is not None:
            commands.served_by(
                tx, agent, before=change.before, after=change.after, first=change.first
            )
