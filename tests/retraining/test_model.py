"""What happens by itself, as a table; nothing passes people that the rules ask for."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.evidence import Tally
from opsroom.evidence.rates import clopper_pearson
from opsroom.improvement.model import Budget, Method
from opsroom.registry import Criticality
from opsroom.retraining.errors import BrokenSettings
from opsroom.retraining.model import (
    MOST_REASONS,
    Asked,
    Cost,
    Entry,
    Known,
    Mode,
    Rate,
    Reason,
    Settings,
    State,
    Step,
    Trigger,
    Wait,
    check_settings,
    decide,
    estimate,
    prompt_of,
    speaks,
    stricter,
    told_rate,
)

NOW = datetime(2026, 11, 20, tzinfo=UTC)
WHY = Reason(trigger=Trigger.MANUAL, because="it is slow", at=NOW)
PASSED = Known(gate="passed")


def entry(state: State = State.QUEUED, **more: Any) -> Entry:
    values: dict[str, Any] = {
        "id": "rtr_1",
        "agent": "clerk",
        "prompt": "prompt/clerk@1",
        "state": state,
        "reasons": (WHY,),
        "cost": Cost(usd=None, because="not known"),
        "opened_at": NOW,
        "changed_at": NOW,
        "opened_by": "ada",
        **more,
    }
    return Entry(**values)


CANDIDATE = entry(State.CANDIDATE, proposal="prp_1", version="prompt/clerk@2")
ASKED = entry(State.CANDIDATE, proposal="prp_1", version="prompt/clerk@2", gate=Asked.ASKED)


@pytest.mark.parametrize(
    ("now", "mode", "known", "then"),
    [
        (entry(), Mode.OFF, Known(), Wait("somebody has to start it")),
        (entry(), Mode.CANDIDATE, Known(), Step.START),
        (entry(), Mode.RELEASE, Known(), Step.START),
        (
            entry(improvement="imp_1", waits="it broke"),
            Mode.RELEASE,
            Known(),
            Wait("it broke"),
        ),
        (entry(State.RUNNING), Mode.RELEASE, Known(), Wait("the search is under way")),
        (CANDIDATE, Mode.CANDIDATE, PASSED, Wait("its proposal waits for people")),
        (CANDIDATE, Mode.RELEASE, Known(), Step.ASK_GATE),
        (ASKED, Mode.RELEASE, Known(), Wait("the gate measures it")),
        (
            ASKED,
            Mode.RELEASE,
            Known(gate="inconclusive"),
            Wait("the gate on its proposal is inconclusive: somebody has to look"),
        ),
        (
            ASKED,
            Mode.RELEASE,
            Known(gate="passed", lacking=("0 of 1 approvals",)),
            Wait("its proposal waits for people: 0 of 1 approvals"),
        ),
        (ASKED, Mode.RELEASE, PASSED, Step.MERGE),
        (ASKED, Mode.RELEASE, Known(gate="passed", mergeable=False), Step.RELEASE),
        (ASKED, Mode.RELEASE, Known(merged=True), Step.RELEASE),
        (
            entry(State.CANDIDATE, release="rel_1"),
            Mode.RELEASE,
            Known(merged=True),
            Wait("its release is under way"),
        ),
        (entry(State.DISMISSED), Mode.RELEASE, PASSED, Wait("it is over")),
    ],
)
def test_decide(now: Entry, mode: Mode, known: Known, then: Step | Wait) -> None:
    assert decide(now, mode, known) == then


@given(
    mode=st.sampled_from(Mode),
    gate=st.sampled_from(["", "passed", "failed", "inconclusive", "error"]),
    asked=st.sampled_from(Asked),
    lacking=st.lists(st.just("0 of 1 approvals"), max_size=1),
    mergeable=st.booleans(),
)
def test_nothing_goes_on_without_the_gate_and_the_people(
    mode: Mode, gate: str, asked: Asked, lacking: list[str], mergeable: bool
) -> None:
    known = Known(gate=gate, lacking=tuple(lacking), mergeable=mergeable)
    found = decide(entry(State.CANDIDATE, gate=asked, waits="why"), mode, known)
    if found in {Step.MERGE, Step.RELEASE}:
        assert mode is Mode.RELEASE
        assert gate == "passed"
        assert not lacking


@pytest.mark.parametrize(
    ("accepted", "corrected", "turns", "then"),
    [
        (19, 500, 1000, False),
        (20, 500, 1000, True),
        (20, 50, 1000, False),
        (20, 1, 2, False),
        (20, 0, 0, True),
    ],
)
def test_corrections_speak_when_they_are_many_and_surely_often(
    accepted: int, corrected: int, turns: int, then: bool
) -> None:
    rate = (
        Rate(
            corrected=corrected,
            turns=turns,
            interval=clopper_pearson(Tally(n=turns, hits=corrected)),
        )
        if turns
        else None
    )
    assert speaks(Settings(), accepted, rate) is then
    assert f"{accepted} new corrections" in told_rate(accepted, rate)


def test_of_many_reasons_the_first_and_the_newest_stay() -> None:
    one = entry()
    for number in range(30):
        one = one.stronger(replace(WHY, because=f"reason {number}"), now=NOW)
    assert (len(one.reasons), one.times) == (MOST_REASONS, 31)
    assert one.reasons[0] == WHY
    assert one.reasons[-1].because == "reason 29"


@pytest.mark.parametrize(
    ("prompts", "role", "then"),
    [
        ({}, "", ""),
        ({"user": "a@1"}, "", "a@1"),
        ({"system": "a@1", "user": "b@1"}, "", "a@1"),
        ({"plan": "a@1", "act": "b@1"}, "", ""),
        ({"plan": "a@1", "act": "b@1"}, "act", "b@1"),
        ({"user": "a@1"}, "act", ""),
    ],
)
def test_prompt_of(prompts: dict[str, str], role: str, then: str) -> None:
    assert prompt_of(prompts, role) == then


@pytest.mark.parametrize(
    ("mean", "limit", "usd"),
    [
        (Decimal("0.002"), None, Decimal("4.00")),
        (Decimal("0.002"), Decimal(3), Decimal(3)),
        (Decimal("0.002"), Decimal(9), Decimal("4.00")),
        (None, Decimal(3), Decimal(3)),
        (None, None, None),
    ],
)
def test_what_a_search_costs_at_most(
    mean: Decimal | None, limit: Decimal | None, usd: Decimal | None
) -> None:
    found = estimate(Budget(max_calls=2000, max_usd=limit), mean, "of run_1")
    assert found.usd == usd
    assert "of run_1" in found.because


def test_stricter() -> None:
    assert (
        stricter(Criticality.AUTONOMOUS, Criticality.ADVISORY),
        stricter(Criticality.ADVISORY, Criticality.ASSISTIVE),
    ) == (Criticality.AUTONOMOUS, Criticality.ASSISTIVE)


@pytest.mark.parametrize(
    "wrong",
    [
        Settings(share=1.0),
        Settings(accepted=0),
        Settings(every_days=-1),
        Settings(method=Method.PARAMETERS),
        Settings(budget=Budget(max_calls=0)),
        Settings(budget=Budget(max_usd=Decimal(0))),
    ],
)
def test_settings_that_cannot_be(wrong: Settings) -> None:
    with pytest.raises(BrokenSettings):
        check_settings(wrong)
