"""A served opsroom with a model server behind it, and spans caught on their way to the store."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.testclient import TestClient
from tests.model_server import ModelServer, Reply

from opsroom.access import commands as access
from opsroom.access import store as access_store
from opsroom.app import Settings, build, guarded, open_runtime
from opsroom.app.kinds import KINDS
from opsroom.app.providers import LazyProviders
from opsroom.gateway.completions.door import Around, ModelDoor
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.kit.wire import plain
from opsroom.registry import commands as registry
from opsroom.registry import queries as registered
from opsroom.registry.model import ArtifactDraft, VersionDraft

BOSS = Actor("system", "default", frozenset({"administer", "act"}), human=False)
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_COUNT = itertools.count(1)
CHAT = "/openai/v1/chat/completions"


@dataclass
class Desk:
    db: Database
    app: Any
    client: TestClient
    there: ModelServer
    spans: list[bytes] = field(default_factory=list)
    project: str = "default"

    @property
    def boss(self) -> Actor:
        return replace(BOSS, project=self.project)

    def fresh(self) -> "Desk":
        """The same house in a project of its own, where nothing was asked yet."""
        self.settled()
        self.spans.clear()
        self.there.requests.clear()
        project = f"p{next(_COUNT)}"
        with self.db.write(BOSS) as tx:
            access_store.add_project(tx, project)
        return replace(self, project=project)

    def put(self, kind: str, name: str, spec: Any, *, label: str = "production") -> str:
        """Store a version and let a label name it; its reference."""
        with self.db.write(self.boss) as tx:
            if registered.found(tx, kind, name) is None:
                registry.create_artifact(tx, ArtifactDraft(kind=kind, name=name), kinds=KINDS)
            given = spec if isinstance(spec, dict) else plain(spec)
            made = registry.create_version(
                tx, kind, name, VersionDraft(spec=given), kinds=KINDS
            )
            of = registered.artifact(tx, kind, name)
            registry.move_label(tx, of, label, made.number, how="merge", reason="tests")
        return made.ref

    def route(self, name: str = "desk", **more: Any) -> str:
        target = {"model": "m1", "endpoint": self.there.url}
        return self.put("route", name, {"targets": [target], "repeats": 0, **more})

    def token(self, agent: str = "scout") -> dict[str, str]:
        with self.db.write(self.boss) as tx:
            _, secret = access.issue_token(tx, tx.ids.new("key"), ("agent",), agent=agent)
        return {"Authorization": f"Bearer {secret}"}

    def reader(self) -> dict[str, str]:
        with self.db.write(self.boss) as tx:
            _, secret = access.issue_token(tx, tx.ids.new("key"), ("viewer",))
        return {"Authorization": f"Bearer {secret}"}

    def ask(
        self, body: Any = None, *, path: str = CHAT, headers: Any = None, **more: Any
    ) -> Any:
        """What a program gets; without a body, an ordinary question to the route `desk`."""
        sent = (
            body
            if body is not None
            else {"model": "desk", "messages": [{"role": "user", "content": "hello"}]}
        )
        raw = sent if isinstance(sent, bytes) else json.dumps({**sent, **more}).encode()
        return self.client.post(path, content=raw, headers={**self.token(), **(headers or {})})

    def settled(self) -> None:
        """Wait until whatever is left to tell of calls is told."""
        self.app.state.model_door._after.submit(lambda: None).result()  # behind whatever waits

    def told(self) -> list[dict[str, Any]]:
        """The attributes of every span so far; its status stands under `status`."""
        self.settled()
        found: list[dict[str, Any]] = []
        for raw in self.spans:
            request = ExportTraceServiceRequest.FromString(raw)
            span = request.resource_spans[0].scope_spans[0].spans[0]
            named = {
                pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value")
                for pair in span.attributes
            }
            found.append({**named, "status": span.status.message, "trace": span.trace_id.hex()})
        return found

    def events(self, event: str) -> list[dict[str, Any]]:
        self.settled()
        with self.db.read(self.boss) as tx:
            return [
                one.facts for one, _ in journal.entries(tx, limit=200) if one.event == event
            ]


@contextmanager
def house(folder: Path) -> Iterator[Desk]:
    """An opsroom with a door, for many tests: each takes a `fresh` desk of it."""
    with ModelServer() as there:
        settings = Settings(
            data=folder,
            clock=ManualClock(START),
            allowed_hosts=(urlsplit(there.url).netloc,),
            model_url=there.url,
        )
        runtime = open_runtime(settings)
        app = build(runtime, background=False)
        made = Desk(
            runtime.db, app, TestClient(guarded(app), base_url="http://127.0.0.1"), there
        )
        state = app.state
        state.model_door = ModelDoor(
            Around(
                db=runtime.db,
                submit=lambda body, stamp, dead: made.spans.append(body),
                keepers=state.keepers,
                tally=state.redactions,
                secrets=runtime.vault,
                serve=state.serve,
                providers=LazyProviders(settings),
                endpoint=there.url,
                key="sk-of-the-house",
                pause=_at_once,
                pace=0.0,
            )
        )
        with made.client:
            yield made
        runtime.close()


async def _at_once(_: float) -> None:
    """Nobody waits in tests."""


def stream(*events: Any, done: bool = True, **more: Any) -> Reply:
    """A stream of server-sent events."""
    data = [event if isinstance(event, str) else json.dumps(event) for event in events]
    body = "".join(f"data: {one}\n\n" for one in [*data, *(["[DONE]"] if done else [])])
    headers = {"Content-Type": "text/event-stream", **more.pop("headers", {})}
    return Reply(body=body.encode(), headers=headers, **more)


def chunk(text: str = "", *, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "model": "m1-2026",
        "choices": [choice],
        **more,
    }
