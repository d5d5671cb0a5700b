"""Exact tests of many shares."""

import numpy as np
import pytest

from opsroom.evidence.counts import fisher, shares
from opsroom.evidence.errors import NothingToCompare


def test_ladies_and_tea() -> None:
    """Fisher (1935): all four cups right is one of seventy ways."""
    p = fisher(np.array([0]), np.array([4]), of=(4, 4))
    assert p[0] == pytest.approx(2 / 70)


def test_equal_shares_do_not_surprise() -> None:
    assert shares({"a": 10}, {"a": 10}, of=(50, 50)) == {"a": 1.0}


def test_false_alarms_over_many_names_stay_at_the_stated_rate() -> None:
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(300):
        before = dict(zip("abcdefgh", rng.binomial(400, 0.1, 8).tolist(), strict=True))
        now = dict(zip("abcdefgh", rng.binomial(100, 0.1, 8).tolist(), strict=True))
        alarms += min(shares(before, now, of=(400, 100)).values()) <= 0.05
    assert alarms <= 300 * 0.05


def test_nothing_is_no_sample() -> None:
    with pytest.raises(NothingToCompare):
        shares({"a": 1}, {}, of=(1, 0))
