"""Limits: only a whole interval shows that a rate keeps one, and what is not shown never passes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evals.arms import arms

from opsroom.evals.comparison import MetricRule
from opsroom.evals.errors import BadRules
from opsroom.evals.gate import GateRules, Outcome, gate
from opsroom.evals.limits import Standing, limited
from opsroom.evals.model import Scale
from opsroom.evidence import Direction
from opsroom.kit.canonical import digest
from opsroom.kit.wire import plain

RULE = MetricRule(metric="attack-success", margin=0.2, direction=Direction.LOWER, limit=0.05)


def decided(cases: int, before: int, after: int, **more: object) -> tuple[Outcome, str]:
    pairs = [(float(n < before), float(n < after)) for n in range(cases)]
    rules = GateRules(metrics=(replace(RULE, **more),), floor=2)  # type: ignore[arg-type]
    verdict = gate(*arms(pairs, "attack-success"), rules)
    return verdict.outcome, verdict.reasons[0]


@pytest.mark.parametrize(
    ("cases", "wrong", "outcome"),
    [
        (200, 0, Outcome.PASSED),
        (72, 0, Outcome.PASSED),
        (71, 0, Outcome.INCONCLUSIVE),  # 0 of 71 proves no more than 5.06 %
        (200, 10, Outcome.INCONCLUSIVE),
        (200, 30, Outcome.FAILED),
    ],
)
def test_a_limit_has_to_be_shown(cases: int, wrong: int, outcome: Outcome) -> None:
    assert decided(cases, wrong, wrong)[0] is outcome


def test_a_candidate_that_is_better_and_still_beyond_its_limit_fails() -> None:
    outcome, why = decided(200, 120, 60)
    assert outcome is Outcome.FAILED
    assert "30.0% of 200 cases" in why
    assert "beyond its limit of 0.05" in why


def test_without_a_limit_rules_have_the_digest_they_had() -> None:
    assert "limit" not in plain(replace(RULE, limit=None))
    assert digest(plain(RULE)) != digest(plain(replace(RULE, limit=0.1)))


def test_limits_are_of_rates() -> None:
    with pytest.raises(BadRules):
        decided(9, 0, 0, limit=1.5)
    with pytest.raises(BadRules):
        decided(9, 0, 0, scale=Scale.NUMBER)


@settings(max_examples=30)
@given(wrong=st.integers(0, 60), more=st.integers(0, 60), limit=st.floats(0, 1))
def test_both_directions_say_the_same_of_the_same_cases(
    wrong: int, more: int, limit: float
) -> None:
    values = [1.0] * wrong + [0.0] * (more + 1)
    low = limited(values, limit=limit, direction=Direction.LOWER, level=0.95)
    turned = [1 - value for value in values]
    high = limited(turned, limit=1 - limit, direction=Direction.HIGHER, level=0.95)
    assert low.standing is high.standing or abs(low.interval.high - limit) < 1e-9
    if low.standing is Standing.WITHIN:
        assert low.rate <= limit


@pytest.mark.parametrize("more", [0.0, 0.5, 1.0])
def test_a_case_that_half_fails_shows_no_more_than_one_that_does_not(more: float) -> None:
    """0 of 60 is too few for 5 %, so 0 of 59 and a half is too."""
    found = limited([0.0] * 59 + [more], limit=0.05, direction=Direction.LOWER, level=0.95)
    assert found.standing is Standing.OPEN
    flipped = [1.0] * 59 + [1 - more]
    found = limited(flipped, limit=0.95, direction=Direction.HIGHER, level=0.95)
    assert found.standing is Standing.OPEN
