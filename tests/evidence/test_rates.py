"""Exact intervals of one rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.evidence.traffic import calm, tallies

from opsroom.evidence import NothingToCompare, OutOfRange, Tally
from opsroom.evidence.rates import clopper_pearson, lower_bound, upper_bound


def test_no_error_in_200_proves_only_one_and_a_half_percent() -> None:
    assert upper_bound(Tally(n=200, hits=0)) == pytest.approx(0.0149, abs=1e-4)
    assert lower_bound(Tally(n=200, hits=200)) == pytest.approx(0.9851, abs=1e-4)


@calm
@given(tallies(), st.floats(0.5, 0.999))
def test_clopper_pearson_is_the_inverted_binomial_test(tally: Tally, level: float) -> None:
    if tally.n == 0:
        with pytest.raises(NothingToCompare):
            clopper_pearson(tally)
        return
    theirs = stats.binomtest(tally.hits, tally.n).proportion_ci(level)
    ours = clopper_pearson(tally, level=level)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@pytest.mark.parametrize("rate", [0.015, 0.1, 0.5])
@pytest.mark.parametrize("n", [20, 200, 1000])
def test_clopper_pearson_covers(rate: float, n: int) -> None:
    chances = stats.binom(n, rate)
    covered = 0.0
    for hits in range(n + 1):
        interval = clopper_pearson(Tally(n=n, hits=hits))
        if interval.low <= rate <= interval.high:
            covered += float(chances.pmf(hits))
    assert covered >= 0.95


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, float("nan")])
def test_a_level_lies_between_0_and_1(level: float) -> None:
    with pytest.raises(OutOfRange):
        clopper_pearson(Tally(n=10, hits=1), level=level)
