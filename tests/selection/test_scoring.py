"""Whole scorecards from made-up outcomes: who is recommended, and what is said beside it."""

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.selection.world import NOW, drawn, measured, outcomes, result

from opsroom.evals.errors import NotMeasured
from opsroom.evals.trust import DomainTrust, JudgeOf
from opsroom.evidence import Tally, Verdict
from opsroom.evidence.judged import KnownError
from opsroom.registry.model import Criticality
from opsroom.selection.choosing import Point, dominates, placed
from opsroom.selection.commands import as_check
from opsroom.selection.errors import BadScorecard, DifferentTasks, NothingShared
from opsroom.selection.model import (
    Aspect,
    Benchmark,
    Candidate,
    Dimension,
    Fact,
    Kept,
    Outcome,
    Place,
    Plan,
    Tier,
)
from opsroom.selection.scoring import Measured
from opsroom.selection.weighing import measure_judged

GOOD = [1.0] * 90 + [0.0] * 10
FAIR = [1.0] * 88 + [0.0] * 12
BAD = [0.0] * 60 + [1.0] * 40


def test_the_one_that_is_clearly_better_is_recommended() -> None:
    card = drawn(measured("a", outcomes(BAD)), measured("b", outcomes(GOOD)))
    assert card.recommendation.outcome is Outcome.RECOMMENDED
    assert card.recommendation.among == ("b",)
    assert [one.name for one in card.standings] == ["b", "a"]
    assert "the recommendation is b:" in card.recommendation.says
    assert "100 shared cases are few" in card.recommendation.cautions[0]


def test_overlapping_ones_are_undecided_and_the_rest_is_below() -> None:
    card = drawn(
        measured("a", outcomes(GOOD)),
        measured("b", outcomes(FAIR)),
        measured("c", outcomes(BAD)),
    )
    assert card.recommendation.outcome is Outcome.UNDECIDED
    assert card.recommendation.among == ("a", "b")
    assert card.recommendation.says.startswith("undecided between a and b")
    assert card.recommendation.says.endswith("1 other is clearly below")


@pytest.mark.parametrize("what", ["dataset", "evaluators", "split"])
def test_other_tasks_are_refused(what: str) -> None:
    other = measured("b", outcomes(GOOD))
    change: dict[str, Any] = {what: "other"}
    other = replace(other, run=replace(other.run, **change))
    with pytest.raises(DifferentTasks) as caught:
        drawn(measured("a", outcomes(GOOD)), other)
    assert caught.value.what == what
    assert "would not do the same task" in str(caught.value)


def test_figures_are_of_the_cases_that_were_put_to_all() -> None:
    few = measured("b", outcomes(GOOD[:20]))
    card = drawn(measured("a", outcomes(BAD)), few)
    assert card.shared == 20
    assert {one.measures[Dimension.FIT].n for one in card.standings} == {20}
    assert any("answered 100 cases" in one for one in card.recommendation.cautions) == (
        "a" in card.recommendation.among
    )
    with pytest.raises(NothingShared):
        drawn(few, measured("c", [result("x", 1.0), result("y", 1.0)]))


def test_one_version_is_not_compared_with_itself() -> None:
    twice = measured("a", outcomes(GOOD))
    with pytest.raises(BadScorecard):
        drawn(twice, replace(twice, candidate=Candidate(subject="a@latest")))


def test_a_metric_that_is_not_there_is_refused() -> None:
    sides = measured("a", outcomes(GOOD)), measured("b", outcomes(GOOD))
    with pytest.raises(NotMeasured):
        drawn(*sides, metric="beauty")


def test_reliability_is_measured_where_there_is_something_to_measure() -> None:
    def trials(rights: tuple[float, float], form: float) -> list[object]:
        return [
            result(f"i{n}", one, trial=trial, form=form)
            for n in range(40)
            for trial, one in enumerate(rights)
        ]

    steady = measured("a", trials((1.0, 1.0), 1.0), edge=outcomes([1.0] * 9 + [0.0]))  # type: ignore[arg-type]
    moody = measured("b", trials((1.0, 0.0), 0.0), edge=outcomes([0.0] * 10))  # type: ignore[arg-type]
    card = drawn(steady, moody, format_metric="form", criticality=Criticality.AUTONOMOUS)
    first, second = (one.measures for one in card.standings)
    assert first[Dimension.CONSISTENCY].value == 1
    assert first[Dimension.CONSISTENCY].interval.low > 0.9
    assert second[Dimension.CONSISTENCY].value == 0
    assert (first[Dimension.FORMAT].value, second[Dimension.FORMAT].value) == (1, 0)
    assert (first[Dimension.EDGE].value, second[Dimension.EDGE].value) == (0.9, 0)
    assert set(card.weights) == {
        Dimension.FIT, Dimension.FORMAT, Dimension.CONSISTENCY, Dimension.EDGE,
    }  # fmt: skip
    assert sum(card.weights.values()) == pytest.approx(1)
    assert card.recommendation.outcome is Outcome.RECOMMENDED


def test_cost_and_latency_count_where_a_ceiling_says_how_much() -> None:
    cheap = measured("a", outcomes(FAIR, cost="0.001", latency=1.0))
    dear = measured("b", outcomes(GOOD, cost="0.09", latency=9.0))
    without = drawn(cheap, dear)
    assert set(without.weights) == {Dimension.FIT}
    assert without.standings[0].name == "b"
    counted = drawn(cheap, dear, cost_ceiling=Decimal("0.1"), latency_ceiling=10.0)
    assert counted.recommendation.among == ("a",)
    assert counted.recommendation.outcome is Outcome.RECOMMENDED


def test_an_unknown_price_leaves_it_undecided() -> None:
    known = measured("a", outcomes(FAIR, cost="0.05", latency=1.0))
    mystery = measured("b", outcomes(GOOD, latency=1.0))
    card = drawn(known, mystery, cost_ceiling=Decimal("0.1"), weights={
        Dimension.FIT: 0.5, Dimension.COST: 0.5,
    })  # fmt: skip
    assert card.recommendation.outcome is Outcome.UNDECIDED
    assert "cost is not known of all" in card.recommendation.says
    places = {one.name: one.place for one in card.standings}
    assert places == {"a": Place.FRONT, "b": Place.UNPLACED}


def test_holes_are_not_read_as_successes() -> None:
    """Somebody who answers only what is easy has an unknown fit, not a good one."""
    picky = measured("a", outcomes([1.0] * 40 + [None] * 60, cost="0.01", latency=1.0))
    card = drawn(picky, measured("b", outcomes(FAIR)))
    assert card.standings[1].place is Place.UNPLACED
    assert card.recommendation.outcome is Outcome.UNDECIDED
    assert card.standings[0].name == "b"
    assert card.standings[1].total.unknown == (Dimension.FIT,)
    assert "a gave no answer 60 of 100 times" in card.recommendation.cautions


def test_a_benchmark_far_above_is_a_red_flag_and_counts_for_nothing() -> None:
    boast = Benchmark(name="AgentBench", value=0.97, source="vendor's page")
    plain = drawn(measured("a", outcomes(GOOD)), measured("b", outcomes(BAD)))
    boasting = drawn(
        measured("a", outcomes(GOOD)),
        measured("b", outcomes(BAD), candidate=Candidate(subject="b", benchmark=boast)),
    )
    assert "AgentBench promises 97.0%" in boasting.standings[1].flags[0]
    assert boasting.standings[1].total == plain.standings[1].total
    fine = Benchmark(name="AgentBench", value=0.93, source="vendor's page")
    near = drawn(
        measured("a", outcomes(GOOD), candidate=Candidate(subject="a", benchmark=fine)),
        measured("b", outcomes(BAD)),
    )
    assert near.standings[0].flags == ()


def test_who_lacks_a_required_fact_is_not_recommended() -> None:
    def having(subject: str, value: str) -> Candidate:
        fact = Fact(aspect=Aspect.ON_PREMISE, value=value, source="contract §4")
        return Candidate(subject=subject, facts=(fact,))

    best = measured("a", outcomes(GOOD), candidate=having("a", "no"))
    worse = measured("b", outcomes(BAD), candidate=having("b", "yes"))
    card = drawn(best, worse, required=(Aspect.ON_PREMISE,))
    assert card.recommendation.among == ("b",)
    assert "which alone has every required fact" in card.recommendation.says
    assert card.recommendation.cautions[0] == "a is clearly better than b, but lacks on-premise"
    kept = Kept(digest=card.digest, name="pick", number=1, at=NOW, by="ada", card=card)
    states = {one.name: as_check(kept, one).state for one in card.standings}
    assert states == {"a": "failed", "b": "passed"}
    nobody = drawn(best, measured("c", outcomes(BAD)), required=(Aspect.ON_PREMISE,))
    assert nobody.recommendation.outcome is Outcome.NOBODY
    assert nobody.recommendation.among == ()


def test_a_plan_is_priced_at_the_volume() -> None:
    rack = Plan(
        source="quote 17",
        tiers=(Tier(input=Decimal(0), output=Decimal(0)),),
        monthly_minimum=Decimal(3_000),
    )
    own = measured(
        "a", outcomes(GOOD, tokens=(1000, 100)), candidate=Candidate(subject="a", plan=rack)
    )
    card = drawn(own, measured("b", outcomes(BAD, cost="0.1")), volume=100_000)
    assert card.standings[0].cost.per_task == Decimal("0.03")
    assert card.standings[0].cost.per_million == pytest.approx(Decimal("27.27272727"))
    assert card.standings[1].cost.monthly == 10_000


def test_the_digest_does_not_depend_on_the_order_of_results() -> None:
    a, b = outcomes(GOOD, latency=2.0), outcomes(BAD, latency=3.0)
    one = drawn(measured("a", a), measured("b", b), latency_ceiling=10.0)
    two = drawn(measured("a", a[::-1]), measured("b", b[::-1]), latency_ceiling=10.0)
    assert one.digest == two.digest
    other = drawn(measured("a", a), measured("b", b), latency_ceiling=11.0)
    assert one.digest != other.digest


def test_a_judge_that_was_never_calibrated_is_taken_at_its_word_and_named() -> None:
    sides = measured("a", outcomes(GOOD)), measured("b", outcomes(BAD))
    plain, card = drawn(*sides), drawn(*sides, judge=judge(sides[0], None))
    assert card.contrasts == plain.contrasts
    assert "fit is what polite@1 said, at its word: it has no calibration there" in (
        card.recommendation.cautions
    )


def test_what_a_judge_gets_wrong_is_taken_out() -> None:
    """Of the good answers it passes 90 %, of the bad ones 20 %: it sees 70 % of a difference."""
    sides = (
        measured("a", outcomes([1.0] * 66 + [0.0] * 34)),
        measured("b", outcomes([1.0] * 31 + [0.0] * 69)),
    )
    known = KnownError(good=Tally(n=1000, hits=900), bad=Tally(n=1000, hits=800))
    plain, card = drawn(*sides), drawn(*sides, judge=judge(sides[0], known))
    (seen,), (true,) = plain.contrasts, card.contrasts
    assert true.difference == pytest.approx(seen.difference / 0.7)
    width = (seen.interval.high - seen.interval.low) / 0.7
    assert true.interval.high - true.interval.low > width
    assert true.verdict is Verdict.BETTER
    fit = card.standings[0].measures[Dimension.FIT]
    assert fit.value == pytest.approx((0.66 - 0.2) / 0.7)
    assert fit.interval.low < fit.value < fit.interval.high
    assert card.standings[0].total.value == pytest.approx(fit.value)
    says = (
        "fit is what polite@1 said, corrected for its known errors: it sees 70% of a difference"
    )
    assert says in card.recommendation.cautions


def test_what_no_true_share_explains_is_taken_at_the_judges_word() -> None:
    """A judge that passes 80 % of the good answers, at most 87 %, passed 300 of 300."""
    sides = (
        measured("a", outcomes([1.0] * 300)),
        measured("b", outcomes([0.0] * 300)),
    )
    known = KnownError(good=Tally(n=100, hits=80), bad=Tally(n=100, hits=90))
    card = drawn(*sides, judge=judge(sides[0], known))
    fit = card.standings[0].measures[Dimension.FIT]
    # Clopper and Pearson, 300 of 300 at 95 %: from 0.025 ** (1 / 300).
    assert (fit.value, fit.interval.high) == (1, 1)
    assert fit.interval.low == pytest.approx(0.025 ** (1 / 300))
    (only,) = card.contrasts
    assert only.interval.low < only.difference <= only.interval.high == 1
    assert any(
        "but in desk it said what these errors do not allow" in one
        for one in card.recommendation.cautions
    )


def test_what_a_calibration_does_not_know_keeps_it_undecided() -> None:
    sides = (
        measured("a", outcomes([1.0] * 66 + [0.0] * 34)),
        measured("b", outcomes([1.0] * 40 + [0.0] * 60)),
    )
    few = KnownError(good=Tally(n=5, hits=4), bad=Tally(n=5, hits=4))
    assert drawn(*sides).contrasts[0].verdict is Verdict.BETTER
    card = drawn(*sides, judge=judge(sides[0], few))
    assert card.recommendation.outcome is Outcome.UNDECIDED
    fit = card.standings[0].measures[Dimension.FIT]
    assert (fit.interval.low, fit.interval.high) == (0.0, 1.0)


@pytest.mark.slow
def test_the_interval_of_a_corrected_share_holds_the_true_one() -> None:
    """A judge with errors, calibrated on 150 good and 150 bad answers, over cases that are good
    with a chance of 0.7: of 400 times, the interval misses it at most as often as 5 % may.
    """
    draws, missed = Random(20261128), 0
    for _ in range(400):
        good = sum(draws.random() < 0.92 for _ in range(150))
        bad = sum(draws.random() < 0.85 for _ in range(150))
        error = KnownError(good=Tally(n=150, hits=good), bad=Tally(n=150, hits=bad))
        truth = [draws.random() < 0.7 for _ in range(200)]
        said = {
            str(n): float(draws.random() < (0.92 if one else 0.15))
            for n, one in enumerate(truth)
        }
        of = JudgeOf(
            evaluator="evaluator/polite@1", domains=dict.fromkeys(said, "d"),
            trust={"d": DomainTrust(domain="d", calibration="", error=error, why="")},
        )  # fmt: skip
        found = measure_judged(said, of)
        assert found is not None
        missed += not found.interval.low <= 0.7 <= found.interval.high
    assert missed <= 32  # more has a chance of 0.4 % at 5 %


def judge(of: Measured, error: KnownError | None) -> JudgeOf:
    """The judge behind the fit of a run, in one domain."""
    why = "" if error else "it has no calibration there"
    trust = DomainTrust(domain="desk", calibration="", error=error, why=why)
    domains = dict.fromkeys(of.arm.results, "desk")
    return JudgeOf(evaluator="evaluator/polite@1", domains=domains, trust={"desk": trust})


point = st.tuples(
    st.sampled_from([0.1, 0.5, 0.9]),
    st.sampled_from([Decimal(1), Decimal(2)]),
    st.sampled_from([1.0, 2.0]),
)


@given(st.dictionaries(st.sampled_from("abcdef"), st.none() | point, min_size=1))
def test_the_front(points: dict[str, Point | None]) -> None:
    found = placed(points)
    for name, (place, by) in found.items():
        assert (place is Place.UNPLACED) == (points[name] is None)
        assert (place is Place.DOMINATED) == bool(by)
        for other in by:
            theirs, mine = points[other], points[name]
            assert theirs is not None and mine is not None  # noqa: PT018
            assert dominates(theirs, mine)
    if any(points.values()):
        assert Place.FRONT in {place for place, _ in found.values()}
