"""Deviations from a series' own past: quiet days stay quiet, what happens is seen."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.evidence import Tally
from opsroom.evidence.baseline import FEWEST, level_deviation, rate_deviation
from opsroom.simulator import fleet

SINCE = datetime(2026, 9, 7, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
PAST = 28  # days
DAYS = 42
tallies = st.integers(1, 400).flatmap(
    lambda n: st.integers(0, n).map(lambda hits: Tally(n=n, hits=hits))
)


def test_too_little_past_says_nothing() -> None:
    now = Tally(n=100, hits=50)
    assert rate_deviation([Tally(n=100, hits=1)] * (FEWEST - 1), now) is None
    assert rate_deviation([Tally(n=100, hits=1)] * FEWEST, Tally(n=0, hits=0)) is None
    assert rate_deviation([Tally(n=0, hits=0)] * 20, now) is None
    assert level_deviation([1.0] * (FEWEST - 1), 2.0) is None
    assert level_deviation([0.0, -1.0, float("nan")] * 9, 2.0) is None


def test_a_bad_day_in_the_past_hides_nothing() -> None:
    past = [Tally(n=200, hits=2)] * 19 + [Tally(n=200, hits=120)]
    found = rate_deviation(past, Tally(n=200, hits=30))
    assert found is not None
    assert found.p < 1e-6
    assert found.z > 4
    assert found.expected < 0.02


def test_what_days_differ_by_is_no_alarm() -> None:
    past = [Tally(n=1000, hits=hits) for hits in (20, 60, 35, 90, 15, 70, 45, 25, 80, 50)]
    found = rate_deviation(past, Tally(n=1000, hits=95))
    assert found is not None
    assert found.p > 0.02
    alike = [Tally(n=1000, hits=hits) for hits in (50, 47, 52, 49, 55, 46, 51, 48, 53, 50)]
    steady = rate_deviation(alike, Tally(n=1000, hits=95))
    assert steady is not None
    assert steady.p < 1e-4


@given(past=st.lists(tallies, min_size=FEWEST, max_size=20), now=tallies)
def test_a_deviation_makes_sense(past: list[Tally], now: Tally) -> None:
    found = rate_deviation(past, now, alpha=0.01)
    assert found is not None
    assert 0 <= found.p <= 1
    assert 0 <= found.low <= found.high <= 1
    if found.value > found.high or found.value < found.low:
        assert found.p <= 0.0100001
    assert found.z == 0 or (found.z > 0) == (found.value > found.expected)


@given(
    past=st.lists(st.floats(0.01, 1e6), min_size=FEWEST, max_size=30),
    now=st.floats(0.01, 1e6),
)
def test_levels_are_compared_as_ratios(past: list[float], now: float) -> None:
    found = level_deviation(past, now)
    scaled = level_deviation([one * 7 for one in past], now * 7)
    assert found is not None
    assert scaled is not None
    assert found.low <= found.expected <= found.high
    assert scaled.p == pytest.approx(found.p, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("what", ["failed", "escalated", "seconds", "cost"])
def test_quiet_days_are_quiet(what: str) -> None:
    """Nine agents, two weeks of hours after four of past: alarms at 0.001 and at 0.0001."""
    looks, alarms = 0, {0.001: 0, 0.0001: 0}
    for agent in fleet.AGENTS:
        found = fleet.series(agent, since=SINCE, stretches=DAYS * 24, stretch=HOUR, seed=3)
        weekend = [at.weekday() >= 5 for at in found.begins]
        for now in range(PAST * 24, DAYS * 24):
            alike = [
                at for at in range(now - PAST * 24, now, 24) if weekend[at] == weekend[now]
            ]
            values = getattr(found, what)
            if what in {"failed", "escalated"}:
                deviation = rate_deviation(
                    [Tally(n=int(found.turns[at]), hits=int(values[at])) for at in alike],
                    Tally(n=int(found.turns[now]), hits=int(values[now])),
                )
            else:
                each = values / np.maximum(found.turns, 1) if what == "cost" else values
                deviation = level_deviation([float(each[at]) for at in alike], float(each[now]))
            if deviation is not None:
                looks += 1
                for level in alarms:
                    alarms[level] += deviation.p < level
    print(what, looks, alarms)  # noqa: T201  # the counts are what this is for
    assert looks > 2_000
    assert alarms[0.001] <= 0.002 * looks
    assert alarms[0.0001] <= 0.001 * looks


def test_what_happens_is_seen_within_the_hour() -> None:
    seen = 0
    events = [one for one in fleet.incidents(SINCE + timedelta(days=PAST)) if one.kind == "api"]
    for event in events:
        agent = next(one for one in fleet.AGENTS if event.touches(one))
        found = fleet.series(
            agent, since=SINCE, stretches=60 * 24, stretch=HOUR, seed=5, events=(event,)
        )
        now = int((event.at - SINCE) / HOUR)
        weekend = [at.weekday() >= 5 for at in found.begins]
        alike = [at for at in range(now - PAST * 24, now, 24) if weekend[at] == weekend[now]]
        deviation = rate_deviation(
            [Tally(n=int(found.turns[at]), hits=int(found.failed[at])) for at in alike],
            Tally(n=int(found.turns[now]), hits=int(found.failed[now])),
        )
        seen += deviation is not None and deviation.p < 0.0001
    assert seen == len(events) == 8
