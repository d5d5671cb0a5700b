"""Totals, differences and their intervals: what is known, and what is not."""

import random
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.selection.world import RIGHT, measured, outcomes, result

from opsroom.evals.model import Metric
from opsroom.evidence import Pairs, Tally, Verdict
from opsroom.evidence.adding import added
from opsroom.evidence.paired import compare_binary
from opsroom.evidence.rates import clopper_pearson
from opsroom.selection.errors import NotAShare
from opsroom.selection.model import Dimension
from opsroom.selection.weighing import (
    Side,
    agreements,
    contrast,
    fits,
    forms,
    known,
    left,
    total,
    usable,
)

FIT, COST, EDGE, LATENCY = Dimension.FIT, Dimension.COST, Dimension.EDGE, Dimension.LATENCY
ONE = {FIT: 1.0}


def shares(*values: float) -> dict[str, float]:
    return {f"i{n}": value for n, value in enumerate(values)}


def test_fit_alone_is_the_gates_own_comparison() -> None:
    a = Side("a", {FIT: shares(*[1.0] * 40, *[0.0] * 10)})
    b = Side("b", {FIT: shares(*[1.0] * 25, *[0.0] * 25)})
    found = contrast(a, b, ONE, level=0.99)
    same = compare_binary(Pairs(both=25, only_a=0, only_b=15, neither=10), level=0.99)
    assert (found.difference, found.interval) == (same.difference, same.interval)
    assert found.verdict is Verdict.BETTER
    alone = total(a, ONE, a.worth[FIT])
    assert alone.value == 0.8
    exact = clopper_pearson(Tally(n=50, hits=40))
    assert (alone.interval.low, alone.interval.high) == (exact.low, exact.high)


def test_what_is_not_known_of_one_could_be_anything() -> None:
    weights = {FIT: 0.6, COST: 0.4}
    a = Side("a", {FIT: shares(*[1.0] * 50), COST: shares(*[0.5] * 50)})
    b = Side("b", {FIT: shares(*[0.0] * 50)})
    found = total(b, weights, b.worth[FIT])
    assert found.unknown == (COST,)
    assert found.value == 0
    assert found.interval.high >= 0.4
    assert "bounds" in found.interval.method
    apart = contrast(a, b, weights, level=0.95)
    assert apart.interval.low == pytest.approx(
        contrast(a, b, {FIT: 0.6}, level=0.95).interval.low - 0.4
    )


def test_nothing_in_common_is_undecided() -> None:
    a, b = Side("a", {FIT: {"x": 1.0, "y": 1.0}}), Side("b", {FIT: {"z": 0.0, "w": 0.0}})
    found = contrast(a, b, ONE, level=0.95)
    assert (found.pairs, found.verdict) == (0, Verdict.UNDECIDED)
    assert (found.interval.low, found.interval.high) == (-1, 1)


def test_equal_values_are_not_taken_for_certainty() -> None:
    steady = Side("a", {FIT: shares(*[0.5] * 20)})
    found = total(steady, ONE, steady.worth[FIT]).interval
    assert found.low < 0.45
    assert found.high > 0.55
    apart = contrast(steady, Side("b", {FIT: shares(*[0.4] * 20)}), ONE, level=0.95)
    assert apart.interval.low < 0 < apart.interval.high


def test_edge_cases_are_a_part_of_their_own() -> None:
    weights = {FIT: 0.8, EDGE: 0.2}
    edge = {f"e{n}": float(n < 5) for n in range(10)}
    one = Side("a", {FIT: shares(*[1.0] * 30, *[0.0] * 10), EDGE: edge})
    found = total(one, weights, one.worth[FIT])
    assert found.value == pytest.approx(0.8 * 0.75 + 0.2 * 0.5)
    rate = clopper_pearson(Tally(n=40, hits=30))
    assert found.interval.low < 0.8 * rate.low + 0.2 * 0.5


share = st.sampled_from([0.0, 0.25, 0.5, 1.0])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(share, share), min_size=2, max_size=30))
def test_swapping_the_sides_flips_the_signs(pairs: list[tuple[float, float]]) -> None:
    a, b = (Side(str(n), {FIT: shares(*(one[n] for one in pairs))}) for n in (0, 1))
    there, back = contrast(a, b, ONE, level=0.95), contrast(b, a, ONE, level=0.95)
    assert there.difference == pytest.approx(-back.difference)
    assert (there.verdict is Verdict.BETTER) == (back.verdict is Verdict.WORSE)
    assert there.interval.low - 1e-9 <= there.difference <= there.interval.high + 1e-9
    assert there.interval.low == pytest.approx(-back.interval.high, abs=0.02)


def test_trials_of_a_case_are_one_case() -> None:
    results = [
        *(result("i0", one, trial=n) for n, one in enumerate((1.0, 1.0, 0.0))),
        *(result("i1", 1.0, trial=n) for n in range(3)),
        result("i2", 0.0),
        result("i3", None),
    ]
    arm = measured("a", results).arm
    assert fits(arm, RIGHT) == {"i0": pytest.approx(2 / 3), "i1": 1.0, "i2": 0.0}
    assert agreements(arm, RIGHT) == {"i0": pytest.approx(1 / 3), "i1": 1.0}


def test_no_answer_has_no_form_but_is_a_hole_in_fit() -> None:
    results = [result("i0", 1.0, form=1.0), result("i1", 1.0, form=0.0), result("i2", None)]
    arm = measured("a", results).arm
    assert forms(arm, Metric(name="form")) == {"i0": 1.0, "i1": 0.0, "i2": 0.0}
    assert "i2" not in fits(arm, RIGHT)


def test_a_metric_that_is_no_share_is_refused() -> None:
    with pytest.raises(NotAShare):
        fits(measured("a", outcomes([3.0, 1.0])).arm, RIGHT)


def test_holes_make_a_dimension_unknown() -> None:
    assert known(shares(*[1.0] * 95), 100)
    assert not known(shares(*[1.0] * 94), 100)
    assert not known({}, 0)


def test_what_is_left_of_a_ceiling() -> None:
    assert left({"a": 0, "b": 5, "c": 10, "d": 900}, 10) == {"a": 1, "b": 0.5, "c": 0, "d": 0}


def test_weights_of_what_nobody_measured_go_to_the_rest() -> None:
    sides = [Side("a", {FIT: shares(1.0, 1.0)}), Side("b", {LATENCY: shares(1.0, 1.0)})]
    weights, gone = usable({FIT: 0.6, LATENCY: 0.2, EDGE: 0.2, COST: 0.0}, sides)
    assert weights == {FIT: 0.75, LATENCY: 0.25}
    assert gone == {EDGE}


@pytest.mark.slow
def test_the_interval_of_a_sum_holds() -> None:
    """The total of a rate on 40 cases and another on 15 edge cases, 1,000 times."""
    chance = random.Random(4)
    missed = 0
    for _ in range(1_000):
        parts = []
        for n, rate, weight in ((40, 0.8, 0.75), (15, 0.5, 0.25)):
            hits = sum(chance.random() < rate for _ in range(n))
            one = clopper_pearson(Tally(n=n, hits=hits))
            scaled = type(one)(
                low=one.low * weight, high=one.high * weight, level=0.95, method="x"
            )
            parts.append((hits / n * weight, scaled))
        found = added(parts)
        missed += not found.low <= 0.75 * 0.8 + 0.25 * 0.5 <= found.high
    assert missed / 1_000 <= 0.05


@pytest.mark.slow
def test_equal_candidates_are_seldom_told_apart() -> None:
    """Two that are right equally often on 50 cases and differ in what they spend by chance."""
    chance = random.Random(5)
    weights = {FIT: 0.7, LATENCY: 0.3}
    said = []
    for _ in range(200):
        a, b = (
            Side(
                name,
                {
                    FIT: shares(*(float(chance.random() < 0.7) for _ in range(50))),
                    LATENCY: shares(*(chance.random() for _ in range(50))),
                },
            )
            for name in "ab"
        )
        said.append(contrast(a, b, weights, level=0.95).verdict is not Verdict.UNDECIDED)
    assert fmean(said) <= 0.08
