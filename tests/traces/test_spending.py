"""What agents spent, by window: each trace once, each span for the agent it belongs to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.telemetry import Room
from tests.traces.otlp import MOMENT, request

from opsroom.traces.spending import Spent, spent

SECOND = 1_000_000_000
AT = datetime.fromtimestamp(MOMENT // SECOND, UTC)
HOUR = timedelta(hours=1)


def call(trace: str, span: str, **more: Any) -> dict[str, Any]:
    """A call of a model that costs 0.0035 dollars."""
    return {
        "trace": trace, "id": span * 16, "name": "chat", "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100, **more,
    }  # fmt: skip


def agent(trace: str, span: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "trace": trace, "id": span * 16, "name": f"invoke_agent {name}",
        "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name, **more,
    }  # fmt: skip


def look(room: Room, *windows: tuple[datetime, datetime]) -> dict[str, dict[int, Spent]]:
    room.settle()
    return spent(room.traces, room.project, windows)


def test_a_trace_counts_once_for_each_agent_in_it(room: Room) -> None:
    one, two = "a" * 32, "b" * 32
    clerk = agent(one, "1", "clerk")
    room.send(request(clerk, call(one, "2"), call(one, "3", status=2)))
    room.send(request(clerk, call(one, "2")))  # sent again
    helper = {"gen_ai.agent.name": "helper"}
    later = {"start": MOMENT + 3600 * SECOND, "end": MOMENT + 3601 * SECOND}
    room.send(
        request(
            agent(two, "1", "clerk", **later),
            call(two, "2", **later, **helper),
            call(two, "3", **{**later, "gen_ai.response.model": "nobody-knows-it"}),
        )
    )
    found = look(room, (AT, AT + HOUR), (AT + HOUR, AT + 2 * HOUR), (AT - HOUR, AT))
    assert set(found) == {"clerk", "helper"}
    first, second = found["clerk"][0], found["clerk"][1]
    assert (first.traces, first.calls, first.failed, first.unpriced) == (1, 2, 1, 0)
    assert first.usd == pytest.approx(0.007)
    assert first.squares == pytest.approx(0.007**2)
    assert (second.traces, second.calls, second.unpriced) == (1, 1, 1)
    assert second.usd == 0
    (helped,) = found["helper"].values()
    assert (helped.traces, helped.calls) == (1, 1)
    assert helped.usd == pytest.approx(0.0035)


def test_windows_may_overlap_and_hold_their_beginning(room: Room) -> None:
    room.send(request(agent("a" * 32, "1", "clerk")))
    found = look(room, (AT, AT + HOUR), (AT - HOUR, AT), (AT - HOUR, AT + HOUR))
    assert sorted(found["clerk"]) == [0, 2]


def test_a_trace_across_the_edge_counts_where_it_began_and_nowhere_else(room: Room) -> None:
    """Twenty minutes before the hour an agent begins; after it, it calls a model."""
    edge = AT + HOUR
    trace, begun = "a" * 32, {"start": MOMENT + 2400 * SECOND, "end": MOMENT + 2401 * SECOND}
    later = {"start": MOMENT + 5400 * SECOND, "end": MOMENT + 5401 * SECOND}
    room.send(
        request(
            agent(trace, "1", "clerk", **begun),
            call(trace, "2", **later, **{"gen_ai.agent.name": "clerk"}),
        )
    )
    assert look(room, (edge, edge + HOUR)) == {}
    before = look(room, (AT, edge))["clerk"]
    assert (before[0].traces, before[0].calls) == (1, 1)
    assert before[0].usd == pytest.approx(0.0035)


def test_what_nobody_did_and_others_did_is_not_there(room: Room) -> None:
    room.send(request(call("a" * 32, "2")))  # no agent is named
    assert look(room, (AT, AT + HOUR)) == {}
    assert look(room) == {}
    room.send(request(agent("b" * 32, "1", "clerk")))
    room.settle()
    assert spent(room.traces, "elsewhere", [(AT, AT + HOUR)]) == {}
