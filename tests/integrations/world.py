"""A system of somebody else's on this machine, which changes its mind when it is told to."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opsroom.app.kinds import KINDS
from opsroom.integrations import checking, commands
from opsroom.integrations.differ import ToolFace
from opsroom.integrations.model import Run, Standing
from opsroom.integrations.probing import ANSWER, ListTools, Prober
from opsroom.kit import outbound
from opsroom.kit.db import Actor, Database
from opsroom.registry import ArtifactDraft, VersionDraft
from opsroom.registry import commands as registry
from opsroom.vault import from_environment

OPS = Actor("ops", "default", frozenset({"read", "author", "operate"}), ("operator",))
NAME = "orders"
ORDER = {"id": "o-1", "total": 12.5, "lines": [{"sku": "a", "count": 2}], "note": None}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Orders", "version": "1"},
    "paths": {
        "/orders": {
            "get": {
                "responses": {
                    "200": {
                        "description": "All orders",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "array",
                                    "items": {"$ref": "#/components/schemas/Order"},
                                }
                            }
                        },
                    }
                }
            }
        }
    },
    "components": {
        "schemas": {
            "Order": {
                "type": "object",
                "required": ["id", "total"],
                "properties": {
                    "id": {"type": "string"},
                    "total": {"type": "number"},
                    "note": {"type": "string", "nullable": True},
                },
            }
        }
    },
}


class System:
    """Answers by path; what it does is a plain attribute. `seen` are the requests it got."""

    def __init__(self) -> None:
        self.document: Any = deepcopy(DOCUMENT)
        self.orders: Any = [ORDER]
        self.status = 200
        self.redirect = ""
        self.raw = b""
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.url = ""

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def answer(self, path: str) -> tuple[int, bytes]:
        if self.raw:
            return 200, self.raw
        data = self.document if path.startswith("/openapi") else self.orders
        return self.status, json.dumps(data).encode()


@contextmanager
def system() -> Iterator[System]:
    here = System()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            here.seen.append((self.command, self.path, dict(self.headers)))
            if here.redirect:
                self.send_response(302)
                self.send_header("Location", here.redirect)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            status, body = here.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_HEAD = _any  # noqa: N815  # the library's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """A test says what matters itself."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def no_tools(_url: str, _secret: str) -> list[ToolFace]:
    raise AssertionError("nobody asked an MCP server")


def prober(
    *systems: System,
    tools: ListTools = no_tools,
    environment: Mapping[str, str] | None = None,
    answer: outbound.Limits = ANSWER,
) -> Prober:
    """A prober that may call these systems, although they lie on this machine."""
    allow = tuple(one.host for one in systems)
    return Prober(
        tools=tools, allow=allow, secrets=from_environment(environment), answer=answer
    )


def spec(here: System, **rest: Any) -> dict[str, Any]:
    return {
        "endpoint": here.url,
        "source": {"kind": "openapi", "url": f"{here.url}/openapi.json"},
        **rest,
    }


def store(db: Database, wanted: dict[str, Any], *, name: str = NAME) -> Standing:
    """Store a version and look after it, as the reaction to it does."""
    with db.write(OPS) as tx:
        registry.create_artifact(tx, ArtifactDraft(kind="integration", name=name), kinds=KINDS)
        draft = VersionDraft(spec=wanted)
        registry.create_version(tx, "integration", name, draft, kinds=KINDS)
        return commands.watch(tx, name)


def check(db: Database, by: Prober, *, name: str = NAME) -> Run:
    run = checking.check(db, OPS, name, prober=by)
    assert run is not None
    return run


def contract(tool: str, *, integration: str = NAME) -> dict[str, Any]:
    return {"tool": tool, "integration": integration, "risk": "read"}


def agent(db: Database, name: str, *tools: str, integration: str = NAME) -> None:
    """An agent in production that may call these tools."""
    with db.write(OPS) as tx:
        for kind, one, wanted in (
            *(("contract", tool, contract(tool, integration=integration)) for tool in tools),
            ("agent", name, {"model": {"model": "m"}, "contracts": [f"{t}@1" for t in tools]}),
        ):
            registry.create_artifact(tx, ArtifactDraft(kind=kind, name=one), kinds=KINDS)
            registry.create_version(tx, kind, one, VersionDraft(spec=wanted), kinds=KINDS)
