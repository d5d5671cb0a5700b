"""Traces in the browser and over HTTP: found again, shown whole, however many spans there are."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.api import Api
from tests.pages import Site, holds, sign_in
from tests.telemetry import KEEP, MOST, QUICK, Room, no_own_price, shared
from tests.traces.otlp import request

from opsroom.traces.telemetry import Traces

SECOND = 1_000_000_000
MANY = 5_000


def text(page: str) -> str:
    words = unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]))
    return " ".join(words.replace("\N{NO-BREAK SPACE}", " ").split())


def run_of(
    trace: str, start: int, *, error: bool = False, more: dict[str, str] | None = None
) -> Any:
    """An agent's turn: it calls a model and a tool."""
    return request(
        {
            "trace": trace, "id": "00000000000000a1", "name": "invoke_agent clerk",
            "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "clerk",
            "gen_ai.conversation.id": "s-1", "start": start, "end": start + 3 * SECOND, **(more or {}),
        },
        {
            "trace": trace, "id": "00000000000000a2", "parent": "00000000000000a1",
            "name": "chat gpt-4o", "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100,
            "start": start + SECOND, "end": start + 2 * SECOND,
        },
        {
            "trace": trace, "id": "00000000000000a3", "parent": "00000000000000a1",
            "name": "execute_tool pay", "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "pay", "status": 2 if error else 0,
            "start": start + 2 * SECOND, "end": start + 3 * SECOND,
        },
    )  # fmt: skip


def large(trace: str, start: int, spans: int) -> Iterator[Any]:
    """A root with children that have children, a thousand spans a request."""
    told = [
        {
            "trace": trace,
            "id": f"{1:016x}",
            "name": "job",
            "start": start,
            "end": start + 60 * SECOND,
        }
    ]
    for number in range(2, spans + 1):
        parent = 1 if number % 10 == 2 else number - number % 10 + 2 if number % 10 > 2 else 1
        begins = start + number * 10_000_000 % (59 * SECOND)
        told.append(
            {
                "trace": trace, "id": f"{number:016x}", "parent": f"{parent:016x}",
                "name": f"step {number % 17}", "start": begins, "end": begins + 40_000_000,
                "status": 2 if number == spans - 7 else 0,
            }
        )  # fmt: skip
    for at in range(0, len(told), 1000):
        yield request(*told[at : at + 1000])


def nano(api: Api) -> int:
    return int(api.db.clock.now().timestamp()) * SECOND - 600 * SECOND


def test_traces_are_found_and_shown_over_http(office: Api, room: Room) -> None:
    start = nano(office)
    room.send(run_of("a" * 32, start))
    room.send(run_of("b" * 32, start + SECOND, error=True))
    room.settle()
    reader = office.person("viewer", project=room.project)
    found = reader.get("/v1/traces")["items"]
    assert [one["trace_id"][0] for one in found] == ["b", "a"]
    assert (found[0]["errors"], found[1]["errors"]) == (1, 0)
    assert found[1]["models"] == ["gpt-4o-2024-08-06"]
    assert float(found[1]["cost"]) > 0
    assert [o["trace_id"][0] for o in reader.get("/v1/traces?status=error")["items"]] == ["b"]
    first = reader.get("/v1/traces?limit=1")
    assert (
        reader.get(f"/v1/traces?limit=1&before={first['next']}")["items"][0]["trace_id"][0]
        == "a"
    )
    spans = reader.get(f"/v1/traces/{'a' * 32}")
    assert [one["name"] for one in spans] == [
        "invoke_agent clerk",
        "chat gpt-4o",
        "execute_tool pay",
    ]
    figures = {one["key"]: one for one in reader.get("/v1/traces/figures?by=tool")}
    assert (figures["pay"]["spans"], figures["pay"]["errors"]) == (2, 1)
    assert figures["pay"]["p50"] == pytest.approx(1.0, rel=0.05)
    assert reader.refused("GET", f"/v1/traces/{'c' * 32}").code == "trace_not_found"


def test_nobody_sees_another_projects_traces(office: Api, room: Room) -> None:
    room.send(run_of("a" * 32, nano(office)))
    office.project("elsewhere")
    stranger = office.person("admin", project="elsewhere")
    assert stranger.get("/v1/traces")["items"] == []
    for path in (
        f"/v1/traces/{'a' * 32}",
        f"/traces/{'a' * 32}",
        f"/traces/{'a' * 32}/columns",
    ):
        assert stranger.refused("GET", path).status == 404


@pytest.fixture(scope="module")
def traced(shown: Site) -> Iterator[Site]:
    """The day, with traces of it: one of a turn, one with an error, one of many spans."""
    api = shown.api
    traces = Traces(
        shared, clock=api.db.clock, own=no_own_price, keep=KEEP, most=MOST, bounds=QUICK
    )
    api.app.state.traces = traces
    room = Room(traces, api.db.clock, project="default")
    start = nano(api)
    room.send(
        run_of("a" * 32, start, more={"opsroom.turn.id": "trn_gone", "user.id": "<b>ada</b>"})
    )
    room.send(run_of("b" * 32, start + SECOND, error=True))
    for body in large("d" * 32, start + 2 * SECOND, MANY):
        room.send(body)
    room.settle()
    yield shown
    traces.close()


def test_the_list_and_one_trace_are_whole_without_a_script(traced: Site) -> None:
    read = text(traced.read("/traces"))
    assert "What happened? 2 traces have errors" in read
    assert "invoke_agent clerk" in read
    assert "d" * 32 not in text(traced.read("/traces?agent=clerk"))
    assert "No trace is like that" in text(traced.read("/traces?agent=nobody"))
    asked = traced.read("/traces?q=agent:clerk+-status:error")
    assert "invoke_agent clerk" in text(asked)
    assert "no errors on this page" in text(asked)
    assert '<option value="agent:clerk">' in asked
    wrong = text(traced.read("/traces?q=agent:clerk+cost%3Elots"))
    assert "from character 17 on: 'lots' is no cost" in wrong
    assert "1 session Session State" in text(traced.read("/traces/sessions"))
    assert "1 trace has an error 2 traces" in text(traced.read("/traces/sessions/s-1"))
    assert "&lt;b&gt;ada" in traced.read("/traces/users")
    page = traced.read(f"/traces/{'a' * 32}")
    read = text(page)
    assert "invoke_agent clerk no errors 3 spans" in read
    assert "&lt;b&gt;ada" in page
    assert "<b>ada" not in page
    chosen = text(traced.read(f"/traces/{'a' * 32}?span=00000000000000a2"))
    assert "1,000 in, 100 out" in chosen
    assert "gpt-4o-2024-08-06" in chosen
    compared = text(traced.read(f"/traces/compare?a={'a' * 32}&b={'b' * 32}"))
    assert "0 against 1 errors" in compared


@pytest.mark.browser
@pytest.mark.parametrize(
    "path",
    [
        "/traces",
        "/traces?q=agent:clerk+cost%3Elots",
        "/traces/sessions",
        "/traces/sessions/s-1",
        "/traces/users",
        f"/traces/{'b' * 32}",
        f"/traces/compare?a={'a' * 32}&b={'b' * 32}",
    ],
)
def test_pages_hold(page: Page, traced: Site, base: str, path: str) -> None:
    holds(page, traced, base, path)


@pytest.mark.browser
def test_thousands_of_spans_are_few_nodes_and_keys_find_the_error(
    page: Page, traced: Site, base: str
) -> None:
    sign_in(page, traced.person("admin"), base)
    page.goto(f"{base}/traces/{'d' * 32}")
    page.wait_for_selector(".falls-row")
    assert page.locator("ops-waterfall *").count() <= 600
    label = page.locator(".falls").get_attribute("aria-label")
    assert label is not None
    assert label.startswith(f"{MANY} spans")
    page.locator(".falls").focus()
    page.keyboard.press("e")
    page.wait_for_selector(".falls-row.bad[aria-selected=true]")
    page.locator("#span", has_text="error").wait_for()
    assert f"span={MANY - 7:016x}" in page.url
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    assert page.locator(".falls-row").count() == 1
    assert page.locator("ops-waterfall *").count() <= 600
