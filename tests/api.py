"""The application as callers meet it: tokens and people with roles, over HTTP, in this process."""

import itertools
import shutil
import tempfile
import threading
import weakref
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.from_thread import BlockingPortal
from starlette.testclient import TestClient

from opsroom.access import commands as access
from opsroom.access import store as access_store
from opsroom.access.http import COOKIE
from opsroom.app import Runtime, Settings, build, guarded
from opsroom.app.kinds import KINDS
from opsroom.kit.clock import Clock
from opsroom.kit.db import Actor, Database

HOST = "http://127.0.0.1"
SAID = ("code", "message", "hint", "facts")  # of every error; in OpenAI's shape there is more


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error as a caller gets it."""

    status: int
    code: str
    message: str
    hint: str
    facts: dict[str, Any]
    exit_code: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks; `headers` say who."""

    client: TestClient
    name: str
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, **rest: Any) -> Any:
        headers = {**self.headers, **rest.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **rest)

    def get(self, path: str, **query: Any) -> Any:
        return self._answer(self.send("GET", path, params=query or None))

    def post(self, path: str, body: Any = None) -> Any:
        return self._answer(self.send("POST", path, json=body))

    def call(
        self, method: str, path: str, body: Any = None, *, timeout: float | None = None
    ) -> Any:
        """What the SDK's client has; nothing takes long in here."""
        return self._answer(self.send(method, path, json=body))

    def put(self, path: str, body: Any = None) -> Any:
        return self._answer(self.send("PUT", path, json=body))

    def delete(self, path: str) -> Any:
        return self._answer(self.send("DELETE", path))

    def refused(self, method: str, path: str, body: Any = None, **rest: Any) -> Refusal:
        """The error that a request meets; fails where it is answered instead."""
        if body is not None:
            rest["json"] = body
        response = self.send(method, path, **rest)
        assert response.status_code >= 400, response.text
        error = {name: response.json()["error"][name] for name in SAID}
        exit_code = int(response.headers.get("Opsroom-Exit-Code", 0))
        return Refusal(status=response.status_code, exit_code=exit_code, **error)

    @staticmethod
    def _answer(response: Any) -> Any:
        assert response.status_code < 300, response.text
        return response.json() if response.content else None


@cache
def _loop() -> BlockingPortal:
    """The event loop of this process for requests; one for each costs more than most answers."""
    started: Future[BlockingPortal] = Future()

    async def stay() -> None:
        async with BlockingPortal() as portal:
            started.set_result(portal)
            await portal.sleep_until_stopped()

    threading.Thread(target=anyio.run, args=(stay,), name="requests", daemon=True).start()
    return started.result()


class Api:
    """The application over one database, and whoever may call it."""

    def __init__(self, db: Database, clock: Clock) -> None:
        folder = Path(tempfile.mkdtemp(prefix="opsroom-api-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        runtime = Runtime(settings=Settings(clock=clock, data=folder), db=db, kinds=KINDS)
        self.db = db
        self.app = build(runtime, background=False)
        self.app.state.closing.set()  # an answer that goes on for ever ends at once
        self.client = TestClient(guarded(self.app), base_url=HOST)
        self.client.portal = _loop()
        self.nobody = Caller(self.client, "nobody")
        self._count = itertools.count(1)

    def actor(self, project: str = "default") -> Actor:
        return Actor("system", project, human=False)

    def project(self, name: str) -> None:
        with self.db.write(self.actor()) as tx:
            if not access_store.has_project(tx, name):
                access_store.add_project(tx, name)

    def program(self, *roles: str, project: str = "default", agent: str = "") -> Caller:
        """A program with a token that has these roles, bound to an agent if one is named."""
        name = f"{'-'.join(roles) or 'no-role'}-{next(self._count)}"
        with self.db.write(self.actor(project)) as tx:
            token, secret = access.issue_token(tx, name, roles, agent=agent)
        return Caller(self.client, token.actor, {"Authorization": f"Bearer {secret}"})

    def person(self, *roles: str, name: str = "", project: str = "default") -> Caller:
        """Somebody who has logged in with a browser."""
        name = name or f"{'-'.join(roles) or 'no-role'}-{next(self._count)}"
        with self.db.write(self.actor(project)) as tx:
            access.create_user(tx, name, roles)
            link = access.issue_link(tx, name)
        with self.db.write(self.actor(project)) as tx:
            session = access.follow_link(tx, link)
        return Caller(self.client, name, {"Cookie": f"{COOKIE}={session}", "Origin": HOST})


@pytest.fixture
def api(db: Database, clock: Clock) -> Api:
    """The application on both engines."""
    return Api(db, clock)


@pytest.fixture
def sqlite_api(sqlite_db: Database, clock: Clock) -> Api:
    """The application where the engine does not matter."""
    return Api(sqlite_db, clock)
