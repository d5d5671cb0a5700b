"""The nine agents are the same for the same seed, and do what their figures say."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from opsroom.simulator import fleet

SINCE = datetime(2026, 9, 7, tzinfo=UTC)  # a Monday
FIVE = timedelta(minutes=5)
MONTH = 30 * 288


def month(
    agent: fleet.Agent, *, seed: int = 1, events: tuple[fleet.Event, ...] = ()
) -> fleet.Series:
    return fleet.series(
        agent, since=SINCE, stretches=MONTH, stretch=FIVE, seed=seed, events=events
    )


@pytest.mark.parametrize("agent", fleet.AGENTS, ids=lambda agent: agent.name)
def test_a_quiet_month_is_what_the_figures_say(agent: fleet.Agent) -> None:
    found = month(agent)
    turns = found.turns.sum()
    assert found.failed.sum() / turns == pytest.approx(agent.failed, rel=0.2)
    assert found.escalated.sum() / turns == pytest.approx(agent.escalated, rel=0.1)
    assert found.cost.sum() / turns == pytest.approx(agent.cost, rel=0.05)
    assert (found.automated >= 0).all()
    assert np.isnan(found.confidence[found.turns == 0]).all()
    weekend = np.array([at.weekday() >= 5 for at in found.begins])
    assert found.turns[weekend].mean() < found.turns[~weekend].mean() / 2


def test_the_same_seed_is_the_same_month() -> None:
    agent = fleet.AGENTS[0]
    assert (month(agent).turns == month(agent).turns).all()
    assert (month(agent).turns != month(agent, seed=2).turns).any()


def test_an_event_changes_whom_it_touches_while_it_lasts() -> None:
    events = fleet.incidents(SINCE)
    kinds = [one.kind for one in events]
    assert (kinds.count("api"), kinds.count("input")) == (8, 3)
    for event in events:
        touched = [agent for agent in fleet.AGENTS if event.touches(agent)]
        assert touched
        for agent in fleet.AGENTS:
            quiet, struck = month(agent), month(agent, events=(event,))
            during = np.array([event.at <= at < event.at + event.lasts for at in quiet.begins])
            if agent not in touched:
                assert (quiet.failed == struck.failed).all()
                continue
            turns = struck.turns[during].sum()
            failed = agent.failed + event.failed
            escalated = min(agent.escalated + event.escalated, 1 - failed)
            assert struck.failed[during].sum() / turns == pytest.approx(failed, abs=0.06)
            assert struck.escalated[during].sum() / turns == pytest.approx(escalated, abs=0.08)
