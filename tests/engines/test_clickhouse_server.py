"""Telemetry on a ClickHouse server: the real client over the real wire, and the same answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.engines.facade import Facade, facade
from tests.telemetry import (
    KEEP,
    MOST,
    QUICK,
    Room,
    _telemetry_of_this_process,
    alone,
    no_own_price,
)
from tests.traces.otlp import MOMENT, many, request
from tests.traces.test_spending import SECOND, agent, call

from opsroom.engines import clickhouse
from opsroom.kit.clock import Clock
from opsroom.traces import groups, queries, spending
from opsroom.traces.errors import TelemetryRefused, TelemetryUnavailable
from opsroom.traces.model import Filter
from opsroom.traces.parsing import parse
from opsroom.traces.telemetry import Traces

__all__ = ["_telemetry_of_this_process"]
AT = datetime.fromtimestamp(MOMENT // SECOND, UTC)
NASTY = 'it\'s \\ "so"\n\tgrün {x:String} %s'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Facade]:
    with alone(), facade(tmp_path) as here:
        yield here


@pytest.fixture
def room(server: Facade, clock: Clock) -> Iterator[Room]:
    traces = Traces(
        lambda: clickhouse.server(server.url),
        clock=clock, own=no_own_price, keep=KEEP, most=MOST, bounds=QUICK,
    )  # fmt: skip
    yield Room(traces, clock)
    traces.close()


def test_what_goes_in_comes_out(room: Room, server: Facade) -> None:
    one = "a" * 32
    sent = request(agent(one, "1", "clerk", **{"user.id": NASTY}), call(one, "2"))
    assert room.send(sent) == 0
    assert room.send(many(3, 200)) == 0
    room.settle()
    read = queries.trace(room.traces, room.project, one)
    assert [span.agent for span in read] == ["clerk", ""]
    assert read[0].user == NASTY
    assert read[1].cost == Decimal("0.0035")
    held = NASTY.replace("\\", "\\\\").replace('"', '\\"')
    for q in ("agent:clerk", f'user:"{held}"', "cost>0.003 tokens>=1100", "NOT agent:nobody"):
        found = queries.page(
            room.traces, room.project, Filter(where=parse(q)), now=AT + timedelta(hours=1)
        )
        assert one in {trace.trace_id for trace in found}, q
    spent = spending.spent(room.traces, room.project, [(AT, AT + timedelta(hours=1))])
    assert spent["clerk"][0].usd == pytest.approx(0.0035)
    users = groups.page(
        room.traces, room.project, groups.By.USER, now=AT, since=AT - timedelta(hours=1)
    )
    assert NASTY in {group.key for group in users}
    rows = queries.percentiles(
        room.traces, room.project, by="agent", since=AT, until=AT + timedelta(hours=1)
    )
    assert "clerk" in {row["key"] for row in rows}
    assert any("FORMAT" in sql for sql in server.asked)


def test_a_busy_server_is_tried_again_and_a_refusal_is_one(room: Room, server: Facade) -> None:
    room.send(many(1, 3))
    server.busy = True
    with pytest.raises(TelemetryUnavailable):
        room.rows("SELECT 1")
    with pytest.raises(TelemetryUnavailable):
        room.send(many(2, 3))
    server.busy = False
    with pytest.raises(TelemetryRefused):
        room.rows("SELECT nothing FROM nowhere")
    assert room.send(many(2, 3)) == 0
    assert len(room.spans()) == 6
