"""ClickHouse's HTTP interface in front of chdb: what a server of its own would answer.

Enough of the protocol for the real client over the real wire: the statement in the body or in
`query`, rows behind it, `param_…` and settings in the address, Native blocks back, errors by
status and header.
"""

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb

from opsroom.engines.clickhouse import _in_a_file

# What belongs to the transport, or is not a setting of the engine.
OURS = {
    "query", "database", "session_id", "query_id", "wait_end_of_query", "compress", "decompress",
    "enable_http_compression", "send_progress_in_http_headers", "client_protocol_version",
    "http_headers_progress_interval_ms", "role", "quota_key",
}  # fmt: skip


class Facade:
    """`busy` makes it answer as a server that has too much to do; `asked` are its statements."""

    def __init__(self, folder: Path) -> None:
        self.schemas = folder / "schemas"
        self.connection = chdb.connect(str(folder / "store"))
        self.lock = threading.Lock()
        self.busy = False
        self.asked: list[str] = []
        self.url = ""

    def answer(self, given: Mapping[str, str], body: bytes) -> bytes:
        settings = {
            name: value
            for name, value in given.items()
            if name not in OURS and not name.startswith("param_")
        }
        params = {
            name.removeprefix("param_"): value
            for name, value in given.items()
            if name.startswith("param_")
        }
        data = b""
        if not (sql := given.get("query", "")) and body.startswith(b"INSERT"):
            head, _, data = body.partition(b"\n")  # the statement, then what it inserts
            sql = head.decode()
        sql = sql or body.decode()
        self.asked.append(sql)
        with self.lock:
            if data:
                return self._insert(sql, data, settings)
            for name, value in settings.items():
                self.connection.query(f"SET {name} = {_quoted(value)}", "TabSeparated")
            return self.connection.query(sql, "TabSeparated", params=params).bytes() or b""

    def _insert(self, sql: str, data: bytes, settings: dict[str, str]) -> bytes:
        if settings.get("format_schema_source") == "string":
            settings = _in_a_file(settings, self.schemas)
        head, _, form = sql.rpartition(" FORMAT ")
        clause = ", ".join(f"{name} = {_quoted(value)}" for name, value in settings.items())
        with tempfile.NamedTemporaryFile(suffix=".raw") as file:
            file.write(data)
            file.flush()
            made = f"{head} FROM INFILE '{file.name}'"
            made += f" SETTINGS {clause}" if clause else ""
            return self.connection.query(f"{made} FORMAT {form}", "TabSeparated").bytes() or b""


class _Handler(BaseHTTPRequestHandler):
    here: Facade
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self._body()
        given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        if self.here.busy:
            self._say(503, b"Code: 202. DB::Exception: Too many simultaneous queries", 202)
            return
        try:
            answer = self.here.answer(given, body)
        except Exception as error:  # noqa: BLE001  # whatever it is, the client is told
            self._say(500, str(error).encode(), 62)
        else:
            self._say(200, answer)

    do_GET = do_POST  # noqa: N815  # the library's names

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _say(self, status: int, body: bytes, code: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Timezone", "UTC")
        self.send_header("X-ClickHouse-Summary", "{}")
        if code:
            self.send_header("X-ClickHouse-Exception-Code", str(code))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """A test says what matters itself."""


@contextmanager
def facade(folder: Path) -> Iterator[Facade]:
    here = Facade(folder)
    handler = type("Handler", (_Handler,), {"here": here})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    here.url = f"clickhouse://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        here.connection.close()


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
