"""Nine agents take tasks and end them; what goes wrong outside shows in their turns, and is told."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice

from opsroom.actions import queries as actions
from opsroom.actions.model import Final
from opsroom.alerts import looking, store
from opsroom.alerts import queries as alerts
from opsroom.app.acting import serve
from opsroom.app.kinds import KINDS
from opsroom.importing import commands as importing
from opsroom.inbox import queries as inbox
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Database
from opsroom.registry import Ref
from opsroom.simulator import floor
from opsroom.simulator.fleet import AGENTS
from opsroom.simulator.people import ADMIN, into_production

SATURDAY = datetime(2026, 11, 21, 7, tzinfo=UTC)


def day(db: Database, clock: ManualClock, hours: int, *, seed: int = 3) -> None:
    """So many hours of the floor from Saturday morning on, a quarter of an hour a call."""
    clock.move(SATURDAY - clock.now())
    with db.write(ADMIN) as tx:
        importing.take_in(tx, floor.bundle(frozenset()), kinds=KINDS)
        store.wind(tx)
    for agent in AGENTS:
        into_production(db, Ref("agent", agent.name, "1"), kinds=KINDS)
    made = floor.Floor(db, serve, seed=seed)
    for _ in range(hours * 4):
        clock.move(timedelta(minutes=15))
        made.work()
        looking.look(db, None)


def test_every_agent_works_also_at_weekends(sqlite_db: Database, clock: ManualClock) -> None:
    day(sqlite_db, clock, 10)
    with sqlite_db.read(ADMIN) as tx:
        done = actions.turns(tx, limit=2_000)
        overridden = inbox.overrides(tx)
        told = alerts.alerts(tx, everything=True)
    assert {one.agent for one in done} == {agent.name for agent in AGENTS}
    finals = Counter(one.final for one in done)
    assert finals[Final.DONE] > finals[Final.ESCALATED] > 0
    assert overridden
    # At nine a field of the carriers was renamed, at two a token of the terminals ran out.
    failing = {one.agent for one in told if one.rule == "errors-high"}
    assert {"carrier-chooser", "quote-writer", "exception-desk"} <= failing


def test_incidents_come_twice_a_day_in_working_hours() -> None:
    found = list(islice(floor.incidents(SATURDAY), 5))
    assert [one.at.hour for one in found] == [9, 14, 9, 14, 9]
    assert found[0].at.date() == SATURDAY.date()
    assert next(floor.incidents(SATURDAY + timedelta(hours=4))).at.hour == 14


def test_the_floor_leaves_out_who_is_there_already() -> None:
    names = {one.name for one in floor.bundle(frozenset({"quote-writer"})).artifacts}
    assert names == {agent.name for agent in AGENTS} - {"quote-writer"}
