"""When an attempt is repeated, and when an integration is left alone. No database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.actions.world import SEND

from opsroom.actions.ports import Effect
from opsroom.actions.trying import (
    LONGEST_BREAK,
    Circuit,
    admitted,
    after,
    failed,
    fault_of,
    rest,
)
from opsroom.contracts.model import Effects, Retry

NOW = datetime(2026, 11, 20, tzinfo=UTC)
SPEC = replace(SEND, retry=Retry(attempts=4, first=1, factor=3, longest=5))
ONCE = replace(SPEC, effects=Effects())
UNREACHED = Effect(state="not_happened", reached=False)
REFUSED = Effect(state="not_happened")
UNSURE = Effect(state="unknown")
DONE = Effect(state="happened")


@pytest.mark.parametrize(
    ("spec", "effect", "attempt", "key", "seconds"),
    [
        (SPEC, UNREACHED, 1, "", 1),
        (SPEC, UNREACHED, 2, "", 3),
        (SPEC, UNREACHED, 3, "", 5),
        (SPEC, UNREACHED, 4, "", None),
        (SPEC, REFUSED, 1, "k", None),
        (SPEC, UNSURE, 1, "", None),
        (SPEC, UNSURE, 1, "k", 1),
        (SPEC, DONE, 1, "k", None),
        (ONCE, UNREACHED, 1, "k", None),
        (ONCE, UNSURE, 1, "k", None),
    ],
)
def test_rest(
    spec: object, effect: Effect, attempt: int, key: str, seconds: int | None
) -> None:
    found = rest(spec, effect, attempt=attempt, key=key)  # type: ignore[arg-type]  # of the table
    assert found == (None if seconds is None else timedelta(seconds=seconds))


def test_a_refusal_says_nothing_against_an_integration() -> None:
    assert [failed(one) for one in (UNREACHED, UNSURE, REFUSED, DONE)] == [
        True,
        True,
        False,
        False,
    ]


def test_a_fault_is_one_of_few() -> None:
    assert fault_of(Effect(state="not_happened", reached=False, error="x")) == "unreachable"
    assert fault_of(Effect(state="unknown", error="status 503: try later")) == "status 503"
    assert fault_of(Effect(state="unknown", error="read timed out after 3.2 s")) == "no answer"


def test_what_fails_in_a_row_is_left_alone_and_then_tried_by_one() -> None:
    circuit = Circuit()
    for _ in range(3):
        assert admitted(circuit, now=NOW) == circuit
        circuit = after(circuit, failure=True, now=NOW)
    assert admitted(circuit, now=NOW + timedelta(seconds=29)) is None
    later = NOW + timedelta(seconds=30)
    trial = admitted(circuit, now=later)
    assert trial is not None
    assert admitted(trial, now=later) is None, "others wait for what becomes of the first"
    again = after(trial, failure=True, now=later)
    assert admitted(again, now=later + timedelta(seconds=59)) is None
    assert after(trial, failure=False, now=later) == Circuit()


@given(st.lists(st.booleans(), max_size=60))
def test_no_break_lasts_for_ever_and_one_success_ends_it(ends: list[bool]) -> None:
    circuit = Circuit()
    for failure in ends:
        circuit = after(circuit, failure=failure, now=NOW)
    assert admitted(circuit, now=NOW + LONGEST_BREAK) is not None
    assert admitted(after(circuit, failure=False, now=NOW), now=NOW) == Circuit()
