"""Two versions measured on the same items."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.evidence.traffic import calm, noise

from opsroom.evidence import Direction, NotFinite, NothingToCompare, UnequalSamples, Verdict
from opsroom.evidence.numeric import bca, compare_numeric, sign_flip

Sampler = Callable[[np.random.Generator, int], np.ndarray]


def skewed(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.lognormal(0, 1, n) - float(np.exp(0.5))


def heavy(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.lognormal(0, 1, n) - rng.lognormal(0, 1, n)


def normal(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.normal(size=n)


def test_a_faster_candidate_is_better_and_a_slower_one_worse() -> None:
    rng = np.random.default_rng(1)
    before = rng.lognormal(1, 0.5, 300)
    faster = (before * rng.lognormal(-0.2, 0.2, 300)).tolist()
    found = compare_numeric(before.tolist(), faster, direction=Direction.LOWER)
    assert found.verdict is Verdict.BETTER
    assert found.difference == pytest.approx(found.mean_b - found.mean_a)
    assert found.pairs == found.higher_a + found.higher_b
    back = compare_numeric(faster, before.tolist(), direction=Direction.LOWER)
    assert back.verdict is Verdict.WORSE


def test_a_margin_lets_a_small_loss_pass() -> None:
    rng = np.random.default_rng(2)
    before = rng.normal(100, 5, 400)
    after = before + rng.normal(0.5, 2, 400)
    sides = before.tolist(), after.tolist()
    strict = compare_numeric(*sides, direction=Direction.LOWER)
    assert strict.verdict is Verdict.WORSE
    agreed = compare_numeric(*sides, direction=Direction.LOWER, margin=1.0)
    assert agreed.verdict is Verdict.NOT_WORSE


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(3).normal(size=60)
    assert bca(values, seed=5) == bca(values, seed=5)
    assert bca(values, seed=5) != bca(values, seed=6)


def test_equal_differences_are_one_point() -> None:
    same = compare_numeric([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert (same.interval.low, same.interval.high, same.p) == (0.0, 0.0, 1.0)
    assert same.verdict is Verdict.NOT_WORSE
    shifted = compare_numeric([0.1, 0.2, 0.3], [1.1, 1.2, 1.3])
    assert shifted.interval.method == "constant"


def test_bca_agrees_with_an_independent_implementation() -> None:
    values = np.random.default_rng(4).exponential(size=400)
    ours = bca(values)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=9_999, rng=np.random.default_rng(1)
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.012)
    assert ours.high == pytest.approx(theirs.high, abs=0.012)


@pytest.mark.parametrize("n", [5, 12, 40])
def test_sign_flips_agree_with_an_independent_implementation(n: int) -> None:
    values = np.random.default_rng(n).normal(0.3, 1, n)
    theirs = stats.permutation_test(
        (values,),
        lambda x, axis: np.sum(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=9_999,
        rng=np.random.default_rng(1),
    ).pvalue
    assert sign_flip(values) == pytest.approx(theirs, abs=1e-9 if n <= 12 else 0.02)


@calm
@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=30),
)
def test_any_numbers_give_a_finite_interval_around_the_difference(
    values: list[tuple[float, float]],
) -> None:
    a, b = [one for one, _ in values], [other for _, other in values]
    found = compare_numeric(a, b)
    slack = 1e-9 * (1 + abs(found.difference))
    assert found.interval.low - slack <= found.difference <= found.interval.high + slack
    assert np.isfinite([found.interval.low, found.interval.high]).all()
    assert 0 < found.p <= 1


@pytest.mark.parametrize(
    ("a", "b", "error"),
    [
        ([], [], NothingToCompare),
        ([1.0], [2.0], NothingToCompare),
        ([1.0, 2.0], [2.0], UnequalSamples),
        ([1.0, float("nan")], [2.0, 1.0], NotFinite),
    ],
)
def test_bad_samples_are_refused(
    a: list[float], b: list[float], error: type[Exception]
) -> None:
    with pytest.raises(error):
        compare_numeric(a, b)


def coverage(draw: Sampler, n: int, runs: int) -> float:
    rng = np.random.default_rng(n)
    found = [bca(draw(rng, n), seed=run) for run in range(runs)]
    return float(np.mean([interval.low <= 0 <= interval.high for interval in found]))


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 50, 200])
@pytest.mark.parametrize("draw", [normal, heavy, skewed])
def test_bca_covers(draw: Sampler, n: int) -> None:
    """95 % nominal; Monte Carlo error 0.014. A lognormal mean needs more than 50 items."""
    least = 0.89 if draw is skewed and n <= 50 else 0.936
    assert coverage(draw, n, 1_000) >= least


def test_bca_covers_in_short() -> None:
    assert coverage(heavy, 50, 150) >= 0.91


def test_sign_flips_rarely_reject_exchangeable_pairs() -> None:
    rng = np.random.default_rng(11)
    p = np.array([sign_flip(heavy(rng, 9)) for _ in range(600)])
    assert (p <= 0.05).mean() <= 0.05 + noise(0.05, 600)
