"""What becomes of a span on its way into the store."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.telemetry import Room
from tests.traces.otlp import MOMENT, many, request

from opsroom.models.prices import price
from opsroom.traces import queries
from opsroom.traces.aliases import ALIASES, known
from opsroom.traces.errors import TraceNotFound
from opsroom.traces.model import Filter

TRACE = f"{1:032x}"


def test_a_span_comes_out_as_it_went_in(room: Room) -> None:
    told: dict[str, Any] = {
        "zero": 0,
        "no": False,
        "yes": True,
        "nothing": "",
        "real": 0.25,
        "large": -(2**62),
        "text": "grün 🚚 'quoted' \\ \"so\"",
        "list": ["a", 'b"', 1, True, 0.5, ["deep", {"er": 1}]],
        "pairs": {"one": 1, "two": {"three": [3]}},
        "bytes": b"\x00\xff",
        "empty": [],
    }
    sent = request(
        {"name": "step", "status": 1, **told}, resource={"service.name": "desk", "n": 3}
    )
    span = sent.resource_spans[0].scope_spans[0].spans[0]
    event = span.events.add(name="news", time_unix_nano=MOMENT + 5)
    event.attributes.add(key="k").value.int_value = 7
    link = span.links.add(trace_id=bytes([9] * 16), span_id=bytes([8] * 8))
    link.attributes.add(key="why").value.string_value = "because"
    assert room.send(sent) == 0
    (read,) = queries.trace(room.traces, room.project, TRACE)
    assert (read.name, read.status, read.service, read.scope) == ("step", "ok", "desk", "tests")
    assert read.start == datetime.fromtimestamp(MOMENT / 1e9, UTC)
    assert read.duration == timedelta(seconds=1.5)
    assert read.resource == {"service.name": "desk", "n": "3"}
    assert read.attributes == {
        "zero": "0",
        "no": "false",
        "yes": "true",
        "nothing": "",
        "real": "0.25",
        "large": str(-(2**62)),
        "text": told["text"],
        "list": '["a","b\\"",1,true,0.5,["deep", {"er": 1}]]',
        "pairs": '{"one": 1, "two": {"three": [3]}}',
        "bytes": "AP8=",
        "empty": "[]",
    }
    assert [(one.name, one.attributes) for one in read.events] == [("news", {"k": "7"})]
    assert [(one.span_id, one.attributes) for one in read.links] == [
        ("08" * 8, {"why": "because"})
    ]


@pytest.mark.parametrize(("theirs", "ours"), sorted((k, v[0]) for k, v in known().items()))
def test_every_alias_is_read(theirs: str, ours: str) -> None:
    assert theirs in ALIASES[ours]


def test_aliases_are_read_by_the_store(room: Room) -> None:
    """Each name on a span of its own, and all of them in one request."""
    names = sorted(known().items())
    spans = []
    for number, (theirs, (ours, _)) in enumerate(names, 1):
        value: Any = (
            7 if ours.endswith("_tokens") else "0.5" if ours == "confidence" else "Word"
        )
        extra = {} if ours == "operation" else {"gen_ai.operation.name": "chat"}
        spans.append({"id": f"{number:016x}", **extra, theirs: value})
    room.send(request(*spans, resource={"host.name": "h"}))
    read = {row["span_id"]: row for row in room.spans()}
    for number, (theirs, (ours, _)) in enumerate(names, 1):
        row = read[f"{number:016x}"]
        expected: Any = "Word"
        if ours.endswith("_tokens"):
            expected = 7
        elif ours == "confidence":
            expected = 0.5
        elif ours in {"operation", "provider"}:
            expected = "word"
        assert row[ours] == expected, theirs


def test_a_spans_own_word_goes_before_its_resources_and_new_names_before_old(
    room: Room,
) -> None:
    room.send(
        request(
            {"id": f"{1:016x}", "gen_ai.system": "old", "gen_ai.provider.name": "new"},
            {"id": f"{2:016x}", "session.id": "mine"},
            {"id": f"{3:016x}"},
            resource={"gen_ai.conversation.id": "theirs", "deployment.environment": "live"},
        )
    )
    one, two, three = room.spans()
    assert one["provider"] == "new"
    assert (two["session"], three["session"]) == ("mine", "theirs")
    assert three["environment"] == "live"


@pytest.mark.parametrize(
    ("told", "operation"),
    [
        ({"openinference.span.kind": "LLM"}, "chat"),
        ({"openinference.span.kind": "TOOL", "tool.name": "find"}, "execute_tool"),
        ({"traceloop.span.kind": "workflow"}, "invoke_workflow"),
        ({"ai.operationId": "ai.streamText.doStream"}, "chat"),
        ({"gen_ai.operation.name": "search_memory"}, "search_memory"),
        ({"llm.model_name": "gpt-4o"}, "chat"),
        ({"agent_name": "desk", "model_name": "gpt-4o"}, "invoke_agent"),
        ({"gen_ai.tool.name": "find"}, "execute_tool"),
        ({"http.method": "GET"}, ""),
    ],
)
def test_what_kind_of_step_it_is(room: Room, told: dict[str, str], operation: str) -> None:
    room.send(request(told))
    assert room.spans()[0]["operation"] == operation


def test_only_the_call_of_a_model_carries_tokens_and_cost(room: Room) -> None:
    usage = {
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100,
    }
    agent = {"id": f"{1:016x}", "gen_ai.operation.name": "invoke_agent", **usage}
    call = {"id": f"{2:016x}", "gen_ai.operation.name": "chat", **usage}
    room.send(request(agent, call))
    around, within = room.spans()
    assert (around["input_tokens"], around["cost"]) == (0, None)
    assert (within["input_tokens"], within["cost"]) == (1000, Decimal("0.00021"))


@pytest.mark.parametrize(
    ("model", "provider", "at"),
    [
        ("gpt-4o-mini-2024-07-18", "openai", datetime(2025, 1, 1, tzinfo=UTC)),
        ("gpt-4o-2024-08-06", "openai", datetime(2026, 1, 1, tzinfo=UTC)),
        ("o3", "openai", datetime(2025, 5, 1, tzinfo=UTC)),
        ("o3", "openai", datetime(2025, 9, 1, tzinfo=UTC)),
        ("claude-sonnet-4-5-20250929", "anthropic", datetime(2026, 1, 1, tzinfo=UTC)),
        ("gemini-2.5-pro", "google", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize(
    ("fresh", "cached", "out"), [(900, 0, 50), (500, 400, 50), (300_000, 1000, 9)]
)
def test_a_cost_is_what_the_price_list_says_for_the_day(
    room: Room, model: str, provider: str, at: datetime, fresh: int, cached: int, out: int
) -> None:
    start = int(at.timestamp()) * 10**9
    room.send(
        request(
            {
                "start": start,
                "end": start + 10**9,
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": provider,
                "gen_ai.request.model": "something-else",
                "gen_ai.response.model": model,
                "gen_ai.usage.input_tokens": fresh + cached,
                "gen_ai.usage.cache_read.input_tokens": cached,
                "gen_ai.usage.output_tokens": out,
            }
        )
    )
    (read,) = room.spans()
    listed = price(
        model,
        input_tokens=fresh + cached,
        output_tokens=out,
        cached_tokens=cached,
        at=at,
        provider=provider,
    )
    assert listed.cost is not None
    assert read["cost"] == listed.cost
    assert read["basis"] == listed.reason


def test_a_cost_that_is_not_known_says_why(room: Room) -> None:
    room.send(
        request(
            {"id": f"{1:016x}", "gen_ai.operation.name": "chat", "gen_ai.response.model": "nobodys",
             "gen_ai.usage.input_tokens": 5},
            {"id": f"{2:016x}", "gen_ai.operation.name": "chat", "gen_ai.response.model": "gpt-4o"},
            {"id": f"{3:016x}", "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5},
        )
    )  # fmt: skip
    assert [(row["cost"], row["basis"]) for row in room.spans()] == [
        (None, "no list price for 'nobodys'"),
        (None, "the span does not say how many tokens it took"),
        (None, "the span does not say which model served it"),
    ]


def test_spans_sent_twice_are_one(room: Room) -> None:
    sent = many(1, 30)
    room.send(sent)
    room.send(sent)  # the same request, known by its digest
    sent.resource_spans[0].scope_spans[0].scope.name = "sent again, in another request"
    room.send(sent)
    assert len(room.spans()) == 30
    (page) = queries.page(room.traces, room.project, Filter(), now=room.clock.now())
    assert [one.spans for one in page] == [10, 10, 10]
    assert all(one.unpriced == 0 and one.cost > 0 for one in page)


def test_children_may_come_before_their_parents_and_much_later(room: Room) -> None:
    hour = 3600 * 10**9
    child = {"id": "0b" * 8, "parent": "0a" * 8, "name": "child", "start": MOMENT + 2 * hour,
             "end": MOMENT + 3 * hour, "status": 2}  # fmt: skip
    room.send(request(child))
    room.send(request({"id": "0a" * 8, "name": "parent", "end": MOMENT + 3 * hour}))
    (seen,) = queries.page(room.traces, room.project, Filter(), now=room.clock.now())
    assert (seen.name, seen.spans, seen.failed) == ("parent", 2, True)
    assert seen.duration == timedelta(hours=3)
    assert len(queries.trace(room.traces, room.project, TRACE)) == 2


def test_a_project_sees_only_its_own(room: Room) -> None:
    room.send(request({"agent.name": "desk"}))
    stranger = Room(room.traces, room.clock)
    with pytest.raises(TraceNotFound):
        queries.trace(room.traces, stranger.project, TRACE)
    now = room.clock.now()
    assert queries.page(room.traces, stranger.project, Filter(agent="desk"), now=now) == []
    early = datetime(2000, 1, 1, tzinfo=UTC)
    assert (
        queries.percentiles(room.traces, stranger.project, by="agent", since=early, until=now)
        == []
    )


def test_contents_are_dropped_where_a_project_does_not_keep_them(room: Room) -> None:
    sent = request(
        {"gen_ai.input.messages": "SAID", "llm.output_messages.0.message.content": "SAID",
         "input.value": "SAID", "gen_ai.request.model": "gpt-4o", "exception.message": "SAID"}
    )  # fmt: skip
    span = sent.resource_spans[0].scope_spans[0].spans[0]
    span.status.message = "SAID"
    event = span.events.add(name="exception")
    event.attributes.add(key="exception.message").value.string_value = "SAID"
    event.attributes.add(key="exception.type").value.string_value = "TimeoutError"
    room.send(sent, contents=False)
    (row,) = room.spans()
    assert "SAID" not in str(row)
    assert (row["requested_model"], row["error_type"]) == ("gpt-4o", "TimeoutError")


def test_a_page_goes_on_where_the_last_one_ended(room: Room) -> None:
    ids = [f"{number:032x}" for number in range(1, 8)]
    room.send(
        request(
            *(
                {"trace": one, "id": one[16:], "start": MOMENT + int(one, 16) // 2}
                for one in ids
            )
        )
    )
    seen: list[str] = []
    before = ""
    while found := queries.page(
        room.traces, room.project, Filter(), now=room.clock.now(), before=before, limit=3
    ):
        seen += [one.trace_id for one in found]
        before = found[-1].cursor
    assert seen == sorted(ids, key=lambda one: (int(one, 16) // 2, one), reverse=True)


def test_too_much_is_cut_and_counted(room: Room) -> None:
    told: dict[str, Any] = {f"key-{number}": number for number in range(1000)}
    room.send(request({"long": "x" * 300_000, **told, "k" * 300: "v"}))
    (row,) = room.spans()
    assert len(row["attributes"]) == 256
    assert len(row["attributes"]["long"]) == 256 * 1024
    assert row["dropped"] == (1002 - 256) + 2
