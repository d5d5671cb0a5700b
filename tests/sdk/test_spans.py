"""What a turn did becomes spans: cheap to make, joined with the record, and not lost in an outage."""

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import TracerProvider
from tests.patience import PATIENCE

from opsroom.sdk import Opsroom
from opsroom.sdk.spans import Span, Spans, spans_of, trace_for


@pytest.fixture(autouse=True)
def own_spool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("OPSROOM_SPOOL", str(tmp_path / "spool"))
    return tmp_path / "spool" / "spans"


class Collector:
    """Takes spans in like a server, as long as it is `up`."""

    def __init__(self) -> None:
        self.up = True
        self.status = 200
        self.spans: list[dict[str, Any]] = []
        self.url = ""

    @property
    def names(self) -> list[str]:
        return [one["name"] for one in self.spans]

    def take(self, body: bytes) -> int:
        if not self.up:
            return 503
        if self.status == 200:
            for resource in json.loads(body)["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    self.spans += scope["spans"]
        return self.status


@contextmanager
def collecting() -> Iterator[Collector]:
    there = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = there.take(body)
            said = b"{}" if status == 200 else b'{"error": {"code": "busy", "message": "busy"}}'
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    there.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def until(true: Any) -> None:
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends, "it never became true"
        time.sleep(0.02)


def span(name: str) -> Span:
    return Span(name, "a" * 32)


def test_spans_arrive_soon_and_in_order() -> None:
    with collecting() as there, Opsroom(there.url, "t") as client:
        for number in range(3):
            client.spans.end(span(f"s{number}"))
        until(lambda: there.names == ["s0", "s1", "s2"])
    (first, *_) = there.spans
    assert first["traceId"] == "a" * 32
    assert int(first["endTimeUnixNano"]) >= int(first["startTimeUnixNano"])


def test_an_outage_loses_nothing(own_spool: Path) -> None:
    with collecting() as there, Opsroom(there.url, "t") as client:
        there.up = False
        for number in range(1200):
            client.spans.end(span(f"s{number}"))
        client.spans.flush()
        assert list(own_spool.glob("*.json"))
        assert there.spans == []
        there.up = True
        until(lambda: len(there.spans) == 1200)
        until(lambda: not list(own_spool.glob("*.json")))
    assert sorted(there.names, key=lambda name: int(name[1:])) == [f"s{n}" for n in range(1200)]


def test_a_later_process_delivers_what_waits() -> None:
    with collecting() as there:
        there.up = False
        with Opsroom(there.url, "t") as client:
            client.spans.end(span("left"))
        there.up = True
        with Opsroom(there.url, "t") as client:
            client.spans.end(span("new"))
            until(lambda: sorted(there.names) == ["left", "new"])


def test_what_is_refused_for_good_is_said_and_not_repeated(
    caplog: pytest.LogCaptureFixture, own_spool: Path
) -> None:
    with collecting() as there, Opsroom(there.url, "t") as client:
        there.status = 403
        with caplog.at_level(logging.WARNING):
            client.spans.end(span("s"))
            client.spans.flush()
        assert "refuses 1 spans" in caplog.text
    assert not list(own_spool.glob("*.json"))


def test_the_disk_is_not_filled(own_spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsroom.sdk.spans.MOST_ON_DISK", 20_000)
    with collecting() as there, Opsroom(there.url, "t") as client:
        there.up = False
        spans = Spans(client)
        for number in range(30):
            for _ in range(10):
                spans.end(span(f"s{number}"))
            spans.flush()
        size = sum(file.stat().st_size for file in own_spool.glob("*.json"))
        assert 0 < size < 30_000
        assert "s29" in "".join(file.read_text() for file in own_spool.glob("*.json"))
        spans.close()


def test_switched_off_or_without_a_server_there_are_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert spans_of(Opsroom(data_dir=tmp_path)) is None
    monkeypatch.setenv("OPSROOM_TRACES", "off")
    assert spans_of(Opsroom("http://127.0.0.1:9", "t")) is None


def test_a_turn_goes_under_the_trace_that_it_runs_in() -> None:
    provider = TracerProvider()
    with provider.get_tracer("t").start_as_current_span("outer") as outer:
        trace, parent = trace_for("")
        assert int(trace, 16) == outer.get_span_context().trace_id
        assert int(parent, 16) == outer.get_span_context().span_id
        assert trace_for("b" * 32) == ("b" * 32, "")
    fresh, none = trace_for("not a trace")
    assert (len(fresh), none) == (32, "")


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_fork_sends_its_own_and_not_its_parents() -> None:
    with collecting() as there, Opsroom(there.url, "t") as client:
        there.up = False
        client.spans.end(span("parents"))
        child = os.fork()
        if not child:
            client.spans.end(span("childs"))
            client.spans.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        there.up = True
        client.spans.end(span("later"))
        until(lambda: sorted(there.names) == ["childs", "later", "parents"])


def test_spans_of_a_turn_tell_what_was_done_and_join_its_record() -> None:
    with collecting() as there:
        told = {"id": "trn_1", "version": "agent/clerk@3", "manifest": "m", "release": None}
        client = Opsroom(there.url, "t")

        def call(method: str, path: str, body: Any = None, **_: Any) -> Any:
            if path == "/v1/traces":
                there.take(json.dumps(body).encode())
                return {}
            if path == "/v1/turns":
                return told | {"trace": body["trace"]}
            if path.endswith("/actions"):
                return {
                    "kind": "denied",
                    "id": "act_1",
                    "because": "no",
                    "refused_by": "policy",
                    "reasons": [],
                }
            return {}

        client.call = call  # type: ignore[method-assign]
        _act(client)
        client.close()
    inner, root = there.spans
    assert (inner["name"], root["name"]) == ("execute_tool read_invoice", "invoke_agent clerk")
    assert inner["parentSpanId"] == root["spanId"]
    assert inner["traceId"] == root["traceId"]
    facts = {one["key"]: next(iter(one["value"].values())) for one in inner["attributes"]}
    assert facts["opsroom.action.id"] == "act_1"
    assert facts["opsroom.action.outcome"] == "denied"
    facts = {one["key"]: next(iter(one["value"].values())) for one in root["attributes"]}
    assert facts["opsroom.turn.id"] == "trn_1"
    assert facts["opsroom.agent.version"] == "agent/clerk@3"
    assert facts["opsroom.turn.final"] == "refused"


def _act(client: Opsroom) -> None:
    from tests.sdk import freight

    from opsroom import sdk

    with sdk.turn("clerk", intent="read", client=client) as t:
        inside = otel.get_current_span().get_span_context()
        assert inside.trace_id == int(t._span.trace, 16)
        t.act_sync(freight.read_invoice, {"number": 7})
        t.final("refused")
    assert otel.get_current_span().get_span_context().trace_id == 0


def test_a_turn_is_found_as_a_trace(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the program through a real server into the store, and back by the turn's id."""
    from tests.installation import running
    from tests.sdk import freight
    from tests.sdk.test_reports import prepare

    from opsroom import sdk

    with running(home):
        prepare(home)
        with Opsroom(data_dir=home) as client:
            with sdk.turn("clerk", intent="read", client=client) as t:
                t.act_sync(freight.read_invoice, {"number": 7})
                t.final("done")
            client.spans.flush()
            (found,) = client.get("/v1/traces", turn=t.id)["items"]
            assert (found["name"], found["spans"]) == ("invoke_agent clerk", 2)
            spans = client.get(f"/v1/traces/{found['trace_id']}")
            assert [one["name"] for one in spans] == [
                "invoke_agent clerk",
                "execute_tool read_invoice",
            ]
            assert spans[1]["action"].startswith("act_")
            assert spans[0]["version"] == "agent/clerk@1"
            assert client.get(f"/v1/turns/{t.id}")["turn"]["trace"] == found["trace_id"]
