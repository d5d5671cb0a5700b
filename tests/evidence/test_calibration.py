"""What a confidence is worth, on agents whose worth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.traffic import calm, noise

from opsroom.evidence import NotFinite, NothingToCompare, OutOfRange, UnequalSamples
from opsroom.evidence.calibration import LEAST_IN_BIN, c_index, calibrate

LABELS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=80)


def agent(seed: int, n: int, *, over: float = 0.0) -> tuple[list[float], list[bool]]:
    """Confidences over [0, 1]; right as often as it says, less `over`."""
    rng = np.random.default_rng(seed)
    said = rng.random(n)
    return said.tolist(), (rng.random(n) >= np.clip(said - over, 0, 1)).tolist()


def test_an_agent_that_means_what_it_says() -> None:
    found = calibrate(*agent(1, 4_000))
    assert found.error < 2 * found.error_by_chance
    assert found.brier < 0.7 * found.brier_constant
    inside = [one.interval.low < one.confidence < one.interval.high for one in found.bins]
    assert sum(inside) >= 8
    for confidence in (0.1, 0.5, 0.9):
        assert abs(found.calibrated(confidence) - confidence) < 0.08


def test_an_agent_that_says_too_much() -> None:
    found = calibrate(*agent(2, 4_000, over=0.3))
    assert found.error > 5 * found.error_by_chance
    assert found.confidence > found.right.high
    assert abs(found.calibrated(0.9) - 0.6) < 0.08


def test_the_error_of_a_perfect_agent_by_chance() -> None:
    """Small samples look badly calibrated; that is known and said."""
    found = [calibrate(*agent(seed, 200)) for seed in range(300)]
    seen = np.mean([one.error for one in found])
    expected = np.mean([one.error_by_chance for one in found])
    assert expected > 0.04
    assert abs(seen - expected) < 0.15 * expected


@pytest.mark.parametrize(("right", "wrong"), [(40, 12), (150, 5)])
def test_the_interval_of_the_c_index_covers(right: int, wrong: int) -> None:
    rng = np.random.default_rng(5)
    truth = 0.5 + 0.5 * (1 - (1 - 0.4) ** 2)  # of uniform against uniform less 0.4
    inside = 0
    for _ in range(400):
        between = c_index(rng.random(right).tolist(), (rng.random(wrong) - 0.4).tolist())
        assert between is not None
        inside += between[1].low <= truth <= between[1].high
    assert inside / 400 >= 0.95 - noise(0.05, 400)


def test_the_c_index_by_hand() -> None:
    found = c_index([0.9, 0.8, 0.5], [0.5, 0.1])
    assert found is not None
    assert found[0] == pytest.approx(5.5 / 6)
    assert c_index([0.9], []) is None
    same = c_index([0.9] * 50, [0.9] * 5)
    assert same is not None
    assert same[0] == 0.5
    assert same[1].low < 0.4
    assert same[1].high > 0.6
    apart = c_index([1.0] * 20, [0.0] * 3)
    assert apart is not None
    assert apart[0] == 1.0
    assert 0.5 < apart[1].low < 1.0 == apart[1].high


@calm
@given(labels=LABELS)
def test_a_calibration_adds_up(labels: list[tuple[float, bool]]) -> None:
    said, wrong = [one for one, _ in labels], [was for _, was in labels]
    found = calibrate(said, wrong)
    assert sum(one.n for one in found.bins) == found.n == len(labels)
    assert sum(one.n - one.right for one in found.bins) == found.wrong == sum(wrong)
    assert all(one.high < two.low for one, two in zip(found.bins, found.bins[1:], strict=False))
    assert len(found.bins) == 1 or min(one.n for one in found.bins) >= LEAST_IN_BIN
    ways = [found.calibrated(one / 20) for one in range(21)]
    assert ways == sorted(ways)
    assert 0 <= ways[0] <= ways[-1] <= 1


def test_what_cannot_be_calibrated() -> None:
    with pytest.raises(NothingToCompare):
        calibrate([], [])
    with pytest.raises(UnequalSamples):
        calibrate([0.5], [])
    with pytest.raises(NotFinite):
        calibrate([float("nan")], [True])
    with pytest.raises(OutOfRange):
        calibrate([1.5], [True])
