"""Turns that ended, as many as a test wants, and looking at the rules as the clock does."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from opsroom.actions import turn_store
from opsroom.actions.model import Final, Turn
from opsroom.alerts import looking, queries, store
from opsroom.alerts.figures import past
from opsroom.alerts.model import Alert
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.traces.queries import Reads

HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 19, 12, tzinfo=UTC)  # a Thursday
SYSTEM = Actor("system", "default", frozenset({"administer", "read"}), human=False)


def turn(tx: Any, agent: str, at: datetime, final: Final | None) -> None:
    """A turn that began, and with a `final` state ended, at `at`."""
    turn_store.add_turn(
        tx,
        Turn(
            id=tx.ids.new("trn"),
            agent=agent,
            version=f"agent/{agent}@1",
            manifest="m" * 64,
            environment="production",
            intent="x",
            started_at=at,
            final=final,
            ended_at=None if final is None else at,
        ),
    )


def end(tx: Any, agent: str, since: datetime, finals: Sequence[Final]) -> None:
    """Let turns end, one a minute from `since` on."""
    for minute, final in enumerate(finals):
        turn(tx, agent, since + timedelta(minutes=minute), final)


def usual_days(db: Database, clock: ManualClock, *agents: str) -> None:
    """It is Thursday noon, and in all hours alike these agents did 40 turns well."""
    clock.move(NOON - clock.now())
    with db.write(SYSTEM) as tx:
        store.wind(tx)
        for agent in agents:
            for since, _ in past(tx.now, HOUR):
                end(tx, agent, since, [Final.DONE] * 40)


def look(db: Database, telemetry: Reads | None = None) -> list[Alert]:
    """Look at whatever is due; the alerts of the project that are not resolved after that."""
    looking.look(db, telemetry)
    with db.read(SYSTEM) as tx:
        return queries.alerts(tx)
