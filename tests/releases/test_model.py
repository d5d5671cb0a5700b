"""Who is served what, and what decisions do to a release."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.releases.samples import NOW, release

from opsroom.releases import WrongState
from opsroom.releases.model import (
    Abort,
    Advance,
    Arm,
    Because,
    Hold,
    Pause,
    Promote,
    RollBack,
    State,
    split,
)
from opsroom.releases.plan import Plan

WEIGHTS = st.floats(0, 1)
# Old subjects would change sides under a running release if this ever changed.
KNOWN_SPLIT = "aaaabaabaaaa"


@given(st.text(), WEIGHTS, WEIGHTS)
def test_who_is_in_stays_in(subject: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    if split("rel_1", subject, low) is Arm.CHALLENGER:
        assert split("rel_1", subject, high) is Arm.CHALLENGER


@given(st.text())
def test_nobody_at_zero_everybody_at_one(subject: str) -> None:
    assert split("rel_1", subject, 0.0) is Arm.CHAMPION
    assert split("rel_1", subject, 1.0) is Arm.CHALLENGER


def test_the_split_is_the_same_everywhere() -> None:
    drawn = [split("rel_1", f"customer-{n}", 0.25) for n in range(12)]
    assert "".join("b" if arm is Arm.CHALLENGER else "a" for arm in drawn) == KNOWN_SPLIT


@pytest.mark.parametrize("weight", [0.05, 0.25, 0.5])
def test_the_split_is_fair_and_every_release_draws_again(weight: float) -> None:
    subjects = [f"customer-{n}" for n in range(20_000)]
    first = [split("rel_1", one, weight) is Arm.CHALLENGER for one in subjects]
    second = [split("rel_2", one, weight) is Arm.CHALLENGER for one in subjects]
    both = sum(a and b for a, b in zip(first, second, strict=True))
    spread = 5 * (weight * (1 - weight) / 20_000) ** 0.5
    assert abs(sum(first) / 20_000 - weight) < spread
    assert abs(both / 20_000 - weight**2) < spread


def test_a_hold_changes_nothing() -> None:
    was = release(State.SHADOWING)
    assert was.after(Hold(code=Because.TIME, because="wait"), now=NOW) == was


def test_each_step_of_the_canary_is_a_leg_at_its_weight() -> None:
    was = release(State.IN_REVIEW)
    for step in range(3):
        was = was.after(
            Advance(to=State.CANARYING, step=step, code=Because.PROVEN, because="on"), now=NOW
        )
    assert [(one.number, one.step, one.weight) for one in was.legs] == [
        (1, 0, 0.05),
        (2, 1, 0.25),
        (3, 2, 0.5),
    ]
    assert was.leg == was.legs[-1]
    assert was.revision == release(State.IN_REVIEW).revision + 3


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        (Abort(code=Because.GATE, because="x"), State.ABORTED),
        (RollBack(code=Because.WORSE, because="x"), State.ROLLED_BACK),
        (Promote(code=Because.PROVEN, because="x"), State.PROMOTED),
    ],
)
def test_endings(decision: Abort | RollBack | Promote, state: State) -> None:
    over = release(State.CANARYING).after(decision, now=NOW)
    assert (over.state, over.ended_at, over.active, over.leg) == (state, NOW, False, None)


def test_a_pause_does_not_count_as_time() -> None:
    was = release(State.CANARYING, hours=2)
    paused = was.after(Pause(code=Because.PERSON, because="lunch"), now=NOW)
    assert (paused.state, paused.leg, paused.active) == (State.PAUSED, None, True)
    on = paused.resumed(now=NOW + timedelta(hours=5), because="back")
    assert on.state is State.CANARYING
    assert NOW + timedelta(hours=5) - on.entered_at == timedelta(hours=2)
    assert [one.void for one in on.legs] == [False, False]


def test_spoilt_data_are_not_used_again() -> None:
    was = release(State.CANARYING, hours=2)
    paused = was.after(Pause(code=Because.SPLIT, because="lost requests"), now=NOW)
    on = paused.resumed(now=NOW + timedelta(hours=5), because="repaired")
    assert [one.void for one in on.legs] == [True, False]
    assert on.entered_at == NOW + timedelta(hours=5)
    shadowing = release(State.SHADOWING, hours=20)
    gone = shadowing.after(Pause(code=Because.MISSING_DATA, because="no values"), now=NOW)
    again = gone.resumed(now=NOW, because="repaired")
    assert (again.round, again.entered_at) == (shadowing.round + 1, NOW)


def test_only_what_is_paused_is_resumed() -> None:
    with pytest.raises(WrongState):
        release(State.CANARYING).resumed(now=NOW, because="")


def test_an_approval_is_bound_to_all_of_it() -> None:
    one = release(State.GATING)
    bindings = {
        one.binding("gate"),
        one.binding("another gate"),
        replace(one, digest="3" * 64).binding("gate"),
        replace(one, baseline_digest="3" * 64).binding("gate"),
        replace(one, plan=Plan(alpha=0.01)).binding("gate"),
        replace(one, environment="staging").binding("gate"),
    }
    assert len(bindings) == 6
    assert replace(one, state=State.PAUSED, revision=9).binding("gate") == one.binding("gate")
