"""Has what comes in changed?"""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.evidence.traffic import calm, noise

from opsroom.evidence import NotFinite, NothingToCompare, OutOfRange
from opsroom.evidence.twosample import ks, mmd, mmd_text, psi, psi_labels

REFUNDS = [f"please refund order {n}, the parcel never arrived" for n in range(60)]
CUSTOMS = [f"which customs code do I declare for crate {n} of steel" for n in range(60)]
numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


@pytest.mark.parametrize(("shift", "changed"), [(0.0, False), (0.5, True)])
def test_a_shifted_number_is_noticed(shift: float, changed: bool) -> None:
    rng = np.random.default_rng(1)
    reference, current = rng.normal(0, 1, 500).tolist(), rng.normal(shift, 1, 400).tolist()
    rows = [[value] for value in reference], [[value] for value in current]
    for found in (psi(reference, current), ks(reference, current), mmd(*rows)):
        assert (found.p <= 0.01) == changed, found
        assert (found.reference, found.current) == (500, 400)


def test_a_change_of_spread_is_noticed_too() -> None:
    rng = np.random.default_rng(2)
    reference, current = (
        rng.normal(0, 1, (300, 2)).tolist(),
        rng.normal(0, 2, (300, 2)).tolist(),
    )
    assert mmd(reference, current).p <= 0.01


def test_new_topics_are_noticed_and_old_ones_are_not() -> None:
    assert mmd_text(REFUNDS[:30], REFUNDS[30:]).p > 0.05
    mixed = REFUNDS[30:50] + CUSTOMS[:20]
    assert mmd_text(REFUNDS[:30], mixed).p <= 0.01
    assert mmd_text(["", ""], ["", ""]).p == 1.0


def test_a_label_that_grows_is_noticed() -> None:
    before = ["refund"] * 80 + ["customs"] * 20
    assert psi_labels(before, before).statistic == 0
    grown = psi_labels(before, ["refund"] * 50 + ["customs"] * 50)
    assert grown.statistic > 0.25
    assert grown.p < 0.001
    assert psi_labels(before, ["refund"] * 80 + ["new"] * 20).statistic > 0.25
    assert psi_labels(["only"], ["only"]).p == 1.0


@calm
@given(numbers, numbers)
def test_ks_is_the_largest_gap(reference: list[float], current: list[float]) -> None:
    gaps = [
        abs(
            sum(value <= point for value in reference) / len(reference)
            - sum(value <= point for value in current) / len(current)
        )
        for point in (*reference, *current)
    ]
    ours = ks(reference, current)
    assert ours.statistic == pytest.approx(max(gaps))
    assert ks(current, reference).p == pytest.approx(ours.p)


@pytest.mark.parametrize("n", [50, 300])
def test_ks_p_is_close_to_the_exact_one(n: int) -> None:
    rng = np.random.default_rng(n)
    for shift in (0.0, 0.1, 0.3):
        a, b = rng.normal(0, 1, n), rng.normal(shift, 1, n)
        theirs = stats.ks_2samp(a, b, method="exact").pvalue
        assert ks(a.tolist(), b.tolist()).p == pytest.approx(theirs, abs=0.04)


@calm
@given(numbers, numbers)
def test_psi_is_a_divergence(reference: list[float], current: list[float]) -> None:
    assert psi(reference, reference).statistic == pytest.approx(0.0, abs=1e-12)
    found = psi(reference, current)
    assert found.statistic >= 0
    assert 0 <= found.p <= 1


def test_the_same_seed_gives_the_same_answer() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(1_200, 1)).tolist(), rng.normal(size=(40, 1)).tolist()
    assert mmd(a, b, seed=1) == mmd(a, b, seed=1)
    assert mmd(a, b, seed=1) != mmd(a, b, seed=2)


@pytest.mark.parametrize("test", ["psi", "ks", "mmd"])
def test_equal_sources_are_seldom_told_apart(test: str) -> None:
    rng = np.random.default_rng(4)
    runs = 60 if test == "mmd" else 600
    p = []
    for _ in range(runs):
        a, b = rng.exponential(size=150).tolist(), rng.exponential(size=100).tolist()
        if test == "mmd":
            p.append(mmd([[value] for value in a[:60]], [[value] for value in b[:40]]).p)
        else:
            p.append((psi if test == "psi" else ks)(a, b).p)
    rejected = (np.array(p) <= 0.05).mean()
    assert rejected <= 0.05 + noise(0.05, runs)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: psi([], [1.0]), NothingToCompare),
        (lambda: psi([1.0], [1.0], bins=1), OutOfRange),
        (lambda: ks([1.0], []), NothingToCompare),
        (lambda: ks([1.0], [float("inf")]), NotFinite),
        (lambda: mmd([], [[1.0]]), NothingToCompare),
        (lambda: mmd([[float("nan")]], [[1.0]]), NotFinite),
        (lambda: mmd_text([], ["a"]), NothingToCompare),
        (lambda: psi_labels([], []), NothingToCompare),
    ],
)
def test_bad_samples_are_refused(call: Callable[[], object], error: type[Exception]) -> None:
    with pytest.raises(error):
        call()
