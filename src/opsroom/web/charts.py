"""Shapes of the drawings a page can show, and where their lines go.

A drawing is never the only carrier of its numbers: each shape here is also written out as
words or as a table by the macro that draws it. Coordinates are per cent of the width, so that
a drawing follows its column without scaling its strokes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

Tone = Literal["good", "bad", "warn", "info", "muted"]
TABLE_ROWS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One measured difference with its interval, and what was concluded from it.

    Rows of one `unit` share a scale. `limit` is the margin that the interval is held against.
    """

    label: str
    estimate: float
    low: float
    high: float
    verdict: str
    tone: Tone
    unit: str = ""
    digits: int = 1
    limit: float | None = None
    n: int | None = None
    href: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """Where the parts of one effect are drawn, in per cent of the strip."""

    effect: Effect
    zero: float
    low: float
    high: float
    estimate: float
    limit: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A dotted line that a band is held against, and what happens there."""

    value: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """An estimate that settles as `x` grows, inside an interval that narrows.

    The four columns have one length and `x` ascends; `title` and `summary` are what a reader
    who does not see the picture gets.
    """

    title: str
    summary: str
    x: Sequence[float]
    estimate: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    x_label: str
    y_label: str
    unit: str = ""
    digits: int = 1
    limits: Sequence[Limit] = ()

    def __post_init__(self) -> None:
        lengths = {len(column) for column in (self.x, self.estimate, self.low, self.high)}
        if len(lengths) != 1:
            raise ValueError(f"the columns of a band differ in length: {sorted(lengths)}")

    @property
    def data(self) -> Mapping[str, Any]:
        """What the script that draws it reads."""
        return {
            "x": list(self.x),
            "estimate": list(self.estimate),
            "low": list(self.low),
            "high": list(self.high),
            "xLabel": self.x_label,
            "yLabel": self.y_label,
            "unit": self.unit,
            "digits": self.digits,
            "limits": [{"value": limit.value, "label": limit.label} for limit in self.limits],
        }

    @property
    def rows(self) -> list[tuple[float, float, float, float]]:
        """Its rows for reading: every one of a short band, evenly chosen ones of a long one."""
        rows = list(zip(self.x, self.estimate, self.low, self.high, strict=True))
        if len(rows) <= TABLE_ROWS:
            return rows
        chosen = {round(i * (len(rows) - 1) / (TABLE_ROWS - 1)) for i in range(TABLE_ROWS)}
        return [rows[index] for index in sorted(chosen)]

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and highest value worth showing: the later band, the estimates, the limits.

        The first looks of a sequence are so wide that they would flatten everything after.
        """
        settled = len(self.x) // 5
        values = [
            *self.low[settled:],
            *self.high[settled:],
            *self.estimate[settled:],
            *(limit.value for limit in self.limits),
        ]
        return _padded(values or [0.0])

    @property
    def poster(self) -> "Poster":
        """The picture for browsers that run no script, in a box of 1000 by 400."""
        bottom, top = self.span
        left, right = (self.x[0], self.x[-1]) if self.x else (0.0, 0.0)

        def place(x: float, y: float) -> str:
            across = 1000 * (x - left) / (right - left) if right > left else 500.0
            down = 400 * (top - min(max(y, bottom), top)) / (top - bottom)
            return f"{across:.1f},{down:.1f}"

        upper = [place(x, y) for x, y in zip(self.x, self.high, strict=True)]
        lower = [place(x, y) for x, y in zip(self.x, self.low, strict=True)]
        return Poster(
            band=" ".join([*upper, *reversed(lower)]),
            line=" ".join(place(x, y) for x, y in zip(self.x, self.estimate, strict=True)),
            limits=[400 * (top - limit.value) / (top - bottom) for limit in self.limits],
            zero=400 * top / (top - bottom) if bottom < 0 < top else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Poster:
    band: str
    line: str
    limits: Sequence[float]
    zero: float | None


def strips(effects: Sequence[Effect]) -> list[Strip]:
    """Lay effects out so that those of one unit can be compared by eye."""
    spans: dict[str, list[float]] = {}
    for effect in effects:
        limit = [] if effect.limit is None else [effect.limit]
        values = [0.0, effect.low, effect.high, effect.estimate, *limit]
        spans.setdefault(effect.unit, []).extend(values)
    scales = {unit: _padded(values) for unit, values in spans.items()}
    return [_strip(effect, *scales[effect.unit]) for effect in effects]


def sparkline(values: Sequence[float], *, width: int = 96, height: int = 24) -> str:
    """The path of a small line through `values`, two pixels inside its box."""
    if not values:
        return ""
    low, high = min(values), max(values)
    step = (width - 4) / max(len(values) - 1, 1)

    def place(index: int, value: float) -> str:
        down = 0.5 if high == low else (high - value) / (high - low)
        return f"{2 + index * step:.1f} {2 + down * (height - 4):.1f}"

    return "M" + "L".join(place(index, value) for index, value in enumerate(values))


def trend(values: Sequence[float]) -> str:
    """What a sparkline shows, in words."""
    if not values:
        return "no values"
    rises = sum(1 for before, after in pairwise(values) if after > before)
    falls = sum(1 for before, after in pairwise(values) if after < before)
    way = "rising" if rises > 2 * falls else "falling" if falls > 2 * rises else "mixed"
    return f"{way}, last {values[-1]:g}, lowest {min(values):g}, highest {max(values):g}"


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    return low - margin, high + margin


def _strip(effect: Effect, bottom: float, top: float) -> Strip:
    def place(value: float) -> float:
        return round(100 * (value - bottom) / (top - bottom), 2)

    return Strip(
        effect=effect,
        zero=place(0.0),
        low=place(effect.low),
        high=place(effect.high),
        estimate=place(effect.estimate),
        limit=None if effect.limit is None else place(effect.limit),
    )
