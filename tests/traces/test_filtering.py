"""Traces are found by what is asked of them, over HTTP, on the page and by their store."""

from typing import Any
from urllib.parse import quote

import pytest
from tests.api import Api, Caller
from tests.telemetry import Room
from tests.traces.test_pages import SECOND, nano, run_of

NASTY = 'it\'s \\ "so"\n\tgrün \x00{x:String} %s'


@pytest.fixture
def reader(office: Api, room: Room) -> Caller:
    """Somebody who sees two traces of a clerk, the later with an error, and one of a desk."""
    start = nano(office)
    room.send(run_of("a" * 32, start, more={"user.id": "u1", "http.route": "/orders"}))
    room.send(run_of("b" * 32, start + SECOND, error=True))
    room.send(
        _desk("c" * 32, start + 2 * SECOND, {"user.id": NASTY, "input.value": "No such Order"})
    )
    room.send(_desk("c" * 32, start + 2 * SECOND, {"user.id": NASTY, "odd key": "sent again"}))
    room.settle()
    return office.person("viewer", project=room.project)


def _desk(trace: str, start: int, more: dict[str, Any]) -> Any:
    made = run_of(trace, start, more={"gen_ai.agent.name": "desk", **more})
    spans = made.resource_spans[0].scope_spans[0].spans
    del spans[1:]
    spans[0].end_time_unix_nano = start + 10 * SECOND
    return made


def found(reader: Caller, q: str, more: str = "") -> str:
    items = reader.get(f"/v1/traces?q={quote(q)}{more}")["items"]
    return "".join(sorted(one["trace_id"][0] for one in items))


@pytest.mark.parametrize(
    ("q", "traces"),
    [
        ("", "abc"),
        ("agent:clerk", "ab"),
        ("agent:cler", ""),
        ("agent~CLER", "ab"),
        ("agent:clerk status:error", "b"),
        ("agent:clerk tool:pay", "ab"),  # on different spans of one trace
        ("agent:clerk -status:error", "a"),
        ("NOT (tool:pay AND model~gpt)", "c"),
        ("agent:desk OR user:u1", "ac"),
        ("duration>3s", "c"),
        ("duration=3s", "ab"),
        ("tokens>=1100 cost>0", "ab"),
        ("cost<0.000001", "c"),
        ("NOT cost>0", "c"),
        ("errors:1", "b"),
        ("spans:1", "c"),  # sent twice, and one
        ("attr.http.route=/orders", "a"),
        ("attr.http.route~ORD", "a"),
        ('attr."odd key"~again', "c"),
        ("attr.nothing=x", ""),
        ('"execute_tool pay"', "ab"),
        ("session:s-1 NOT agent:desk", "ab"),
        ("user:u2", ""),
    ],
)
def test_found(reader: Caller, q: str, traces: str) -> None:
    assert found(reader, q) == traces


def test_the_parameters_there_were_narrow_further(reader: Caller) -> None:
    assert found(reader, "agent:clerk", "&status=error") == "b"


def test_a_page_goes_on_within_a_filter(reader: Caller) -> None:
    first = reader.get("/v1/traces?q=agent:clerk&limit=1")
    assert first["items"][0]["trace_id"][0] == "b"
    assert found(reader, "agent:clerk", f"&limit=1&before={first['next']}") == "a"


def test_values_are_values_whatever_is_in_them(reader: Caller) -> None:
    held = NASTY.replace("\\", "\\\\").replace('"', '\\"')
    assert found(reader, f'user:"{held}"') == "c"
    assert found(reader, f'NOT user~"{held}"') == "ab"
    assert found(reader, 'user:"\' OR 1=1 --"') == ""


def test_a_filter_that_cannot_be_read_is_refused_with_the_place(reader: Caller) -> None:
    refused = reader.refused("GET", "/v1/traces?q=agnt:clerk")
    assert (refused.status, refused.code) == (422, "bad_trace_filter")


def test_words_are_proposed(office: Api, reader: Caller) -> None:
    def proposed(q: str) -> list[str]:
        return [one["text"] for one in reader.get(f"/v1/traces/words?q={quote(q)}")]

    assert proposed("ag") == ["agent:"]
    assert proposed("(-to") == ["(-tool:", "(-tokens>"]
    assert proposed("status:error agent:") == [
        "status:error agent:clerk",
        "status:error agent:desk",
    ]
    assert proposed("model:gpt") == ['model:"gpt-4o-2024-08-06"']
    assert proposed("status:e") == ["status:error"]
    assert proposed('"say agent:') == []
    office.project("elsewhere")
    assert office.person("viewer", project="elsewhere").get("/v1/traces/words?q=agent:") == []
