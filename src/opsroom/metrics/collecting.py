"""Collecting the metrics of a project, as often as somebody asks and no oftener than is useful.

What is recorded is read in one read-only transaction, so nobody who writes waits for it, and
telemetry is asked after that. What there may be many of is bounded: the busiest agents,
models and tools are told.
"""

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import opsroom
from opsroom.actions import queries as actions
from opsroom.alerts import queries as alerts
from opsroom.alerts.counting import OfAgents, recorded, with_spent
from opsroom.alerts.figures import NOTHING, RATES, Counts, of_window
from opsroom.budgets import queries as budgets
from opsroom.channels import queries as channels
from opsroom.drift import queries as drift
from opsroom.feedback import queries as feedback
from opsroom.inbox import queries as inbox
from opsroom.integrations import queries as integrations
from opsroom.integrations.model import State as IntegrationState
from opsroom.journal import queries as journal
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.errors import Unavailable
from opsroom.releases import queries as releases
from opsroom.releases.model import State as ReleaseState
from opsroom.security import queries as security
from opsroom.traces import queries as traces
from opsroom.traces import spending
from opsroom.traces.judgements import Judged, judged
from opsroom.traces.telemetry import Traces

from . import catalog as of
from .exposition import Sample, text

log = logging.getLogger(__name__)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FRESH, DAY_FRESH = 10.0, 300.0  # seconds
MOST_AGENTS = 1_000
MOST_VALUES = 200  # of a label that agents and exporters fill
MOST_BUDGETS = 200
QUANTILES = ("0.5", "0.9", "0.95", "0.99")
SYSTEM = "system:metrics"


@dataclass(frozen=True, slots=True)
class Collected:
    """The samples of a project, also as text, and when they were collected."""

    samples: tuple[Sample, ...]
    text: str
    at: float


@dataclass(slots=True)
class Day:
    """What agents spent and evaluators said in the last 24 hours, as of five minutes ago at most:
    reading a day of spans takes too long to do it for every scrape. While it cannot be read, the
    last stands.
    """

    seconds: Callable[[], float]
    at: float | None = None
    spent: Mapping[str, spending.Spent] = field(default_factory=dict[str, spending.Spent])
    judged: Sequence[Judged] = ()

    def read(self, telemetry: Traces, project: str, now: datetime) -> None:
        if self.at is None or self.seconds() - self.at >= DAY_FRESH:
            self.at = self.seconds()
            try:
                spent = spending.spent(telemetry, project, [(now - DAY, now)])
                self.spent = {agent: windows[0] for agent, windows in spent.items()}
                self.judged = judged(
                    telemetry, project, since=now - DAY, until=now, limit=MOST_VALUES
                )
            except Unavailable as error:
                log.warning("what agents did in a day was not told: %s", error)


@dataclass(slots=True)
class _Kept:
    """What was collected last; whoever collects anew holds the lock."""

    day: Day
    lock: threading.Lock = field(default_factory=threading.Lock)
    last: Collected | None = None


class Metrics:
    """The metrics of every project of this process. Many scrapers at once cost as much as one."""

    def __init__(self, db: Database, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._seconds = seconds
        self._kept: dict[str, _Kept] = {}

    def of(self, project: str, telemetry: Traces) -> Collected:
        """The metrics of a project, no older than ten seconds."""
        kept = self._kept.setdefault(project, _Kept(Day(self._seconds)))
        with kept.lock:
            now = self._seconds()
            if kept.last is None or now - kept.last.at >= FRESH:
                samples = tuple(collect(self._db, project, telemetry, kept.day))
                kept.last = Collected(samples, text(samples), now)
            return kept.last


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What the database says, as of one moment; telemetry is still to be asked."""

    now: datetime
    counts: OfAgents
    finals: Sequence[actions.Finals]
    stands: Sequence[actions.Stand]
    rest: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class _Told:
    """What telemetry says: of agents in the last hour and day, of models and of tools."""

    spent: Mapping[str, Mapping[int, spending.Spent]]
    day: Day
    models: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]]


def collect(db: Database, project: str, telemetry: Traces, day: Day) -> Iterator[Sample]:
    """Every sample of a project, whoever asks for it."""
    with db.read(Actor(SYSTEM, project, human=False)) as tx:
        known = _read(tx)
    told = _ask(telemetry, project, known.now, day) if telemetry.in_use else None
    counts = with_spent(known.counts, told.spent) if told else known.counts
    shown = _busiest(counts)
    yield of.INFO.sample(1, opsroom.__version__)
    yield of.TELEMETRY.sample(told is not None)
    yield of.LEFT_OUT.sample(len(counts) - len(shown))
    yield from _work(known, shown)
    for agent in sorted(shown):
        yield from _rates(agent, counts[agent].get(0, NOTHING))
    if told:
        yield from _costs(counts, sorted(shown), told.day.spent)
        yield from _evaluations(told.day.judged)
        yield from _models(told.models)
        yield from _tools(told.tools)
    yield of.SPANS.sample(telemetry.stored[project], "stored")
    yield of.SPANS.sample(telemetry.rejected[project], "rejected")
    yield from known.rest


def _read(tx: Tx) -> _Recorded:
    return _Recorded(
        now=tx.now,
        counts=recorded(tx, [(tx.now - HOUR, tx.now)]),
        finals=actions.finals(tx, since=tx.now - HOUR),
        stands=actions.stands(tx, since=tx.now - HOUR),
        rest=tuple(_rest(tx)),
    )


def _ask(telemetry: Traces, project: str, now: datetime, day: Day) -> _Told | None:
    """What telemetry says, or nothing while it does not answer: a scrape tells the rest."""
    hour = (now - HOUR, now)
    try:
        day.read(telemetry, project, now)
        return _Told(
            spent=spending.spent(telemetry, project, [hour]),
            day=day,
            models=_by(telemetry, project, "served_model", hour),
            tools=_by(telemetry, project, "tool", hour),
        )
    except Unavailable as error:
        log.warning("metrics are told without telemetry: %s", error)
        return None


def _by(
    telemetry: Traces, project: str, word: str, hour: tuple[datetime, datetime]
) -> Sequence[Mapping[str, Any]]:
    """Spans of the hour by one of their words, the most frequent first."""
    found = traces.percentiles(telemetry, project, by=word, since=hour[0], until=hour[1])
    return found[:MOST_VALUES]


def _busiest(counts: OfAgents) -> frozenset[str]:
    def work(agent: str) -> int:
        lately = counts[agent].get(0, NOTHING)
        return lately.turns + lately.actions + lately.cost.n

    return frozenset(sorted(counts, key=lambda agent: (-work(agent), agent))[:MOST_AGENTS])


def _work(known: _Recorded, shown: frozenset[str]) -> Iterator[Sample]:
    ended = Counter[tuple[str, str, str, str]]()
    for turn in known.finals:
        number = turn.version.rpartition("@")[2]
        ended[turn.agent, number, turn.environment, turn.final] += turn.times
    for labels, times in ended.items():
        if labels[0] in shown:
            yield of.TURNS.sample(times, *labels)
    for one in known.stands:
        if one.agent in shown:
            labels = (one.agent, one.environment, one.enforcement, one.state)
            yield of.ACTIONS.sample(one.times, *labels)


def _rates(agent: str, counts: Counts) -> Iterator[Sample]:
    """Shares and means of the last hour; of nothing there is none."""
    found = of_window(counts)
    for name, rate in RATES.items():
        if rate.tally(counts).n:
            value, low, high = of.RATIOS[name]
            yield value.sample(found[name]["rate"], agent)
            yield low.sample(found[name]["low"], agent)
            yield high.sample(found[name]["high"], agent)
    if counts.confidence.n:
        sure = found["confidence"]
        yield of.CONFIDENCE.sample(sure["mean"], agent)
        yield of.CONFIDENCE_LOW.sample(sure["low"], agent)
        yield of.CONFIDENCE_HIGH.sample(sure["high"], agent)


def _costs(
    counts: OfAgents, shown: Sequence[str], day: Mapping[str, spending.Spent]
) -> Iterator[Sample]:
    for agent in shown:
        hour = counts[agent].get(0, NOTHING)
        yield of.COST_HOUR.sample(hour.cost.total, agent)
        yield of.CALLS.sample(hour.calls, agent)
        yield of.UNPRICED.sample(hour.unpriced, agent)
    busiest = sorted(day, key=lambda agent: (-day[agent].usd, agent))[:MOST_AGENTS]
    for agent in busiest:
        yield of.COST_DAY.sample(day[agent].usd, agent)


def _evaluations(judged: Sequence[Judged]) -> Iterator[Sample]:
    """What evaluators said; mean and deviation are over all labels."""
    scored: dict[tuple[str, str], list[Judged]] = {}
    for one in judged:
        yield of.EVALUATIONS.sample(one.times, one.agent, one.evaluation, one.label)
        if one.scores:
            scored.setdefault((one.agent, one.evaluation), []).append(one)
    for labels, found in scored.items():
        n = sum(one.scores for one in found)
        mean = sum(one.total for one in found) / n
        yield of.SCORES.sample(n, *labels)
        yield of.SCORE_MEAN.sample(mean, *labels)
        if n > 1:
            around = sum(one.squares for one in found) - n * mean * mean
            yield of.SCORE_DEVIATION.sample(math.sqrt(max(around, 0.0) / (n - 1)), *labels)


def _models(rows: Sequence[Mapping[str, Any]]) -> Iterator[Sample]:
    for row in rows:
        model = row["key"]
        yield of.MODEL_SPANS.sample(row["spans"], model)
        yield of.MODEL_ERRORS.sample(row["errors"], model)
        yield of.MODEL_COST.sample(row["cost"] or 0, model)
        yield of.MODEL_TOKENS.sample(row["input_tokens"], model, "input")
        yield of.MODEL_TOKENS.sample(row["output_tokens"], model, "output")
        for quantile, seconds in zip(QUANTILES, row["seconds"], strict=True):
            yield of.MODEL_SECONDS.sample(seconds, model, quantile)


def _tools(rows: Sequence[Mapping[str, Any]]) -> Iterator[Sample]:
    for row in rows:
        tool = row["key"]
        yield of.TOOL_SPANS.sample(row["spans"], tool)
        yield of.TOOL_ERRORS.sample(row["errors"], tool)
        for quantile, seconds in zip(QUANTILES, row["seconds"], strict=True):
            yield of.TOOL_SECONDS.sample(seconds, tool, quantile)


def _rest(tx: Tx) -> Iterator[Sample]:
    """What waits and how things stand. Of what can be counted by state, every state is told,
    so that a zero is a zero and not a gap.
    """
    queue = inbox.queue(tx)
    busiest = sorted(queue.waiting.items(), key=lambda one: -one[1])[:MOST_AGENTS]
    for (agent, risk), times in busiest:
        yield of.WAITING.sample(times, agent, risk)
    waited = timedelta() if queue.oldest_at is None else tx.now - queue.oldest_at
    yield of.OLDEST.sample(waited.total_seconds())
    yield of.OVERDUE.sample(queue.overdue)
    standing = sorted(alerts.standing(tx).items(), key=lambda one: -one[1])[:MOST_AGENTS]
    for (agent, urgency, state), times in standing:
        yield of.ALERTS.sample(times, agent, urgency.value, state.value)
    said = sorted(feedback.answers(tx, since=tx.now - DAY).items())
    for (agent, question), tally in said[: MOST_AGENTS * len(feedback.QUESTIONS)]:
        yield of.ANSWERS.sample(tally.hits, agent, question, "yes")
        yield of.ANSWERS.sample(tally.n - tally.hits, agent, question, "no")
    yield of.DRIFTS.sample(drift.count_open(tx))
    attempts = security.counts(tx, back=DAY)
    for kind in security.EVENTS:
        yield of.SECURITY.sample(attempts.get(kind, 0), kind)
    moving = releases.states(tx)
    for step in ReleaseState:
        yield of.RELEASES.sample(moving.get(step, 0), step.value)
    for name, health in integrations.states(tx, limit=MOST_VALUES).items():
        for each in IntegrationState:
            yield of.INTEGRATIONS.sample(health is each, name, each.value)
    yield from _budgets(tx)
    for (channel, fate), times in sorted(channels.unheard(tx, since=tx.now - DAY).items()):
        yield of.DELIVERIES.sample(times, channel, fate.value)
    yield of.JOURNAL.sample(journal.head(tx).seq)


def _budgets(tx: Tx) -> Iterator[Sample]:
    for one in budgets.standings(tx, limit=MOST_BUDGETS):
        budget = one.budget
        labels = (budget.id, budget.scope.value, budget.key, budget.unit.value)
        taken = one.held + one.settled
        used = taken / budget.hard if budget.hard else 1  # of nothing, all is used
        yield of.BUDGET_USED.sample(float(used), *labels)
        yield of.BUDGET_LIMIT.sample(float(budget.hard), *labels)
