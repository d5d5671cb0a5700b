"""What an exporter was told is true, whatever happens to the server (slow)."""

import gzip
import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from tests.api import Api, Caller
from tests.browser import serving
from tests.installation import Process, running
from tests.telemetry import Room, alone
from tests.traces.otlp import request
from tests.traces.world import Stuck

from opsroom.app import guarded
from opsroom.engines.clickhouse import ClickHouse, embedded
from opsroom.kit.clock import ManualClock

KILLS = 50
PATIENCE = 60.0


@pytest.fixture
def token(home: Path) -> str:
    return (home / "token").read_text().strip()


@pytest.fixture
def whole() -> Iterator[None]:
    """The store of the server is opened in this process afterwards."""
    with alone():
        yield


def opened(home: Path) -> ClickHouse:
    return embedded(home / "telemetry")


class Sender(threading.Thread):
    """Sends request after request, each until it is answered 200, as exporters do."""

    def __init__(self, number: int, token: str) -> None:
        super().__init__(daemon=True)
        self._number, self._token = number, token
        self.url = ""
        self.acknowledged: set[str] = set()
        self.sent: set[str] = set()
        self.stop = threading.Event()

    def run(self) -> None:
        draw = random.Random(self._number)
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "gzip",
        }
        with httpx2.Client(headers=headers, timeout=10) as client:
            while not self.stop.is_set():
                ids = [f"{draw.getrandbits(63) + 1:016x}" for _ in range(20)]
                now = time.time_ns() - 10**9
                spans = [
                    {"id": one, "start": now, "end": now + 5, "text": "x" * 500} for one in ids
                ]
                body = gzip.compress(request(*spans).SerializeToString())
                self.sent |= set(ids)
                while not self.stop.is_set():
                    try:
                        answer = client.post(f"{self.url}/v1/traces", content=body)
                    except httpx2.HTTPError:
                        time.sleep(0.05)
                        continue
                    if answer.status_code == 200:
                        self.acknowledged |= set(ids)
                        break
                    assert answer.status_code == 503, answer.text
                    time.sleep(0.2)


def _acknowledged(senders: list[Sender]) -> int:
    return sum(len(sender.acknowledged) for sender in senders)


@pytest.mark.slow
def test_a_kill_loses_nothing_that_was_acknowledged_and_doubles_nothing(
    home: Path, token: str, whole: None
) -> None:
    draw = random.Random(50)
    senders = [Sender(number, token) for number in range(6)]
    server = Process(home)
    for sender in senders:
        sender.url = server.url
        sender.start()
    for _ in range(KILLS):
        # Each life stores something first, however long it takes to come up.
        before, ends = _acknowledged(senders), time.monotonic() + PATIENCE
        while _acknowledged(senders) == before:
            assert time.monotonic() < ends, "nothing was stored"
            time.sleep(0.02)
        time.sleep(draw.uniform(0.0, 0.5))
        server.kill()
        server = Process(home)
        for sender in senders:
            sender.url = server.url
    time.sleep(1.0)
    for sender in senders:
        sender.stop.set()
        sender.join(30)
    server.stop()
    acknowledged = set().union(*(sender.acknowledged for sender in senders))
    sent = set().union(*(sender.sent for sender in senders))
    store = opened(home)
    rows = store.rows("SELECT span_id FROM spans FINAL")
    summed = store.rows("SELECT count() AS n FROM traces FINAL")
    store.close()
    found = [row["span_id"] for row in rows]
    assert len(acknowledged) >= 20 * KILLS
    assert acknowledged <= set(found), "acknowledged spans are lost"
    assert len(found) == len(set(found)), "spans are doubled"
    assert set(found) <= sent
    assert summed[0]["n"] >= 1


def test_an_unmodified_exporter_is_understood(home: Path, token: str, whole: None) -> None:
    with running(home) as server:
        provider = exporting(server.url, token)
        tracer = provider.get_tracer("tests")
        with tracer.start_as_current_span("outer") as outer:
            outer.set_attribute("gen_ai.agent.name", "desk")
            with tracer.start_as_current_span("inner") as inner:
                inner.add_event("halfway", {"n": 1})
        assert provider.force_flush()
        provider.shutdown()
    store = opened(home)
    rows = store.rows(
        "SELECT name, agent, parent_id, events.name AS events FROM spans FINAL ORDER BY name"
    )
    store.close()
    assert [(row["name"], row["agent"], row["events"]) for row in rows] == [
        ("inner", "", ["halfway"]),
        ("outer", "desk", []),
    ]


@pytest.mark.slow
def test_an_unmodified_exporter_loses_nothing_in_an_overload_of_three_seconds(
    office: Api, sender: Caller, stuck: Stuck, room: Room, clock: ManualClock
) -> None:
    """The store takes nothing in; what may wait is soon full, and others are told to come back."""
    clock.move(datetime.now(UTC) - clock.now())  # what the exporter's spans say
    made = 0
    with serving(guarded(office.app)) as url:
        provider = exporting(url, sender.headers["Authorization"].partition(" ")[2])
        tracer = provider.get_tracer("tests")
        began = time.monotonic()
        while (passed := time.monotonic() - began) < 7.0:
            stuck.stuck = 1.5 < passed < 4.5
            stuck.failing = 3.0 < passed < 4.5
            with tracer.start_as_current_span("step") as span:
                span.set_attribute("text", "x" * 2000)
                made += 1
            time.sleep(0.005)
        assert provider.force_flush()
        provider.shutdown()
    (found,) = room.rows(
        "SELECT count() AS spans FROM spans FINAL WHERE project = {project:String}"
    )
    assert found["spans"] == made
    assert stuck.refused > 0


def exporting(url: str, token: str) -> TracerProvider:
    exporter = OTLPSpanExporter(
        endpoint=f"{url}/v1/traces", headers={"authorization": f"Bearer {token}"}
    )
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=300))
    return provider
