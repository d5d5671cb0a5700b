"""A sample of what an agent was asked, answered and did."""

import json
from datetime import timedelta

import pytest
from tests.telemetry import Room
from tests.traces.otlp import request

from opsroom.kit.clock import Clock
from opsroom.traces import sampling

SECOND = 1_000_000_000


def _said(role: str, *texts: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": text} for text in texts]}


def _run(number: int, start: int, *, agent: str = "clerk") -> object:
    trace = f"{number + 1:032x}"
    return request(
        {
            "trace": trace, "id": "00000000000000a1", "name": "invoke_agent", "start": start,
            "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": agent,
            "end": start + 3 * SECOND,
        },
        {
            "trace": trace, "id": "00000000000000a2", "parent": "00000000000000a1", "name": "chat",
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 100 + number, "start": start + 1, "end": start + SECOND,
            "gen_ai.input.messages": json.dumps(
                [_said("system", "be kind"), _said("user", f"where is {number}?")]
            ),
            "gen_ai.output.messages": json.dumps([_said("assistant", f"{number} is here")]),
        },
        {
            "trace": trace, "id": "00000000000000a3", "parent": "00000000000000a1",
            "name": "execute_tool look_up", "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "look_up", "opsroom.confidence": 0.75,
            "start": start + SECOND, "end": start + 2 * SECOND,
        },
    )  # fmt: skip


def test_a_run_is_told_whole(room: Room, clock: Clock) -> None:
    now = clock.now()
    start = int((now - timedelta(hours=2)).timestamp()) * SECOND
    for number in range(5):
        room.send(_run(number, start + number * SECOND))
    room.send(_run(9, start, agent="other"))
    room.settle()
    since = now - timedelta(hours=24)
    assert sampling.agents_at_work(room.traces, room.project, since=since, until=now) == [
        "clerk",
        "other",
    ]
    found = sampling.runs(room.traces, room.project, "clerk", since=since, until=now, most=50)
    assert [one.asked for one in found] == [f"where is {number}?" for number in range(5)]
    assert [one.answered for one in found] == [f"{number} is here" for number in range(5)]
    assert {one.tools for one in found} == {frozenset({"look_up"})}
    assert [one.output_tokens for one in found] == [100, 101, 102, 103, 104]
    assert found[0].cost is not None
    assert found[0].cost > 0
    assert found[0].confidence == pytest.approx(0.75)


def test_samples_are_bounded_and_the_same_again(room: Room, clock: Clock) -> None:
    now = clock.now()
    start = int((now - timedelta(hours=2)).timestamp()) * SECOND
    for number in range(12):
        room.send(_run(number, start + number * SECOND))
    room.settle()
    day = {"since": now - timedelta(hours=24), "until": now}
    few = sampling.runs(room.traces, room.project, "clerk", most=5, **day)
    again = sampling.runs(room.traces, room.project, "clerk", most=5, **day)
    assert len(few) == 5
    assert few == again
    assert sampling.runs(room.traces, "elsewhere", "clerk", most=5, **day) == []


def test_stretches_with_runs_are_told_as_runs_are_read(room: Room, clock: Clock) -> None:
    now, hour = clock.now(), timedelta(hours=1)
    for number, back in enumerate((0.5, 0.6, 2.0, 2.5)):  # two hours back begins the second
        room.send(_run(number, int((now - back * hour).timestamp()) * SECOND))
    room.settle()
    day = {"since": now - timedelta(hours=5), "until": now}
    told = sampling.busy(room.traces, room.project, "clerk", each=hour, **day)
    assert told == {0: 2, 1: 1, 2: 1}
    for back, times in told.items():
        part = {"since": now - hour * (back + 1), "until": now - hour * back}
        assert len(sampling.runs(room.traces, room.project, "clerk", most=9, **part)) == times
    assert sampling.busy(room.traces, room.project, "nobody", each=hour, **day) == {}


def test_nothing_is_said_where_contents_are_not_kept(room: Room, clock: Clock) -> None:
    now = clock.now()
    room.send(_run(1, int((now - timedelta(hours=2)).timestamp()) * SECOND), contents=False)
    room.settle()
    since = now - timedelta(hours=24)
    (found,) = sampling.runs(room.traces, room.project, "clerk", since=since, until=now, most=5)
    assert (found.asked, found.answered) == ("", "")
    assert found.tools == frozenset({"look_up"})
