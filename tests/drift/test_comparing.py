"""What is said about a window and the days before it."""

import time
from random import Random
from typing import TypeVar

import numpy as np

from opsroom.drift import comparing
from opsroom.drift.features import distances
from opsroom.drift.model import Comparison

Item = TypeVar("Item")
ASKED = [f"where is parcel {number} of customer {number % 7}" for number in range(200)]
NEW = [f"cancel my subscription {number} right away" for number in range(40)]


def test_too_few_say_nothing() -> None:
    assert comparing.texts([ASKED], NEW[:19]) is None
    assert comparing.labels([["a"] * 19], ["a"] * 100) is None
    assert comparing.numbers([], [1.0] * 100) is None


def test_a_new_wish_is_found_and_told_by_its_words_and_examples() -> None:
    drift = comparing.texts([ASKED[:100], ASKED[100:]], [*NEW, *ASKED[:20]])
    assert drift is not None
    assert drift.p < 1e-6
    assert drift.effect > 0.5
    assert {"cancel", "parcel", "unlike"} & {one.name.split()[0] for one in drift.shares}
    assert all(place < len(NEW) for place in drift.shown_now)
    assert len(drift.shown_before) == comparing.MOST_EXAMPLES


def test_terms_that_come_together_are_shown_once_and_both_sides_are() -> None:
    drift = comparing.texts([ASKED[:100], ASKED[100:]], [*NEW, *ASKED[:20]])
    assert drift is not None
    hits = [(one.before.hits, one.now.hits) for one in drift.shares]
    assert len(hits) == len(set(hits)) <= comparing.MOST_SHOWN
    assert {one.by > 0 for one in drift.shares} == {True, False}


def test_the_same_is_no_drift() -> None:
    mixed = Random(3).sample(ASKED, len(ASKED))
    drift = comparing.texts([mixed[:150]], mixed[150:])
    assert drift is not None
    assert drift.p > 0.05


def test_a_tool_that_was_never_called_before_is_found() -> None:
    past = [["look_up"] * 30 + ["refund"] * 10 for _ in range(7)]
    drift = comparing.labels(past, ["look_up"] * 20 + ["wire_money"] * 20)
    assert drift is not None
    assert drift.p < 1e-6
    assert drift.shares[0].name == "wire_money"
    assert drift.shares[0].before.hits == 0
    assert drift.psi is not None
    assert drift.psi > 0.25


def test_numbers_that_move_are_found_with_where_they_were() -> None:
    drift = comparing.numbers([[0.9, 0.95, 0.85] * 50], [0.4, 0.5, 0.6] * 20)
    assert drift is not None
    assert drift.p < 1e-6
    assert drift.effect > 0.9
    assert drift.before is not None
    assert drift.now is not None
    assert (drift.before.median, drift.now.median) == (0.9, 0.5)
    assert drift.now.interval.low <= 0.5 <= drift.now.interval.high


def test_a_change_too_small_to_matter_is_none_however_sure_it_is() -> None:
    drift = comparing.labels([["a"] * 50_000 + ["b"] * 50_000], ["a"] * 54_000 + ["b"] * 46_000)
    assert drift is not None
    assert drift.shares[0].p < 1e-6
    assert drift.p == 1.0


def test_days_that_differ_by_more_than_chance_do_not_alarm_every_day() -> None:
    """By chance alone, one of these days in five would be a drift."""
    alarms = alone = 0
    for seed in range(100):
        days = _restless(seed)
        alarms += _labels(days[:-1], days[-1]).p <= 0.01
        alone += _labels([_joined(days[:-1])], days[-1]).p <= 0.01
    assert alone >= 15
    assert alarms <= 4


def test_numbers_of_restless_days_do_not_alarm_every_day() -> None:
    alarms = alone = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        days = [rng.lognormal(rng.normal(0, 0.3), 0.4, 100).tolist() for _ in range(15)]
        alarms += _numbers(days[:-1], days[-1]).p <= 0.01
        alone += _numbers([_joined(days[:-1])], days[-1]).p <= 0.01
    assert alone >= 20
    assert alarms <= 3


def test_a_look_at_two_thousand_long_texts_takes_no_longer_than_a_breath() -> None:
    rng = Random(5)
    texts = [" ".join(f"w{rng.randrange(5000)}" for _ in range(60)) for _ in range(2_200)]
    start = time.perf_counter()
    assert comparing.texts([texts[:2_000]], texts[2_000:]) is not None
    assert time.perf_counter() - start < 9  # some 2 s on a quiet machine


def test_distances_are_between_the_same_and_nothing_shared() -> None:
    far = distances(["a parcel", "zzz qqq"], ["a parcel", "a parcel", "one letter"])
    assert far.round(6).tolist() == [0.0, 1.0]


def _restless(seed: int) -> list[list[str]]:
    rng = np.random.default_rng(seed)
    days: list[list[str]] = []
    for share in rng.beta(12, 12, 15):
        hits = int(rng.binomial(100, share))
        days.append(["a"] * hits + ["b"] * (100 - hits))
    return days


def _labels(past: list[list[str]], current: list[str]) -> Comparison:
    drift = comparing.labels(past, current)
    assert drift is not None
    return drift


def _numbers(past: list[list[float]], current: list[float]) -> Comparison:
    drift = comparing.numbers(past, current)
    assert drift is not None
    return drift


def _joined(days: list[list[Item]]) -> list[Item]:
    return [item for day in days for item in day]
