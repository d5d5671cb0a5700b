"""The mean of shares: what each of several cases is worth, from 0 to 1."""

from collections.abc import Sequence
from statistics import fmean

import numpy as np

from .model import Interval, Tally
from .numeric import bca
from .rates import clopper_pearson, upper_bound


def mean_share(values: Sequence[float], *, level: float = 0.95) -> Interval:
    """The interval of the mean of shares of independent cases: exact where every case is all or
    nothing, else `numeric.bca` over the cases, and never inside `of_equal`: the few shares that
    differ say nothing of those that did not come up.

    Raises `NothingToCompare` without any.
    """
    if all_or_nothing(values):
        return clopper_pearson(Tally(n=len(values), hits=round(sum(values))), level=level)
    unseen = of_equal(fmean(values), 0.0, len(values), level=level)
    if len(values) == 1:
        return unseen
    found = bca(np.asarray(values, dtype=np.float64), level=level)
    if found.method == "constant":
        return unseen
    return Interval(
        low=max(0.0, min(found.low, unseen.low)),
        high=min(1.0, max(found.high, unseen.high)),
        level=level,
        method=found.method,
    )


def of_equal(value: float, least: float, n: int, *, level: float = 0.95) -> Interval:
    """For values that are all equal: at most so many others are different, by the exact bound,
    and each of those could be as low as `least` or as high as 1.
    """
    others = upper_bound(Tally(n=n, hits=0), confidence=(1 + level) / 2)
    return Interval(
        low=value - others * (value - least),
        high=value + others * (1 - value),
        level=level,
        method="bounds",
    )


def all_or_nothing(values: Sequence[float]) -> bool:
    return all(value in {0.0, 1.0} for value in values)
