"""Means of numbers, looked at as often as one likes: latency, cost, scores.

Computed from n, mean and variance alone.
"""

from collections.abc import Sequence
from math import log, sqrt

from .errors import NothingToCompare, OutOfRange
from .model import Interval, Moments, check_level

FEW = 200  # below so many draws the normal limit is not trusted with bounded variables


def mean_sequence(
    moments: Moments,
    *,
    level: float = 0.95,
    tuned_for: int = 2_000,
    bounds: tuple[float, float] | None = None,
) -> Interval | None:
    """The anytime-valid interval of a mean, or None while there is too little to say anything.

    The mixture of t-tests over effect sizes N(0, τ²) with the scale integrated out: exact
    at every n for normal data, whatever their variance (Lai, 1976; Wang and Ramdas, 2025,
    "Anytime-valid t-tests and confidence sequences for Gaussian means with unknown
    variance"), and for large n the asymptotic sequence of Waudby-Smith, Arbour,
    Sinha, Kennedy and Ramdas (2024), Annals of Statistics 52:2613, for any data with a
    variance. It is narrowest around `tuned_for` draws. Skewed data are served approximately:
    looked at after every draw to 4,000, it missed an exponential mean 2.8 % of the time and
    a lognormal one (σ = 1) 6 %. For a rate use `sequential.rate_sequence`, which is exact.

    With `bounds` a variable that lies between them gets an exact interval below 200 draws
    (Robbins' mixture for sub-Gaussian sums, Howard et al., 2021).
    Raises `OutOfRange` if the bounds are not in order.
    """
    check_level(level)
    if bounds is not None and moments.n < FEW:
        return _bounded(moments, level, tuned_for, bounds)
    if moments.n < 2:
        return None
    spread = moments.variance / moments.n
    half = _half_width(spread, moments.n - 1, moments.n, level, tuned_for)
    return _around(moments.mean, half, level, "t_mixture")


def mean_difference_sequence(
    stretches: Sequence[tuple[Moments, Moments]], *, level: float = 0.95, tuned_for: int = 2_000
) -> Interval | None:
    """The anytime-valid interval of the difference of two means, B − A.

    Each stretch is (A, B) under one canary weight; stretches are averaged as in
    `sequential.observed_difference`, so a drift that both arms share does no harm. The
    t-mixture of `mean_sequence` with Welch's degrees of freedom; approximate, but at weights
    from 0.05 to 0.5 it missed at most 3 % of the time, lognormal data (σ = 1) included. None
    while there is too little to say anything. `tuned_for` counts n_a · n_b / (n_a + n_b),
    about the size of the smaller arm.
    """
    check_level(level)
    useful = [(a, b) for a, b in stretches if a.n > 1 and b.n > 1]
    sizes = [a.n * b.n / (a.n + b.n) for a, b in useful]
    if not sizes:
        return None
    total = sum(sizes)
    parts = [
        ((size / total) ** 2 * arm.variance / arm.n, arm.n - 1)
        for size, pair in zip(sizes, useful, strict=True)
        for arm in pair
    ]
    spread = sum(part for part, _ in parts)
    if spread == 0:
        return None
    freedom = spread**2 / sum(part**2 / degrees for part, degrees in parts)
    half = _half_width(spread, freedom, total, level, tuned_for)
    return _around(observed_mean_difference(useful), half, level, "t_mixture")


def observed_mean_difference(stretches: Sequence[tuple[Moments, Moments]]) -> float:
    """B − A within stretches, averaged with weights n_a · n_b / (n_a + n_b).

    Raises `NothingToCompare` until both arms were used in one stretch.
    """
    sizes = [a.n * b.n / (a.n + b.n) if a.n and b.n else 0.0 for a, b in stretches]
    if not sum(sizes):
        raise NothingToCompare("stretches with both arms", 0, 1)
    gains = [b.mean - a.mean for a, b in stretches]
    return sum(s * g for s, g in zip(sizes, gains, strict=True)) / sum(sizes)


def _half_width(
    spread: float, freedom: float, size: float, level: float, tuned_for: int
) -> float | None:
    """Solve Bayes factor(t) = 1/α for t, in units of the metric; None if no t is enough."""
    alpha = 1 - level
    ratio = 1 + size * _prior(alpha, tuned_for)
    root = (sqrt(ratio) / alpha) ** (2 / (freedom + 1))
    if root >= ratio or spread == 0:
        return None
    return sqrt(spread * freedom * (root - 1) / (1 - root / ratio))


def _bounded(
    moments: Moments, level: float, tuned_for: int, bounds: tuple[float, float]
) -> Interval:
    low, high = bounds
    if not low < high:
        raise OutOfRange("bounds", high, f"above {low}")
    if moments.n == 0:
        return Interval(low=low, high=high, level=level, method="bounded_mixture")
    prior = _prior(1 - level, tuned_for)
    n = moments.n
    width = (high - low) * sqrt(
        (1 + 1 / (n * prior)) / (2 * n) * log(sqrt(1 + n * prior) / (1 - level))
    )
    return Interval(
        low=max(low, moments.mean - width),
        high=min(high, moments.mean + width),
        level=level,
        method="bounded_mixture",
    )


def _prior(alpha: float, tuned_for: int) -> float:
    """The variance of effect sizes that makes the interval narrowest at `tuned_for` draws."""
    if tuned_for < 1:
        raise OutOfRange("tuned_for", tuned_for, "1 or more")
    wanted = -2 * log(alpha)
    return (wanted + log(wanted + 1)) / tuned_for


def _around(centre: float, half: float | None, level: float, method: str) -> Interval | None:
    if half is None:
        return None
    return Interval(low=centre - half, high=centre + half, level=level, method=method)
