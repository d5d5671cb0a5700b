"""One release from its start to its end, in a process that may be killed at any moment.

    python -m tests.releases.life DATABASE_URL good|bad CLOCK_ORIGIN

Everything here can be repeated: run it again after a kill and it goes on. People approve and
judge as soon as they can, traffic flows, the workflow decides, on a clock that runs 20,000
times as fast and does not notice that the process died. `OPSROOM_FAULT` names the kill.
"""

import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.keyring import KEYRING
from tests.releases import world

from opsroom.approvals import standing
from opsroom.journal import outbox
from opsroom.journal import store as journal_store
from opsroom.kit.db import Database, open_engine
from opsroom.kit.durable import Durable
from opsroom.kit.errors import Conflict
from opsroom.kit.faults import arm_from_environment
from opsroom.kit.ids import TimeIds
from opsroom.releases import queries, store
from opsroom.releases.model import Release, State
from opsroom.releases.workflow import LOOP, Driver, reactions

START = datetime(2026, 11, 20, tzinfo=UTC)
RATE = 20_000.0
QUICK = replace(
    world.SMALL,
    shadow=replace(world.SMALL.shadow, min_time=timedelta(hours=3)),
    steps=tuple(replace(step, min_duration=world.HOUR) for step in world.SMALL.steps),
)
OVER = {State.PROMOTED, State.ROLLED_BACK, State.ABORTED, State.SUPERSEDED}


class LastingClock:
    """A fast clock that goes on while no process looks at it."""

    def __init__(self, origin: float) -> None:
        self._origin = origin

    def now(self) -> datetime:
        return START + timedelta(seconds=(time.time() - self._origin) * RATE)

    def real(self, span: timedelta) -> float:
        return span.total_seconds() / RATE

    def lasting(self, span: timedelta) -> timedelta:
        return span * RATE


def live(url: str, fate: str, origin: float) -> Release:
    clock = LastingClock(origin)
    engine = open_engine(url)
    db = Database(
        engine, clock=clock, ids=TimeIds(clock), on_commit=journal_store.append, keyring=KEYRING
    )
    try:
        world.build(db)
        arm_from_environment()
        durable = Durable(url, loops={LOOP: Driver(db, world.MODELS).look})
        durable.launch()
        try:
            return _drive(db, durable, fate)
        finally:
            durable.close()
    finally:
        engine.dispose()


def _drive(db: Database, durable: Durable, fate: str) -> Release:
    heard = reactions(durable)
    with db.read(world.ADA) as tx:
        known = queries.releases(tx, kind=world.KIND, name=world.NAME)
    release = known[0] if known else world.start(db, plan=QUICK)
    deadline = time.monotonic() + 240
    turn = 0
    while release.state not in OVER or not durable.finished(LOOP, release.id):
        outbox.pump(db, heard)
        with db.read(world.ADA) as tx:
            release = queries.release(tx, release.id)
        with suppress(Conflict):  # it moved on in between; the next turn sees where
            _people_and_traffic(db, release, fate, turn)
        turn += 1
        if time.monotonic() > deadline:
            raise TimeoutError(f"{release.state}: {release.because}")
        time.sleep(0.01)
    return release


def _people_and_traffic(db: Database, release: Release, fate: str, turn: int) -> None:
    match release.state:
        case State.GATING:
            with db.read(world.BOB) as tx:
                gate = store.gate(tx, release.id)
                binding = release.binding(gate.digest) if gate else ""
                open_ = gate is not None and not standing(tx, release.subject, binding)
            if open_:
                world.approve(db, release.id)
        case State.SHADOWING:
            world.shadow(db, release.id, [world.pair(f"p{turn}-{n}") for n in range(10)])
        case State.IN_REVIEW:
            world.judge_all(db, release.id)
        case State.CANARYING:
            subjects = [f"s{turn}-{n}" for n in range(40)]
            world.serve(db, release.id, subjects, broken=fate == "bad")
        case _:
            pass


if __name__ == "__main__":
    found = live(sys.argv[1], sys.argv[2], float(sys.argv[3]))
    sys.stdout.write(found.state.value)
