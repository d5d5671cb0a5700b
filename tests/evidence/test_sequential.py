"""Rates and differences under continuous looking."""

from collections.abc import Callable, Sequence
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from tests.evidence.traffic import Canary, calm, canary, noise, stretches, tallies

from opsroom.evidence import (
    Direction,
    NothingToCompare,
    OutOfRange,
    Pairs,
    Stretch,
    Tally,
    Verdict,
    verdict,
)
from opsroom.evidence.sequential import (
    difference_sequence,
    e_above,
    e_below,
    observed_difference,
    paired_sequence,
    rate_e,
    rate_sequence,
    two_arm_e,
)

HALF = 40  # 2 / α: one side of a 95 % interval

counts = st.integers(0, 400)


def ever(run: Canary, alarm: Callable[[Sequence[Stretch]], bool]) -> np.ndarray:
    """By release, the number of looks until the alarm; 0 if there was none."""
    releases, looks = run.n_a.shape
    found = np.zeros(releases, dtype=int)
    for release in range(releases):
        for look in range(looks):
            if alarm([run.stretch(release, look)]):
                found[release] = look + 1
                break
    return found


def excludes(difference: float, expected: float | None) -> Callable[[Sequence[Stretch]], bool]:
    """Whether the 95 % interval of the difference leaves `difference` out."""

    def check(parts: Sequence[Stretch]) -> bool:
        return (
            e_above(parts, difference=difference, expected=expected) >= HALF
            or e_below(parts, difference=difference, expected=expected) >= HALF
        )

    return check


# One rate.


def test_one_rate_before_anything_was_seen() -> None:
    nothing = rate_sequence(Tally(n=0, hits=0))
    assert (nothing.low, nothing.high) == (0.0, 1.0)


@calm
@given(tallies(most=100_000), st.floats(0.001, 0.999))
def test_the_rate_mixture_is_a_ratio_of_beta_functions(tally: Tally, rate: float) -> None:
    misses = tally.n - tally.hits
    expected = float(
        special.betaln(tally.hits + 0.5, misses + 0.5)
        - special.betaln(0.5, 0.5)
        - special.xlogy(tally.hits, rate)
        - special.xlog1py(misses, -rate)
    )
    if expected < 600:
        assert log(rate_e(tally, rate=rate)) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    interval = rate_sequence(tally)
    inside = interval.low <= rate <= interval.high
    assert inside == (rate_e(tally, rate=rate) < 20) or abs(expected - log(20)) < 1e-3


@calm
@given(tallies())
def test_a_rate_interval_mirrors_its_complement(tally: Tally) -> None:
    one = rate_sequence(tally)
    other = rate_sequence(Tally(n=tally.n, hits=tally.n - tally.hits))
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-9)
    if tally.n:
        assert one.low <= tally.hits / tally.n <= one.high


@pytest.mark.parametrize("rate", [0.015, 0.1, 0.5, 0.9])
def test_one_rate_is_seldom_ever_missed(rate: float) -> None:
    """Looked at after each of 500 draws."""
    rng = np.random.default_rng(1)
    missed = 0
    for _ in range(250):
        hits = (rng.random(500) < rate).cumsum()
        looks = enumerate(hits.tolist(), start=1)
        missed += any(rate_e(Tally(n=n, hits=k), rate=rate) >= 20 for n, k in looks)
    assert missed / 250 <= 0.05 + noise(0.05, 250)


def test_no_error_yet_is_not_no_error_ever() -> None:
    bounds = [
        rate_sequence(Tally(n=n, hits=0), level=0.9).high for n in (50, 200, 1_000, 10_000)
    ]
    assert bounds == sorted(bounds, reverse=True)
    assert 0.015 < bounds[1] < 0.03  # a single look would say 1.5 %


# Paired differences.


@calm
@given(counts, counts, counts)
def test_a_paired_interval_flips_with_the_sides(same: int, only_a: int, only_b: int) -> None:
    one = paired_sequence(Pairs(both=same, only_a=only_a, only_b=only_b, neither=0))
    other = paired_sequence(Pairs(both=0, only_a=only_b, only_b=only_a, neither=same))
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-5)
    assert -1 <= one.low <= one.high <= 1
    if n := same + only_a + only_b:
        assert one.low <= (only_b - only_a) / n <= one.high


@pytest.mark.parametrize(("alone_a", "alone_b"), [(0.05, 0.05), (0.2, 0.1), (0.01, 0.01)])
def test_a_paired_difference_is_seldom_ever_missed(alone_a: float, alone_b: float) -> None:
    rng = np.random.default_rng(2)
    looks, every, missed = 10, 100, 0
    shares = [alone_a, alone_b, 1 - alone_a - alone_b]
    for _ in range(100):
        seen = rng.multinomial(every, shares, size=looks).cumsum(axis=0)
        missed += any(
            not interval.low <= alone_b - alone_a <= interval.high
            for a, b, same in seen
            for interval in [
                paired_sequence(Pairs(both=int(same), only_a=int(a), only_b=int(b), neither=0))
            ]
        )
    assert missed / 100 <= 0.05 + noise(0.05, 100)


def test_a_shadow_run_finds_five_points_in_some_hundred_pairs() -> None:
    """Field notes: −5 points found at a median of 242–316 pairs, against 544 per arm unpaired."""
    rng = np.random.default_rng(3)
    found: list[int] = []
    for _ in range(60):
        seen = rng.multinomial(20, [0.06, 0.01, 0.93], size=100).cumsum(axis=0)
        found.append(
            next(
                20 * (look + 1)
                for look, (a, b, same) in enumerate(seen)
                if paired_sequence(
                    Pairs(both=int(same), only_a=int(a), only_b=int(b), neither=0)
                ).high
                < 0
            )
        )
    assert 150 <= np.median(found) <= 400


# Differences on split traffic.


def test_nothing_seen_says_nothing() -> None:
    everything = difference_sequence([])
    assert (everything.low, everything.high) == (-1.0, 1.0)
    assert two_arm_e([]) == 1.0
    with pytest.raises(NothingToCompare):
        observed_difference([])


@calm
@given(st.lists(stretches(), min_size=1, max_size=3), st.floats(0.02, 0.98))
def test_swapping_the_arms_flips_the_interval(parts: list[Stretch], expected: float) -> None:
    swapped = [Stretch(weight=1 - part.weight, a=part.b, b=part.a) for part in parts]
    one = difference_sequence(parts, expected=expected)
    other = difference_sequence(swapped, expected=expected)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-5)
    assert -1 <= one.low <= one.high <= 1


@calm
@given(st.lists(stretches(), max_size=3), st.floats(-0.9, 0.9))
def test_e_values_are_numbers_from_0_and_fall_with_the_claim(
    parts: list[Stretch], difference: float
) -> None:
    above = e_above(parts, difference=difference)
    assert 0 <= above < float("inf")
    assert e_above(parts, difference=difference + 0.05) <= above * (1 + 1e-9)
    below = e_below(parts, difference=difference)
    assert e_below(parts, difference=difference + 0.05) >= below * (1 - 1e-9)


@calm
@given(stretches(), st.floats(0.02, 0.98), st.floats(-0.99, 0.99))
def test_the_interval_is_what_the_e_values_leave(
    part: Stretch, expected: float, difference: float
) -> None:
    interval = difference_sequence([part], expected=expected)
    refuted = excludes(difference, expected)([part])
    if min(abs(difference - interval.low), abs(difference - interval.high)) > 1e-5:
        assert refuted != (interval.low < difference < interval.high)


def test_a_stretch_may_be_cut_where_nothing_is_known_yet() -> None:
    """Counts decide, not their order: equal halves say what the whole says, nearly."""
    whole = Stretch(weight=0.2, a=Tally(n=1_600, hits=160), b=Tally(n=400, hits=60))
    half = Stretch(weight=0.2, a=Tally(n=800, hits=80), b=Tally(n=200, hits=30))
    one = difference_sequence([whole], expected=0.11)
    two = difference_sequence([half, half], expected=0.11)
    assert (one.low, one.high) == pytest.approx((two.low, two.high), abs=1e-3)


def test_knowing_the_rate_narrows_and_a_wrong_guess_only_widens() -> None:
    part = Stretch(weight=0.5, a=Tally(n=2_000, hits=200), b=Tally(n=2_000, hits=200))

    def width(expected: float | None) -> float:
        interval = difference_sequence([part], expected=expected)
        assert interval.low < 0 < interval.high
        return interval.high - interval.low

    assert width(0.1) < width(None) < width(0.9)


def test_pooling_over_weights_would_blame_the_wrong_arm() -> None:
    """Equal arms; failures are three times as common while B has more weight."""
    parts = [
        Stretch(weight=0.1, a=Tally(n=9_000, hits=90), b=Tally(n=1_000, hits=10)),
        Stretch(weight=0.5, a=Tally(n=1_000, hits=30), b=Tally(n=1_000, hits=30)),
    ]
    assert observed_difference(parts) == pytest.approx(0.0)
    interval = difference_sequence(parts, expected=0.01)
    assert interval.low < 0 < interval.high
    assert 40 / 2_000 > 1.6 * 120 / 10_000  # the pooled rates


@pytest.mark.parametrize(
    ("rate", "weight"), [(0.015, 0.1), (0.015, 0.5), (0.1, 0.1), (0.1, 0.5), (0.9, 0.25)]
)
def test_equal_arms_are_seldom_ever_told_apart(rate: float, weight: float) -> None:
    """To 4,000 requests on B, a look every 200: error at most 5 %, both sides together."""
    run = canary(4, a=rate, b=rate, weight=weight, releases=150, looks=20, every=200)
    assert (ever(run, excludes(0.0, rate)) > 0).mean() <= 0.05


def test_a_true_difference_is_seldom_ever_missed() -> None:
    run = canary(5, a=0.1, b=0.13, weight=0.25, releases=150, looks=20, every=200)
    assert (ever(run, excludes(0.03, 0.1)) > 0).mean() <= 0.05


def test_a_changing_weight_keeps_the_promise() -> None:
    """5, 25 and 50 %, while the common rate drifts from 2 to 10 %."""
    rng = np.random.default_rng(6)
    missed = 0
    for _ in range(300):
        parts: list[Stretch] = []
        refuted = False
        for weight, rate in ((0.05, 0.02), (0.25, 0.05), (0.5, 0.1)):
            n_b = int(rng.binomial(4_000, weight))
            a = Tally(n=4_000 - n_b, hits=int(rng.binomial(4_000 - n_b, rate)))
            b = Tally(n=n_b, hits=int(rng.binomial(n_b, rate)))
            parts.append(Stretch(weight=weight, a=a, b=b))
            refuted = refuted or excludes(0.0, 0.02)(parts)
        missed += refuted
    assert missed / 300 <= 0.05


def test_a_loss_inside_the_margin_is_seldom_rolled_back() -> None:
    """Field notes, margin 2 points and a true loss of 1: sequence 0.3 %, static rule 40 %."""
    run = canary(7, a=0.1, b=0.11, weight=0.5, releases=200, looks=20, every=200)

    def rolled_back(parts: Sequence[Stretch]) -> bool:
        return e_above(parts, difference=0.02, expected=0.1) >= HALF

    assert (ever(run, rolled_back) > 0).mean() <= 0.02


def test_an_equal_candidate_is_proved_not_worse() -> None:
    """Automated rate 90 %, margin 5 points, weight 10 %: proved within 4,000 requests on B."""
    run = canary(8, a=0.9, b=0.9, weight=0.1, releases=60, looks=8, every=500)

    def proved(parts: Sequence[Stretch]) -> bool:
        interval = difference_sequence(parts, expected=0.9)
        found = verdict(interval, direction=Direction.HIGHER, margin=0.05)
        return found in {Verdict.NOT_WORSE, Verdict.BETTER}

    looks = ever(run, proved)
    assert (looks > 0).mean() >= 0.98
    assert np.median(looks) * 500 <= 1_000


@pytest.mark.parametrize(
    "call",
    [
        lambda: rate_e(Tally(n=1, hits=0), rate=1.0),
        lambda: rate_sequence(Tally(n=1, hits=0), level=0.0),
        lambda: e_above([], difference=1.0),
        lambda: e_below([], expected=0.0),
        lambda: difference_sequence([], expected=1.0),
    ],
)
def test_bad_questions_are_refused(call: Callable[[], object]) -> None:
    with pytest.raises(OutOfRange):
        call()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("weight", "rate", "raised", "by_2000", "by_4000"),
    [
        (0.5, 0.015, 0.03, 0.53, 0.92),
        (0.1, 0.015, 0.03, 0.89, 0.99),
        (0.5, 0.1, 0.15, 0.94, 0.99),
        (0.1, 0.1, 0.15, 0.99, 0.99),
    ],
)
def test_operating_characteristics(
    weight: float, rate: float, raised: float, by_2000: float, by_4000: float
) -> None:
    still = canary(9, a=rate, b=rate, weight=weight, releases=1_500, looks=40)
    assert (ever(still, excludes(0.0, rate)) > 0).mean() <= 0.03
    worse = canary(10, a=rate, b=raised, weight=weight, releases=600, looks=40)
    looks = ever(worse, excludes(0.0, rate))
    assert ((looks > 0) & (looks <= 20)).mean() >= by_2000
    assert (looks > 0).mean() >= by_4000


@pytest.mark.slow
def test_a_two_arm_test_seldom_rejects_under_continuous_peeking() -> None:
    """Field notes: an e-process 2.9 %, a peeked z-test 38 %."""
    run = canary(11, a=0.3, b=0.3, weight=0.5, releases=1_000, looks=100, every=20)
    assert (ever(run, lambda parts: two_arm_e(parts) >= 20) > 0).mean() <= 0.05
