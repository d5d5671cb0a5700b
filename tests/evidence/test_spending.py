"""One false-alarm probability for a stream that is looked at for ever."""

import numpy as np
import pytest

from opsroom.evidence.errors import OutOfRange
from opsroom.evidence.spending import SLOWNESS, ZETA, spend


def test_looks_for_ever_spend_what_there_is_and_no_more() -> None:
    looks = 100_000
    rest = looks ** (1 - SLOWNESS) / (SLOWNESS - 1) / ZETA  # the integral bounds what follows
    spent = sum(spend(1.0, look) for look in range(1, looks + 1))
    assert spent + rest == pytest.approx(1.0, abs=1e-5)


def test_a_year_of_quiet_days_rarely_alarms() -> None:
    rng = np.random.default_rng(7)
    alarmed = sum(
        any(p <= spend(0.05, look) for look, p in enumerate(rng.random(365).tolist(), 1))
        for _ in range(400)
    )
    assert alarmed <= 400 * 0.05


def test_looks_are_counted_from_one() -> None:
    with pytest.raises(OutOfRange):
        spend(0.05, 0)
