"""How many items it takes: shown before a run, and the power that it had after it.

Differences are counted towards the good side: +0.02 is a candidate two points better.
"""

from collections.abc import Callable
from math import ceil, sqrt
from statistics import NormalDist

import numpy as np
from scipy.special import bdtrc, gammaln, xlog1py, xlogy

from .errors import NothingToCompare, OutOfRange
from .model import check_level
from .paired import mcnemar, score

_MOST = 1_000_000
_NORMAL = NormalDist()


def paired_power(
    pairs: int,
    *,
    discordant: float,
    difference: float = 0.0,
    margin: float = 0.0,
    level: float = 0.95,
) -> float:
    """The probability that `compare_binary` passes a candidate that truly is that good.

    With a margin the candidate passes as *not worse* (or better), without one only as
    *better*. `discordant` is the share of items on which the sides disagree. Exact: it sums
    the real rule (Tango's score test and McNemar's exact p) over the outcomes that can
    occur. Raises `OutOfRange` where the numbers contradict each other, `NothingToCompare`
    for no pairs.
    """
    check_level(level)
    _check_target(discordant, difference, margin)
    if pairs < 1:
        raise NothingToCompare("pairs", pairs, 1)
    z = _NORMAL.inv_cdf((1 + level) / 2)

    def passes(only_a: int, only_b: int) -> bool:
        if score(pairs, only_a, only_b, -margin) < z:
            return False
        return margin > 0 or (only_b > only_a and mcnemar(only_a, only_b) <= 1 - level)

    middle, reach = pairs * discordant, 7 * sqrt(pairs * discordant * (1 - discordant)) + 10
    counts = np.arange(max(0, int(middle - reach)), min(pairs, int(middle + reach)) + 1)
    least = np.array([_least(passes, int(count)) for count in counts])
    share = (discordant + difference) / 2 / discordant if discordant else 0.5
    log_chance = (
        gammaln(pairs + 1)
        - gammaln(counts + 1)
        - gammaln(pairs - counts + 1)
        + xlogy(counts, discordant)
        + xlog1py(pairs - counts, -discordant)
    )
    reached = np.where(least == 0, 1.0, bdtrc(np.maximum(least - 1, 0), counts, share))
    reached = np.where(least > counts, 0.0, reached)
    return float(min(1.0, (np.exp(log_chance) * reached).sum()))


def pairs_needed(
    *,
    discordant: float,
    difference: float = 0.0,
    margin: float = 0.0,
    level: float = 0.95,
    power: float = 0.8,
) -> int:
    """So many pairs give `paired_power` of at least `power`.

    Counts are whole, so power moves in small steps and a slightly smaller n may reach it
    too. Raises `OutOfRange` if no n can: that is, if difference + margin is not above 0.
    """
    _check_target(discordant, difference, margin)
    _check_reach(difference, margin, power)

    def enough(n: int) -> bool:
        return (
            paired_power(
                n, discordant=discordant, difference=difference, margin=margin, level=level
            )
            >= power
        )

    return _first(enough)


def provable_margin(
    pairs: int, *, discordant: float, level: float = 0.95, power: float = 0.8
) -> float:
    """The smallest margin that so many pairs can be expected to keep for an equal candidate.

    This is the honest way to say what a finished run was able to show.
    """
    low, high = 0.0, 1.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        if paired_power(pairs, discordant=discordant, margin=middle, level=level) >= power:
            high = middle
        else:
            low = middle
    return high


def per_arm_needed(
    *,
    baseline: float,
    difference: float = 0.0,
    margin: float = 0.0,
    level: float = 0.95,
    power: float = 0.8,
) -> int:
    """Items per arm if the arms answer *different* items, for one look at the end.

    The usual normal approximation with unpooled variances (Chow, Shao and Wang, Sample Size
    Calculations in Clinical Research, section 4.2). `baseline` is A's rate, and higher is
    better. Raises `OutOfRange`.
    """
    check_level(level)
    candidate = baseline + difference
    for name, rate in (("baseline", baseline), ("baseline + difference", candidate)):
        if not 0 < rate < 1:
            raise OutOfRange(name, rate, "more than 0 and less than 1")
    variance = baseline * (1 - baseline) + candidate * (1 - candidate)
    return _normal_size(variance, difference, margin, level, power)


def per_arm_power(
    n: int,
    *,
    baseline: float,
    difference: float = 0.0,
    margin: float = 0.0,
    level: float = 0.95,
) -> float:
    """The power that `n` items per arm have, by the approximation of `per_arm_needed`."""
    check_level(level)
    candidate = baseline + difference
    variance = baseline * (1 - baseline) + candidate * (1 - candidate)
    z = _NORMAL.inv_cdf((1 + level) / 2)
    return _NORMAL.cdf((difference + margin) / sqrt(variance / n) - z)


def pairs_needed_mean(
    *,
    deviation: float,
    difference: float = 0.0,
    margin: float = 0.0,
    level: float = 0.95,
    power: float = 0.8,
) -> int:
    """Pairs needed for a numeric metric whose differences have that standard deviation."""
    check_level(level)
    if not deviation > 0:
        raise OutOfRange("deviation", deviation, "more than 0")
    return _normal_size(deviation**2, difference, margin, level, power)


def _normal_size(
    variance: float, difference: float, margin: float, level: float, power: float
) -> int:
    _check_reach(difference, margin, power)
    z = _NORMAL.inv_cdf((1 + level) / 2) + _NORMAL.inv_cdf(power)
    return ceil(variance * (z / (difference + margin)) ** 2)


def _least(passes: Callable[[int, int], bool], count: int) -> int:
    """The smallest `only_b` of `count` disagreements that passes; count + 1 if none does."""
    low, high = 0, count + 1
    while low < high:
        middle = (low + high) // 2
        if passes(count - middle, middle):
            high = middle
        else:
            low = middle + 1
    return low


def _first(enough: Callable[[int], bool]) -> int:
    high = 8
    while not enough(high):
        high *= 2
        if high > _MOST:
            raise OutOfRange("pairs", high, f"at most {_MOST}; allow a larger margin")
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle
    return high


def _check_target(discordant: float, difference: float, margin: float) -> None:
    if not 0 <= discordant < 1:
        raise OutOfRange("discordant", discordant, "from 0 and less than 1")
    if abs(difference) > discordant:
        raise OutOfRange(
            "difference", difference, f"within ±{discordant}, the discordant share"
        )
    if not 0 <= margin < 1:
        raise OutOfRange("margin", margin, "from 0 and less than 1")


def _check_reach(difference: float, margin: float, power: float) -> None:
    if not difference + margin > 0:
        raise OutOfRange("difference + margin", difference + margin, "more than 0")
    if not 0.5 <= power < 1:
        raise OutOfRange("power", power, "from 0.5 and less than 1")
