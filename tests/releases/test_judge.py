"""What counts say about one metric."""

from dataclasses import replace

import numpy as np
import pytest
from tests.releases.samples import arm, evidence, leg, shadow

from opsroom.evals.comparison import Role
from opsroom.evals.model import Scale
from opsroom.evidence import Direction
from opsroom.releases import judge
from opsroom.releases.evidence import (
    ArmCounts,
    Counts,
    Evidence,
    LegCounts,
    PairCounts,
    ShadowCounts,
)
from opsroom.releases.plan import MetricRule, Plan

LATENCY = MetricRule(
    metric="latency",
    scale=Scale.NUMBER,
    direction=Direction.LOWER,
    margin=0.5,
    role=Role.PRIMARY,
)
SCORE = replace(LATENCY, metric="score", direction=Direction.HIGHER)


def drawn(rule: MetricRule, mean: float, n: int, seed: int) -> Counts:
    counts = Counts()
    for value in np.random.default_rng(seed).normal(mean, 1.0, n):
        counts = counts.with_value(float(value))
    return counts


def numbers(rule: MetricRule, champion: float, challenger: float, n: int) -> Evidence:
    arms = [
        ArmCounts(n=n, metrics={rule.metric: drawn(rule, mean, n, seed)})
        for seed, mean in enumerate((champion, challenger))
    ]
    one = LegCounts(leg=1, step=0, weight=0.5, champion=arms[0], challenger=arms[1])
    return evidence(legs=(one,), looks=())


@pytest.mark.parametrize(
    ("rule", "champion", "challenger", "held", "alarmed"),
    [
        (LATENCY, 2.0, 2.0, True, False),
        (LATENCY, 2.0, 1.0, True, False),
        (LATENCY, 2.0, 3.0, False, True),
        (LATENCY, 2.0, 2.5, False, False),
        (SCORE, 2.0, 3.0, True, False),
        (SCORE, 2.0, 1.0, False, True),
    ],
)
def test_numbers(
    rule: MetricRule, champion: float, challenger: float, *, held: bool, alarmed: bool
) -> None:
    plan = Plan(metrics=(rule,))
    seen = numbers(rule, champion, challenger, 400)
    assert judge.holds(plan, rule, seen) is held
    assert (judge.canary_alarm(plan, seen) is not None) is alarmed


def test_a_running_mean_is_the_mean() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 500)
    counts = Counts()
    for value in values:
        counts = counts.with_value(float(value))
    assert counts.mean == pytest.approx(values.mean())
    assert counts.variance == pytest.approx(values.var(ddof=1))


def test_shadow_pairs_of_numbers() -> None:
    plan = Plan(metrics=(LATENCY,))
    for gap, alarmed in ((0.0, False), (2.0, True)):
        counts = PairCounts()
        for noise in np.random.default_rng(7).normal(0.0, 0.3, 100):
            counts = counts.with_pair(2.0, 2.0 + gap + float(noise))
        seen = ShadowCounts(pairs=100, metrics={"latency": counts})
        found = judge.shadow_alarm(plan, evidence(shadow=seen))
        assert (found is not None) is alarmed


def test_a_loss_inside_the_margin_raises_no_alarm() -> None:
    tolerant = MetricRule(metric="error", direction=Direction.LOWER, margin=0.05)
    primary = MetricRule(metric="success", margin=0.05, role=Role.PRIMARY)
    lossy = evidence(legs=(leg(1, 0.5, (4_000, 40), (4_000, 120)),))
    assert judge.canary_alarm(Plan(metrics=(tolerant, primary)), lossy) is None
    strict = replace(tolerant, margin=0.0)
    assert judge.canary_alarm(Plan(metrics=(strict, primary)), lossy) is not None


def test_alpha_is_shared_by_all_guardrails() -> None:
    """Evidence that is enough for one guardrail is not enough for one of ten."""
    one = MetricRule(metric="error", direction=Direction.LOWER)
    rest = tuple(replace(one, metric=f"other-{n}", must_have_data=False) for n in range(9))
    primary = MetricRule(metric="success", margin=0.2, role=Role.PRIMARY)
    seen = evidence(legs=(leg(1, 0.5, (300, 3), (300, 21)),))
    assert judge.canary_alarm(Plan(metrics=(primary, one)), seen) is not None
    assert judge.canary_alarm(Plan(metrics=(primary, one, *rest)), seen) is None


def test_what_is_not_reported_is_missed() -> None:
    holed = replace(arm(100, 0), metrics={"success": Counts(n=100)})
    seen = evidence(legs=(replace(leg(1, 0.5, (100, 0), (100, 0)), challenger=holed),))
    found = judge.missing(Plan(), seen)
    assert found is not None
    assert "error is missing for 100 of 100 requests to the candidate" in found
    optional = tuple(replace(rule, must_have_data=False) for rule in Plan().metrics)
    assert judge.missing(Plan(metrics=optional), seen) is None


def test_a_few_missing_values_are_no_reason_to_stop() -> None:
    few = replace(arm(19, 0), metrics={})
    seen = evidence(legs=(replace(leg(1, 0.5, (19, 0), (19, 0)), challenger=few),))
    assert judge.missing(Plan(), seen) is None


def test_readings_for_people() -> None:
    seen = evidence(legs=(leg(1, 0.25, (1_500, 15), (500, 8)),), shadow=shadow(200))
    success, error = judge.readings(Plan(), seen)
    assert success.estimate.difference == pytest.approx(-0.006)
    assert success.estimate.interval is not None
    assert success.estimate.interval.low < -0.006 < success.estimate.interval.high
    assert not success.holds
    assert success.more is not None
    assert error.estimate.difference == pytest.approx(0.006)
    assert error.limit == pytest.approx(1 / (0.15 * 0.05))
    assert error.e is not None
    nothing = judge.readings(Plan(), evidence())
    assert [one.estimate.difference for one in nothing] == [None, None]
