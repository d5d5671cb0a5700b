"""A trace as rows: who was called by whom, when, for how long. Pure.

Spans come in any order, more than once, with parents that never arrived or that go round in a
circle; all of them are shown, each once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from .model import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A span in its place. `at` and `width` are shares of the whole trace, from 0 to 1."""

    span: Span
    depth: int
    at: float
    width: float
    parts: int  # spans below it
    lost: bool  # its parent was named and is not there


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """All rows, from the top. Times are of the trace, cost is what is known of it."""

    rows: tuple[Row, ...]
    first: datetime
    took: timedelta
    errors: int
    cost: Decimal
    unpriced: int
    input_tokens: int
    output_tokens: int


def arrange(spans: Sequence[Span]) -> Waterfall:
    """Put the spans of one trace in order: each below its parent, siblings as they began.

    `spans` is not empty.
    """
    by_id = {one.span_id: one for one in spans}
    below: dict[str, list[Span]] = {}
    tops: list[Span] = []
    for one in by_id.values():
        if one.parent_id in by_id and one.parent_id != one.span_id:
            below.setdefault(one.parent_id, []).append(one)
        else:
            tops.append(one)
    first = min(one.start for one in by_id.values())
    last = max(one.start + one.duration for one in by_id.values())
    whole = (last - first).total_seconds()
    order = _walk(tops, below)
    seen = {one.span_id for one, _ in order}
    # What is left goes round in circles: each circle is entered where it began first.
    while len(seen) < len(by_id):
        entry = min((o for o in by_id.values() if o.span_id not in seen), key=_began)
        for one, depth in _walk([entry], below, seen):
            order.append((one, depth))
            seen.add(one.span_id)
    rows = [
        Row(
            span=one,
            depth=depth,
            at=(one.start - first).total_seconds() / whole if whole else 0.0,
            width=one.duration.total_seconds() / whole if whole else 1.0,
            parts=0,
            lost=bool(one.parent_id) and one.parent_id not in by_id,
        )
        for one, depth in order
    ]
    models = [one for one in by_id.values() if one.calls_model]
    return Waterfall(
        rows=tuple(_counted(rows)),
        first=first,
        took=last - first,
        errors=sum(one.status == "error" for one in by_id.values()),
        cost=sum((one.cost for one in models if one.cost is not None), Decimal(0)),
        unpriced=sum(one.cost is None for one in models),
        input_tokens=sum(one.input_tokens for one in models),
        output_tokens=sum(one.output_tokens for one in models),
    )


def columns(found: Waterfall) -> dict[str, Any]:
    """The rows column by column, as the page draws them: a tenth of the size of objects.

    `n` are the names that occur, `name` points into them. Times are microseconds.
    """
    names: dict[str, int] = {}
    return {
        "id": [row.span.span_id for row in found.rows],
        "depth": [row.depth for row in found.rows],
        "start": [_micro((row.span.start - found.first).total_seconds()) for row in found.rows],
        "took": [_micro(row.span.duration.total_seconds()) for row in found.rows],
        "kind": [kind_of(row.span) for row in found.rows],
        "error": [int(row.span.status == "error") for row in found.rows],
        "parts": [row.parts for row in found.rows],
        "name": [names.setdefault(row.span.name, len(names)) for row in found.rows],
        "n": list(names),
        "whole": _micro(found.took.total_seconds()),
    }


def kind_of(span: Span) -> str:
    """What a span is, in one word."""
    if span.calls_model:
        return "model"
    if span.tool or span.operation == "execute_tool":
        return "tool"
    if span.operation in {"invoke_agent", "create_agent"}:
        return "agent"
    return "step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What the steps of one kind and name came to in a trace."""

    times: int = 0
    errors: int = 0
    seconds: float = 0.0
    tokens: int = 0
    cost: Decimal = Decimal(0)


def beside(one: Waterfall, other: Waterfall) -> list[tuple[str, str, Sums, Sums]]:
    """Two traces side by side: kind and name of their steps, and what they came to in each."""
    left, right = _sums(one), _sums(other)
    return [
        (*step, left.get(step, Sums()), right.get(step, Sums()))
        for step in sorted(left.keys() | right.keys())
    ]


def _sums(found: Waterfall) -> dict[tuple[str, str], Sums]:
    sums: dict[tuple[str, str], Sums] = {}
    for row in found.rows:
        span = row.span
        step = kind_of(span), span.name
        was = sums.get(step, Sums())
        sums[step] = Sums(
            times=was.times + 1,
            errors=was.errors + (span.status == "error"),
            seconds=was.seconds + span.duration.total_seconds(),
            tokens=was.tokens + span.input_tokens + span.output_tokens,
            cost=was.cost + (span.cost or Decimal(0)),
        )
    return sums


def _walk(
    tops: Sequence[Span], below: Mapping[str, Sequence[Span]], seen: set[str] | None = None
) -> list[tuple[Span, int]]:
    """Depth first, without recursion: traces may be thousands of spans deep."""
    met = set(seen or ())
    found: list[tuple[Span, int]] = []
    waiting = [(one, 0) for one in sorted(tops, key=_began, reverse=True)]
    while waiting:
        one, depth = waiting.pop()
        if one.span_id in met:
            continue
        met.add(one.span_id)
        found.append((one, depth))
        children = sorted(below.get(one.span_id, ()), key=_began, reverse=True)
        waiting.extend((child, depth + 1) for child in children)
    return found


def _counted(rows: Sequence[Row]) -> list[Row]:
    """The rows with how many stand below each."""
    parts = [0] * len(rows)
    above: list[int] = []
    for place, row in enumerate(rows):
        while above and rows[above[-1]].depth >= row.depth:
            top = above.pop()
            parts[top] = place - top - 1
        above.append(place)
    for top in above:
        parts[top] = len(rows) - top - 1
    return [replace(row, parts=count) for row, count in zip(rows, parts, strict=True)]


def _began(span: Span) -> tuple[datetime, str]:
    return span.start, span.span_id


def _micro(seconds: float) -> int:
    return round(seconds * 1_000_000)
