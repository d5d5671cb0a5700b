"""ClickHouse: in this process (chdb) for one machine, or a server by its URL. The same SQL.

chdb runs one directory for a process, with any number of handles on it; a directory belongs to
one process. A handle answers one statement at a time, so there is a handful of them.
"""

import hashlib
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any
from urllib.parse import urlsplit

from clickhouse_connect import common, get_client
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import (
    ClickHouseError,
    DatabaseError,
    OperationalError,
)

from opsroom.kit.errors import Invalid
from opsroom.traces.errors import TelemetryRefused, TelemetryUnavailable

HANDLES = 4
_SCHEMES = {"clickhouse": "http", "clickhouses": "https", "http": "http", "https": "https"}
# Of the many ways to refuse, these pass: too busy, out of memory, no disk, read-only for now.
_PASSING = re.compile(r"Code: (?:159|202|209|210|241|242|243|252|425)\b")


@dataclass(eq=False)
class BadTelemetryUrl(Invalid):
    code = "bad_telemetry_url"
    text = "{0.url!r} is no address of a ClickHouse server"
    hint = "write clickhouse://user:password@host:8123/database, or clickhouses:// with TLS"
    url: str


class ClickHouse:
    """Satisfies `opsroom.traces.ports.Telemetry`."""

    def __init__(self, *, schemas: Path | None = None, **where: Any) -> None:
        common.set_setting("autogenerate_session_id", value=False)
        self._where = where
        self._schemas = schemas
        self._idle: LifoQueue[Client] = LifoQueue()
        self._room = threading.Semaphore(HANDLES)
        self._closed = False
        with self._handle():
            pass  # opens the store, or says why it cannot be

    def rows(
        self, sql: str, parameters: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        with self._handle() as client:
            return list(client.query(sql, parameters=dict(parameters or {})).named_results())

    def run(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        with self._handle() as client:
            client.command(sql, parameters=dict(parameters or {}))

    def insert(
        self, table: str, data: bytes, *, form: str, settings: Mapping[str, str]
    ) -> None:
        given = dict(settings)
        if self._schemas is not None and given.get("format_schema_source") == "string":
            given = _in_a_file(given, self._schemas)
        with self._handle() as client:
            client.raw_insert(table, insert_block=data, fmt=form, settings=given)

    def close(self) -> None:
        """Let go of the store. Another process, or this one, may open it again."""
        self._closed = True
        for _ in range(HANDLES):
            self._room.acquire()  # until nobody is in the middle of a statement
        try:
            while True:
                self._idle.get_nowait().close()
        except Empty:
            self._room.release(HANDLES)  # so that whoever still asks is told

    def _connected(self) -> Client:
        """One more handle. Whatever is wrong with opening it, no statement is to blame."""
        try:
            return get_client(**self._where)
        except ClickHouseError as error:
            raise TelemetryUnavailable(_first_line(error)) from error

    @contextmanager
    def _handle(self) -> Iterator[Client]:
        with self._room, translated():
            if self._closed:
                raise TelemetryUnavailable("it has been closed")
            try:
                client = self._idle.get_nowait()
            except Empty:
                client = self._connected()
            try:
                yield client
            finally:
                self._idle.put(client)


def embedded(folder: Path) -> ClickHouse:
    """The store in a folder of its own, run by this process."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    here = folder.resolve()
    return ClickHouse(interface="chdb", path=str(here), schemas=here / "opsroom-schemas")


def server(url: str) -> ClickHouse:
    """The store on a ClickHouse server."""
    parts = urlsplit(url)
    interface = _SCHEMES.get(parts.scheme)
    if interface is None or not parts.hostname:
        raise BadTelemetryUrl(url)
    return ClickHouse(
        interface=interface,
        host=parts.hostname,
        port=parts.port or (8443 if interface == "https" else 8123),
        username=parts.username or "default",
        password=parts.password or "",
        database=parts.path.strip("/") or "default",
    )


@contextmanager
def translated() -> Iterator[None]:
    """What the driver says, as errors of ours."""
    try:
        yield
    except OperationalError as error:
        raise TelemetryUnavailable(_first_line(error)) from error
    except DatabaseError as error:
        why = _first_line(error)
        if _PASSING.search(why):
            raise TelemetryUnavailable(why) from error
        raise TelemetryRefused(why) from error
    except (ClickHouseError, RuntimeError, OSError) as error:
        raise TelemetryUnavailable(_first_line(error)) from error


def _in_a_file(settings: dict[str, str], folder: Path) -> dict[str, str]:
    """The same settings with the schema in a file of ours. Of one that comes as text, chdb keeps
    a copy in whatever folder the process was started in.
    """
    left = dict(settings)
    text, message = left.pop("format_schema"), left.pop("format_schema_message_name")
    del left["format_schema_source"]
    file = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.proto"
    if not file.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        fresh = file.with_suffix(f".{threading.get_ident()}")
        fresh.write_text(text)
        fresh.replace(file)
    return left | {"format_schema": f"{file}:{message}"}


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:500] if lines else type(error).__name__
