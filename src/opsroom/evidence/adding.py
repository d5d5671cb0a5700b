"""The interval of a sum, from the intervals of its parts."""

from collections.abc import Sequence
from math import sqrt

from .model import Interval


def added(parts: Sequence[tuple[float, Interval]], *, level: float = 0.95) -> Interval:
    """The interval of a sum of independent estimates, each given with its own interval.

    "MOVER", Zou and Donner (2008), Statistics in Medicine 27:1693: on each side the distances
    of the parts are added like the legs of right-angled triangles. So parts keep what they
    know of their own skewness, and one part alone keeps its interval. All have to be of the
    same `level`.
    """
    total = sum(estimate for estimate, _ in parts)
    below = sqrt(sum((estimate - one.low) ** 2 for estimate, one in parts))
    above = sqrt(sum((one.high - estimate) ** 2 for estimate, one in parts))
    method = "+".join(dict.fromkeys(one.method for _, one in parts))
    return Interval(low=total - below, high=total + above, level=level, method=method)
