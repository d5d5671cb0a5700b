"""A store of telemetry for tests.

chdb runs one directory for a process at a time, and opening one takes a moment: so there is
one for the whole run, in which each test has projects of its own. A test that needs the
directory to itself (a server in this process, a restart) asks for `lone_telemetry`.
"""

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from opsroom.engines import clickhouse
from opsroom.kit.clock import Clock
from opsroom.models.rates import PriceFrom
from opsroom.traces.checking import PROTOBUF, Checked, check
from opsroom.traces.intake import Bounds, now_nano
from opsroom.traces.keeping import NEVER_DECIDED, redactor
from opsroom.traces.ports import Telemetry
from opsroom.traces.telemetry import Traces
from opsroom.traces.wire import Stamp

QUICK = Bounds(pace=0.0)
KEEP = timedelta(days=10_000)
MOST = 10**12
_names = itertools.count(1)


class _Shared:
    """The store of this process, which no test closes."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._store: Telemetry | None = None

    def open(self) -> Telemetry:
        if self._store is None:
            self._folder = tempfile.TemporaryDirectory(prefix="opsroom-telemetry-")
            self._store = clickhouse.embedded(Path(self._folder.name))
        return self._store

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
        if self._folder is not None:
            self._folder.cleanup()


class _Borrowed:
    """The shared store in the hands of somebody who will close it."""

    def __init__(self, store: Telemetry) -> None:
        self._store = store
        self.rows, self.run, self.insert = store.rows, store.run, store.insert

    def close(self) -> None:
        pass


_shared = _Shared()


@pytest.fixture(scope="session", autouse=True)
def _telemetry_of_this_process() -> Iterator[None]:
    yield
    _shared.close()


def shared() -> Telemetry:
    """A connection to the store of this process, to be closed like any other."""
    return _Borrowed(_shared.open())


@contextmanager
def alone() -> Iterator[None]:
    """Nobody in this process has a store open meanwhile."""
    _shared.close()
    yield


def no_own_price(project: str, provider: str, model: str) -> Sequence[PriceFrom] | None:
    return None


@dataclass(eq=False)
class Room:
    """A project of its own in the shared store."""

    traces: Traces
    clock: Clock
    project: str = field(default_factory=lambda: f"project-{next(_names)}")

    def send(self, request: Any, *, contents: bool = True) -> int:
        """Take a request in as the server does; how many spans were refused."""
        checked, stored = self.hand_in(request, contents=contents)
        stored.result(timeout=60)
        return len(checked.dead)

    def hand_in(self, request: Any, *, contents: bool = True) -> tuple[Checked, "Future[None]"]:
        """The same, without waiting until it is stored."""
        body = request if isinstance(request, bytes) else request.SerializeToString()
        now = now_nano(self.clock)
        checked = check(body, form=PROTOBUF, redactor=redactor(NEVER_DECIDED), now=now)
        stamp = Stamp(
            project=self.project,
            sender="token:tests",
            capture=contents,
            received=now,
            digest=checked.digest,
        )
        return checked, self.traces.intake.submit(checked.body, stamp, checked.dead)

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """What a question finds; `{project:String}` is this one."""
        return self.traces.rows(sql, {"project": self.project, **parameters})

    def spans(self) -> list[dict[str, Any]]:
        self.settle()
        return self.rows(
            "SELECT * FROM spans FINAL WHERE project = {project:String} ORDER BY start, span_id"
        )

    def settle(self) -> None:
        """Wait until whatever was stored is priced."""
        self.traces.opened().pricing.settle(self.clock.now())


@pytest.fixture
def room(clock: Clock) -> Iterator[Room]:
    traces = Traces(shared, clock=clock, own=no_own_price, keep=KEEP, most=MOST, bounds=QUICK)
    yield Room(traces, clock)
    traces.close()
