"""Several claims at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.traffic import noise

from opsroom.evidence import OutOfRange
from opsroom.evidence.multiple import holm


def test_holm_known_answer() -> None:
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert found == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})
    assert list(found) == ["a", "b", "c", "d"]
    assert holm({}) == {}


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_only_makes_claims_harder_and_keeps_their_order(values: list[float]) -> None:
    found = list(holm(dict(enumerate(values))).values())
    assert all(value <= adjusted <= 1 for value, adjusted in zip(values, found, strict=True))
    by_p = [adjusted for _, adjusted in sorted(zip(values, found, strict=True))]
    assert by_p == sorted(by_p)


def test_holm_keeps_the_error_of_any_false_claim() -> None:
    rng = np.random.default_rng(1)
    wrong = sum(
        min(holm(dict(enumerate(rng.random(5)))).values()) <= 0.05 for _ in range(4_000)
    )
    assert wrong / 4_000 <= 0.05 + noise(0.05, 4_000)


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_p_lies_between_0_and_1(p: float) -> None:
    with pytest.raises(OutOfRange):
        holm({"a": p})
