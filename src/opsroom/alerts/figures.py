"""The figures that conditions name, from counts of what agents did. Pure.

Every rate and every mean comes with an interval that holds the true one in 999 of 1,000
windows, so that a condition on its `low` or `high` fires by chance once in a thousand looks at
independent windows at most. `usual` compares the window with windows alike (the same time of
day, on days of the same kind): `chance` is how often a quiet window is at least as far off, in
either direction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opsroom.evidence import Tally
from opsroom.evidence.baseline import (
    Deviation,
    days_alike,
    level_deviation,
    rate_deviation,
)
from opsroom.evidence.means import mean_sequence
from opsroom.evidence.model import Moments
from opsroom.evidence.rates import clopper_pearson

LEVEL = 0.999
ALPHA = 0.0001
MOST = 1e12  # what stands for no bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """So many numbers, their sum, and the sum of their squares."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    @property
    def mean(self) -> float:
        return self.total / self.n if self.n else 0.0

    @property
    def variance(self) -> float:
        if self.n < 2:
            return 0.0
        return max(0.0, (self.squares - self.n * self.mean**2) / (self.n - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What an agent did in one window: turns that ended, those that failed, were given to a
    person, or of which a person decided something otherwise; actions that were proposed, and
    those that broke their contract; calls of models, and those that failed. `cost` is of its
    traces, in US dollars, `confidence` of its actions.
    """

    turns: int = 0
    failed: int = 0
    escalated: int = 0
    overridden: int = 0
    actions: int = 0
    malformed: int = 0
    calls: int = 0
    failed_calls: int = 0
    unpriced: int = 0
    cost: Sum = Sum()
    confidence: Sum = Sum()

    @property
    def automated(self) -> int:
        """Turns that ended well without anybody being asked."""
        return self.turns - self.failed - self.escalated


@dataclass(frozen=True, slots=True)
class Rate:
    """A share: what is counted of what, in words, and whether more of it is worse."""

    hits: str
    of: str
    words: str
    worse: bool = True

    def tally(self, counts: Counts) -> Tally:
        n = getattr(counts, self.of)
        return Tally(n=n, hits=min(n, getattr(counts, self.hits)))


RATES: Mapping[str, Rate] = {
    "failed": Rate("failed", "turns", "failed"),
    "escalated": Rate("escalated", "turns", "went to a person"),
    "automated": Rate("automated", "turns", "ended without a person", worse=False),
    "overridden": Rate("overridden", "turns", "were decided otherwise by a person"),
    "malformed": Rate("malformed", "actions", "broke their contract"),
    "model_errors": Rate("failed_calls", "calls", "of a model failed"),
}
# What only telemetry knows.
OF_TELEMETRY = (".cost", ".model_errors", ".calls")
NOTHING = Counts()
Windows = list[tuple[datetime, datetime]]


def recent(now: datetime, length: timedelta) -> Windows:
    """The window that ends now, and the one before it."""
    return [(now - length, now), (now - 2 * length, now - length)]


def past(now: datetime, length: timedelta) -> Windows:
    """The same window a week ago, then those of the other days of the same kind. Windows of
    more than a day overlap those of other days, so only the week ago is there.
    """
    days = [7]
    if length <= timedelta(days=1):
        days += [back for back in days_alike(now) if back != 7]
    ends = [now - timedelta(days=back) for back in days]
    return [(end - length, end) for end in ends]


def figures(
    lately: Mapping[int, Counts], before: Mapping[int, Counts], *, events: int = 0
) -> dict[str, Any]:
    """What a condition may name of one agent: `lately` are counts by place in `recent`,
    `before` by place in `past`. Where too little is known, nothing is unusual.
    """
    now = lately.get(0, NOTHING)
    alike = list(before.values())
    return {
        "now": of_window(now),
        "before": of_window(lately.get(1, NOTHING)),
        "week_ago": of_window(before.get(0, NOTHING)),
        "usual": {
            "turns": _usual_turns(alike, now),
            **{name: _usual_rate(alike, now, rate) for name, rate in RATES.items()},
            "cost": _usual_mean([one.cost for one in alike], now.cost, worse=1),
            "confidence": _usual_mean(
                [one.confidence for one in alike], now.confidence, worse=-1
            ),
        },
        "events": events,
    }


def of_window(counts: Counts) -> dict[str, Any]:
    """The rates and means of one window, with their intervals."""
    return {
        "turns": counts.turns,
        "actions": counts.actions,
        "calls": counts.calls,
        **{name: _rate(rate.tally(counts)) for name, rate in RATES.items()},
        "cost": {
            "usd": counts.cost.total,
            "unpriced": counts.unpriced,
            **_mean(counts.cost, 0.0, MOST),
        },
        "confidence": _mean(counts.confidence, 0.0, 1.0),
    }


def _rate(tally: Tally) -> dict[str, float]:
    if not tally.n:
        return {"hits": 0, "rate": 0.0, "low": 0.0, "high": 1.0}
    interval = clopper_pearson(tally, level=LEVEL)
    rate = tally.hits / tally.n
    return {"hits": tally.hits, "rate": rate, "low": interval.low, "high": interval.high}


def _mean(of: Sum, least: float, most: float) -> dict[str, float]:
    moments = Moments(n=of.n, mean=of.mean, variance=of.variance)
    interval = mean_sequence(moments, level=LEVEL, tuned_for=max(of.n, 2))
    low, high = (least, most) if interval is None else (interval.low, interval.high)
    return {"n": of.n, "mean": of.mean, "low": max(low, least), "high": min(high, most)}


def _usual_rate(alike: Sequence[Counts], now: Counts, rate: Rate) -> dict[str, Any]:
    found = rate_deviation([rate.tally(one) for one in alike], rate.tally(now), alpha=ALPHA)
    if found is None:
        return {"rate": 0.0, "low": 0.0, "high": 1.0, **_UNKNOWN}
    return {
        "rate": found.expected,
        "low": found.low,
        "high": found.high,
        **_told(found, worse=found.z > 0 if rate.worse else found.z < 0),
    }


def _usual_turns(alike: Sequence[Counts], now: Counts) -> dict[str, Any]:
    """How many turns are usual; an hour without any counts as half a one, so that it compares."""
    return _usual_level([float(one.turns) for one in alike], max(now.turns, 0.5), worse=-1)


def _usual_mean(alike: Sequence[Sum], now: Sum, *, worse: int) -> dict[str, Any]:
    return _usual_level([one.mean for one in alike if one.n], now.mean, worse=worse)


def _usual_level(alike: Sequence[float], now: float, *, worse: int) -> dict[str, Any]:
    found = level_deviation(alike, now, alpha=ALPHA)
    if found is None:
        return {"level": 0.0, "low": 0.0, "high": 0.0, **_UNKNOWN}
    return {
        "level": found.expected,
        "low": found.low,
        "high": min(found.high, MOST),
        **_told(found, worse=found.z * worse > 0),
    }


_UNKNOWN: dict[str, Any] = {"chance": 1.0, "worse": False, "windows": 0}


def _told(found: Deviation, *, worse: bool) -> dict[str, Any]:
    return {"chance": found.p, "worse": worse, "windows": found.stretches}
