"""Samples as text in Prometheus' exposition format 0.0.4. Pure.

A sample that the format cannot carry is a bug of ours and raises; what a label or a help text
says is never one: everything is escaped.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_ESCAPED = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_ESCAPED_HELP = str.maketrans({"\\": r"\\", "\n": r"\n"})


class Kind(StrEnum):
    GAUGE = "gauge"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Metric:
    """A name, what it says, and by what its samples are told apart."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    kind: Kind = Kind.GAUGE

    def __post_init__(self) -> None:
        for word in (self.name, *self.labels):
            if _NAME.fullmatch(word) is None:
                raise ValueError(f"{word!r} names neither a metric nor a label")

    def sample(self, value: float, *labels: str) -> "Sample":
        """One number of this metric, its labels in the order in which they are declared."""
        return Sample(self, labels, float(value))


@dataclass(frozen=True, slots=True)
class Sample:
    metric: Metric
    labels: tuple[str, ...]
    value: float

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.metric.labels):
            raise ValueError(f"{self.metric.name} is told apart by {self.metric.labels}")


def text(samples: Iterable[Sample]) -> str:
    """The samples by metric, in the order in which metrics come first."""
    of: dict[Metric, list[Sample]] = {}
    for one in samples:
        of.setdefault(one.metric, []).append(one)
    return "".join(
        f"{line}\n" for metric, found in of.items() for line in _lines(metric, found)
    )


def _lines(metric: Metric, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help.translate(_ESCAPED_HELP)}"
    yield f"# TYPE {metric.name} {metric.kind.value}"
    for one in samples:
        labels = ",".join(
            f'{name}="{value.translate(_ESCAPED)}"'
            for name, value in zip(metric.labels, one.labels, strict=True)
        )
        yield (
            f"{metric.name}{{{labels}}} {_number(one.value)}"
            if labels
            else (f"{metric.name} {_number(one.value)}")
        )


def _number(value: float) -> str:
    """The shortest text that reads back as the same number; NaN, +Inf and -Inf have their names."""
    if value != value:  # noqa: PLR0124  # NaN alone is not itself
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
