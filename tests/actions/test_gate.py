"""The rulebook of the gate, and the states an action can be in. No database."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.actions.world import ASK, BOOK, LOOK, PAY

from opsroom.actions.errors import WrongState
from opsroom.actions.gate import (
    Ask,
    Recommend,
    Refuse,
    Run,
    Wait,
    band,
    decide,
    judge,
    modified,
)
from opsroom.actions.model import (
    MOVES,
    OVER,
    Action,
    Refusal,
    State,
    binding_of,
    moved,
    outcome_of,
)
from opsroom.autonomy.model import Allowance, Level
from opsroom.contracts.errors import BrokenContract
from opsroom.grounding.tape import Tape
from opsroom.policies.engine import compile_bundle
from opsroom.policies.model import PolicySpec, Reason, Ruling, Verdict

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
BUNDLE = compile_bundle([("house", PolicySpec(cedar=ASK))], [LOOK, BOOK, PAY])
FREE = Allowance(level=Level.EXPANDED)


def ruling(verdict: Verdict) -> Ruling:
    return Ruling(verdict=verdict, reasons=(Reason(policy="p", verdict=verdict, words="so"),))


@pytest.mark.parametrize(
    ("verdict", "allowance", "approved", "then"),
    [
        (Verdict.PERMIT, FREE, False, Run(alone=True)),
        (Verdict.MODIFY, FREE, False, Run(alone=True)),
        (Verdict.DENY, FREE, False, Refuse(by=Refusal.POLICY, because="so")),
        (Verdict.DENY, FREE, True, Refuse(by=Refusal.POLICY, because="so")),
        (Verdict.ESCALATE, FREE, False, Ask(because="so")),
        (Verdict.ESCALATE, FREE, True, Run(alone=False)),
        (Verdict.DEFER, FREE, False, Wait(because="so")),
        (Verdict.DEFER, FREE, True, Wait(because="so")),
        (Verdict.PERMIT, Allowance(level=Level.APPROVE_EACH, because="each"), False, Ask(because="each")),
        (Verdict.PERMIT, Allowance(level=Level.APPROVE_EACH), True, Run(alone=False)),
        (Verdict.PERMIT, Allowance(level=Level.BOUNDED, inside=False, because="too much"), False, Ask(because="too much")),
        (Verdict.PERMIT, Allowance(level=Level.BOUNDED), False, Run(alone=True)),
        (Verdict.PERMIT, Allowance(level=Level.SHADOW), False, Recommend(because="the agent only recommends here")),
        (Verdict.PERMIT, Allowance(level=Level.SUSPENDED, because="narrowed"), True, Refuse(by=Refusal.AUTONOMY, because="narrowed")),
    ],
)  # fmt: skip
def test_decide(verdict: Verdict, allowance: Allowance, approved: bool, then: Any) -> None:
    assert decide(ruling(verdict), allowance, approved=approved) == then


@given(
    verdict=st.sampled_from(Verdict),
    level=st.sampled_from(Level),
    inside=st.booleans(),
    approved=st.booleans(),
)
def test_nothing_runs_that_nobody_allowed(
    verdict: Verdict, level: Level, inside: bool, approved: bool
) -> None:
    allowance = Allowance(level=level, inside=inside, because="bounds")
    made = decide(ruling(verdict), allowance, approved=approved)
    if isinstance(made, Run):
        assert verdict not in {Verdict.DENY, Verdict.DEFER}
        assert level not in {Level.SUSPENDED, Level.SHADOW}
        assert approved or (level.alone and inside and verdict is not Verdict.ESCALATE)


@given(confidence=st.none() | st.floats(allow_nan=True, allow_infinity=True))
def test_what_an_agent_says_of_itself_becomes_a_band(confidence: float | None) -> None:
    assert band(confidence) in {"none", "low", "medium", "high"}


def test_confidence_alone_never_lowers_oversight() -> None:
    for spoken in (None, 0.2, 0.99):
        found = judge(
            BUNDLE,
            PAY,
            {"invoice": "i", "amount": 5000},
            Tape({}),
            agent="a",
            confidence=spoken,
            now=NOW,
        )
        assert found.ruling.verdict is Verdict.ESCALATE


def test_a_proposal_is_canonical_before_it_is_judged() -> None:
    found = judge(BUNDLE, PAY, {"invoice": "i", "amount": "1e4"}, Tape({}), agent="a", now=NOW)
    assert found.arguments == {"invoice": "i", "amount": 10000}
    assert (found.amount, found.ruling.verdict) == (Decimal(10000), Verdict.ESCALATE)
    with pytest.raises(BrokenContract):
        judge(
            BUNDLE, PAY, {"invoice": "i", "amount": float("nan")}, Tape({}), agent="a", now=NOW
        )


def test_the_same_request_gets_the_same_ruling_again() -> None:
    found = judge(BUNDLE, BOOK, {"order": "forbidden", "slot": 1}, Tape({}), agent="a", now=NOW)
    assert found.ruling.verdict is Verdict.DENY
    assert BUNDLE.decide(found.request) == found.ruling


def test_a_modification_reaches_only_what_is_there() -> None:
    there: dict[str, Any] = {"a": [{"b": 1}, {"b": 2}], "c": 3}
    assert modified(there, {"/a/1/b": 9})["a"] == [{"b": 1}, {"b": 9}]
    assert modified(there, {"/a/7/b": 9}) == there
    assert there["a"][1]["b"] == 2


ACTION = Action(
    id="act_1",
    turn="trn_1",
    agent="a",
    manifest="m",
    environment="production",
    tool="book",
    contract="contract/book@1",
    contract_digest="d",
    arguments={},
    digest="d",
    proposed_at=NOW,
)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("to", State)
def test_an_action_moves_only_where_a_way_leads(state: State, to: State) -> None:
    action = replace(ACTION, state=state)
    if to in MOVES.get(state, frozenset()):
        assert moved(action, to).state is to
    else:
        with pytest.raises(WrongState):
            moved(action, to)


def test_what_is_over_never_executes() -> None:
    reach = {state: set(MOVES.get(state, frozenset())) for state in State}
    for _ in State:
        for state, there in reach.items():
            reach[state] = there | {far for near in there for far in reach[near]}
    for state in OVER:
        assert State.EXECUTING not in reach[state]
    assert State.EXECUTING not in reach[State.UNKNOWN], (
        "what may have happened is not tried again"
    )


@pytest.mark.parametrize("state", State)
def test_every_state_has_an_answer(state: State) -> None:
    assert outcome_of(replace(ACTION, state=state)).id == "act_1"


@given(
    changed=st.sampled_from(
        ["contract", "arguments", "manifest", "subject", "policy", "expires_at", "nonce"]
    )
)
def test_an_approval_is_bound_to_every_part(changed: str) -> None:
    parts: dict[str, Any] = {
        "contract": "c",
        "arguments": {"amount": 1},
        "manifest": "m",
        "subject": "s",
        "policy": "p",
        "expires_at": NOW,
        "nonce": "n",
    }
    other = {"arguments": {"amount": 2}, "expires_at": NOW.replace(hour=10)}.get(changed, "x")
    assert binding_of(**parts) != binding_of(**{**parts, changed: other})
