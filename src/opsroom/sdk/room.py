"""What `testing.fake()` opens: a whole installation in this process, under a clock to be moved."""

import threading
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx2

from opsroom.kit.clock import SystemClock

from .client import HERE, Opsroom
from .local import InProcess, ServerNotInstalled

ROLES = ("reviewer", "operator", "risk")


class MovedClock(SystemClock):
    """The machine's clock, so that what waits for it goes on; and ahead of it by what a test
    lets pass.
    """

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self._ahead

    def advance(self, by: timedelta) -> None:
        self._ahead += by


@dataclass
class Opened:
    """An open installation; `client` asks as whoever owns its folder."""

    runtime: Any
    transport: InProcess
    clock: MovedClock
    client: Opsroom
    work: ExitStack  # what runs beside the requests
    _people: set[str] = field(default_factory=set[str])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def person(self, name: str) -> Opsroom:
        """A client that asks as somebody who may answer, logged in just now."""
        with self._lock:
            if name not in self._people:
                self.client.post("/v1/users", {"name": name, "roles": list(ROLES)})
                self._people.add(name)
        code = self.client.post(f"/v1/users/{name}/link")["path"].rpartition("#")[2]
        secret = self.client.post("/v1/sessions/once", {"code": code})["secret"]
        cookie = {"Cookie": f"opsroom_session={secret}", "Origin": HERE}
        return _client(self.client, self.transport, cookie)

    def agree(self, agent: str, contract: str, risk: str, times: int) -> None:
        """Put on record that people agreed with an agent so often."""
        from opsroom.autonomy import commands
        from opsroom.contracts.model import Tier

        app: Any = import_module("opsroom.app.runtime")
        with self.runtime.db.write(app.SYSTEM) as tx:
            commands.observe(tx, agent, contract, Tier(risk), "production", agreed=times)

    def close(self) -> None:
        self.client.close()
        self.work.close()
        self.transport.close()


def open_room(folder: Path) -> Opened:
    """Open an installation on an empty folder; nothing in the environment has a say in it."""
    try:
        app: Any = import_module("opsroom.app")
    except ModuleNotFoundError as error:
        raise ServerNotInstalled(str(folder)) from error
    clock = MovedClock()
    settings = replace(app.from_environment({}, data=folder), clock=clock)
    runtime = app.open_runtime(settings)
    transport = InProcess(app.guarded(app.build(runtime, background=False)), runtime.close)
    token = app.local_token(runtime)
    client = _client(Opsroom(data_dir=folder), transport, {"Authorization": f"Bearer {token}"})
    work = ExitStack()
    work.enter_context(app.at_work(runtime))
    return Opened(runtime, transport, clock, client, work)


def _client(like: Opsroom, transport: InProcess, headers: dict[str, str]) -> Opsroom:
    """A client whose requests stay in this process."""
    return like.over(_Shared(transport), headers)


class _Shared(httpx2.BaseTransport):
    """A transport that outlives the clients that use it."""

    def __init__(self, transport: InProcess) -> None:
        self._transport = transport

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._transport.handle_request(request)
