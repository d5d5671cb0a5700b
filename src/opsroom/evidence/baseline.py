"""Whether what is seen now departs from a series' own past, at the same time of day and week.

Comparisons are with stretches of time that are alike: the same hour of earlier days of the
same kind. Both tests are robust: a bad day in the past neither hides the next one nor makes
every day after it look bad. With too little past they say so instead of guessing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .model import Tally

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST = 5  # stretches that are alike, below which nothing is said
DAYS = 28
SATURDAY = 5
TRIM = 0.1  # of them, at each end, that are left out of the rate
MAD_TO_SD = 1.4826  # of a normal distribution
EFFICIENCY = 0.37  # of the median absolute deviation, for normal values (Huber 1981)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """How far a value is from what was to be expected.

    `p` is two-sided: how often a quiet stretch is at least as far off. `z` is the same as
    standard deviations, with its sign. `low` to `high` holds `1 - alpha` of quiet stretches.
    """

    value: float
    expected: float
    low: float
    high: float
    p: float
    z: float
    stretches: int


def days_alike(now: datetime) -> list[int]:
    """How many days back those of the last four weeks lie that are of the same kind as today's,
    working days or weekends, the nearest first.
    """
    weekend = now.weekday() >= SATURDAY
    return [
        days
        for days in range(1, DAYS + 1)
        if ((now - timedelta(days=days)).weekday() >= SATURDAY) == weekend
    ]


def rate_deviation(
    past: Sequence[Tally], now: Tally, *, alpha: float = 0.001
) -> Deviation | None:
    """Compare a rate with the rates of stretches that are alike; None where there are too few
    of them, or nothing was done now.

    The expected rate is the trimmed pooled rate of the past (a half added to hits and misses,
    Jeffreys). What days differ by beyond chance is taken from the past as well: an
    overdispersion of Pearson residuals by their median absolute deviation, at least 1
    (McCullagh and Nelder 1989, 4.5), under which the tail is that of a beta-binomial.
    """
    alike = [one for one in past if one.n]
    if len(alike) < FEWEST or not now.n:
        return None
    kept = _trimmed(alike)
    hits, n = sum(one.hits for one in kept), sum(one.n for one in kept)
    expected = (hits + 0.5) / (n + 1)
    spread = _overdispersion(alike, expected)
    chances = _beta_binomial(now.n, expected, spread, known=n)
    value = now.hits / now.n
    upper, lower = float(chances[now.hits :].sum()), float(chances[: now.hits + 1].sum())
    p = min(1.0, 2 * min(upper, lower))
    below = chances.cumsum()
    return Deviation(
        value=value,
        expected=expected,
        low=float(below.searchsorted(alpha / 2)) / now.n,
        high=min(int(below.searchsorted(1 - alpha / 2)), now.n) / now.n,
        p=p,
        z=_as_z(p, value - expected),
        stretches=len(alike),
    )


def level_deviation(
    past: Sequence[float], now: float, *, alpha: float = 0.001
) -> Deviation | None:
    """Compare a positive level (cost of a turn, its seconds, a volume) with the levels of
    stretches that are alike, as ratios; None where there are too few of them.

    Logarithms are compared by their median and median absolute deviation (Iglewicz and Hoaglin
    1993), with the tail of Student's t. The deviation tells the spread as well as 37 % as many
    values would in the ordinary way, so t has that many degrees of freedom. Two per cent is the
    least spread that is believed.
    """
    logs = sorted(math.log(one) for one in past if one > 0 and math.isfinite(one))
    if len(logs) < FEWEST or not (now > 0 and math.isfinite(now)):
        return None
    from scipy.special import stdtr, stdtrit  # noqa: PLC0415  # starting need not wait for it

    middle = _median(logs)
    spread = max(MAD_TO_SD * _median(sorted(abs(one - middle) for one in logs)), 0.02)
    spread *= math.sqrt(1 + 1.57 / len(logs))  # the median is an estimate too
    freedom = EFFICIENCY * (len(logs) - 1)
    score = (math.log(now) - middle) / spread
    p = min(1.0, 2 * float(stdtr(freedom, -abs(score))))
    half = float(stdtrit(freedom, 1 - alpha / 2)) * spread
    return Deviation(
        value=now,
        expected=math.exp(middle),
        low=math.exp(middle - half),
        high=math.exp(min(middle + half, 700.0)),  # the largest that a float holds, nearly
        p=p,
        z=_as_z(p, score),
        stretches=len(logs),
    )


def _trimmed(alike: Sequence[Tally]) -> Sequence[Tally]:
    cut = int(len(alike) * TRIM)
    return sorted(alike, key=lambda one: one.hits / one.n)[cut : len(alike) - cut]


def _overdispersion(alike: Sequence[Tally], expected: float) -> float:
    residuals = sorted(
        abs(one.hits - one.n * expected) / math.sqrt(one.n * expected * (1 - expected))
        for one in alike
    )
    return max((MAD_TO_SD * _median(residuals)) ** 2, 1.0)


def _beta_binomial(
    n: int, expected: float, spread: float, *, known: int
) -> "NDArray[np.float64]":
    """The chances of 0 to `n` hits at this rate: more spread out by what days differ by, and by
    how little of the past the rate is known from.
    """
    import numpy as np  # noqa: PLC0415  # starting need not wait for it
    from scipy.special import betaln, gammaln  # noqa: PLC0415

    # Of a beta with weight w the counts are (n + w) / (1 + w) times as spread out.
    weight = known + 1.0
    if spread > 1 and n > 1:
        weight = min(weight, max((n - spread) / (spread - 1), 1.0))
    a, b = expected * weight, (1 - expected) * weight
    hits = np.arange(n + 1)
    ways = gammaln(n + 1) - gammaln(hits + 1) - gammaln(n - hits + 1)
    return np.exp(ways + betaln(hits + a, n - hits + b) - betaln(a, b))


def _as_z(p: float, sign: float) -> float:
    from scipy.special import ndtri  # noqa: PLC0415

    return math.copysign(abs(float(ndtri(max(p, 1e-300) / 2))), sign)


def _median(ordered: Sequence[float]) -> float:
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
