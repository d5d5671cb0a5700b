"""Sample-ratio mismatch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from tests.evidence.traffic import calm, canary, first_alarms, stretches

from opsroom.evidence import Stretch, Tally
from opsroom.evidence.allocation import sample_ratio_e


def split(a: int, b: int, weight: float) -> Stretch:
    return Stretch(weight=weight, a=Tally(n=a, hits=0), b=Tally(n=b, hits=0))


def test_known_answers() -> None:
    assert sample_ratio_e([]) == 1.0
    assert sample_ratio_e([split(5_000, 5_000, 0.5)]) < 1
    assert sample_ratio_e([split(5_200, 4_800, 0.5)]) > 20  # p of a single look: 0.00006
    assert sample_ratio_e([split(9_500, 500, 0.1)]) > 1e6
    assert np.isfinite(sample_ratio_e([split(10**7, 0, 0.5)]))


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(0.01, 0.99))
def test_it_is_a_ratio_of_beta_functions(a: int, b: int, weight: float) -> None:
    expected = float(
        special.betaln(1_000 * (1 - weight) + a, 1_000 * weight + b)
        - special.betaln(1_000 * (1 - weight), 1_000 * weight)
        - special.xlog1py(a, -weight)
        - special.xlogy(b, weight)
    )
    if abs(expected) < 600:
        found = np.log(sample_ratio_e([split(a, b, weight)]))
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


@calm
@given(st.lists(stretches(), max_size=4))
def test_how_a_weight_was_cut_into_stretches_does_not_matter(parts: list[Stretch]) -> None:
    e = sample_ratio_e(parts)
    assert e >= 0
    doubled = [split(2 * part.a.n, 2 * part.b.n, part.weight) for part in parts]
    assert sample_ratio_e([*parts, *parts]) == pytest.approx(sample_ratio_e(doubled), rel=1e-6)


@pytest.mark.parametrize("weight", [0.05, 0.5])
def test_an_honest_split_seldom_holds_a_canary(weight: float) -> None:
    run = canary(1, a=0.1, b=0.1, weight=weight, releases=1_000, looks=40)
    assert (first_alarms(run, sample_ratio_e) > 0).mean() <= 0.05


def test_lost_requests_are_noticed() -> None:
    """A tenth of the candidate's requests gets lost at weight 50 %: seen within 4,000."""
    run = canary(2, a=0.1, b=0.1, weight=0.5 * 0.9 / 0.95, releases=200, looks=40)
    told = [
        max(
            sample_ratio_e([split(int(a), int(b), 0.5)])
            for a, b in zip(run.n_a[release], run.n_b[release], strict=True)
        )
        for release in range(200)
    ]
    assert (np.array(told) >= 20).mean() >= 0.95
