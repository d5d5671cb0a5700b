"""Two versions that passed or failed the same items.

Needs nothing but the standard library, so that a gate costs no start-up time.
"""

from collections.abc import Callable, Sequence
from math import exp, lgamma, log
from statistics import NormalDist

from .errors import ImpossibleCounts, NothingToCompare, UnequalSamples
from .model import (
    BinaryComparison,
    Direction,
    Interval,
    Pairs,
    check_level,
    verdict,
)


def count_pairs(a: Sequence[bool], b: Sequence[bool]) -> Pairs:
    """Outcomes on the same items, in the same order, as counts.

    Raises `UnequalSamples` if one side is longer.
    """
    if len(a) != len(b):
        raise UnequalSamples(len(a), len(b))
    outcomes = [(bool(x), bool(y)) for x, y in zip(a, b, strict=True)]
    return Pairs(
        both=outcomes.count((True, True)),
        only_a=outcomes.count((True, False)),
        only_b=outcomes.count((False, True)),
        neither=outcomes.count((False, False)),
    )


def mcnemar(only_a: int, only_b: int) -> float:
    """The exact two-sided p of "no difference", from the items on which the sides disagree.

    McNemar (1947) in its exact form: under no difference the disagreements fall like coins,
    so p = 2 · P(Bin(only_a + only_b, ½) ≤ min), at most 1. No disagreement gives 1.
    """
    if min(only_a, only_b) < 0:
        raise ImpossibleCounts(f"{only_a} against {only_b}")
    n, k = only_a + only_b, min(only_a, only_b)
    largest = exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * log(2))
    tail, term = 0.0, 1.0
    while k >= 0 and term > 1e-17:  # terms shrink towards 0 successes
        tail += term
        term *= k / (n - k + 1)
        k -= 1
    return min(1.0, 2 * largest * tail)


def tango(pairs: Pairs, *, level: float = 0.95) -> Interval:
    """The score interval for the paired difference of proportions, B − A.

    Tango (1998), Statistics in Medicine 17:891: all differences whose score
    test is not significant. Unlike Wald's it is sensible without any disagreement: n equal
    outcomes give ± z²/(n + z²). Coverage is close to `level` on average; it dips below by
    about a point in places, which is why verdicts ask the exact test too. Raises
    `NothingToCompare` without pairs.
    """
    check_level(level)
    if pairs.n == 0:
        raise NothingToCompare("pairs", 0, 1)
    z = NormalDist().inv_cdf((1 + level) / 2)
    estimate = (pairs.only_b - pairs.only_a) / pairs.n
    return Interval(
        low=_edge(lambda d: score(pairs.n, pairs.only_a, pairs.only_b, d) <= z, estimate, -1.0),
        high=_edge(
            lambda d: score(pairs.n, pairs.only_a, pairs.only_b, d) >= -z, estimate, 1.0
        ),
        level=level,
        method="tango",
    )


def score(n: int, only_a: int, only_b: int, difference: float) -> float:
    """Tango's statistic for "B − A is `difference`"; standard normal if so, large if B is better.

    The nuisance (how often only A passes) is its maximum-likelihood value under the
    hypothesis, a root of a quadratic.
    """
    gap = only_b - only_a - n * difference
    linear = (2 * n - only_b + only_a) * difference - only_b - only_a
    constant = -only_a * difference * (1 - difference)
    root = max(linear * linear - 8 * n * constant, 0.0) ** 0.5
    alone_a = (root - linear) / (4 * n)
    variance = n * (2 * alone_a + difference * (1 - difference))
    if variance <= 1e-12 * n:  # only certainty is left: it fits, or it does not
        return 0.0 if abs(gap) < 1e-9 * n else gap * float("inf")
    return float(gap / variance**0.5)


def compare_binary(
    pairs: Pairs,
    *,
    direction: Direction = Direction.HIGHER,
    margin: float = 0.0,
    level: float = 0.95,
) -> BinaryComparison:
    """Compare B against A on items that both answered.

    `margin` is the loss of rate we agree to tolerate (0.05 is five points); see `verdict`.
    Swapping the sides flips the signs. Raises `NothingToCompare` without pairs.
    """
    interval = tango(pairs, level=level)
    p = mcnemar(pairs.only_a, pairs.only_b)
    return BinaryComparison(
        pairs=pairs.n,
        only_a=pairs.only_a,
        only_b=pairs.only_b,
        rate_a=(pairs.both + pairs.only_a) / pairs.n,
        rate_b=(pairs.both + pairs.only_b) / pairs.n,
        difference=(pairs.only_b - pairs.only_a) / pairs.n,
        interval=interval,
        p=p,
        direction=direction,
        margin=margin,
        verdict=verdict(interval, direction=direction, margin=margin, p=p),
    )


def _edge(inside: Callable[[float], bool], known: float, limit: float) -> float:
    """The last point from `known` towards `limit` that is still inside."""
    if inside(limit):
        return limit
    for _ in range(60):
        middle = (known + limit) / 2
        if inside(middle):
            known = middle
        else:
            limit = middle
    return limit
