"""The application over the store of this process, and a store that can be held up."""

import threading
import time
from collections.abc import Iterator, Mapping

import pytest
from tests.api import Api, Caller
from tests.telemetry import KEEP, MOST, Room, no_own_price, shared

from opsroom.kit.clock import Clock
from opsroom.traces.errors import TelemetryUnavailable
from opsroom.traces.intake import Bounds
from opsroom.traces.ports import Telemetry
from opsroom.traces.telemetry import Traces


@pytest.fixture
def office(sqlite_api: Api, room: Room) -> Api:
    """The application, over the store of this process; its project is the room's."""
    sqlite_api.app.state.traces = room.traces
    sqlite_api.project(room.project)
    return sqlite_api


@pytest.fixture
def sender(office: Api, room: Room) -> Caller:
    return office.program("agent", project=room.project)


class Stuck:
    """A store that holds every insert until it is let go, and refuses what it is told to."""

    def __init__(self, store: Telemetry) -> None:
        self._store = store
        self.rows, self.run, self.close = store.rows, store.run, store.close
        self.stuck = False
        self.failing = False
        self.refused = 0
        self.holds = threading.Event()  # an insert, until it is let go

    def insert(
        self, table: str, data: bytes, *, form: str, settings: Mapping[str, str]
    ) -> None:
        while self.stuck and not self.failing:
            self.holds.set()
            time.sleep(0.005)
        if self.failing:
            self.refused += 1
            raise TelemetryUnavailable("it is away")
        self._store.insert(table, data, form=form, settings=settings)


@pytest.fixture
def stuck(clock: Clock, office: Api, room: Room) -> Iterator[Stuck]:
    store = Stuck(shared())
    bounds = Bounds(waiting=100_000, pace=0.0)
    traces = Traces(
        lambda: store, clock=clock, own=no_own_price, keep=KEEP, most=MOST, bounds=bounds
    )
    office.app.state.traces = traces
    yield store
    store.stuck = store.failing = False
    traces.close()
