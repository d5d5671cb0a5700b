"""What rules look at is counted from what agents and people really did."""

from datetime import timedelta
from typing import Any

import pytest
from tests.actions.world import CLERK, Office
from tests.alerts.world import SYSTEM, end, look, usual_days
from tests.api import Api
from tests.telemetry import Room, room
from tests.traces.otlp import request
from tests.traces.test_spending import SECOND, agent, call

from opsroom.actions.model import Final
from opsroom.alerts import looking, queries, store
from opsroom.alerts.counting import Counter
from opsroom.alerts.model import DAY, HOUR, AlertRuleSpec
from opsroom.inbox import OverrideDraft, overriding
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.traces.errors import TelemetryUnavailable

__all__ = ["room"]


def test_actions_and_overrides_are_counted(api: Api, clock: ManualClock) -> None:
    office = Office(api, clock)
    turn = office.turn()
    for confidence in (0.5, 0.6, 0.7):
        body = {"tool": "look", "arguments": {"order": "A-1"}, "confidence": confidence}
        office.clerk.post(f"/v1/turns/{turn}/actions", body)
    office.propose(turn, "look", nothing="that it knows")
    with api.db.write(SYSTEM) as tx:
        draft = OverrideDraft(
            subject=f"turn/{turn}",
            agent=CLERK,
            agent_decision="pay",
            human_decision="wait",
            reasoning="the invoice is disputed",
        )
        overriding.override(tx, draft)
    clock.move(timedelta(minutes=5))
    with api.db.read(SYSTEM) as tx:
        spec = AlertRuleSpec(when="usual.failed.worse", description="d")
        (counts,) = Counter(tx).of(spec).lately[CLERK].values()
    assert (counts.actions, counts.malformed, counts.overridden) == (4, 1, 1)
    assert counts.confidence.n == 3
    assert counts.confidence.mean == pytest.approx(0.6)
    assert counts.confidence.variance == pytest.approx(0.01)


def spend(room: Room, calls: int, *, ago: timedelta) -> None:
    """One task of the clerk that calls a model so often, at 0.0035 dollars a call."""
    begun = int((room.clock.now() - ago).timestamp()) * SECOND
    trace = f"{begun:032x}"
    when = {"start": begun, "end": begun + SECOND}
    made = [{**call(trace, "0", **when), "id": f"{n:016x}"} for n in range(2, calls + 2)]
    room.send(request(agent(trace, "1", "clerk", **when), *made))


def test_what_costs_more_than_in_the_week_before_is_told(
    db: Database, clock: ManualClock, room: Room
) -> None:
    usual_days(db, clock)
    actor = Actor("system", room.project, human=False)
    with db.write(actor) as tx:
        store.wind(tx)
    for day in range(1, 15):
        spend(room, 600 if day <= 7 else 480, ago=timedelta(days=day, hours=-1))
    room.settle()
    looking.look(db, room.traces)
    with db.read(actor) as tx:
        (one,) = queries.alerts(tx)
    assert (one.rule, one.agent) == ("cost-up", "clerk")
    assert one.because == (
        "it costs 20 % more than in the week before:"
        " $14.70 for 7 tasks, $11.76 in the window before"
    )


def test_an_incident_names_the_model_that_began_to_serve(
    db: Database, clock: ManualClock, room: Room
) -> None:
    usual_days(db, clock)
    actor = Actor("system", room.project, human=False)
    with db.write(actor) as tx:
        store.wind(tx)
        end(tx, "clerk", tx.now - timedelta(hours=1), [Final.FAILED] * 40)

    def ran(model: str, ago: timedelta) -> None:
        at = int((clock.now() - ago).timestamp()) * SECOND
        when = {"start": at, "end": at + SECOND}
        more = {"gen_ai.response.model": model, **when}
        trace = f"{at:032x}"
        room.send(request(agent(trace, "1", "clerk", **when), call(trace, "2", **more)))

    ran("gpt-4o-2024-08-06", timedelta(days=3))
    ran("gpt-4o-2024-08-06", timedelta(minutes=100))
    ran("gpt-4o-2024-11-20", timedelta(minutes=90))
    ran("gpt-4o-2024-11-20", timedelta(minutes=80))
    looking.look(db, room.traces)
    with db.read(actor) as tx:
        high = next(one for one in queries.alerts(tx) if one.rule == "errors-high")
        (new,) = queries.incident(tx, high.id, room.traces).models
        assert queries.incident(tx, high.id).models == ()
        assert queries.incident(tx, high.id, Away()).models == ()
    assert (new.model, new.traces) == ("gpt-4o-2024-11-20", 2)
    assert new.first == clock.now() - timedelta(minutes=90)


class Idle:
    """A store of telemetry that nobody has sent anything to."""

    def rows(self, sql: str, parameters: dict[str, Any] | None = None) -> list[Any]:
        return []


class Away:
    """A store of telemetry that does not answer."""

    def rows(self, sql: str, parameters: dict[str, Any] | None = None) -> list[Any]:
        raise TelemetryUnavailable("it is switched off")


def test_without_telemetry_the_other_rules_are_looked_at(
    db: Database, clock: ManualClock
) -> None:
    usual_days(db, clock, "clerk")
    with db.write(SYSTEM) as tx:
        end(tx, "clerk", tx.now - timedelta(hours=1), [Final.FAILED] * 40)
    assert "errors-high" in {one.rule for one in look(db, Away())}
    with db.read(SYSTEM) as tx:
        assert "it is switched off" in queries.problems(tx)["cost-up"]


def test_rules_about_telemetry_wait_for_a_process_that_has_it(
    db: Database, clock: ManualClock
) -> None:
    usual_days(db, clock, "clerk")
    seen = looking.see(db, Actor(looking.SYSTEM, "default", human=False), None)
    assert not {"cost-up", "cost-of-a-task", "model-errors"} & {
        one.rule.name for one in seen.sights
    }
    look(db)
    with db.read(SYSTEM) as tx:
        assert queries.problems(tx) == {}


def test_rules_of_long_windows_are_looked_at_less_often(
    db: Database, clock: ManualClock
) -> None:
    usual_days(db, clock, "clerk")
    actor = Actor(looking.SYSTEM, "default", human=False)

    def lengths() -> set[float]:
        seen = looking.see(db, actor, Idle())
        with db.write(actor) as tx:
            store.hurry(tx)
            looking.take_in(tx, seen)
        return {
            one.rule.spec.window for one in seen.sights if one.rule.spec.scope.value == "agent"
        }

    assert lengths() == {HOUR, DAY, 7 * DAY}
    found = []
    for _ in range(21):
        clock.move(looking.EVERY)
        found.append(lengths())
    assert all(HOUR in one for one in found)
    assert (
        sum(DAY in one for one in found) == 7
    )  # every 14.4 minutes, that is, every third look
    assert sum(7 * DAY in one for one in found) == 1  # every 101 minutes
    with db.write(actor) as tx:
        store.hurry(tx, everything=True)
    assert lengths() == {HOUR, DAY, 7 * DAY}


def test_whoever_comes_second_decides_nothing(db: Database, clock: ManualClock) -> None:
    usual_days(db, clock, "clerk")
    actor = Actor(looking.SYSTEM, "default", human=False)
    seen = [looking.see(db, actor, None) for _ in range(2)]
    for one in seen:
        with db.write(actor) as tx:
            looking.take_in(tx, one)
    with db.read(actor) as tx:
        assert [one.rule for one in queries.alerts(tx)] == ["silent"]
