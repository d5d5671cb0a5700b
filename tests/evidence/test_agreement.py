"""Agreement of two raters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.traffic import calm

from opsroom.evidence import NothingToCompare, UnequalSamples
from opsroom.evidence.agreement import agreement

ratings = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1)


def rated(rows: list[list[int]]) -> tuple[list[str], list[str]]:
    cells = [(i, j, n) for i, row in enumerate(rows) for j, n in enumerate(row)]
    left = [str(i) for i, _, n in cells for _ in range(n)]
    right = [str(j) for _, j, n in cells for _ in range(n)]
    return left, right


def test_known_answer() -> None:
    """Fifty proposals, two reviewers: κ = 0.4, standard error 0.13."""
    found = agreement(*rated([[20, 5], [10, 15]]))
    assert (found.items, found.agreed, found.rate) == (50, 35, 0.7)
    assert found.kappa == pytest.approx(0.4)
    assert found.confusion == ((20, 5), (10, 15))
    assert found.labels == ("0", "1")
    assert found.kappa_interval.high - found.kappa_interval.low == pytest.approx(0.5, abs=0.03)


def test_agreement_by_chance_is_no_agreement() -> None:
    assert agreement(*rated([[81, 9], [9, 1]])).kappa == pytest.approx(0.0)
    assert agreement(*rated([[0, 10], [10, 0]])).kappa == -1.0


def test_perfect_agreement_on_few_items_is_not_certain() -> None:
    found = agreement(["yes", "no"] * 15, ["yes", "no"] * 15)
    assert found.kappa == found.kappa_interval.high == 1.0
    assert found.kappa_interval.low < 0.9
    single = agreement(["yes"] * 5, ["yes"] * 5)
    assert single.kappa == 1.0
    assert single.kappa_interval.low < 0.3


@calm
@given(ratings)
def test_raters_may_be_swapped(pairs: list[tuple[str, str]]) -> None:
    left, right = [one for one, _ in pairs], [other for _, other in pairs]
    one, other = agreement(left, right), agreement(right, left)
    assert one.kappa == pytest.approx(other.kappa)
    assert one.kappa_interval.low == pytest.approx(other.kappa_interval.low)
    assert one.confusion == tuple(zip(*other.confusion, strict=True))
    assert -1 <= one.kappa_interval.low <= one.kappa <= one.kappa_interval.high <= 1


@pytest.mark.parametrize(("kappa", "common"), [(0.4, 0.5), (0.7, 0.2), (0.9, 0.5), (0.97, 0.8)])
@pytest.mark.parametrize("n", [50, 200])
def test_kappa_intervals_cover(kappa: float, common: float, n: int) -> None:
    """95 % nominal, 600 draws: Monte Carlo error 0.018."""
    shares = np.array([common, 1 - common])
    table = (1 - kappa) * np.outer(shares, shares) + kappa * np.diag(shares)
    rng = np.random.default_rng(n)
    covered = 0
    for draw in rng.multinomial(n, table.ravel(), size=600):
        interval = agreement(*rated(draw.reshape(2, 2).tolist())).kappa_interval
        covered += interval.low <= kappa <= interval.high
    assert covered / 600 >= 0.95 - 0.018


def test_bad_samples_are_refused() -> None:
    with pytest.raises(UnequalSamples):
        agreement(["a"], [])
    with pytest.raises(NothingToCompare):
        agreement([], [])
