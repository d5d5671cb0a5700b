"""The rulebook: one row a rule, and what holds whatever is known."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.releases.samples import (
    NOW,
    PASSED,
    PLAN,
    arm,
    evidence,
    leg,
    release,
    shadow,
)

from opsroom.evals.gate import Outcome
from opsroom.kit.canonical import canonical
from opsroom.kit.wire import adapter, plain
from opsroom.releases import UnknownRulebook
from opsroom.releases.decide import DecisionRecord, decide, good_needed, record, replay
from opsroom.releases.evidence import Evidence, GateResult, SampleCounts
from opsroom.releases.model import (
    FINAL,
    Abort,
    Advance,
    AnyDecision,
    Hold,
    Pause,
    Promote,
    Release,
    RollBack,
    State,
)
from opsroom.releases.plan import Plan, SamplePlan

GATELESS = replace(PLAN, gate=None)
DONE = (
    leg(1, 0.05, (11_400, 114), (600, 6)),
    leg(2, 0.25, (1_800, 18), (600, 6), step=1),
    leg(3, 0.5, (6_000, 60), (6_000, 60), step=2),
)


def says(decision: AnyDecision) -> tuple[str, str]:
    return decision.kind, decision.code.value


@pytest.mark.parametrize(
    ("now", "seen", "then"),
    [
        (release(State.DRAFT), Evidence(champion=1), ("advance", "started")),
        # gating
        (release(State.GATING), evidence(gate=None), ("hold", "gate")),
        (
            release(State.GATING),
            evidence(gate=replace(PASSED, outcome=Outcome.FAILED)),
            ("abort", "gate"),
        ),
        (
            release(State.GATING),
            evidence(gate=replace(PASSED, outcome=Outcome.INCONCLUSIVE)),
            ("pause", "gate"),
        ),
        (
            release(State.GATING),
            evidence(gate=replace(PASSED, outcome=Outcome.ERROR)),
            ("pause", "gate"),
        ),
        (
            release(State.GATING),
            evidence(approvals_missing=("0 of 1 approvals",)),
            ("hold", "approvals"),
        ),
        (release(State.GATING), evidence(), ("advance", "proven")),
        (release(State.GATING, plan=GATELESS), evidence(gate=None), ("advance", "proven")),
        # shadowing
        (release(State.SHADOWING, hours=47), evidence(shadow=shadow(900)), ("hold", "time")),
        (release(State.SHADOWING, hours=48), evidence(shadow=shadow(199)), ("hold", "samples")),
        (
            release(State.SHADOWING, hours=48),
            evidence(shadow=shadow(200)),
            ("advance", "proven"),
        ),
        (
            release(State.SHADOWING, hours=1),
            evidence(shadow=shadow(100, only_champion=1, only_candidate=30)),
            ("abort", "worse"),
        ),
        (
            release(State.SHADOWING, hours=48),
            evidence(shadow=replace(shadow(200), metrics={})),
            ("pause", "missing_data"),
        ),
        # in review
        (release(State.IN_REVIEW), evidence(), ("pause", "review")),
        (
            release(State.IN_REVIEW),
            evidence(sample=SampleCounts(drawn=50, judged=49, good=49)),
            ("hold", "review"),
        ),
        (
            release(State.IN_REVIEW),
            evidence(sample=SampleCounts(drawn=50, judged=50, good=45)),
            ("advance", "proven"),
        ),
        (
            release(State.IN_REVIEW),
            evidence(sample=SampleCounts(drawn=50, judged=20, good=14)),
            ("abort", "review"),
        ),
        (
            release(State.IN_REVIEW, plan=replace(PLAN, sample=SamplePlan(size=0))),
            evidence(),
            ("advance", "proven"),
        ),
        # canarying
        (release(State.CANARYING, hours=5), evidence(), ("hold", "time")),
        (release(State.CANARYING, hours=6), evidence(), ("hold", "samples")),
        (
            release(State.CANARYING, hours=6),
            evidence(legs=(leg(1, 0.05, (11_400, 114), (600, 6)),)),
            ("advance", "proven"),
        ),
        (
            release(State.CANARYING, hours=1),
            evidence(legs=(leg(1, 0.05, (1_900, 19), (100, 20)),)),
            ("roll_back", "worse"),
        ),
        (
            release(State.CANARYING, hours=1),
            evidence(legs=(leg(1, 0.05, (2_000, 20), (20, 0)),)),
            ("pause", "split"),
        ),
        (
            release(State.CANARYING, hours=9),
            evidence(legs=(replace(DONE[0], challenger=replace(arm(500, 0), metrics={})),)),
            ("pause", "missing_data"),
        ),
        (release(State.CANARYING, hours=6, step=2), evidence(legs=DONE), ("promote", "proven")),
        (
            release(State.CANARYING, hours=6, step=2),
            evidence(legs=(leg(3, 0.5, (1_000, 30), (1_000, 40), step=2),)),
            ("hold", "undecided"),
        ),
        # whatever the state
        (release(State.PROMOTED), evidence(champion=2), ("hold", "over")),
        (release(State.PROMOTED), evidence(security_events=1), ("roll_back", "security")),
        (release(State.PAUSED), evidence(), ("hold", "person")),
        (release(State.PAUSED), evidence(security_events=1), ("abort", "security")),
        (release(State.PAUSED, legs=1), evidence(security_events=1), ("roll_back", "security")),
        (release(State.SHADOWING), evidence(champion=7), ("abort", "baseline_moved")),
        (release(State.CANARYING), evidence(champion=None), ("roll_back", "baseline_moved")),
        (release(State.SUPERSEDED), evidence(security_events=3), ("hold", "over")),
    ],
)
def test_decide(now: Release, seen: Evidence, then: tuple[str, str]) -> None:
    assert says(decide(now, seen, now=NOW)) == then


def test_a_hold_says_until_when_it_pays_to_wait() -> None:
    waiting = decide(release(State.SHADOWING, hours=40), evidence(), now=NOW)
    assert isinstance(waiting, Hold)
    assert waiting.until == NOW + timedelta(hours=8)
    assert "0 of 200 shadow pairs" in waiting.because
    short = decide(release(State.SHADOWING, hours=50), evidence(), now=NOW)
    assert isinstance(short, Hold)
    assert short.until is None


def test_an_undecided_metric_says_how_much_more_it_takes() -> None:
    legs = (leg(3, 0.5, (1_000, 30), (1_000, 40), step=2),)
    waiting = decide(release(State.CANARYING, hours=7, step=2), evidence(legs=legs), now=NOW)
    assert "success is undecided: about" in waiting.because
    assert "more requests to the candidate" in waiting.because
    worse = (leg(1, 0.5, (1_000, 30), (1_000, 52), step=2),)
    stuck = decide(release(State.CANARYING, hours=7, step=2), evidence(legs=worse), now=NOW)
    assert stuck.kind in {"hold", "roll_back"}


def test_the_reason_for_a_rollback_is_counted() -> None:
    legs = (leg(1, 0.05, (1_900, 19), (100, 20)),)
    stopped = decide(release(State.CANARYING), evidence(legs=legs), now=NOW)
    assert isinstance(stopped, RollBack)
    assert "20 of the candidate's 100 requests were bad" in stopped.because
    assert "would be 2.0" in stopped.because


def test_how_many_good_answers_a_sample_needs() -> None:
    assert good_needed(SamplePlan(), 50) == 45
    assert good_needed(SamplePlan(min_pass=0.95), 50) is None
    assert good_needed(SamplePlan(min_pass=0.95, confidence=0.9), 50) == 50


STATES = st.sampled_from(State)
HOURS = st.floats(0, 5_000)
NUMBERS = st.integers(0, 3_000)


@st.composite
def any_evidence(draw: st.DrawFn) -> Evidence:
    """Whatever may be known, likely or not."""
    requests = draw(NUMBERS)
    other = draw(NUMBERS)
    legs = (
        leg(
            1,
            0.05,
            (requests, draw(st.integers(0, requests))),
            (other, draw(st.integers(0, other))),
        ),
    )
    drawn = draw(st.integers(0, 50))
    judged = draw(st.integers(0, drawn))
    pairs = draw(st.integers(0, 400))
    return Evidence(
        champion=draw(st.sampled_from([1, 1, 1, 7, None])),
        security_events=draw(st.sampled_from([0, 0, 0, 1])),
        gate=draw(
            st.none() | st.sampled_from(Outcome).map(lambda out: replace(PASSED, outcome=out))
        ),
        approvals_missing=draw(st.sampled_from([(), ("1 of 2 approvals",)])),
        shadow=shadow(pairs, only_candidate=draw(st.integers(0, pairs))),
        sample=SampleCounts(drawn=drawn, judged=judged, good=draw(st.integers(0, judged))),
        legs=draw(st.sampled_from([(), legs])),
        looks=draw(st.sampled_from([(), (legs,)])),
    )


@given(state=STATES, hours=HOURS)
def test_without_evidence_nothing_advances(state: State, hours: float) -> None:
    decision = decide(release(state, hours=hours), Evidence(champion=1), now=NOW)
    if state is not State.DRAFT:
        assert not isinstance(decision, Advance | Promote)


@given(state=STATES, hours=HOURS, seen=any_evidence())
def test_a_security_event_never_lets_through(
    state: State, hours: float, seen: Evidence
) -> None:
    now = release(state, hours=hours)
    decision = decide(now, replace(seen, security_events=1), now=NOW)
    if state in FINAL:
        assert isinstance(decision, Hold)
    else:
        assert isinstance(decision, RollBack if now.met_traffic else Abort)


@given(state=st.sampled_from(sorted(FINAL)), hours=HOURS, seen=any_evidence())
def test_what_is_over_is_over(state: State, hours: float, seen: Evidence) -> None:
    was = release(state, hours=hours)
    assert was.after(decide(was, seen, now=NOW), now=NOW) == was


@given(state=STATES, hours=HOURS, seen=any_evidence())
def test_traffic_decides_between_abort_and_rollback(
    state: State, hours: float, seen: Evidence
) -> None:
    now = release(state, hours=hours)
    match decide(now, seen, now=NOW):
        case Abort():
            assert not now.met_traffic
        case RollBack():
            assert now.met_traffic
        case _:
            pass


@given(state=STATES, hours=HOURS, seen=any_evidence())
def test_a_decision_replays_from_what_is_stored(
    state: State, hours: float, seen: Evidence
) -> None:
    now = release(state, hours=hours)
    decision = decide(now, seen, now=NOW)
    kept = record("dec_1", now, seen, decision, at=NOW)
    stored = canonical(plain(kept))
    found = adapter(DecisionRecord).validate_json(stored)
    assert found == kept
    assert replay(found) == decision


def test_a_rulebook_that_is_not_here_is_not_guessed() -> None:
    now, seen = release(State.SHADOWING), evidence()
    kept = record("dec_1", now, seen, decide(now, seen, now=NOW), at=NOW)
    with pytest.raises(UnknownRulebook):
        replay(replace(kept, decider="decide/0"))


@given(seen=any_evidence(), more=st.integers(1, 100))
def test_more_time_alone_never_stops_a_release(seen: Evidence, more: int) -> None:
    now = release(State.CANARYING, hours=3)
    before = decide(now, seen, now=NOW)
    after = decide(now, seen, now=NOW + timedelta(hours=more))
    stops = Pause | Abort | RollBack
    assert isinstance(before, stops) == isinstance(after, stops)


@given(st.sampled_from([State.GATING, State.SHADOWING, State.IN_REVIEW]), any_evidence())
def test_nobody_is_served_before_gate_shadow_and_sample(state: State, seen: Evidence) -> None:
    now = release(state, hours=100)
    moved = now.after(decide(now, seen, now=NOW), now=NOW)
    assert state is State.IN_REVIEW or not moved.legs
    if moved.legs:
        assert seen.sample.judged == seen.sample.drawn == 50


def test_an_empty_plan_default_is_what_evidence_is_judged_by() -> None:
    assert (
        decide(
            release(State.GATING, plan=Plan()),
            evidence(gate=GateResult(outcome=Outcome.FAILED, digest="", because="")),
            now=NOW,
        ).kind
        == "advance"
    ), "a plan without a gate ignores verdicts"
