"""Rates and their differences, looked at as often as one likes.

Each interval here belongs to a confidence sequence: the chance that it *ever* misses the
truth, over all looks together, is at most 1 − level. So a canary may be judged after every
request, and stopped for any reason. All of them are exact at every sample size and are
computed from counts alone.

Asymptotic sequences (Waudby-Smith et al., 2024) are as wide as these from a few thousand
requests on, and wrong before: at rates of 1.5 % and a canary weight of 10 % one raised a
false alarm in 21 % of simulated releases instead of 5. So they are used for means only
(`means`), where nothing exact exists.
"""

from collections.abc import Sequence
from math import lgamma, log, log1p, pi

import numpy as np

from .betting import (
    Array,
    Draws,
    invert,
    log_e_above,
    log_e_below,
    log_sum_exp,
)
from .errors import NothingToCompare, OutOfRange
from .model import Interval, Pairs, Stretch, Tally, check_level, finite_e

# Guesses of the overall rate, for callers who have none; a wrong guess costs width only.
GUESSES = (0.02, 0.1, 0.5, 0.9, 0.98)
_GUESS_WEIGHT = 100.0  # a guess counts like so many requests when the rate is learnt


def rate_e(tally: Tally, *, rate: float) -> float:
    """The e-value against "each time the chance of a hit is `rate`".

    The beta-binomial mixture of Robbins (1970), as in Howard et al. (2021), Annals of
    Statistics 49:1055, with a Beta(½, ½) prior. Raises `OutOfRange` unless
    0 < rate < 1.
    """
    if not 0 < rate < 1:
        raise OutOfRange("rate", rate, "more than 0 and less than 1")
    return finite_e(_mixture(tally) - _log_likelihood(tally, rate))


def rate_sequence(tally: Tally, *, level: float = 0.95) -> Interval:
    """The anytime-valid interval of one rate; all of [0, 1] before the first observation.

    Use level 0.9 for a lower bound at 95 %.
    """
    limit = log(1 / (1 - check_level(level))) - _mixture(tally)
    share = tally.hits / tally.n if tally.n else 0.5

    def end(towards: float) -> float:
        inside, outside = share, towards
        for _ in range(50):
            middle = (inside + outside) / 2
            if -_log_likelihood(tally, middle) < limit:
                inside = middle
            else:
                outside = middle
        return outside

    low = end(0.0) if tally.hits else 0.0
    high = end(1.0) if tally.hits < tally.n else 1.0
    return Interval(low=low, high=high, level=level, method="beta_binomial_sequence")


def paired_sequence(pairs: Pairs, *, level: float = 0.95) -> Interval:
    """The anytime-valid interval of the paired difference B − A (shadow runs).

    A pair is worth −1, 0 or +1; betting on its mean is exact at every n. Within [−1, 1]
    before the first pair.
    """
    check_level(level)
    draws = [
        Draws(
            np.array([-1.0, 0.0, 1.0]),
            np.array([pairs.only_a, pairs.both + pairs.neither, pairs.only_b], dtype=float),
        )
    ]
    return invert(
        lambda mean: log_e_above(draws, mean),
        lambda mean: log_e_below(draws, mean),
        low=-1.0,
        high=1.0,
        level=level,
        method="betting_paired",
    )


def difference_sequence(
    stretches: Sequence[Stretch], *, level: float = 0.95, expected: float | None = None
) -> Interval:
    """The anytime-valid interval of the difference of two rates, B − A, from split traffic.

    Each request counts as (outcome − centre) times 1 − w on B and −w on A. Because we drew
    the arm, the mean of that is w (1 − w) times the difference whatever the rates are: they
    may drift during the day, and the weight may change from stretch to stretch. What has to
    stay is the difference itself, and arms must be drawn per request; where a subject sticks
    to an arm, count subjects. The centre only narrows the interval; it starts at `expected`, the rate
    that the baseline is known to have (or a mixture of guesses), and learns from the
    stretches before. So the order of the stretches matters, the order inside them does not.

    Robins, Rotnitzky and Zhao (1994) for the weights; Ham, Bojinov, Lindon and Tingley
    (2022), arXiv 2210.08639, for their use in continuously monitored experiments; betting
    as in `betting`. Raises `OutOfRange` for `expected` outside (0, 1).
    """
    check_level(level)
    hands = _hands(stretches, expected)
    return invert(
        lambda difference: _mix(hands, difference, up=True),
        lambda difference: _mix(hands, difference, up=False),
        low=-1.0,
        high=1.0,
        level=level,
        method="betting_difference",
    )


def e_above(
    stretches: Sequence[Stretch], *, difference: float = 0.0, expected: float | None = None
) -> float:
    """The e-value against "B's rate is above A's by at most `difference`".

    Alarm at e ≥ 1/α. One-sided, so it sees sooner than the interval. Raises `OutOfRange`
    for a difference outside (−1, 1).
    """
    return _e(stretches, difference, expected, up=True)


def e_below(
    stretches: Sequence[Stretch], *, difference: float = 0.0, expected: float | None = None
) -> float:
    """The e-value against "B's rate is above A's by at least `difference`"."""
    return _e(stretches, difference, expected, up=False)


def two_arm_e(stretches: Sequence[Stretch], *, expected: float | None = None) -> float:
    """The e-value against "both arms have the same rate", two-sided."""
    return (e_above(stretches, expected=expected) + e_below(stretches, expected=expected)) / 2


def observed_difference(stretches: Sequence[Stretch]) -> float:
    """B − A within stretches, averaged with Mantel–Haenszel weights n_a · n_b / (n_a + n_b).

    Pooling across stretches instead would blame B for the hours in which it had more
    weight. Raises `NothingToCompare` until both arms were used in one stretch.
    """
    total = weights = 0.0
    for stretch in stretches:
        a, b = stretch.a, stretch.b
        if a.n and b.n:
            weight = a.n * b.n / (a.n + b.n)
            total += weight * (b.hits / b.n - a.hits / a.n)
            weights += weight
    if not weights:
        raise NothingToCompare("stretches with both arms", 0, 1)
    return total / weights


def _e(
    stretches: Sequence[Stretch], difference: float, expected: float | None, *, up: bool
) -> float:
    if not -1 < difference < 1:
        raise OutOfRange("difference", difference, "more than -1 and less than 1")
    return finite_e(float(_mix(_hands(stretches, expected), np.array(difference), up=up)))


def _mix(hands: Sequence[Sequence[Draws]], difference: Array, *, up: bool) -> Array:
    wealth = log_e_above if up else log_e_below
    logs = np.stack([wealth(hand, difference) for hand in hands], axis=-1)
    return log_sum_exp(logs - log(len(hands)))


def _hands(stretches: Sequence[Stretch], expected: float | None) -> list[list[Draws]]:
    """The draws of every stretch, once for each guess of the overall rate."""
    if expected is not None and not 0 < expected < 1:
        raise OutOfRange("expected", expected, "more than 0 and less than 1")
    return [
        _draws(stretches, guess) for guess in (GUESSES if expected is None else (expected,))
    ]


def _draws(stretches: Sequence[Stretch], guess: float) -> list[Draws]:
    seen, hits = _GUESS_WEIGHT, _GUESS_WEIGHT * guess
    draws: list[Draws] = []
    for stretch in stretches:
        a, b, w = stretch.a, stretch.b, stretch.weight
        centre = hits / seen
        values = ((1 - centre) * (1 - w), -centre * (1 - w), (centre - 1) * w, centre * w)
        counts = (b.hits, b.n - b.hits, a.hits, a.n - a.hits)
        draws.append(Draws(np.array(values), np.array(counts, dtype=float), w * (1 - w)))
        seen += a.n + b.n
        hits += a.hits + b.hits
    return draws


def _mixture(tally: Tally) -> float:
    misses = tally.n - tally.hits
    return lgamma(tally.hits + 0.5) + lgamma(misses + 0.5) - lgamma(tally.n + 1) - log(pi)


def _log_likelihood(tally: Tally, rate: float) -> float:
    misses = tally.n - tally.hits
    return (tally.hits * log(rate) if tally.hits else 0.0) + (
        misses * log1p(-rate) if misses else 0.0
    )
