"""A difference that a judge saw, corrected for how the judge is known to err.

A judge that calls a share `se` of the good answers good, and a share `sp` of the bad ones bad,
sees a true difference d of two rates as d · (se + sp − 1): it makes every difference smaller.
Dividing by that factor undoes it (Rogan and Gladen, 1978, American Journal of Epidemiology
107:71; for differences the false-positive rate cancels). The factor is Youden's J (1950,
Cancer 3:32): 1 for a judge without error, 0 for a coin and for a judge that passes everything.

This holds where the judge errs alike on both versions and as it did when it was calibrated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import NormalDist

from opsroom.kit.wire import Wire

from .errors import NothingToCompare
from .model import Interval, Tally, check_level
from .paired import count_pairs, tango


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownError(Wire):
    """What a calibration knows of a judge: `good` counts the truly good answers that it called
    good, `bad` the truly bad ones that it called bad.
    """

    good: Tally
    bad: Tally

    @property
    def informedness(self) -> float:
        """Youden's J: how much of a true difference the judge sees.

        Raises `NothingToCompare` where there were no good or no bad answers.
        """
        _check(self)
        return self.good.hits / self.good.n + self.bad.hits / self.bad.n - 1

    def interval(self, *, level: float = 0.95) -> Interval:
        """The interval of J, which is a difference of two independent rates.

        Newcombe (1998), Statistics in Medicine 17:873, method 10.
        """
        check_level(level)
        _check(self)
        z = NormalDist().inv_cdf((1 + level) / 2)
        right = self.good.hits / self.good.n
        wrong = 1 - self.bad.hits / self.bad.n  # of the bad ones, called good
        low_right, high_right = _wilson(right, self.good.n, z)
        low_wrong, high_wrong = _wilson(wrong, self.bad.n, z)
        centre = right - wrong
        return Interval(
            low=centre - hypot(right - low_right, high_wrong - wrong),
            high=centre + hypot(high_right - right, wrong - low_wrong),
            level=level,
            method="newcombe",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen(Wire):
    """A difference of two rates with its interval."""

    difference: float
    interval: Interval


def corrected(seen: Seen, judge: KnownError) -> Seen:
    """The true difference behind one that `judge` saw, and how far that is known.

    The interval is that of a ratio of independent estimates, from the intervals of both (MOVER;
    Donner and Zou, 2012, Statistical Methods in Medical Research 21:347, here for numerators
    of either sign), so what the calibration itself does not know widens it. Where the judge
    may be no better than a coin, nothing is known: −1 to 1. A difference that is larger than the
    judge's errors allow, all of its interval, shows that they were others than when it was
    calibrated: then it is as large as it was seen, or larger.
    """
    level = seen.interval.level
    factor, known = judge.informedness, judge.interval(level=level)
    if known.low <= 0:
        low, high = -1.0, 1.0
    else:
        low = _lower(seen.difference, seen.interval.low, factor, known)
        high = -_lower(-seen.difference, -seen.interval.high, factor, known)
    estimate = seen.difference / factor if factor > 0 else 0.0
    if low > 1:
        low, estimate = seen.interval.low, seen.difference
    elif high < -1:
        high, estimate = seen.interval.high, seen.difference
    return Seen(
        difference=_within_one(estimate),
        interval=Interval(
            low=_within_one(low), high=_within_one(high), level=level, method="judged"
        ),
    )


def combined(parts: Sequence[tuple[int, Seen]]) -> Seen:
    """One difference over several groups of items, each weighted by how many it has.

    The intervals are added as those of independent estimates (MOVER; Zou and Donner, 2008,
    Statistics in Medicine 27:1693). Raises `NothingToCompare` without items.
    """
    items = sum(count for count, _ in parts)
    if items == 0:
        raise NothingToCompare("items", 0, 1)
    if len(parts) == 1:
        return parts[0][1]
    weighted = [(count / items, seen) for count, seen in parts]
    centre = sum(share * seen.difference for share, seen in weighted)
    down = [share * (seen.difference - seen.interval.low) for share, seen in weighted]
    up = [share * (seen.interval.high - seen.difference) for share, seen in weighted]
    first = parts[0][1].interval
    return Seen(
        difference=centre,
        interval=Interval(
            low=_within_one(centre - hypot(*down)),
            high=_within_one(centre + hypot(*up)),
            level=first.level,
            method=first.method,
        ),
    )


def informedness_difference(
    good: Sequence[tuple[bool, bool]], bad: Sequence[tuple[bool, bool]], *, level: float = 0.95
) -> Seen:
    """How much more a judge B sees than a judge A, on the same items: J of B less J of A.

    For every truly good and every truly bad item: was A's verdict right, was B's? Both parts
    are paired differences (Tango), and their intervals are added as in `combined`. The result
    lies between −2 and 2. Raises `NothingToCompare` without good or without bad items.
    """
    parts: list[Seen] = []
    for some in (good, bad):
        pairs = count_pairs([a for a, _ in some], [b for _, b in some])
        interval = tango(pairs, level=level)
        parts.append(
            Seen(difference=(pairs.only_b - pairs.only_a) / pairs.n, interval=interval)
        )
    centre = sum(one.difference for one in parts)
    down = hypot(*(one.difference - one.interval.low for one in parts))
    up = hypot(*(one.interval.high - one.difference for one in parts))
    return Seen(
        difference=centre,
        interval=Interval(low=centre - down, high=centre + up, level=level, method="tango"),
    )


def _lower(difference: float, low: float, factor: float, known: Interval) -> float:
    """The lowest ratio r for which `difference` − r · `factor` may still be 0.

    Solves (d − r·f)² = (d − l)² + (r·δ)², where δ is how far the factor may be off towards the
    side that matters: up for ratios from 0, down for those below.
    """
    gap = difference - low
    if low >= 0:
        off = known.high - factor
        root = sqrt((difference * off) ** 2 + gap**2 * (factor**2 - off**2))
        return (difference**2 - gap**2) / (difference * factor + root) if difference else 0.0
    off = factor - known.low
    root = sqrt((difference * off) ** 2 + gap**2 * (factor**2 - off**2))
    return (difference * factor - root) / (factor**2 - off**2)


def _wilson(rate: float, n: int, z: float) -> tuple[float, float]:
    """Wilson's score interval (1927), Journal of the American Statistical Association 22:209."""
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def _within_one(value: float) -> float:
    return max(-1.0, min(1.0, value))


def _check(judge: KnownError) -> None:
    for what, some in (("good answers", judge.good), ("bad answers", judge.bad)):
        if some.n == 0:
            raise NothingToCompare(what, 0, 1)
