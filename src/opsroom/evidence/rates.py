"""One rate or median from a sample of fixed size: intervals and one-sided bounds.

For a rate that is looked at more than once, see `sequential.rate_sequence`.
"""

from collections.abc import Sequence

from .errors import NothingToCompare
from .model import Interval, Tally, check_level


def clopper_pearson(tally: Tally, *, level: float = 0.95) -> Interval:
    """The exact interval of a rate; covers at least `level` for every rate and n.

    Clopper and Pearson (1934), Biometrika 26:404. Raises `NothingToCompare` for n = 0.
    """
    tail = (1 - check_level(level)) / 2
    return Interval(
        low=lower_bound(tally, confidence=1 - tail),
        high=upper_bound(tally, confidence=1 - tail),
        level=level,
        method="clopper_pearson",
    )


def median_interval(values: Sequence[float], *, level: float = 0.95) -> Interval:
    """The exact interval of a median, between two of the values, for any distribution.

    Of a share of one half that lies below the median, the exact interval says which places in
    their order are possible. Raises `NothingToCompare` without values.
    """
    ordered = sorted(values)
    n = len(ordered)
    half = clopper_pearson(Tally(n=n, hits=n // 2), level=level)
    return Interval(
        low=ordered[int(half.low * n)],
        high=ordered[min(int(half.high * n), n - 1)],
        level=level,
        method="order_statistics",
    )


def lower_bound(tally: Tally, *, confidence: float = 0.95) -> float:
    """The rate is at least this, with one-sided exact `confidence`."""
    check_level(confidence)
    _check_size(tally)
    if tally.hits == 0:
        return 0.0
    return _beta_quantile(tally.hits, tally.n - tally.hits + 1, 1 - confidence)


def upper_bound(tally: Tally, *, confidence: float = 0.95) -> float:
    """The rate is at most this, with one-sided exact `confidence`: 0 of 200 proves 1.5 %."""
    check_level(confidence)
    _check_size(tally)
    if tally.hits == tally.n:
        return 1.0
    return _beta_quantile(tally.hits + 1, tally.n - tally.hits, confidence)


def _beta_quantile(a: int, b: int, p: float) -> float:
    from scipy.special import betaincinv  # noqa: PLC0415  # 0.3 s that starting need not wait for

    return float(betaincinv(a, b, p))


def _check_size(tally: Tally) -> None:
    if tally.n == 0:
        raise NothingToCompare("observations", 0, 1)
