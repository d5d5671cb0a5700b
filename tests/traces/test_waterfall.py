"""Whatever order spans come in, every one has its place, once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from opsroom.traces.model import Span
from opsroom.traces.waterfall import arrange, beside, columns, kind_of

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
_WORDS = dict.fromkeys(
    [
        "trace_id",
        "operation",
        "status_message",
        "error_type",
        "service",
        "environment",
        "agent",
        "version",
        "manifest",
        "release",
        "arm",
        "turn",
        "action",
        "session",
        "user",
        "tool",
        "provider",
        "requested_model",
        "served_model",
        "prompt",
        "prompt_version",
        "verdict",
        "basis",
        "scope",
    ],
    "",
)


def span(
    number: int, parent: int | None = None, *, at: float = 0, took: float = 1, **more: Any
) -> Span:
    made = Span(
        span_id=f"{number:016x}",
        parent_id="" if parent is None else f"{parent:016x}",
        name=f"step {number % 3}",
        start=START + timedelta(seconds=at),
        duration=timedelta(seconds=took),
        status="ok",
        calls_model=False,
        input_tokens=0,
        output_tokens=0,
        cache_read_tokens=0,
        cache_write_tokens=0,
        reasoning_tokens=0,
        cost=None,
        confidence=None,
        attributes={},
        content={},
        resource={},
        events=(),
        links=(),
        dropped=0,
        received=START,
        **_WORDS,
    )
    return replace(made, **more)


def test_children_stand_below_their_parent_as_they_began() -> None:
    found = arrange(
        [span(3, 1, at=2), span(1, took=4), span(2, 1, at=1), span(4, 2, at=1.5, took=0.5)]
    )
    assert [(row.span.span_id[-1], row.depth, row.parts) for row in found.rows] == [
        ("1", 0, 3), ("2", 1, 1), ("4", 2, 0), ("3", 1, 0),
    ]  # fmt: skip
    assert [(row.at, row.width) for row in found.rows][:2] == [(0.0, 1.0), (0.25, 0.25)]


def test_what_never_arrived_is_said_and_circles_end() -> None:
    found = arrange([span(2, 9, at=1), span(3, 4, at=2), span(4, 3, at=3), span(5, 5)])
    assert {row.span.span_id[-1] for row in found.rows} == {"2", "3", "4", "5"}
    assert [row.span.span_id[-1] for row in found.rows if row.lost] == ["2"]


@given(
    parents=st.lists(st.integers(0, 30), min_size=1, max_size=30),
    times=st.lists(st.floats(0, 100), min_size=30, max_size=30),
    order=st.randoms(use_true_random=False),
)
def test_every_span_stands_once_in_one_order(
    parents: list[int], times: list[float], order: Any
) -> None:
    spans = [span(n, parent, at=times[n % 30]) for n, parent in enumerate(parents)]
    found = arrange(spans)
    assert sorted(row.span.span_id for row in found.rows) == sorted(
        one.span_id for one in spans
    )
    shuffled = [*spans]
    order.shuffle(shuffled)
    assert arrange(shuffled) == found
    for place, row in enumerate(found.rows):
        below = found.rows[place + 1 : place + 1 + row.parts]
        assert all(one.depth > row.depth for one in below)
        after = found.rows[place + 1 + row.parts : place + 2 + row.parts]
        assert all(one.depth <= row.depth for one in after)
    drawn = columns(found)
    assert (
        len({len(drawn[name]) for name in ("id", "depth", "start", "took", "kind", "name")})
        == 1
    )


def test_a_deep_trace_is_no_recursion() -> None:
    found = arrange([span(n, n - 1 if n else None, at=n) for n in range(20_000)])
    assert (found.rows[-1].depth, found.rows[0].parts) == (19_999, 19_999)


def test_sums_and_comparison() -> None:
    model = {"calls_model": True, "input_tokens": 5, "output_tokens": 2}
    one = arrange(
        [span(0), span(1, 0, cost=Decimal("0.01"), **model), span(4, 0, status="error")]
    )
    other = arrange([span(0), span(1, 0, **model)])
    assert (one.cost, one.unpriced, one.errors, one.input_tokens) == (Decimal("0.01"), 0, 1, 5)
    assert (other.cost, other.unpriced) == (Decimal(0), 1)
    steps = {(kind, name): (left, right) for kind, name, left, right in beside(one, other)}
    assert {step: (a.times, b.times) for step, (a, b) in steps.items()} == {
        ("step", "step 0"): (1, 1), ("model", "step 1"): (1, 1), ("step", "step 1"): (1, 0),
    }  # fmt: skip
    assert kind_of(span(1, tool="pay")) == "tool"
