"""The four verdicts, and the shapes that evidence is stored in."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.evidence import (
    Direction,
    ImpossibleCounts,
    Interval,
    Moments,
    NotFinite,
    OutOfRange,
    Pairs,
    Stretch,
    Tally,
    Verdict,
    verdict,
)
from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import adapter, plain

BETTER, NOT_WORSE = Verdict.BETTER, Verdict.NOT_WORSE
WORSE, UNDECIDED = Verdict.WORSE, Verdict.UNDECIDED
points = st.floats(-2, 2)


def interval(low: float, high: float) -> Interval:
    return Interval(low=low, high=high, level=0.95, method="told")


@pytest.mark.parametrize(
    ("low", "high", "margin", "then"),
    [
        (0.01, 0.10, 0.00, BETTER),
        (0.01, 0.10, 0.05, BETTER),
        (-0.04, 0.10, 0.05, NOT_WORSE),
        (-0.04, -0.01, 0.05, NOT_WORSE),  # a sure loss, but one that was agreed to
        (-0.05, 0.00, 0.05, NOT_WORSE),
        (0.00, 0.00, 0.00, NOT_WORSE),
        (-0.06, 0.10, 0.05, UNDECIDED),
        (-0.10, -0.01, 0.05, UNDECIDED),  # a loss is sure, its size is not
        (-0.10, -0.05, 0.05, UNDECIDED),
        (-0.10, -0.06, 0.05, WORSE),
        (-0.10, -0.01, 0.00, WORSE),
        (-0.10, 0.10, 0.00, UNDECIDED),
    ],
)
def test_verdict(low: float, high: float, margin: float, then: Verdict) -> None:
    assert verdict(interval(low, high), direction=Direction.HIGHER, margin=margin) is then
    assert verdict(interval(-high, -low), direction=Direction.LOWER, margin=margin) is then


def test_a_difference_is_not_claimed_against_its_exact_test() -> None:
    claim = interval(0.01, 0.10)
    assert verdict(claim, direction=Direction.HIGHER, p=0.06) is NOT_WORSE
    assert verdict(claim, direction=Direction.LOWER, p=0.06) is UNDECIDED
    assert verdict(claim, direction=Direction.HIGHER, p=0.05) is BETTER
    assert verdict(claim, direction=Direction.LOWER, p=0.05) is WORSE


@given(
    ends=st.lists(points, min_size=4, max_size=4).map(sorted),
    margin=st.floats(0, 1),
    direction=st.sampled_from(Direction),
)
def test_a_narrower_interval_never_takes_a_decision_back(
    ends: list[float], margin: float, direction: Direction
) -> None:
    wide = verdict(interval(ends[0], ends[3]), direction=direction, margin=margin)
    narrow = verdict(interval(ends[1], ends[2]), direction=direction, margin=margin)
    allowed = {
        BETTER: {BETTER},
        NOT_WORSE: {NOT_WORSE, BETTER},
        WORSE: {WORSE},
        UNDECIDED: set(Verdict),
    }
    assert narrow in allowed[wide]


@given(
    ends=st.tuples(points, points).map(sorted),
    margins=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_larger_margin_is_never_stricter(
    ends: list[float], margins: tuple[float, float]
) -> None:
    rank = [WORSE, UNDECIDED, NOT_WORSE, BETTER]
    small, large = (
        rank.index(verdict(interval(*ends), direction=Direction.HIGHER, margin=margin))
        for margin in sorted(margins)
    )
    assert small <= large


@given(ends=st.tuples(points, points).map(sorted))
def test_without_a_margin_both_sides_cannot_win(ends: list[float]) -> None:
    up = verdict(interval(*ends), direction=Direction.HIGHER)
    down = verdict(interval(*ends), direction=Direction.LOWER)
    assert (up is BETTER) == (down is WORSE)


@pytest.mark.parametrize("margin", [-0.01, float("nan"), float("inf")])
def test_a_margin_is_a_finite_number_from_0(margin: float) -> None:
    with pytest.raises(OutOfRange):
        verdict(interval(0, 1), direction=Direction.HIGHER, margin=margin)


def test_impossible_samples_are_refused() -> None:
    for broken, error in (
        (lambda: Tally(n=1, hits=2), ImpossibleCounts),
        (lambda: Tally(n=-1, hits=-1), ImpossibleCounts),
        (lambda: Pairs(both=1, only_a=-1, only_b=0, neither=0), ImpossibleCounts),
        (lambda: Moments(n=2, mean=float("nan"), variance=1), NotFinite),
        (lambda: Moments(n=2, mean=0, variance=-1), ImpossibleCounts),
        (lambda: Stretch(weight=1, a=Tally(n=0, hits=0), b=Tally(n=0, hits=0)), OutOfRange),
    ):
        with pytest.raises(error) as caught:
            broken()
        assert isinstance(caught.value, OpsroomError)
        assert str(caught.value)


def test_stored_evidence_comes_back_the_same() -> None:
    stretch = Stretch(weight=0.1, a=Tally(n=90, hits=3), b=Tally(n=10, hits=1))
    assert adapter(Stretch).validate_python(plain(stretch)) == stretch


def test_the_vocabulary_is_light() -> None:
    """No numpy and no scipy behind `opsroom.evidence`, nor behind what a binary gate needs."""
    code = (
        "import sys, opsroom.evidence, opsroom.evidence.paired, opsroom.evidence.guardrail,"
        " opsroom.evidence.allocation, opsroom.evidence.means, opsroom.evidence.multiple;"
        "print([name for name in ('numpy', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
