"""Agents that are worse than they usually are at this hour are told; quiet days are quiet."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.alerts.world import NOON, SYSTEM, turn

from opsroom.actions.model import Final
from opsroom.actions.queries import Ended, ended
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.overview.attention import HOUR, Attention, alike, attention, judge
from opsroom.simulator import fleet

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)


def counts(
    agent: fleet.Agent, at: datetime, seed: int, events: Any = ()
) -> Mapping[int, Ended]:
    """What an agent of the simulated fleet did in the hour before `at`, and in hours alike."""
    found: dict[int, Ended] = {}
    for window, (since, _) in enumerate([(at - HOUR, at), *alike(at)]):
        hour = fleet.series(
            agent,
            since=since,
            stretches=1,
            stretch=HOUR,
            seed=seed * 1000 + window,
            events=events,
        )
        found[window] = Ended(
            turns=int(hour.turns[0]),
            failed=int(hour.failed[0]),
            escalated=int(hour.escalated[0]),
        )
    return found


def test_hours_alike_are_the_same_hour_of_the_same_kind_of_day() -> None:
    found = alike(NOON)
    assert len(found) == 20
    assert {(since.hour, until.hour) for since, until in found} == {(11, 12)}
    assert len(alike(NOON + timedelta(days=2))) == 8


def test_a_quiet_week_is_quiet() -> None:
    said: list[Attention] = []
    for number in range(7 * 24):
        at = NOON + timedelta(hours=number)
        for agent in fleet.AGENTS:
            said += judge(agent.name, counts(agent, at, number))
    assert len(said) <= 1


@pytest.mark.parametrize("event", fleet.incidents(MONDAY), ids=lambda event: event.name)
def test_what_happens_to_an_agent_is_told_after_an_hour(event: fleet.Event) -> None:
    touched = [agent for agent in fleet.AGENTS if event.touches(agent)]
    at = event.at + HOUR
    said = [
        one for agent in touched for one in judge(agent.name, counts(agent, at, 11, (event,)))
    ]
    assert {one.metric for one in said} & ({"failed"} if event.failed else {"escalated"})
    assert said[0].rate > said[0].usual_high >= said[0].usual
    assert "is usual now" in said[0].words


def test_turns_are_counted_by_agent_and_window(db: Database, clock: ManualClock) -> None:
    clock.move(NOON - clock.now())
    with db.write(SYSTEM) as tx:
        for minutes, final in (
            (10, Final.DONE),
            (20, Final.FAILED),
            (30, Final.ESCALATED),
            (40, None),
        ):
            turn(tx, "clerk", tx.now - timedelta(minutes=minutes), final)
        turn(tx, "clerk", tx.now - timedelta(days=1, minutes=10), Final.ABANDONED)
        turn(tx, "clerk", tx.now - timedelta(days=1, minutes=90), Final.FAILED)
        turn(tx, "other", tx.now - timedelta(minutes=1), Final.REFUSED)
        tx.actor = Actor("system", "elsewhere", human=False)
        turn(tx, "clerk", tx.now - timedelta(minutes=1), Final.FAILED)
    with db.read(SYSTEM) as tx:
        found = ended(tx, [(tx.now - HOUR, tx.now), *alike(tx.now)])
    assert found["clerk"] == {
        0: Ended(turns=3, failed=1, escalated=1),
        1: Ended(turns=1, failed=1, escalated=0),
    }
    assert found["other"] == {0: Ended(turns=1, failed=0, escalated=0)}


def test_an_agent_that_fails_more_than_it_does_at_this_hour_is_told(
    db: Database, clock: ManualClock
) -> None:
    clock.move(NOON - clock.now())
    with db.write(SYSTEM) as tx:
        for since, _ in alike(tx.now):
            for number in range(40):
                turn(tx, "clerk", since + timedelta(minutes=number), Final.DONE)
                turn(tx, "steady", since + timedelta(minutes=number), Final.DONE)
        for number in range(40):
            at = tx.now - HOUR + timedelta(minutes=number)
            turn(tx, "clerk", at, Final.FAILED if number % 4 == 0 else Final.DONE)
            turn(tx, "steady", at, Final.DONE)
    with db.read(SYSTEM) as tx:
        (only,) = attention(tx)
    assert (only.agent, only.metric, only.hits, only.n, only.days) == (
        "clerk",
        "failed",
        10,
        40,
        20,
    )
