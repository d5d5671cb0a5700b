"""Somebody who is told, on this machine, and channels that lead there."""

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opsroom.app.kinds import KINDS
from opsroom.channels import commands, queries
from opsroom.channels.model import TELLABLE, Delivery
from opsroom.channels.sending import Sender
from opsroom.channels.workflow import SYSTEM, deliver
from opsroom.journal import Entry, outbox
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.redaction import Redactor
from opsroom.registry import ArtifactDraft, VersionDraft
from opsroom.registry import commands as registry
from opsroom.vault import from_environment

OPS = Actor("olga", "default", frozenset({"read", "author", "operate"}), ("operator",))
LOOP = Actor(SYSTEM, "default", human=False)
KEY = "OPSROOM_SECRET_ON_CALL"
SECRET = "whsec_c29tZSBrZXkgb2Ygb3VycyB0aGF0IGlzIGxvbmc="


def announce(tx: Tx, entry: Entry) -> None:
    commands.announce(tx, entry, redactor=lambda _: Redactor(), page_for=lambda *_: "")


ANNOUNCE = Reaction(name="channels.announce", events=TELLABLE, react=announce)


@dataclass
class Receiver:
    """What arrived, and what is answered: `answers` one after the other, then 204."""

    url: str = ""
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: deque[tuple[int, dict[str, str], bytes]] = field(default_factory=deque)

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def next(self, status: int, body: bytes = b"", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, named, body))


@contextmanager
def receiver() -> Iterator[Receiver]:
    here = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            here.seen.append((dict(self.headers), body))
            status, headers, answer = here.answers.popleft() if here.answers else (204, {}, b"")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

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


def sender(*, allow: tuple[str, ...] = (), secrets: Mapping[str, str] | None = None) -> Sender:
    environment = {KEY: SECRET, **(secrets or {})}
    opened = from_environment(environment)
    return Sender(site="https://ops.example.org/", allow=allow, secrets=opened)


def webhook(here: Receiver, **rest: Any) -> dict[str, Any]:
    return {"to": {"kind": "webhook", "url": f"{here.url}/hook", "secret": KEY}, **rest}


def store(db: Database, name: str, spec: dict[str, Any], *, serves: bool = True) -> None:
    """Store a version, and let production name it."""
    with db.write(OPS) as tx:
        of = registry.create_artifact(tx, ArtifactDraft(kind="channel", name=name), kinds=KINDS)
        made = registry.create_version(
            tx, "channel", name, VersionDraft(spec=spec), kinds=KINDS
        )
        if serves:
            registry.move_label(tx, of, "production", made.number, how="merge", reason="")


def happens(db: Database, event: str = "alert.opened", **facts: Any) -> None:
    """Something happens, and channels hear of it."""
    told = {"rule": "errors-high", "urgency": "critical", "because": "12 of 40 failed", **facts}
    with db.write(OPS) as tx:
        tx.record(event, "alert/alt_1", agent=told.pop("agent", "clerk"), **told)
    outbox.pump(db, (ANNOUNCE,))


def send(db: Database, by: Sender, name: str = "on-call") -> int:
    return deliver(db, LOOP, name, sender=by)


def deliveries(db: Database, name: str = "on-call") -> list[Delivery]:
    with db.read(OPS) as tx:
        return queries.deliveries(tx, name)
