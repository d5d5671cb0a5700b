"""A look at an agent: what it does now against what it did before.

What was done is read from telemetry, and compared, outside any transaction; what was found is
taken in by one. A look reads at most 2,000 runs of the past and 500 of now.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opsroom.access import queries as access
from opsroom.kit import rounds
from opsroom.kit.db import Actor, Database
from opsroom.kit.errors import OpsroomError
from opsroom.traces import sampling
from opsroom.traces.queries import Reads
from opsroom.traces.sampling import Run

from . import commands, store
from .commands import SYSTEM, Found
from .errors import AgentAtRest
from .model import BEFORE, EVERY, NO_TOOL, WINDOW, Aspect, Comparison, Drift, stretch

log = logging.getLogger(__name__)
MOST_NOW = 500
MOST_BEFORE = 2_000
LEASE = timedelta(hours=1)  # for a project; what failed is tried again after it
TOO_SOON = EVERY / 2
Days = Sequence[Sequence[Run]]


def overdue(db: Database) -> bool:
    """Whether any project is due to be looked at."""
    return rounds.overdue(db, store.clocks, SYSTEM, access.projects)


def look(db: Database, telemetry: Reads) -> int:
    """Look at the agents of the project that is longest due; return how many were looked at.

    Safe to repeat, and in several processes at once.
    """
    actor = rounds.take(db, store.clocks, SYSTEM, access.projects, lease=LEASE)
    return 0 if actor is None else _look_around(db, telemetry, actor)


def look_at(db: Database, telemetry: Reads, actor: Actor, agent: str) -> tuple[Drift, ...]:
    """Look at an agent now; return its drifts that are open after that.

    Every look uses up some of the chance of a false alarm, so later ones ask for more. Raises
    `AgentAtRest`.
    """
    with db.read(actor) as tx:
        now = tx.now
        watches = store.watches_of(tx, agent)
        live = store.open_of(tx, agent)
    since = {aspect: watch.since for aspect, watch in watches.items()}
    spans = {aspect: stretch(since.get(aspect), live.get(aspect), now) for aspect in Aspect}
    past = {span: _days(telemetry, actor.project, agent, *span) for span in set(spans.values())}
    current = _now(telemetry, actor.project, agent, now, compared=any(past.values()))
    found: dict[Aspect, Found] = {}
    for aspect, span in spans.items():
        was = live.get(aspect)
        found[aspect] = _compared(
            aspect,
            past[span],
            current,
            was=None if was is None else was.id,
            since=since.get(aspect),
        )
    with db.write(actor) as tx:
        return commands.take_in(tx, agent, found, at=now)


def _look_around(db: Database, telemetry: Reads, actor: Actor) -> int:
    looked = 0
    with db.read(actor) as tx:
        now = tx.now
    for agent in sampling.agents_at_work(
        telemetry, actor.project, since=now - WINDOW, until=now
    ):
        with db.read(actor) as tx:
            lately = [one.looked_at for one in store.watches_of(tx, agent).values()]
        if any(at is not None and at > now - TOO_SOON for at in lately):
            continue
        try:
            look_at(db, telemetry, actor, agent)
        except OpsroomError as error:
            log.warning("agent %s was not looked at: %s", agent, error)
        else:
            looked += 1
    with db.write(actor) as tx:
        rounds.wind(tx, store.clocks, actor.project, at=now + EVERY)
    return looked


def _now(
    telemetry: Reads, project: str, agent: str, now: datetime, *, compared: bool
) -> Sequence[Run]:
    """The runs of now; none are read where there is no past that they are compared with.

    Raises `AgentAtRest`.
    """
    day = (now - WINDOW, now)
    if not sampling.busy(telemetry, project, agent, since=day[0], until=day[1], each=WINDOW):
        raise AgentAtRest(agent)
    if not compared:
        return []
    return sampling.runs(telemetry, project, agent, since=day[0], until=day[1], most=MOST_NOW)


def _days(telemetry: Reads, project: str, agent: str, since: datetime, until: datetime) -> Days:
    """The runs of the past, a list for each stretch as long as the window that has any."""
    most = MOST_BEFORE // (BEFORE // WINDOW)
    stretches = sampling.busy(telemetry, project, agent, since=since, until=until, each=WINDOW)
    return [
        sampling.runs(
            telemetry,
            project,
            agent,
            since=max(since, until - WINDOW * (back + 1)),
            until=until - WINDOW * back,
            most=most,
        )
        for back in sorted(stretches, reverse=True)
    ]


@dataclass(frozen=True, slots=True)
class _Way:
    """How an aspect is read from a run (None: it is not known), and how it is compared."""

    read: Callable[[Run], Any]
    compare: Callable[[Sequence[Sequence[Any]], Sequence[Any]], Comparison | None]


def _ways() -> dict[Aspect, _Way]:
    from . import comparing  # noqa: PLC0415  # numbers that starting need not wait for

    return {
        Aspect.INPUT: _Way(lambda run: run.asked or None, comparing.texts),
        Aspect.OUTPUT: _Way(lambda run: run.answered or None, comparing.texts),
        Aspect.LENGTH: _Way(lambda run: run.output_tokens, comparing.numbers),
        Aspect.TOOLS: _Way(lambda run: run.tools or frozenset({NO_TOOL}), comparing.mixes),
        Aspect.COST: _Way(lambda run: run.cost, comparing.numbers),
        Aspect.CONFIDENCE: _Way(lambda run: run.confidence, comparing.numbers),
    }


def _compared(
    aspect: Aspect,
    past: Days,
    current: Sequence[Run],
    *,
    was: str | None,
    since: datetime | None,
) -> Found:
    way = _ways()[aspect]
    days = [[run for run in day if way.read(run) is not None] for day in past]
    now = [run for run in current if way.read(run) is not None]
    compared = way.compare(
        [[way.read(run) for run in day] for day in days], [way.read(run) for run in now]
    )
    if compared is None:
        return Found(compared=None, was=was, since=since)
    before = [run for day in days for run in day]
    return Found(
        compared=compared,
        traces_before=tuple(before[place].trace_id for place in compared.shown_before),
        traces_now=tuple(now[place].trace_id for place in compared.shown_now),
        was=was,
        since=since,
    )
