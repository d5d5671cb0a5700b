"""The gate: what passes, what fails, and that nothing passes for lack of evidence."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evals.arms import arm, arms, counts, result

from opsroom.evals.comparison import Arm, MetricRule, Role, compare
from opsroom.evals.errors import (
    BadRules,
    DifferentEvaluators,
    GateFailed,
    GateInconclusive,
    NotBinary,
    NothingInCommon,
    NotMeasured,
)
from opsroom.evals.gate import GateRules, GateVerdict, Mode, Outcome, decide, gate, require_pass
from opsroom.evals.model import Result, Scale, Score
from opsroom.evidence import BinaryComparison, Direction, NumericComparison, Verdict
from opsroom.kit.wire import adapter, plain

RULE = MetricRule(metric="passed", margin=0.05)
STRICT = GateRules(metrics=(RULE,), mode=Mode.STRICT)


def rules(*metrics: MetricRule, floor: int | None = None) -> GateRules:
    return GateRules(metrics=metrics or (RULE,), floor=floor)


BETTER = counts(both=300, only_a=5, only_b=60, neither=135)
EQUAL = counts(both=440, only_a=10, only_b=10, neither=40)
WORSE = counts(both=300, only_a=100, only_b=5, neither=95)
THIN = counts(both=90, only_a=15, only_b=15, neither=90)


@pytest.mark.parametrize(
    ("outcomes", "outcome", "verdict"),
    [
        (BETTER, Outcome.PASSED, Verdict.BETTER),
        (EQUAL, Outcome.PASSED, Verdict.NOT_WORSE),
        (WORSE, Outcome.FAILED, Verdict.WORSE),
        (THIN, Outcome.INCONCLUSIVE, Verdict.UNDECIDED),
    ],
)
def test_the_four_verdicts(
    outcomes: list[tuple[float | None, float | None]], outcome: Outcome, verdict: Verdict
) -> None:
    decided = gate(*arms(outcomes), rules())
    assert decided.outcome is outcome
    assert decided.metrics[0].verdict is verdict


def test_fewer_pairs_than_the_floor_are_inconclusive_unless_a_lower_one_is_stated() -> None:
    few = arms(counts(both=20, only_a=0, only_b=60, neither=19))
    unstated = gate(*few, rules())
    assert unstated.outcome is Outcome.INCONCLUSIVE
    assert unstated.reasons[0] == "passed: 99 pairs are fewer than the floor of 200"
    assert (unstated.floor, unstated.floor_lowered) == (200, False)
    stated = gate(*few, rules(floor=99))
    assert stated.outcome is Outcome.PASSED
    assert (stated.floor, stated.floor_lowered) == (99, True)
    raised = gate(*arms(BETTER), rules(floor=501))
    assert raised.outcome is Outcome.INCONCLUSIVE


def test_holes_are_counted_and_too_many_are_inconclusive() -> None:
    some = [*BETTER, *[(1.0, None)] * 20]
    decided = gate(*arms(some), rules())
    assert decided.outcome is Outcome.PASSED
    assert (decided.metrics[0].missing_a, decided.metrics[0].missing_b) == (0, 20)
    assert decided.metrics[0].pairs == 500
    assert decided.evidence.candidate.errors == 20
    many = gate(*arms([*BETTER, *[(1.0, None)] * 30]), rules())
    assert many.outcome is Outcome.INCONCLUSIVE
    assert many.reasons[0] == "passed: 5.7% of its values are missing, more than 5%"


def test_an_unfinished_run_of_the_same_dataset_is_a_hole() -> None:
    baseline, candidate = arms(BETTER)
    half = arm("a@2", [one for some in list(candidate.results.values())[:300] for one in some])
    decided = gate(baseline, half, rules())
    assert decided.outcome is Outcome.INCONCLUSIVE
    assert decided.metrics[0].missing_b == 200
    other = arm("a@2", [one for some in half.results.values() for one in some], dataset="other")
    assert gate(baseline, other, rules()).metrics[0].missing_b == 0


def test_a_score_that_could_not_be_given_is_a_hole() -> None:
    baseline, candidate = arms(BETTER)
    hole = Score(value=None, error=True, reason="the judge did not answer in the agreed form")
    broken = [
        Result(run_id="r", item=item, item_id=item, scores={"passed": hole})
        if n < 100
        else some[0]
        for n, (item, some) in enumerate(candidate.results.items())
    ]
    decided = gate(baseline, arm("a@2", broken), rules())
    assert decided.outcome is Outcome.INCONCLUSIVE
    assert decided.metrics[0].missing_b == 100


def test_nothing_in_common_says_what_each_side_has() -> None:
    baseline = arm("triage@1", [result(f"old{n}", 1.0) for n in range(3)])
    candidate = arm("triage@2", [result(f"new{n}", 1.0) for n in range(2)])
    with pytest.raises(NothingInCommon) as raised:
        gate(baseline, candidate, rules())
    said = str(raised.value)
    assert "'triage@1' answered 3 items (first 'old0')" in said
    assert "'triage@2' answered 2 (first 'new0')" in said
    with pytest.raises(NothingInCommon, match="first none"):
        gate(baseline, arm("triage@2", []), rules())


def test_items_meet_by_content_and_not_by_name() -> None:
    baseline, candidate = arms(BETTER)
    renamed = [
        Result(run_id="r", item=some[0].item, item_id=f"x{n}", scores=some[0].scores)
        for n, some in enumerate(candidate.results.values())
    ]
    assert gate(baseline, arm("a@2", renamed), rules()).metrics[0].pairs == 500


def test_two_measuring_sticks_make_no_difference() -> None:
    baseline, _ = arms(BETTER)
    other = arm("a@2", [result("i0", 1.0)], evaluators="other")
    with pytest.raises(DifferentEvaluators):
        gate(baseline, other, rules())


def test_a_metric_nobody_measured_is_named_with_what_there_is() -> None:
    with pytest.raises(NotMeasured, match=r"'accuracy', which 'a@1' did not measure.*'passed'"):
        gate(*arms(BETTER), rules(MetricRule(metric="accuracy", margin=0.05)))


def test_yes_or_no_is_not_read_into_other_numbers() -> None:
    with pytest.raises(NotBinary, match=r"0\.5"):
        gate(*arms([(1.0, 0.5)] * 3), rules())


def guarded(value_a: float, value_b: float) -> tuple[Arm, Arm]:
    """A candidate that is better on `passed`, with a second metric on the side."""
    sides: list[Arm] = []
    for side, value in enumerate((value_a, value_b)):
        sides.append(
            arm(
                f"a@{side + 1}",
                [
                    Result(
                        run_id="r",
                        item=f"i{n}",
                        item_id=f"i{n}",
                        scores={"passed": Score(value=pair[side] or 0.0)},
                        latency=value + n % 10 / 10,
                    )
                    for n, pair in enumerate(BETTER)
                ],
            )
        )
    return sides[0], sides[1]


SLOW = MetricRule(
    metric="latency",
    margin=0.1,
    direction=Direction.LOWER,
    role=Role.GUARDRAIL,
    scale=Scale.NUMBER,
)


@pytest.mark.parametrize(
    ("candidate", "outcome"),
    [(1.0, Outcome.PASSED), (1.05, Outcome.PASSED), (2.0, Outcome.FAILED)],
)
def test_a_guardrail_fails_only_what_is_worse(candidate: float, outcome: Outcome) -> None:
    decided = gate(*guarded(1.0, candidate), rules(RULE, SLOW))
    assert decided.outcome is outcome
    found = decided.metrics[1].comparison
    assert isinstance(found, NumericComparison)
    assert found.difference == pytest.approx(candidate - 1.0)


def test_an_undecided_guardrail_does_not_hold_a_candidate_back() -> None:
    noisy = MetricRule(metric="other", margin=0.01, role=Role.GUARDRAIL)
    baseline, candidate = arms(BETTER)
    thin = arms(THIN[:200] + [(1.0, 1.0)] * 300, metric="other")
    one, other = (
        arm(
            side.name,
            [
                Result(
                    run_id="r",
                    item=item,
                    item_id=item,
                    scores=dict(side.results[item][0].scores)
                    | dict(extra.results[item][0].scores),
                )
                for item in side.results
            ],
        )
        for side, extra in zip((baseline, candidate), thin, strict=True)
    )
    decided = gate(one, other, rules(RULE, noisy))
    assert decided.metrics[1].verdict is Verdict.UNDECIDED
    assert decided.outcome is Outcome.PASSED


def test_a_lower_is_better_metric_turns_around() -> None:
    attacks = counts(both=100, only_a=200, only_b=5, neither=195)
    lower = MetricRule(metric="passed", margin=0.05, direction=Direction.LOWER)
    assert gate(*arms(attacks), rules(lower)).metrics[0].verdict is Verdict.BETTER
    assert gate(*arms(attacks), rules()).metrics[0].verdict is Verdict.WORSE


def test_repeated_trials_are_one_item_each() -> None:
    """Four trials of fifty items are fifty pairs, not two hundred."""
    sides = [
        arm(
            name,
            [
                result(f"i{n}", float((n + trial) % 4 < passes), trial=trial)
                for n in range(50)
                for trial in range(4)
            ],
        )
        for name, passes in (("a@1", 2), ("a@2", 3))
    ]
    decided = gate(sides[0], sides[1], rules(floor=50))
    found = decided.metrics[0].comparison
    assert isinstance(found, NumericComparison)
    assert found.pairs == 50
    assert (found.mean_a, found.mean_b) == (0.5, 0.75)
    assert decided.evidence.candidate.answers == 200
    assert gate(sides[0], sides[1], rules()).outcome is Outcome.INCONCLUSIVE


def several(verdicts: int) -> tuple[Arm, Arm, tuple[MetricRule, ...]]:
    """One arm pair on which `verdicts` metrics each have the same borderline outcome."""
    outcomes = counts(both=170, only_a=6, only_b=7, neither=17)
    names = [f"m{n}" for n in range(verdicts)]
    sides = [
        arm(
            f"a@{side}",
            [
                Result(
                    run_id="r",
                    item=f"i{n}",
                    item_id=f"i{n}",
                    scores={name: Score(value=float(pair[side] or 0)) for name in names},
                )
                for n, pair in enumerate(outcomes)
            ],
        )
        for side in (0, 1)
    ]
    return sides[0], sides[1], tuple(MetricRule(metric=name, margin=0.035) for name in names)


def test_several_primaries_share_the_error_rate() -> None:
    """What one primary may claim alone is not enough when five are claimed together."""
    baseline, candidate, metrics = several(1)
    alone = gate(baseline, candidate, rules(*metrics))
    assert alone.outcome is Outcome.PASSED
    baseline, candidate, metrics = several(5)
    together = gate(baseline, candidate, rules(*metrics))
    assert together.outcome is Outcome.INCONCLUSIVE
    found = together.metrics[0].comparison
    assert found is not None
    assert found.interval.level == pytest.approx(0.99)


def test_strict_goes_by_point_estimates_and_says_what_that_costs() -> None:
    one_less = counts(both=200, only_a=51, only_b=50, neither=99)
    failed = gate(*arms(one_less), STRICT)
    assert failed.outcome is Outcome.FAILED
    assert failed.reasons[0] == "below the baseline on passed"
    assert failed.chance_of_equal == pytest.approx(0.52, abs=0.01)
    level = counts(both=200, only_a=50, only_b=50, neither=100)
    assert gate(*arms(level), STRICT).outcome is Outcome.PASSED
    assert gate(*arms(BETTER), rules()).chance_of_equal is None
    baseline, candidate, metrics = several(5)
    many = gate(baseline, candidate, GateRules(metrics=metrics, mode=Mode.STRICT))
    assert many.chance_of_equal == pytest.approx(0.05, abs=0.01)


def test_power_says_what_the_run_could_show() -> None:
    thin = compare(*arms(THIN), RULE)
    assert thin.power is not None
    assert thin.power < 0.5
    assert thin.needed is not None
    assert 400 < thin.needed < 700
    ample = compare(*arms(EQUAL), RULE)
    assert ample.power is not None
    assert ample.power > 0.95
    superiority = compare(*arms(EQUAL), MetricRule(metric="passed", margin=0.0))
    assert (superiority.power, superiority.needed) == (None, None)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (GateRules(metrics=()), "no metric is primary"),
        (
            rules(MetricRule(metric="m", margin=0.1, role=Role.GUARDRAIL)),
            "no metric is primary",
        ),
        (rules(RULE, RULE), "named twice"),
        (rules(RULE, floor=1), "floor is 1"),
        (rules(MetricRule(metric="m", margin=-0.1)), "margin"),
        (rules(MetricRule(metric="m", margin=5)), "five points"),
        (rules(MetricRule(metric="m", margin=float("nan"))), "margin"),
        (rules(MetricRule(metric="m", margin=0.1, alpha=0)), "alpha"),
        (GateRules(metrics=(RULE,), max_missing=1.0), "missing"),
        (GateRules(metrics=(RULE,), power=1.0), "power"),
    ],
)
def test_rules_that_make_no_sense_are_refused(bad: GateRules, why: str) -> None:
    with pytest.raises(BadRules, match=why):
        gate(*arms(BETTER), bad)


def test_a_verdict_is_repeatable_from_what_is_stored() -> None:
    decided = gate(*arms(BETTER), rules())
    stored = adapter(GateVerdict).validate_python(plain(decided))
    assert stored == decided
    assert stored.digest == decided.digest
    assert decide(stored.metrics, stored.rules) == (decided.outcome, decided.reasons)
    again = gate(*arms(BETTER), rules())
    assert again.digest == decided.digest


def test_the_digest_covers_results_rules_and_versions() -> None:
    first, second = arms(BETTER)
    decided = gate(first, second, rules())
    one_changed = [*BETTER[:-1], (0.0, 1.0)]
    others = [
        gate(*arms(one_changed), rules()),
        gate(first, second, rules(floor=300)),
        gate(
            first,
            arm("a@3", [one for some in second.results.values() for one in some]),
            rules(),
        ),
    ]
    assert len({decided.digest, *(one.digest for one in others)}) == 4
    assert len({decided.evidence.digest, *(one.evidence.digest for one in others)}) == 3


def test_only_a_pass_gets_through() -> None:
    passed = gate(*arms(BETTER), rules())
    assert require_pass(passed) is passed
    failed = gate(*arms(WORSE), rules())
    with pytest.raises(
        GateFailed, match="'a@2' does not pass the gate against 'a@1'"
    ) as raised:
        require_pass(failed)
    assert raised.value.exit_code == 3
    assert raised.value.facts["digest"] == failed.digest
    with pytest.raises(GateInconclusive, match="undecided on passed") as unsure:
        require_pass(gate(*arms(THIN), rules()))
    assert unsure.value.exit_code == 3


# Properties

# A wide margin keeps the arithmetic of sample sizes, which is not what is tested, short.
WIDE = MetricRule(metric="passed", margin=0.2)
FLOORLESS = rules(WIDE, floor=2)
few = settings(max_examples=40, deadline=None)
cells = st.integers(0, 30)
tables = st.builds(
    lambda both, only_a, only_b, neither: counts(
        both=both + 1, only_a=only_a, only_b=only_b, neither=neither
    ),
    cells,
    cells,
    cells,
    cells,
)


def binary(verdict: GateVerdict) -> BinaryComparison | None:
    found = verdict.metrics[0].comparison
    assert found is None or isinstance(found, BinaryComparison)
    return found


@few
@given(outcomes=tables)
def test_swapping_the_sides_mirrors_the_verdict(
    outcomes: list[tuple[float | None, float | None]],
) -> None:
    baseline, candidate = arms(outcomes)
    one, other = gate(baseline, candidate, FLOORLESS), gate(candidate, baseline, FLOORLESS)
    there, back = binary(one), binary(other)
    assert there is not None
    assert back is not None
    assert (there.only_a, there.only_b) == (back.only_b, back.only_a)
    assert there.difference == -back.difference
    assert there.p == back.p
    assert there.interval.low == pytest.approx(-back.interval.high, abs=1e-9)
    if there.verdict is Verdict.WORSE:
        assert back.verdict is Verdict.BETTER
    if there.verdict is Verdict.BETTER:
        assert back.verdict in {Verdict.WORSE, Verdict.UNDECIDED, Verdict.NOT_WORSE}
    assert not {Outcome.FAILED} >= {one.outcome, other.outcome}


@few
@given(outcomes=tables, lost=st.data())
def test_missing_evidence_never_passes(
    outcomes: list[tuple[float | None, float | None]], lost: st.DataObject
) -> None:
    n = len(outcomes)
    gone = lost.draw(st.sets(st.integers(0, n - 1), min_size=n // 20 + 1, max_size=n))
    holes = [(a, None if k in gone else b) for k, (a, b) in enumerate(outcomes)]
    assert gate(*arms(holes), FLOORLESS).outcome is not Outcome.PASSED


@few
@given(first=tables, second=tables)
def test_another_metric_never_turns_a_failure_into_a_pass(
    first: list[tuple[float | None, float | None]],
    second: list[tuple[float | None, float | None]],
) -> None:
    n = min(len(first), len(second))
    sides = [
        arm(
            f"a@{side}",
            [
                Result(
                    run_id="r",
                    item=f"i{k}",
                    item_id=f"i{k}",
                    scores={
                        "one": Score(value=float(first[k][side] or 0)),
                        "two": Score(value=float(second[k][side] or 0)),
                    },
                )
                for k in range(n)
            ],
        )
        for side in (0, 1)
    ]
    one = MetricRule(metric="one", margin=0.2)
    two = MetricRule(metric="two", margin=0.2)
    alone = gate(sides[0], sides[1], rules(one, floor=2))
    both = gate(sides[0], sides[1], rules(one, two, floor=2))
    turned = gate(sides[0], sides[1], rules(two, one, floor=2))
    if both.outcome is Outcome.PASSED:
        assert alone.outcome is Outcome.PASSED
    if Verdict.WORSE in {metric.verdict for metric in both.metrics}:
        assert both.outcome is not Outcome.PASSED
    assert turned.outcome is both.outcome
    assert {m.metric: m for m in turned.metrics} == {m.metric: m for m in both.metrics}


@few
@given(outcomes=tables, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_results_says_nothing(
    outcomes: list[tuple[float | None, float | None]], shuffle: Random
) -> None:
    def turned(side: Arm) -> Arm:
        results = [one for some in side.results.values() for one in some]
        shuffle.shuffle(results)
        return arm(side.name, results)

    baseline, candidate = arms(outcomes)
    straight = gate(baseline, candidate, FLOORLESS)
    assert gate(turned(baseline), turned(candidate), FLOORLESS).digest == straight.digest


@pytest.mark.parametrize(
    ("outcomes", "outcome"),
    [
        (counts(both=0, only_a=0, only_b=9, neither=1), Outcome.PASSED),
        (counts(both=0, only_a=0, only_b=8, neither=2), Outcome.PASSED),
        (counts(both=0, only_a=0, only_b=7, neither=3), Outcome.FAILED),
        (counts(both=9, only_a=1, only_b=0, neither=0), Outcome.FAILED),
        (counts(both=9, only_a=1, only_b=1, neither=0), Outcome.PASSED),
        (counts(both=1, only_a=0, only_b=0, neither=0), Outcome.PASSED),
        (counts(both=0, only_a=0, only_b=0, neither=1), Outcome.FAILED),
    ],
)
def test_a_regression_counts_the_cases_themselves(
    outcomes: list[tuple[float | None, float | None]], outcome: Outcome
) -> None:
    """At most a fifth wrong, and none fewer than before."""
    asked = GateRules(metrics=(MetricRule(metric="passed", margin=0.2),), mode=Mode.REGRESSION)
    decided = gate(*arms(outcomes), asked)
    assert decided.outcome is outcome
    assert (decided.floor, decided.floor_lowered) == (1, False)


def test_a_regression_takes_the_mean_of_cases_that_are_tried_more_than_once() -> None:
    asked = GateRules(metrics=(MetricRule(metric="passed", margin=0.2),), mode=Mode.REGRESSION)

    def tried(name: str, right: int) -> Arm:
        return arm(
            name,
            [
                result(f"i{item}", float(trial < right), trial=trial)
                for item in range(2)
                for trial in range(3)
            ],
        )

    assert gate(tried("a", 0), tried("b", 3), asked).outcome is Outcome.PASSED
    unsteady = gate(tried("a", 0), tried("b", 2), asked)
    assert unsteady.outcome is Outcome.FAILED
    assert "1.333 of 2 cases are right" in unsteady.reasons[1]


def test_a_regression_is_about_cases_that_are_right() -> None:
    number = MetricRule(metric="passed", margin=0.2, scale=Scale.NUMBER)
    with pytest.raises(BadRules):
        gate(*arms(BETTER), GateRules(metrics=(number,), mode=Mode.REGRESSION))
