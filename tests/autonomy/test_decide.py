"""The rulebook of autonomy: what is allowed, what was earned, what was lost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.agents.model import AgentSpec, ModelRoute
from opsroom.autonomy.decide import (
    BOUNDED,
    EXPANDED,
    Inherit,
    Known,
    Narrow,
    NotYet,
    Ready,
    Reset,
    Rules,
    Stay,
    Unproven,
    agreement,
    allowed,
    decide_inheritance,
    decide_narrowing,
    decide_widening,
    present,
)
from opsroom.autonomy.errors import BrokenGrant
from opsroom.autonomy.model import (
    Allowance,
    Envelope,
    Grant,
    Level,
    Record,
    check_envelope,
    check_scope,
    wider,
)
from opsroom.contracts.model import Tier

NOW = datetime(2026, 11, 20, tzinfo=UTC)
POST = "contract/post-invoice@3"
LONG_AGO = NOW - timedelta(days=40)
EARNED = Record(agreed=400, corrected=4, succeeded=400, since=LONG_AGO)

LEVELS = st.sampled_from(Level)
COUNTS = st.integers(0, 500)
RECORDS = st.builds(
    Record,
    agreed=COUNTS,
    corrected=COUNTS,
    succeeded=COUNTS,
    incidents=st.integers(0, 5),
    since=st.sampled_from([None, LONG_AGO, NOW]),
)
ENVELOPES = st.builds(
    Envelope,
    max_amount=st.none() | st.decimals(0, 1000, places=2),
    max_per_day=st.none() | st.integers(0, 20),
    min_confidence=st.none() | st.floats(0, 1),
    spot_share=st.none() | st.floats(0, 1),
)


def grant(
    level: Level,
    scope: str = "tier/write",
    *,
    envelope: Envelope | None = None,
    manifest: str = "",
) -> Grant:
    return Grant(
        id="gra_1",
        agent="customs",
        scope=scope,
        environment="production",
        level=level,
        envelope=envelope or Envelope(),
        manifest=manifest,
        reason="because",
        changed_at=LONG_AGO,
        changed_by="bob",
    )


def ask(
    *grants: Grant,
    stopped: str | None = None,
    tier: Tier = Tier.WRITE,
    manifest: str = "m1",
    amount: str | None = None,
    confidence: float | None = None,
    today: int = 0,
) -> Allowance:
    return allowed(
        Known(
            stopped=stopped,
            grants={one.scope: one for one in grants},
            alone={one.scope: today for one in grants},
        ),
        contract=POST,
        tier=tier,
        manifest=manifest,
        amount=None if amount is None else Decimal(amount),
        confidence=confidence,
    )


@pytest.mark.parametrize("tier", Tier)
def test_without_a_grant_an_agent_looks_and_asks_for_the_rest(tier: Tier) -> None:
    found = ask(tier=tier)
    assert found.level is (Level.BOUNDED if tier is Tier.READ else Level.APPROVE_EACH)
    assert found.inside


def test_the_grant_for_the_contract_goes_first() -> None:
    both = grant(Level.EXPANDED), grant(Level.SHADOW, "contract/post-invoice")
    assert ask(*both).level is Level.SHADOW
    assert ask(*both).scope == "contract/post-invoice"


@given(
    level=LEVELS,
    tier=st.sampled_from(Tier),
    amount=st.none() | st.decimals(allow_nan=True, allow_infinity=True),
    confidence=st.none() | st.floats(),
)
def test_a_stopped_or_suspended_agent_may_nothing(
    level: Level, tier: Tier, amount: Decimal | None, confidence: float | None
) -> None:
    def asked(known: Known) -> Allowance:
        return allowed(
            known, contract=POST, tier=tier, manifest="m", amount=amount, confidence=confidence
        )

    scope = f"tier/{tier.value}"
    stopped = asked(Known(stopped="it ran wild", grants={scope: grant(level, scope)}))
    assert (stopped.level, stopped.inside, stopped.stopped) == (Level.SUSPENDED, False, True)
    assert stopped.because == "it ran wild"
    suspended = asked(Known(grants={scope: grant(Level.SUSPENDED, scope)}))
    assert (suspended.level, suspended.inside) == (Level.SUSPENDED, False)


SMALL = Envelope(max_amount=Decimal(100), max_per_day=3, min_confidence=0.8)


@pytest.mark.parametrize(
    ("amount", "confidence", "today", "because"),
    [
        ("100", 0.8, 2, ""),
        ("0", 1.0, 0, ""),
        ("100.01", 0.8, 0, "more than the 100"),
        (None, 0.9, 0, "no amount"),
        ("NaN", 0.9, 0, "no amount"),
        ("Infinity", 0.9, 0, "no amount"),
        ("5", None, 0, "how sure"),
        ("5", 0.79, 0, "has to be 0.8"),
        ("5", float("nan"), 0, "has to be 0.8"),
        ("5", 0.9, 3, "3 of 3"),
    ],
)
def test_inside_an_envelope(
    amount: str | None, confidence: float | None, today: int, because: str
) -> None:
    bounded = grant(Level.BOUNDED, envelope=SMALL)
    found = ask(bounded, amount=amount, confidence=confidence, today=today)
    assert found.level is Level.BOUNDED
    assert found.inside is (not because)
    assert because in found.because


def test_what_another_manifest_earned_is_approved_each_time() -> None:
    expanded = grant(Level.EXPANDED, manifest="m1")
    assert ask(expanded, manifest="m1").level is Level.EXPANDED
    other = ask(expanded, manifest="m2")
    assert other.level is Level.APPROVE_EACH
    assert "canary" in other.because
    reads = grant(Level.EXPANDED, "tier/read", manifest="m1")
    assert ask(reads, tier=Tier.READ, manifest="m2").level is Level.BOUNDED
    assert present(grant(Level.SHADOW, manifest="m1"), "m2").level is Level.SHADOW


@pytest.mark.parametrize(
    ("record", "level", "to", "missing"),
    [
        (EARNED, Level.APPROVE_EACH, Level.BOUNDED, ""),
        (EARNED, Level.BOUNDED, Level.EXPANDED, ""),
        (Record(), Level.SUSPENDED, Level.SHADOW, ""),
        (Record(), Level.SUSPENDED, Level.APPROVE_EACH, ""),
        (EARNED, Level.APPROVE_EACH, Level.EXPANDED, "one step at a time"),
        (EARNED, Level.SHADOW, Level.BOUNDED, "for a while first"),
        (Record(), Level.APPROVE_EACH, Level.BOUNDED, "0 of 50 proposals"),
        (replace(EARNED, agreed=45), Level.APPROVE_EACH, Level.BOUNDED, "49 of 50"),
        (replace(EARNED, since=NOW), Level.APPROVE_EACH, Level.BOUNDED, "0.0 of 7 days"),
        (replace(EARNED, incidents=1), Level.APPROVE_EACH, Level.BOUNDED, "1 incident"),
        (replace(EARNED, corrected=60), Level.APPROVE_EACH, Level.BOUNDED, "corrected 60 of"),
        (replace(EARNED, agreed=52, corrected=3), Level.APPROVE_EACH, Level.BOUNDED, "90%"),
    ],
)
def test_widening_takes_evidence(record: Record, level: Level, to: Level, missing: str) -> None:
    rules = EXPANDED if to is Level.EXPANDED else BOUNDED
    found = decide_widening(record, grant(level), rules, NOW, to=to)
    assert isinstance(found, NotYet if missing else Ready), found.because
    assert missing in found.because


def test_days_count_from_the_last_change_of_level() -> None:
    fresh = replace(grant(Level.APPROVE_EACH), changed_at=NOW - timedelta(days=2))
    found = decide_widening(EARNED, fresh, BOUNDED, NOW, to=Level.BOUNDED)
    assert found == NotYet(because="2.0 of 7 days on this level")


@given(record=RECORDS, level=LEVELS, to=LEVELS, rules=st.sampled_from([BOUNDED, EXPANDED]))
def test_nobody_acts_alone_without_evidence(
    record: Record, level: Level, to: Level, rules: Rules
) -> None:
    found = decide_widening(record, grant(level), rules, NOW, to=to)
    if isinstance(found, Ready) and to.alone:
        assert record.judged >= rules.min_judged
        assert record.incidents <= rules.max_incidents
        assert agreement(record, confidence=rules.confidence).low >= rules.target
        assert to.rank <= level.rank + 1


@given(record=RECORDS, level=LEVELS, rules=st.sampled_from([BOUNDED, EXPANDED]))
def test_what_is_lost_is_never_a_widening(record: Record, level: Level, rules: Rules) -> None:
    match decide_narrowing(record, grant(level), rules):
        case Narrow(to=to):
            assert level.alone
            assert to.rank < level.rank
        case Stay():
            assert not (level.alone and record.incidents > rules.max_incidents)


@pytest.mark.parametrize(
    ("record", "level", "lost"),
    [
        (replace(EARNED, incidents=1), Level.BOUNDED, "1 incident(s)"),
        (replace(EARNED, incidents=1), Level.APPROVE_EACH, ""),
        (replace(EARNED, corrected=100), Level.BOUNDED, "under 80%"),
        (replace(EARNED, agreed=5, corrected=5), Level.BOUNDED, ""),
        (EARNED, Level.EXPANDED, ""),
    ],
)
def test_what_was_earned_can_be_lost(record: Record, level: Level, lost: str) -> None:
    found = decide_narrowing(record, grant(level), BOUNDED)
    if lost:
        assert isinstance(found, Narrow)
        assert lost in found.because
        assert found.to is Level.APPROVE_EACH
    else:
        assert found == Stay()


def test_what_was_just_granted_is_not_lost_at_once() -> None:
    for rules in (BOUNDED, EXPANDED):
        assert rules.floor < rules.target


def spec(model: str, *fallbacks: str, description: str = "") -> AgentSpec:
    return AgentSpec(
        model=ModelRoute(model=model, fallbacks=fallbacks), description=description
    )


@pytest.mark.parametrize(
    ("before", "after", "canary", "then"),
    [
        (None, spec("a"), False, Inherit),
        (spec("a"), spec("a", description="x"), True, Inherit),
        (spec("a"), spec("a", description="x"), False, Unproven),
        (spec("a"), spec("b"), True, Reset),
        (spec("a"), spec("a", "b"), True, Reset),
    ],
)
def test_another_manifest(
    before: AgentSpec | None, after: AgentSpec, canary: bool, then: type
) -> None:
    assert isinstance(decide_inheritance(before, after, came_through_canary=canary), then)


@given(a=ENVELOPES, b=ENVELOPES, amount=st.decimals(0, 1000, places=2), sure=st.floats(0, 1))
def test_an_envelope_within_another_allows_nothing_more(
    a: Envelope, b: Envelope, amount: Decimal, sure: float
) -> None:
    if not a.within(b):
        return
    for today in (0, 5, 19):
        inner = ask(
            grant(Level.BOUNDED, envelope=a), amount=str(amount), confidence=sure, today=today
        )
        outer = ask(
            grant(Level.BOUNDED, envelope=b), amount=str(amount), confidence=sure, today=today
        )
        assert outer.inside or not inner.inside


@given(level=LEVELS, envelope=ENVELOPES, was=LEVELS, bounds=ENVELOPES)
def test_wider_and_narrower_exclude_each_other(
    level: Level, envelope: Envelope, was: Level, bounds: Envelope
) -> None:
    first = wider(level, envelope, grant(was, envelope=bounds))
    back = wider(was, bounds, grant(level, envelope=envelope))
    if level.rank != was.rank:
        assert first is (level.rank > was.rank)
        assert first is not back


@pytest.mark.parametrize("scope", ["", "tier/none", "contract/", "contract/post@3", "post"])
def test_a_grant_about_nothing(scope: str) -> None:
    with pytest.raises(BrokenGrant):
        check_scope(scope, "production")


@pytest.mark.parametrize(
    "wrong",
    [
        Envelope(max_amount=Decimal("NaN")),
        Envelope(max_amount=Decimal(-1)),
        Envelope(max_per_day=-1),
        Envelope(min_confidence=1.5),
        Envelope(min_confidence=float("nan")),
        Envelope(spot_share=1.5),
        Envelope(spot_share=float("nan")),
    ],
)
def test_bounds_that_are_none(wrong: Envelope) -> None:
    with pytest.raises(BrokenGrant):
        check_envelope(wrong)
