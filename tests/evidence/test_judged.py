"""Differences that judges saw: the correction undoes what error hides, and covers what it says."""

import random
from math import inf

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from opsroom.evidence import Interval, NothingToCompare, Tally
from opsroom.evidence.judged import (
    KnownError,
    Seen,
    combined,
    corrected,
    informedness_difference,
)
from opsroom.evidence.paired import count_pairs, tango


def judge(good: tuple[int, int], bad: tuple[int, int]) -> KnownError:
    return KnownError(good=Tally(hits=good[0], n=good[1]), bad=Tally(hits=bad[0], n=bad[1]))


def seen(low: float, difference: float, high: float, level: float = 0.95) -> Seen:
    interval = Interval(low=low, high=high, level=level, method="tango")
    return Seen(difference=difference, interval=interval)


def test_a_difference_is_divided_by_what_the_judge_sees_of_it() -> None:
    found = corrected(seen(-0.02, 0.06, 0.14), judge((85, 100), (75, 100)))
    assert found.difference == pytest.approx(0.06 / 0.6)
    assert found.interval.low < -0.02 / 0.6
    assert found.interval.high > 0.14 / 0.6


def test_newcombes_own_example() -> None:
    """Newcombe (1998), table II, example (a), method 10: 56/70 − 48/80 = 0.2, 0.0524 to 0.3339."""
    interval = judge((56, 70), (32, 80)).interval()
    assert (interval.low, interval.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_a_judge_without_error_changes_next_to_nothing() -> None:
    million = 1_000_000
    found = corrected(seen(-0.02, 0.06, 0.14), judge((million, million), (million, million)))
    assert (found.interval.low, found.difference, found.interval.high) == pytest.approx(
        (-0.02, 0.06, 0.14), abs=1e-4
    )


@pytest.mark.parametrize("errors", [((5, 10), (5, 10)), ((10, 10), (0, 10)), ((6, 8), (5, 8))])
def test_of_a_coin_nothing_is_known(errors: tuple[tuple[int, int], tuple[int, int]]) -> None:
    found = corrected(seen(0.1, 0.2, 0.3), judge(*errors))
    assert (found.interval.low, found.interval.high) == (-1, 1)
    with pytest.raises(NothingToCompare):
        corrected(seen(0.1, 0.2, 0.3), judge((0, 0), (1, 2)))


@given(
    ends=st.tuples(*[st.floats(-0.9, 0.9)] * 3).map(sorted),
    good=st.integers(50, 100),
    bad=st.integers(50, 100),
)
def test_knowing_less_never_narrows(ends: list[float], good: int, bad: int) -> None:
    small, large = judge((good, 100), (bad, 100)), judge((good * 9, 900), (bad * 9, 900))
    narrow, wide = (
        corrected(seen(*ends), large).interval,
        corrected(seen(*ends), small).interval,
    )
    beyond = {(ends[0], 1.0), (-1.0, ends[2])}
    assume((narrow.low, narrow.high) not in beyond)  # as it was seen, see below
    assert wide.low <= narrow.low + 1e-9
    assert narrow.high <= wide.high + 1e-9
    assert wide.high - wide.low >= ends[2] - ends[0] - 1e-9 or -1 in {wide.low, -wide.high}


@pytest.mark.parametrize("sign", [1, -1])
def test_a_difference_beyond_what_the_errors_allow_is_no_certainty(sign: int) -> None:
    """Of a judge that sees 70 % of a difference, at most 78 %, nobody sees one of 0.9."""
    ends = sorted(sign * one for one in (0.9, 0.95, 0.98))
    found = corrected(seen(*ends), judge((80, 100), (90, 100)))
    assert found.difference == sign * 0.95
    interval = found.interval
    assert (interval.low, interval.high) == ((0.9, 1.0) if sign > 0 else (-1.0, -0.9))
    within = corrected(seen(0.5, 0.65, 0.75), judge((80, 100), (90, 100)))
    assert within.difference == pytest.approx(0.65 / 0.7)
    assert within.interval.low < within.difference < within.interval.high == 1


@given(
    ends=st.tuples(*[st.floats(-0.9, 0.9)] * 3).map(sorted),
    good=st.integers(60, 100),
    bad=st.integers(60, 100),
)
def test_swapping_the_sides_flips_the_signs(ends: list[float], good: int, bad: int) -> None:
    low, difference, high = ends
    errors = judge((good, 100), (bad, 100))
    one, other = (
        corrected(seen(*ends), errors),
        corrected(seen(-high, -difference, -low), errors),
    )
    assert (one.interval.low, one.difference, one.interval.high) == pytest.approx(
        (-other.interval.high, -other.difference, -other.interval.low)
    )


def test_groups_weigh_by_their_items() -> None:
    whole = combined([(30, seen(0.0, 0.1, 0.2)), (10, seen(-0.2, 0.2, 0.6))])
    assert whole.difference == pytest.approx(0.125)
    assert whole.interval.low == pytest.approx(0.125 - (0.075**2 + 0.1**2) ** 0.5)
    only = seen(0.0, 0.1, 0.2)
    assert combined([(3, only)]) == only
    with pytest.raises(NothingToCompare):
        combined([])


def test_one_judge_sees_more_than_another() -> None:
    good = [(True, True)] * 40 + [(True, False)] * 5
    bad = [(False, True)] * 30 + [(False, False)] * 10
    found = informedness_difference(good, bad)
    assert found.difference == pytest.approx(0.75 - 5 / 45)
    assert found.interval.low > 0
    same = informedness_difference(good[:40], [(True, True)] * 9)
    assert same.difference == 0
    assert -0.5 < same.interval.low < 0 < same.interval.high < 0.5


class World:
    """Two versions, a judge and its calibration, with a truth that is known."""

    def __init__(self, seed: int, **of: float) -> None:
        self.chance = random.Random(seed)
        self.of = of

    def says_good(self, good: bool) -> bool:
        of = self.of
        return self.chance.random() < (of["sensitivity"] if good else 1 - of["specificity"])

    def calibrated(self, good: int, bad: int) -> KnownError:
        return judge(
            (sum(self.says_good(True) for _ in range(good)), good),
            (bad - sum(self.says_good(False) for _ in range(bad)), bad),
        )

    def seen(self, items: int) -> Seen:
        """What the judge says of both versions, on items of which they share `both`."""
        a: list[bool] = []
        b: list[bool] = []
        both, rate_a, rate_b = self.of["both"], self.of["rate_a"], self.of["rate_b"]
        for _ in range(items):
            place = self.chance.random()
            a.append(self.says_good(place < rate_a))
            b.append(self.says_good(place < both or rate_a <= place < rate_a + rate_b - both))
        pairs = count_pairs(a, b)
        return Seen(difference=(pairs.only_b - pairs.only_a) / items, interval=tango(pairs))


WORLDS = [
    {"rate_a": 0.8, "rate_b": 0.7, "both": 0.66, "sensitivity": 0.85, "specificity": 0.8},
    {"rate_a": 0.8, "rate_b": 0.8, "both": 0.72, "sensitivity": 0.85, "specificity": 0.8},
    {"rate_a": 0.7, "rate_b": 0.85, "both": 0.68, "sensitivity": 0.9, "specificity": 0.9},
    {"rate_a": 0.8, "rate_b": 0.5, "both": 0.48, "sensitivity": 0.78, "specificity": 0.6},
    {"rate_a": 0.8, "rate_b": 0.7, "both": 0.66, "sensitivity": 0.97, "specificity": 0.95},
]
GATES = 2_000
SLACK = 2.6 * (0.95 * 0.05 / GATES) ** 0.5  # of the simulation itself: 99 %


@pytest.mark.slow
@pytest.mark.parametrize("of", WORLDS)
def test_the_interval_covers_the_true_difference(of: dict[str, float]) -> None:
    world, truth = World(5, **of), of["rate_b"] - of["rate_a"]
    covered = 0
    for _ in range(GATES):
        found = corrected(world.seen(300), world.calibrated(60, 40)).interval
        covered += found.low <= truth <= found.high
    assert covered / GATES >= 0.95 - SLACK


@pytest.mark.slow
def test_without_the_correction_it_does_not() -> None:
    """What a gate would say that takes a decent judge at its word: it misses one loss in six."""
    of = WORLDS[0]
    world, truth = World(5, **of), of["rate_b"] - of["rate_a"]
    naive = [world.seen(300).interval for _ in range(GATES)]
    assert sum(one.low <= truth <= one.high for one in naive) / GATES < 0.87


@pytest.mark.slow
def test_two_domains_are_covered_together() -> None:
    first, second = World(1, **WORLDS[0]), World(2, **WORLDS[2])
    truth = (200 * -0.1 + 100 * 0.15) / 300
    covered = 0
    for _ in range(GATES):
        parts = [
            (200, corrected(first.seen(200), first.calibrated(60, 40))),
            (100, corrected(second.seen(100), second.calibrated(60, 40))),
        ]
        found = combined(parts).interval
        covered += found.low <= truth <= found.high
    assert covered / GATES >= 0.95 - SLACK


def test_nothing_is_infinite() -> None:
    found = corrected(seen(-0.9, -0.9, 0.9), judge((52, 60), (20, 60)))
    assert -inf < found.interval.low <= found.difference <= found.interval.high < inf
