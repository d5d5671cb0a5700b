"""Limits that a version keeps by itself, whatever it is compared with: at most so many attacks
may succeed, at least so many answers be of the agreed form.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

from opsroom.evidence import Direction, Interval
from opsroom.kit.wire import Wire


class Standing(StrEnum):
    """Where a rate is shown to be: within its limit, beyond it, or neither."""

    WITHIN = "within"
    BEYOND = "beyond"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited(Wire):
    """A rate of the candidate alone, on `n` cases, and the limit that its rule states."""

    limit: float
    n: int
    rate: float
    interval: Interval
    standing: Standing


def limited(
    values: Sequence[float], *, limit: float, direction: Direction, level: float
) -> Limited:
    """Hold the mean of shares of cases to a limit; only a whole interval shows anything.

    The interval is the exact one where every case is all or nothing. It takes cases as
    independent. Raises `NothingToCompare` without any.
    """
    from opsroom.evidence.shares import mean_share  # noqa: PLC0415  # scipy: 0.3 s

    interval = mean_share(values, level=level)
    return Limited(
        limit=limit,
        n=len(values),
        rate=fmean(values),
        interval=interval,
        standing=standing(interval, limit=limit, direction=direction),
    )


def standing(interval: Interval, *, limit: float, direction: Direction) -> Standing:
    """Where an interval stands to a limit: at most it where less is better, else at least it."""
    low, high = interval.low, interval.high
    if direction is Direction.HIGHER:
        low, high, limit = -high, -low, -limit
    if high <= limit:
        return Standing.WITHIN
    return Standing.BEYOND if low > limit else Standing.OPEN


def words(metric: str, found: Limited) -> str:
    """A limit in words, numbers and all."""
    shown = {
        Standing.WITHIN: "is within its limit",
        Standing.BEYOND: "is beyond its limit",
        Standing.OPEN: "is not shown to be within its limit",
    }[found.standing]
    low, high = found.interval.low, found.interval.high
    return (
        f"{metric}: {found.rate:.1%} of {found.n} cases ({found.interval.level:.4g} interval "
        f"{low:.1%} to {high:.1%}) {shown} of {found.limit:.4g}"
    )
