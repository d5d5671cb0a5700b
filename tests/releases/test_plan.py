"""A plan that contradicts itself, or proves nothing, is refused before it begins."""

from dataclasses import replace
from datetime import timedelta

import pytest

from opsroom.evals.comparison import Role
from opsroom.evals.model import Scale
from opsroom.evidence import Direction
from opsroom.kit.canonical import digest
from opsroom.kit.wire import adapter, plain
from opsroom.releases import BadPlan
from opsroom.releases.plan import (
    CanaryStep,
    MetricRule,
    Plan,
    SamplePlan,
    ShadowPlan,
    check_plan,
)

PRIMARY = MetricRule(metric="success", margin=0.02, role=Role.PRIMARY)


def test_the_defaults_are_sound_and_documented() -> None:
    plan = Plan()
    check_plan(plan)
    assert plan.shadow == ShadowPlan(min_time=timedelta(hours=48), min_pairs=200)
    assert plan.sample.size == 50
    assert [step.weight for step in plan.steps] == [0.05, 0.25, 0.5]
    assert sum(step.min_n for step in plan.steps) == 2_000


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (Plan(metrics=()), "no metric"),
        (Plan(metrics=(replace(PRIMARY, role=Role.GUARDRAIL),)), "no metric is primary"),
        (Plan(metrics=(replace(PRIMARY, margin=0.0),)), "margin of 0"),
        (Plan(metrics=(replace(PRIMARY, margin=-0.1),)), "margin"),
        (Plan(metrics=(replace(PRIMARY, margin=1.0),)), "margin"),
        (Plan(metrics=(PRIMARY, PRIMARY)), "twice"),
        (
            Plan(
                metrics=(
                    PRIMARY,
                    replace(PRIMARY, role=Role.GUARDRAIL, direction=Direction.LOWER),
                )
            ),
            "two ways",
        ),
        (
            Plan(metrics=(PRIMARY, MetricRule(metric="success", scale=Scale.NUMBER))),
            "two ways",
        ),
        (Plan(metrics=(replace(PRIMARY, metric=""),)), "name"),
        (Plan(metrics=(replace(PRIMARY, max_missing=1.0),)), "max_missing"),
        (Plan(steps=()), "no canary step"),
        (Plan(steps=(CanaryStep(weight=0.0),)), "weight"),
        (Plan(steps=(CanaryStep(weight=1.0),)), "weight"),
        (Plan(steps=(CanaryStep(weight=0.5), CanaryStep(weight=0.25))), "weights rise"),
        (Plan(steps=(CanaryStep(weight=0.5, min_n=0),)), "at least 1 request"),
        (Plan(sample=SamplePlan(size=201)), "larger than the shadow run"),
        (Plan(sample=SamplePlan(min_pass=1.0)), "min_pass"),
        (Plan(alpha=0.5), "alpha"),
        (Plan(shadow=ShadowPlan(min_time=timedelta(seconds=-1))), "negative"),
    ],
)
def test_an_unsound_plan_is_refused(plan: Plan, why: str) -> None:
    with pytest.raises(BadPlan) as caught:
        check_plan(plan)
    assert why in str(caught.value)


def test_a_plan_reads_back_as_it_was_written() -> None:
    plan = Plan(steps=(CanaryStep(weight=0.1, min_duration=timedelta(minutes=90)),))
    text = plain(plan)
    assert text["steps"][0]["min_duration"] == "PT1H30M"
    again = adapter(Plan).validate_python(text)
    assert again == plan
    assert digest(plain(again)) == digest(text)
