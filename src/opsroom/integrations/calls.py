"""How calls went, counted by the hour: shares, faults and percentiles. No I/O."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from opsroom.kit.wire import Wire

WINDOW = timedelta(hours=24)
STEP = 1.15  # between two buckets of latencies; a percentile is at most so far off


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """How calls went in one hour. `latencies` counts by power of `STEP` of milliseconds."""

    calls: int = 0
    failures: int = 0
    faults: Mapping[str, int] = field(default_factory=dict[str, int])
    latencies: Mapping[int, int] = field(default_factory=dict[int, int])

    def plus(self, other: "Bucket") -> "Bucket":
        return Bucket(
            calls=self.calls + other.calls,
            failures=self.failures + other.failures,
            faults=_added(self.faults, other.faults),
            latencies=_added(self.latencies, other.latencies),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(Wire):
    """How calls went over a window: tests and what agents did, together."""

    calls: int
    failures: int
    faults: dict[str, int]
    p50: float | None
    p99: float | None

    @property
    def rate(self) -> float | None:
        """The share that succeeded; None where nothing was called."""
        return (self.calls - self.failures) / self.calls if self.calls else None


def one_call(*, failure: bool, seconds: float | None, fault: str = "") -> Bucket:
    """A bucket with one call in it."""
    return Bucket(
        calls=1,
        failures=int(failure),
        faults={fault: 1} if failure and fault else {},
        latencies={} if seconds is None else {_bucket(seconds): 1},
    )


def health(buckets: Iterable[Bucket]) -> Health:
    """All buckets of a window taken together."""
    whole = Bucket()
    for one in buckets:
        whole = whole.plus(one)
    return Health(
        calls=whole.calls,
        failures=whole.failures,
        faults=dict(sorted(whole.faults.items(), key=lambda one: (-one[1], one[0]))),
        p50=_percentile(whole.latencies, 0.50),
        p99=_percentile(whole.latencies, 0.99),
    )


def _added(one: Mapping[Any, int], other: Mapping[Any, int]) -> dict[Any, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in (*one, *other)}


def _bucket(seconds: float) -> int:
    return math.ceil(math.log(max(seconds * 1000, 1.0), STEP))


def _percentile(latencies: Mapping[int, int], share: float) -> float | None:
    """The upper end of the bucket that holds the percentile, in seconds."""
    left = math.ceil(sum(latencies.values()) * share)
    for bucket, count in sorted(latencies.items()):
        left -= count
        if left <= 0:
            return STEP**bucket / 1000
    return None
