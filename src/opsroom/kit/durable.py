"""Work that outlives the process: loops that look, wait, and look again. DBOS behind one door.

A loop has a name and a function `look(key)`, which does what there is to do now and answers
with the seconds after which it wants to be called again, or None when its work is done. In
between the loop waits, until the time has come or somebody signals its key.

Promises: a loop that was begun goes on after any crash, where it was. `look` is called at
least once for every signal that arrives while it is not looking, and may be called again for
the same reason, so it must be safe to repeat. Waiting costs no thread and writes nothing; a
look and the wait after it write three rows.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dbos import DBOS, Serializer, SetWorkflowID, error
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import ConnectionPoolEntry

from .db import WAIT_MS, sqlite_module, sqlite_pragmas
from .errors import Unavailable
from .faults import boundary

log = logging.getLogger(__name__)

Look = Callable[[str], float | None]

APP = "opsroom"
# Workflows are only taken up by code of the version that began them. Ours reads its state
# from the database at every look, so any version of ours can take up any loop.
VERSION = "loops-1"
POLL = 0.2
SHORTEST = 0.02  # a clock that stands still must not make a loop spin
LONGEST = 24 * 3600.0  # nobody should have to rely on a signal alone
PATIENCE = 600.0


class JsonSerializer(Serializer):
    """Plain JSON in the system database: readable by people, and nothing to execute."""

    def name(self) -> str:
        return "opsroom_json"

    def serialize(self, data: Any) -> str:
        if isinstance(data, BaseException):
            data = {"error": type(data).__name__, "message": str(data)}
        return json.dumps(data, separators=(",", ":"), allow_nan=False)

    def deserialize(self, serialized_data: str) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        data = json.loads(serialized_data)
        if isinstance(data, dict) and data.keys() == {"error", "message"}:
            return RuntimeError(f"{data['error']}: {data['message']}")
        return data


class Durable:
    """The loops of one process. `executor` names it: what it was doing when it died is taken
    up again by the next process of that name.

    `url` is the application's database. PostgreSQL holds the loops in a schema of their own;
    beside an SQLite file lies a second one, since each has one writer at a time.
    """

    def __init__(self, url: str, *, loops: Mapping[str, Look], executor: str = "local") -> None:
        self._url = url
        self._loops = dict(loops)
        self._executor = executor
        self._engine: Engine | None = None

    def launch(self) -> None:
        """Start working, first on what an earlier process of this name left behind.

        One `Durable` can be at work in a process. Call it outside any event loop.
        """
        _log_as_we_do()
        self._engine = _system_engine(self._url)
        DBOS(
            config={
                "name": APP,
                "application_version": VERSION,
                "executor_id": self._executor,
                "system_database_url": self._engine.url.render_as_string(hide_password=False),
                "system_database_engine": self._engine,
                "serializer": JsonSerializer(),
                "notification_listener_polling_interval_sec": POLL,
                "log_level": "WARNING",
            }
        )

        async def drive(loop: str, key: str) -> None:  # DBOS wants a function, not a method
            await self._run(loop, key)

        self._drive = DBOS.workflow(name="loop", max_recovery_attempts=None)(drive)
        DBOS.launch()
        DBOS.register_queue(APP, polling_interval_sec=POLL, on_conflict="always_update")

    def close(self) -> None:
        """Stop working; everything unfinished waits for the next `launch`."""
        logging.getLogger("dbos").setLevel(logging.ERROR)  # a loop that waits is no surprise
        DBOS.destroy(destroy_registry=True)
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def begin(self, loop: str, key: str) -> None:
        """Let `loop` look after `key` from now on. Beginning twice is beginning once."""
        with SetWorkflowID(_id(loop, key)):
            DBOS.enqueue_workflow(APP, self._drive, loop, key)

    def signal(self, loop: str, key: str, *, about: str) -> None:
        """Make `loop` look at `key` soon, and begin it where nobody has.

        `about` names the reason: told twice about the same thing, it looks once.
        """
        self.begin(loop, key)
        try:
            DBOS.send(_id(loop, key), None, topic="signal", idempotency_key=about)
        except error.DBOSNonExistentWorkflowError:  # it was deleted in between: nothing to wake
            log.warning("nobody looks after %s any more", key)

    def finished(self, loop: str, key: str) -> bool:
        """Whether a loop that was begun has come to its end."""
        status = DBOS.get_workflow_status(_id(loop, key))
        return status is not None and status.status == "SUCCESS"

    def rows(self, loop: str, key: str) -> int:
        """How many steps the log of a loop holds."""
        return len(DBOS.list_workflow_steps(_id(loop, key)))

    async def _run(self, loop: str, key: str) -> None:
        failures = 0
        while True:
            seconds = await DBOS.run_step_async({"name": loop}, self._look, loop, key)
            if seconds is None:
                return
            failures = failures + 1 if seconds < 0 else 0
            if failures:
                seconds = min(PATIENCE, 0.25 * 2.0**failures)
            if seconds > 0:
                await DBOS.recv_async(
                    "signal", timeout_seconds=min(max(seconds, SHORTEST), LONGEST)
                )

    async def _look(self, loop: str, key: str) -> float | None:
        """One look, as a step. −1 stands for one that failed: the loop outlives its failures,
        because a loop that ended in an error would leave its work to nobody.
        """
        boundary("durable.before_look")
        try:
            seconds = await asyncio.to_thread(self._loops[loop], key)
        except Unavailable as problem:
            log.warning("%s cannot look after %s now: %s", loop, key, problem)
            return -1
        except Exception:
            log.exception("bug while %s looked after %s", loop, key)
            return -1
        boundary("durable.after_look")
        return seconds


def _id(loop: str, key: str) -> str:
    return f"{loop}:{key}"


def _system_engine(url: str) -> Engine:
    """Our own engine for DBOS: on SQLite the checked library, a full sync at every commit, and
    patience; its own would be the standard library's, without a write-ahead log.
    """
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=10)
    beside = Path(address.database or "").with_name("workflows.sqlite")
    engine = create_engine(
        f"sqlite:///{beside}",
        module=sqlite_module(),
        connect_args={"check_same_thread": False, "timeout": WAIT_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = "IMMEDIATE"  # what DBOS expects of a connection
        sqlite_pragmas(connection)

    return engine


def _log_as_we_do() -> None:
    """Let DBOS's messages go through our logging; it would print them itself otherwise."""
    theirs = logging.getLogger("dbos")
    if not theirs.handlers:
        theirs.addHandler(logging.NullHandler())
    theirs.propagate = True
