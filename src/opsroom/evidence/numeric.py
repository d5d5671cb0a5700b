"""Two versions measured on the same items: latency, cost, tokens, similarity.

The seed is an argument, so that the same data give the same interval a year later.
"""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from .errors import NotFinite, NothingToCompare, UnequalSamples
from .model import Direction, Interval, NumericComparison, check_level, verdict

Array = NDArray[np.float64]

RESAMPLES = 10_000
_DRAWS = 20_000_000  # at most so many draws per interval: 10,000 resamples of 2,000 items
_CHUNK = 2_000_000  # 16 MB of random indices at a time
_ALL_SIGNS = 12  # up to so many items every sign pattern is tried


def compare_numeric(
    a: Sequence[float],
    b: Sequence[float],
    *,
    direction: Direction = Direction.HIGHER,
    margin: float = 0.0,
    level: float = 0.95,
    seed: int = 0,
) -> NumericComparison:
    """Compare the means of B and A, measured on the same items in the same order.

    `margin` is the loss of the mean that we agree to tolerate, in the metric's own unit.
    Raises `UnequalSamples`, `NotFinite`, and `NothingToCompare` below two pairs.
    """
    left, right = _clean("A", a), _clean("B", b)
    if len(left) != len(right):
        raise UnequalSamples(len(left), len(right))
    gains = right - left
    interval = bca(gains, level=level, seed=seed)
    p = sign_flip(gains, seed=seed)
    return NumericComparison(
        pairs=len(gains),
        higher_a=int((gains < 0).sum()),
        higher_b=int((gains > 0).sum()),
        mean_a=float(left.mean()),
        mean_b=float(right.mean()),
        difference=float(gains.mean()),
        interval=interval,
        p=p,
        direction=direction,
        margin=margin,
        verdict=verdict(interval, direction=direction, margin=margin, p=p),
    )


def bca(values: Array, *, level: float = 0.95, seed: int = 0) -> Interval:
    """The bias-corrected and accelerated bootstrap interval of a mean, never inside Student's.

    Efron (1987), JASA 82:171, with the percentiles moved outwards for small n as in
    Hesterberg (2015), The American Statistician 69:371. BCa covers skewed
    metrics (latency, cost) better than Student's interval and heavy symmetric tails worse
    (90 % instead of 95 for n = 50), so we keep the outer end of the two on each side.
    Measured coverage of 95 % for normal and heavy-tailed values from 20 on: 95 % or more; for
    a lognormal mean (σ = 1) 91 % with 20 values, 93 with 50, 95 with 200. Values that are all equal carry no information about spread, and the interval
    is that one point, method `constant`. Raises `NothingToCompare` below two values.
    """
    check_level(level)
    n = len(values)
    if n < 2:
        raise NothingToCompare("pairs", n, 2)
    mean = float(values.mean())
    away = values - mean
    spread = float((away**2).sum())
    if spread <= 1e-24 * max(1.0, mean * mean) * n:
        return Interval(low=mean, high=mean, level=level, method="constant")
    means = np.concatenate(list(_resampled_means(values, np.random.default_rng(seed))))
    below = (np.count_nonzero(means < mean) + np.count_nonzero(means <= mean)) / 2
    bias = ndtri(np.clip(below / len(means), 1e-6, 1 - 1e-6))
    acceleration = float((away**3).sum()) / (6 * spread**1.5)
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    student = stdtrit(n - 1, tails)
    shift = bias + student * np.sqrt(n / (n - 1))
    stretch = np.maximum(1 - acceleration * shift, 1e-3)  # skewed and few: the outermost mean
    bent = np.quantile(means, ndtr(bias + shift / stretch))
    straight = mean + student * np.sqrt(spread / (n - 1) / n)
    return Interval(
        low=float(min(bent[0], straight[0])),
        high=float(max(bent[1], straight[1])),
        level=level,
        method="bca",
    )


def sign_flip(values: Array, *, seed: int = 0) -> float:
    """The two-sided p of "A and B are exchangeable on every item".

    Fisher's randomisation test (1935) on the sum: under the hypothesis the sign of each
    difference is a coin. Exact up to twelve items, beyond that from random patterns, where
    the observed one counts as one of them (Phipson and Smyth, 2010).
    """
    observed = abs(float(values.sum())) * (1 - 1e-12)
    n = len(values)
    if n <= _ALL_SIGNS:
        every = np.array(list(product((-1.0, 1.0), repeat=n)))
        return float((np.abs(every @ values) >= observed).mean())
    rng = np.random.default_rng(seed)
    extreme = total = 0
    for rows in _chunks(n):
        signs = 2.0 * rng.integers(0, 2, size=(rows, n), dtype=np.int8) - 1.0
        extreme += int((np.abs(signs @ values) >= observed).sum())
        total += rows
    return (1 + extreme) / (1 + total)


def _resampled_means(values: Array, rng: np.random.Generator) -> Iterator[Array]:
    n = len(values)
    for rows in _chunks(n):
        yield values[rng.integers(0, n, size=(rows, n), dtype=np.int32)].mean(axis=1)


def _chunks(n: int) -> Iterator[int]:
    left = int(min(RESAMPLES, max(2_000, _DRAWS // n)))
    while left > 0:
        rows = min(left, max(1, _CHUNK // n))
        yield rows
        left -= rows


def _clean(side: str, values: Sequence[float]) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise NotFinite(f"side {side}")
    return array
