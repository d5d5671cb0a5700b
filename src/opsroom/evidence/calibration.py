"""What is a reported confidence worth?

Two things are asked apart. *Does it tell right from wrong?* That is the c-index: how often, of
one right and one wrong decision, the right one was reported with more confidence. *Does it mean
what it says?* That is calibration: of decisions reported with 0.9, nine in ten are right. A
confidence may do either without the other.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import isfinite, pi, sqrt
from statistics import NormalDist

from opsroom.kit.wire import Wire

from .errors import NotFinite, NothingToCompare, OutOfRange, UnequalSamples
from .model import Interval, Tally, check_level
from .rates import clopper_pearson

BINS = 10
LEAST_IN_BIN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin(Wire):
    """Decisions reported with `low` to `high`: `confidence` on average, `right` of `n`."""

    low: float
    high: float
    confidence: float
    n: int
    right: int
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch(Wire):
    """From `low` to `high` of reported confidence, the isotonic fit is `right`."""

    low: float
    high: float
    right: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration(Wire):
    """What the confidences of `n` labelled decisions were worth.

    `confidence` is their mean, `right` the interval of the share that was right. `error` is the
    expected calibration error over `bins`; it is above 0 even for a perfect agent, whose
    average in so small a sample would be `error_by_chance`. `brier` is the mean squared
    distance of confidence from outcome; always saying the share that is right would score
    `brier_constant`. `c_index` is there where both right and wrong decisions are.
    """

    n: int
    wrong: int
    confidence: float
    right: Interval
    bins: tuple[Bin, ...]
    error: float
    error_by_chance: float
    brier: float
    brier_constant: float
    c_index: float | None
    c_interval: Interval | None
    fit: tuple[Stretch, ...]

    def calibrated(self, confidence: float) -> float:
        """How often decisions reported with `confidence` are right, by the isotonic fit.

        Straight lines lead over the gaps between its stretches.
        """
        after = bisect_right(self.fit, confidence, key=lambda one: one.low)
        if after == 0:
            return self.fit[0].right
        here = self.fit[after - 1]
        if confidence <= here.high or after == len(self.fit):
            return here.right
        there = self.fit[after]
        way = (confidence - here.high) / (there.low - here.high)
        return here.right + way * (there.right - here.right)


def calibrate(confidences: Sequence[float], wrong: Sequence[bool]) -> Calibration:
    """What these confidences were worth, given which decisions were wrong.

    Raises `NothingToCompare` without decisions, `UnequalSamples`, `NotFinite`, and
    `OutOfRange` for a confidence outside [0, 1].
    """
    if len(confidences) != len(wrong):
        raise UnequalSamples(len(confidences), len(wrong))
    if not confidences:
        raise NothingToCompare("labelled decisions", 0, 1)
    for one in confidences:
        if not isfinite(one):
            raise NotFinite("the confidences")
        if not 0 <= one <= 1:
            raise OutOfRange("confidence", one, "from 0 to 1")
    items = sorted(zip(confidences, (not one for one in wrong), strict=True))
    n, right = len(items), sum(was for _, was in items)
    bins = _bins(items)
    share = right / n
    between = c_index([c for c, was in items if was], [c for c, was in items if not was])
    return Calibration(
        n=n,
        wrong=n - right,
        confidence=sum(c for c, _ in items) / n,
        right=clopper_pearson(Tally(n=n, hits=right)),
        bins=bins,
        error=sum(one.n / n * abs(one.right / one.n - one.confidence) for one in bins),
        error_by_chance=_error_by_chance(bins, n),
        brier=sum((c - was) ** 2 for c, was in items) / n,
        brier_constant=share * (1 - share),
        c_index=None if between is None else between[0],
        c_interval=None if between is None else between[1],
        fit=_fit(items),
    )


def c_index(
    right: Sequence[float], wrong: Sequence[float], *, level: float = 0.95
) -> tuple[float, Interval] | None:
    """How often a right decision was reported with more confidence than a wrong one, ties
    counting half, with its interval; None where either is missing.

    The same as the area under the ROC curve. Interval: Newcombe (2006), Statistics in Medicine
    25:559, method 5: the variance of Hanley and McNeil at the value in question, with
    (m + n) / 2 − 1 for both sample sizes. Unlike a Wald interval it does not shrink to
    nothing where the two do not overlap.
    """
    check_level(level)
    m, n = len(right), len(wrong)
    if not m or not n:
        return None
    from scipy.optimize import brentq  # noqa: PLC0415  # what starting need not wait for

    below = sorted(wrong)
    wins = sum(bisect_left(below, one) + bisect_right(below, one) for one in right)
    found = wins / (2 * m * n)
    z = NormalDist().inv_cdf((1 + level) / 2)
    size = (m + n) / 2 - 1

    def spread(value: float) -> float:
        ways = 1 + size * (1 - value) / (2 - value) + size * value / (1 + value)
        return z * sqrt(value * (1 - value) * ways / (m * n))

    def end(towards: float) -> float:
        """Where the distance to what was found is as large as the spread there."""
        near = found + (1e-9 if towards > found else -1e-9)
        far = 1 - 1e-12 if towards > found else 1e-12
        if abs(far - found) <= spread(far):
            return towards
        return float(brentq(lambda v: abs(v - found) - spread(v), near, far))

    low = end(0.0) if found > 0 else 0.0
    high = end(1.0) if found < 1 else 1.0
    return found, Interval(low=low, high=high, level=level, method="newcombe_5")


def _bins(items: Sequence[tuple[float, bool]]) -> tuple[Bin, ...]:
    """About equally full bins that never part equal confidences: agents like to report the
    same few numbers, and bins of equal width would leave most of them empty.
    """
    size = max(LEAST_IN_BIN, -(-len(items) // BINS))
    parts: list[list[tuple[float, bool]]] = [[]]
    for _, alike in groupby(items, key=lambda one: one[0]):
        if len(parts[-1]) >= size:
            parts.append([])
        parts[-1] += alike
    if len(parts) > 1 and len(parts[-1]) < LEAST_IN_BIN:
        parts[-2:] = [parts[-2] + parts[-1]]
    return tuple(_bin(part) for part in parts)


def _bin(part: Sequence[tuple[float, bool]]) -> Bin:
    n, right = len(part), sum(was for _, was in part)
    return Bin(
        low=part[0][0],
        high=part[-1][0],
        confidence=sum(c for c, _ in part) / n,
        n=n,
        right=right,
        interval=clopper_pearson(Tally(n=n, hits=right)),
    )


def _error_by_chance(bins: Sequence[Bin], n: int) -> float:
    """The expected calibration error of a perfect agent: the mean absolute deviation of each
    bin's share, √(2/π) times its standard error.
    """
    return sum(
        one.n / n * sqrt(2 / pi * one.confidence * (1 - one.confidence) / one.n) for one in bins
    )


def _fit(items: Sequence[tuple[float, bool]]) -> tuple[Stretch, ...]:
    """The isotonic fit by pooling adjacent violators; equal confidences are one point."""
    from scipy.optimize import isotonic_regression  # noqa: PLC0415

    points = [
        (confidence, [was for _, was in alike])
        for confidence, alike in groupby(items, key=lambda one: one[0])
    ]
    found = isotonic_regression(
        [sum(was) / len(was) for _, was in points], weights=[len(was) for _, was in points]
    )
    starts = [int(one) for one in found.blocks]
    return tuple(
        Stretch(
            low=points[start][0],
            high=points[until - 1][0],
            right=min(max(float(found.x[start]), 0.0), 1.0),
        )
        for start, until in pairwise(starts)
    )
