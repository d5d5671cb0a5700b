"""Means of numbers under continuous looking."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from tests.evidence.traffic import noise

from opsroom.evidence import Moments, NothingToCompare, OutOfRange
from opsroom.evidence.means import (
    mean_difference_sequence,
    mean_sequence,
    observed_mean_difference,
)

Sampler = Callable[[np.random.Generator, int], np.ndarray]


def exponential(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.exponential(size=n) - 1


def lognormal(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.lognormal(0, 1, n) - float(np.exp(0.5))


def normal(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.normal(size=n)


def summaries(values: np.ndarray, looks: list[int]) -> list[Moments]:
    n = np.array(looks)
    sums, squares = values.cumsum()[n - 1], (values**2).cumsum()[n - 1]
    variances = (squares - sums**2 / n) / (n - 1)
    return [
        Moments(n=int(k), mean=float(total / k), variance=float(max(variance, 0.0)))
        for k, total, variance in zip(n, sums, variances, strict=True)
    ]


def ever_missed(draw: Sampler, *, runs: int, looks: list[int]) -> float:
    rng = np.random.default_rng(1)
    missed = 0
    for _ in range(runs):
        missed += any(
            not interval.low <= 0 <= interval.high
            for interval in map(mean_sequence, summaries(draw(rng, looks[-1]), looks))
            if interval is not None
        )
    return missed / runs


def test_a_few_draws_say_nothing() -> None:
    assert mean_sequence(Moments(n=0, mean=0, variance=0)) is None
    assert mean_sequence(Moments(n=20, mean=5, variance=2)) is None
    assert mean_sequence(Moments(n=500, mean=5, variance=0)) is None
    assert mean_difference_sequence([]) is None
    one = Moments(n=1, mean=5, variance=0)
    assert mean_difference_sequence([(one, one)]) is None


def test_bounds_let_a_few_draws_speak() -> None:
    nothing = mean_sequence(Moments(n=0, mean=0, variance=0), bounds=(0, 1))
    some = mean_sequence(Moments(n=150, mean=0.5, variance=0.01), bounds=(0, 1))
    assert nothing is not None
    assert some is not None
    assert (nothing.low, nothing.high) == (0, 1)
    assert 0.3 < some.low < 0.5 < some.high < 0.7
    with pytest.raises(OutOfRange):
        mean_sequence(Moments(n=1, mean=0, variance=0), bounds=(1, 0))


def test_the_t_mixture_is_the_integral_it_claims_to_be() -> None:
    """At the edge of the interval the Bayes factor, integrated numerically, is 1/α."""
    n, tuned, alpha = 60, 50, 0.05
    interval = mean_sequence(Moments(n=n, mean=0.0, variance=1.0), tuned_for=tuned)
    assert interval is not None
    t = interval.high * np.sqrt(n)
    wanted = -2 * np.log(alpha)
    prior = (wanted + np.log(wanted + 1)) / tuned

    def integrand(effect: float) -> float:
        likelihood = stats.nct.pdf(t, n - 1, effect * np.sqrt(n))
        return float(likelihood * stats.norm.pdf(effect, 0, np.sqrt(prior)))

    mixture, _ = integrate.quad(integrand, -1, 1.5, limit=200)
    assert mixture / stats.t.pdf(t, n - 1) == pytest.approx(1 / alpha, rel=1e-3)


@given(
    st.integers(50, 5_000),
    st.floats(-100, 100),
    st.floats(0.01, 100),
    st.floats(-10, 10),
    st.floats(0.1, 10),
)
def test_units_do_not_matter(
    n: int, mean: float, variance: float, shift: float, scale: float
) -> None:
    plain = mean_sequence(Moments(n=n, mean=mean, variance=variance))
    moved = mean_sequence(Moments(n=n, mean=mean * scale + shift, variance=variance * scale**2))
    assert plain is not None
    assert moved is not None
    assert moved.low == pytest.approx(plain.low * scale + shift, rel=1e-6, abs=1e-6)
    assert moved.high == pytest.approx(plain.high * scale + shift, rel=1e-6, abs=1e-6)


def test_more_draws_and_a_lower_level_narrow() -> None:
    widths = []
    for n in (50, 200, 1_000, 10_000):
        interval = mean_sequence(Moments(n=n, mean=0, variance=1))
        assert interval is not None
        widths.append(interval.high - interval.low)
    assert widths == sorted(widths, reverse=True)
    sure = mean_sequence(Moments(n=1_000, mean=0, variance=1), level=0.99)
    assert sure is not None
    assert sure.high - sure.low > widths[2]


def test_a_shared_drift_does_no_harm() -> None:
    """Both arms get slower when the weight changes; only the difference counts."""
    stretches = [
        (Moments(n=900, mean=1.0, variance=0.2), Moments(n=100, mean=1.0, variance=0.2)),
        (Moments(n=500, mean=3.0, variance=0.2), Moments(n=500, mean=3.0, variance=0.2)),
    ]
    assert observed_mean_difference(stretches) == pytest.approx(0.0)
    interval = mean_difference_sequence(stretches)
    assert interval is not None
    assert interval.low == pytest.approx(-interval.high)
    with pytest.raises(NothingToCompare):
        observed_mean_difference([])


@pytest.mark.parametrize("draw", [normal, exponential])
def test_a_mean_is_seldom_ever_missed(draw: Sampler) -> None:
    looks = list(range(20, 2_001, 20))
    assert ever_missed(draw, runs=200, looks=looks) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    ("draw", "most"), [(normal, 0.05), (exponential, 0.05), (lognormal, 0.08)]
)
def test_a_mean_is_seldom_ever_missed_at_all(draw: Sampler, most: float) -> None:
    looks = list(range(2, 4_001))
    assert ever_missed(draw, runs=600, looks=looks) <= most


@pytest.mark.parametrize("weight", [0.05, 0.5])
@pytest.mark.parametrize("draw", [normal, lognormal])
def test_equal_arms_are_seldom_ever_told_apart(draw: Sampler, weight: float) -> None:
    rng = np.random.default_rng(2)
    looks_b = list(range(20, 1_001, 20))
    looks_a = [round(look * (1 - weight) / weight) for look in looks_b]
    missed = 0
    for _ in range(150):
        a, b = (summaries(draw(rng, looks[-1]), looks) for looks in (looks_a, looks_b))
        intervals = [mean_difference_sequence([pair]) for pair in zip(a, b, strict=True)]
        missed += any(i is not None and not i.low <= 0 <= i.high for i in intervals)
    assert missed / 150 <= 0.05 + noise(0.05, 150)


def test_tuning_needs_a_size() -> None:
    with pytest.raises(OutOfRange):
        mean_sequence(Moments(n=100, mean=0, variance=1), tuned_for=0)
