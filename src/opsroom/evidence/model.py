"""The words for what samples say, and the four verdicts.

Everywhere in this package B (the candidate) is compared against A (the baseline), and a
difference is B − A in the metric's own unit. Nothing here needs numpy; the arithmetic is in
the other modules, which are imported where they are used.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import exp, isfinite
from typing import Literal

from opsroom.kit.wire import Wire

from .errors import ImpossibleCounts, NotFinite, OutOfRange


class Direction(StrEnum):
    """Which way is good."""

    HIGHER = "higher"
    LOWER = "lower"


class Verdict(StrEnum):
    """What may be said about B. Only the first two let anything pass."""

    BETTER = "better"
    NOT_WORSE = "not_worse"
    WORSE = "worse"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(Wire):
    """The values that the data do not contradict, both ends included and finite.

    `level` is the two-sided confidence: each end alone is wrong with probability
    (1 − level) / 2 at most. `method` names the computation.
    """

    low: float
    high: float
    level: float
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally(Wire):
    """`hits` of `n` had the property that is counted. Raises `ImpossibleCounts`."""

    n: int
    hits: int

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.n:
            raise ImpossibleCounts(f"{self.hits} hits of {self.n}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch(Wire):
    """Traffic that was split at random while the weight stood still.

    Each request went to B with probability `weight`, independently of everything before
    it. A canary with three steps has three stretches; a step may be cut into several, as
    long as the cuts do not depend on outcomes. Raises `OutOfRange` for a weight outside
    (0, 1): without traffic on both arms at the same time there is no comparison.
    """

    weight: float
    a: Tally
    b: Tally

    def __post_init__(self) -> None:
        if not 0 < self.weight < 1:
            raise OutOfRange("weight", self.weight, "more than 0 and less than 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments(Wire):
    """How many numbers there were, their mean and their sample variance (n − 1).

    Raises `ImpossibleCounts` for a negative n or variance, `NotFinite` for NaN and infinity.
    """

    n: int
    mean: float
    variance: float

    def __post_init__(self) -> None:
        if not (isfinite(self.mean) and isfinite(self.variance)):
            raise NotFinite("a sample summary")
        if self.n < 0 or self.variance < 0:
            raise ImpossibleCounts(f"n {self.n} with variance {self.variance}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs(Wire):
    """Items answered by both sides, by who passed. Raises `ImpossibleCounts`."""

    both: int
    only_a: int
    only_b: int
    neither: int

    def __post_init__(self) -> None:
        if min(self.both, self.only_a, self.only_b, self.neither) < 0:
            raise ImpossibleCounts(f"negative count in {self}")

    @property
    def n(self) -> int:
        return self.both + self.only_a + self.only_b + self.neither


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryComparison(Wire):
    """Two sides that passed or failed the same items.

    `p` is McNemar's exact test of "no difference". The verdict follows from `interval`,
    `p`, `direction` and `margin` alone, so it can be replayed from what is stored here.
    """

    pairs: int
    only_a: int
    only_b: int
    rate_a: float
    rate_b: float
    difference: float
    interval: Interval
    p: float
    direction: Direction
    margin: float
    verdict: Verdict
    kind: Literal["binary"] = "binary"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericComparison(Wire):
    """Two sides measured on the same items: means, and the interval of the mean difference.

    `p` is the sign-flip test of "exchangeable on every item".
    """

    pairs: int
    higher_a: int
    higher_b: int
    mean_a: float
    mean_b: float
    difference: float
    interval: Interval
    p: float
    direction: Direction
    margin: float
    verdict: Verdict
    kind: Literal["numeric"] = "numeric"


Comparison = BinaryComparison | NumericComparison


def verdict(
    interval: Interval, *, direction: Direction, margin: float = 0.0, p: float | None = None
) -> Verdict:
    """What an interval for B − A allows to be said, given the loss we agreed to tolerate.

    Turned so that up is good:

    - *better*: the whole interval lies above 0;
    - *not worse*: the whole interval lies at or above −margin. A small loss inside the
      margin is a pass, even when it is certain: that is what the margin was agreed for;
    - *worse*: the whole interval lies below −margin, so the loss is larger than agreed;
    - *undecided*: everything else. An interval below 0 that straddles −margin shows a loss,
      but not whether it is one we agreed to, so it neither passes nor condemns.

    Where an exact `p` for "no difference" is given, a difference is not claimed unless
    p ≤ 1 − level as well: approximate intervals are a little short when few items differ
    (5 against 0 has p = 0.0625).

    A narrower interval inside a wider one never takes a decision back. Raises `OutOfRange`
    for a negative margin. The rule for *not worse* is the usual one of non-inferiority
    trials (Piaggio et al., 2012, JAMA 308:2594, figure 1).
    """
    if not (margin >= 0 and isfinite(margin)):
        raise OutOfRange("margin", margin, "a finite number from 0")
    low, high = interval.low, interval.high
    if direction is Direction.LOWER:
        low, high = -high, -low
    differs = p is None or p <= 1 - interval.level + 1e-12
    if low > 0 and differs:
        return Verdict.BETTER
    if low >= -margin:
        return Verdict.NOT_WORSE
    if high < -margin and differs:
        return Verdict.WORSE
    return Verdict.UNDECIDED


def check_level(level: float) -> float:
    """`level` itself if it is a confidence, else `OutOfRange`."""
    if not 0 < level < 1:
        raise OutOfRange("level", level, "more than 0 and less than 1")
    return level


def finite_e(log_e: float) -> float:
    """An e-value from its logarithm, cut off at e^700 so that it stays a JSON number."""
    return exp(min(log_e, 700.0))
