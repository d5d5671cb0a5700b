"""Exam D1: secrets that are planted through every door are found nowhere."""

import io
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests import installation
from tests.api import Api
from tests.installation import running
from tests.keyring import KEYRING
from tests.traces.otlp import request
from tests.vault.canaries import Canary, canaries, files, found

from opsroom.app.runtime import recorded
from opsroom.kit import outbound
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Database, open_engine
from opsroom.kit.ids import seeded_ids
from opsroom.kit.logs import Redacting

Send = Callable[..., Any]
Door = Callable[[Send, Canary, int], Any]
SEED, COUNT = 20261128, 200


def plant(
    send: Send, planted: list[Canary], doors: Sequence[Door]
) -> Iterator[tuple[str, bytes]]:
    """Plant every canary through one door after the other; what was answered comes back."""
    send("POST", "/v1/artifacts", json={"kind": "prompt", "name": "clerk"})
    send("POST", "/v1/artifacts", json={"kind": "channel", "name": "ops"})
    for number, (door, one) in enumerate(zip(cycle(doors), planted, strict=False)):
        answer = door(send, one, number)
        yield (
            f"answer {number} of {door.__name__}",
            answer.content + str(answer.headers).encode(),
        )


def _prompt(send: Send, one: Canary, number: int) -> Any:
    spec = {"format": "text", "text": f"You are a clerk.\nUse {one.text} for the orders."}
    return send("POST", "/v1/artifacts/prompt/clerk/versions", json={"spec": spec})


def _header(send: Send, one: Canary, number: int) -> Any:
    line = one.text.replace("\n", " ")
    headers = {"X-Request-Id": line, "Authorization": f"Bearer {line}", "traceparent": line}
    return send("GET", "/v1/me", headers=headers)


def _span(send: Send, one: Canary, number: int) -> Any:
    told = {
        "name": f"call {one.text}",
        "gen_ai.tool.call.arguments": json.dumps({"token": one.text, "n": number}),
        "http.request.header": [one.text, {"deep": one.text}],
        "raw": one.text.encode(),
        one.text: "a key that is one",
    }
    return _traced(send, request({"trace": f"{number + 1:032x}", **told}))


def _exception(send: Send, one: Canary, number: int) -> Any:
    made = request({"trace": f"{number + 1:032x}", "status": 2})
    span = made.resource_spans[0].scope_spans[0].spans[0]
    span.status.message = f"refused: {one.text}"
    event = span.events.add(name="exception")
    event.time_unix_nano = span.start_time_unix_nano
    event.attributes.add(key="exception.message").value.string_value = f"no {one.text}"
    return _traced(send, made)


def _traced(send: Send, made: Any) -> Any:
    headers = {"Content-Type": "application/x-protobuf"}
    return send("POST", "/v1/traces", content=made.SerializeToString(), headers=headers)


def _url(send: Send, one: Canary, number: int) -> Any:
    headers = {"Accept": "text/html" if number % 2 else "application/json"}
    return send("GET", f"/nowhere/{one.text}", headers=headers)


def _feedback(send: Send, one: Canary, number: int) -> Any:
    said = {
        "subject": f"trace/{number + 1:032x}",
        "agent": "clerk",
        "text": f"it said {one.text}",
    }
    return send("POST", "/v1/feedback", json=said)


def _channel(send: Send, one: Canary, number: int) -> Any:
    to = {"kind": "webhook", "url": "https://example.org/hook", "secret": one.text}
    spec = {"to": to, "description": f"reached with {one.text}"}
    return send("POST", "/v1/artifacts/channel/ops/versions", json={"spec": spec})


def _secret(send: Send, one: Canary, number: int) -> Any:
    """Kept on purpose, and therefore sealed."""
    body = {"value": one.text, "places": ["https://example.org"]}
    return send("PUT", f"/v1/secrets/kept-{number}", json=body)


def _broken(send: Send, one: Canary, number: int) -> Any:
    return send("PUT", f"/v1/secrets/{number}", json={"value": one.text, one.text: [one.text]})


DOORS = (_prompt, _header, _span, _exception, _url, _feedback, _channel, _secret, _broken)


@contextmanager
def sending(address: str, headers: dict[str, str]) -> Iterator[Send]:
    """Sends requests to a server of ours on this machine."""
    limits = outbound.Limits(size=2**24, seconds=300.0)
    with outbound.client(allow=(address.removeprefix("http://"),), limits=limits) as client:

        def send(method: str, path: str, **rest: Any) -> Any:
            given = {**headers, **rest.pop("headers", {})}
            return client.request(method, f"{address}{quote(path)}", headers=given, **rest)

        yield send


def test_what_is_planted_comes_back_nowhere(
    sqlite_url: str, clock: ManualClock, tmp_path: Path
) -> None:
    """The small exam: one database, its log, and every answer."""
    db = Database(
        open_engine(sqlite_url),
        clock=clock,
        ids=seeded_ids(clock, SEED),
        on_commit=recorded,
        keyring=KEYRING,
    )
    api = Api(db, clock)
    admin = api.person("admin", "author")
    planted = canaries(SEED, 54)
    needles = {one.needle: one.kind for one in planted}
    doors = (_prompt, _header, _url, _feedback, _channel, _secret, _broken)

    def send(method: str, path: str, **rest: Any) -> Any:
        return admin.send(method, quote(path), **rest)

    answers = dict(plant(send, planted, doors))
    for number, one in enumerate(planted):
        with db.write(api.actor()) as tx:
            tx.record("correction.rejected", f"correction/{number}", because=one.text)
    assert found(needles, answers) == []
    assert found(needles, dict(files(tmp_path))) == []
    api.app.state.redactions.keep(db)
    counted = {(one["door"], one["rule"]) for one in admin.get("/v1/redactions")["items"]}
    assert {("journal", "key"), ("journal", "card"), ("feedback", "connection")} <= counted
    db.engine.dispose()


def test_logs_are_redacted_with_their_traces() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Redacting())
    log = logging.getLogger("tests.vault")
    log.addHandler(handler)
    planted = canaries(SEED, 24)
    for one in planted:
        log.error("it failed with %s", one.text, exc_info=ValueError(one.text))
    log.removeHandler(handler)
    assert "[redacted:jwt]" in stream.getvalue()
    assert (
        found({one.needle: one.kind for one in planted}, {"log": stream.getvalue().encode()})
        == []
    )


@pytest.mark.slow
def test_exam_d1(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 secrets through every door of a real server: files, logs, answers and exports."""
    monkeypatch.setattr(installation, "PATIENCE", 300.0)
    planted = canaries(SEED, COUNT)
    needles = {one.needle: one.kind for one in planted}
    assert len(needles) == COUNT
    with running(home) as server:
        token = (home / "token").read_text().strip()
        with sending(server.url, {"Authorization": f"Bearer {token}"}) as send:
            places = dict(plant(send, planted, DOORS))
            for path in ("/v1/feedback", "/v1/journal/export", "/v1/secrets", "/v1/redactions"):
                places[path] = send("GET", path).content
            for number in range(COUNT):
                places[f"trace {number}"] = send("GET", f"/v1/traces/{number + 1:032x}").content
        places |= {f"{name}, open": raw for name, raw in files(home)}
    places |= dict(files(home))
    places["stdout"] = server.said.encode()
    places["stderr"] = server.complained.encode()
    assert any(b"[redacted:" in places[f"trace {number}"] for number in range(COUNT))
    assert found(needles, places) == []
