"""A trace becomes a case of a dataset: once, as a candidate, with the way back to it."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.api import Api, Caller
from tests.pages import Site, holds
from tests.telemetry import KEEP, MOST, QUICK, Room, no_own_price, shared
from tests.traces.otlp import request
from tests.traces.test_pages import nano, text

from opsroom.traces.telemetry import Traces

SECOND = 1_000_000_000
KNOWN = [{"id": "one", "input": "what is it?", "expected": "a box"}]


def run_of(trace: str, start: int, asked: str, answered: str) -> Any:
    """A turn whose root says nothing, with two calls of a model in it."""
    said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    return request(
        {"trace": trace, "id": "00000000000000a1", "name": "invoke_agent clerk",
         "gen_ai.agent.name": "clerk", "gen_ai.agent.version": "3",
         "start": start, "end": start + 3 * SECOND},
        {"trace": trace, "id": "00000000000000a2", "parent": "00000000000000a1", "name": "chat",
         "input.value": asked, "output.value": "let me look", **said,
         "start": start, "end": start + SECOND},
        {"trace": trace, "id": "00000000000000a3", "parent": "00000000000000a1", "name": "chat",
         "input.value": "what the tool said", "output.value": answered, **said,
         "start": start + SECOND, "end": start + 2 * SECOND},
    )  # fmt: skip


@pytest.fixture
def author(office: Api, room: Room) -> Caller:
    who = office.person("author", project=room.project)
    who.post("/v1/datasets/parcels/versions", {"items": KNOWN})
    return who


def items(who: Caller, name: str = "parcels") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = who.get(f"/v1/datasets/{name}/items")["items"]
    return found


def test_a_trace_is_added_once_and_knows_the_way_back(
    office: Api, room: Room, author: Caller
) -> None:
    trace = "a" * 32
    room.send(run_of(trace, nano(office), "where is it?", "in Hamburg"))
    taken = author.post(f"/v1/traces/{trace}/dataset", {"dataset": "parcels"})
    assert taken == {"version": "dataset/parcels@2", "item": f"trace-{trace}", "added": True}
    assert items(author)[1] == {
        "id": f"trace-{trace}",
        "input": "where is it?",
        "expected": "in Hamburg",
        "split": "candidate",
        "tags": ["candidate"],
        "metadata": {"trace": trace, "agent": "clerk", "version": "3"},
    }
    again = author.post(f"/v1/traces/{trace}/dataset", {"dataset": "parcels", "expected": "x"})
    assert again == {**taken, "added": False}
    assert len(items(author)) == 2


def test_what_should_have_come_out_is_the_persons_word(
    office: Api, room: Room, author: Caller
) -> None:
    for trace, asked in (("a" * 32, "where?"), ("b" * 32, "when?")):
        room.send(run_of(trace, nano(office), asked, "in Hamburg"))
    author.post(f"/v1/traces/{'a' * 32}/dataset", {"dataset": "parcels", "expected": "in Kiel"})
    author.post(f"/v1/traces/{'b' * 32}/dataset", {"dataset": "parcels", "expected": " "})
    _, corrected, open_ = items(author)
    assert corrected["expected"] == "in Kiel"
    assert corrected["metadata"]["answered"] == "in Hamburg"
    assert open_["expected"] is None


def test_what_cannot_be_a_case_is_refused_and_nothing_is_stored(
    office: Api, room: Room, author: Caller
) -> None:
    silent, same = "c" * 32, "d" * 32
    room.send(run_of(silent, nano(office), "where?", "here"), contents=False)
    room.send(run_of(same, nano(office), "what is it?", "a box"))
    body = {"dataset": "parcels"}
    refusal = author.refused("POST", f"/v1/traces/{silent}/dataset", body)
    assert (refusal.code, refusal.status) == ("nothing_kept", 422)
    refused = author.refused("POST", f"/v1/traces/{same}/dataset", body)
    assert refused.code == "content_in_two_splits"
    missing = {"dataset": "nowhere"}
    assert author.refused("POST", f"/v1/traces/{same}/dataset", missing).status == 404
    assert author.refused("POST", f"/v1/traces/{'e' * 32}/dataset", body).status == 404
    assert len(items(author)) == 1
    reader = office.person("viewer", project=room.project)
    assert reader.refused("POST", f"/v1/traces/{same}/dataset", body).code == "may_not"
    office.project("elsewhere")
    stranger = office.person("admin", project="elsewhere")
    assert stranger.refused("POST", f"/v1/traces/{same}/dataset", body).status == 404


@pytest.fixture(scope="module")
def traced(shown: Site) -> Iterator[Site]:
    api = shown.api
    traces = Traces(
        shared, clock=api.db.clock, own=no_own_price, keep=KEEP, most=MOST, bounds=QUICK
    )
    api.app.state.traces = traces
    room = Room(traces, api.db.clock, project="default")
    room.send(run_of("1" * 32, nano(api), "<i>where</i> is it?", "in Hamburg"))
    room.send(run_of("2" * 32, nano(api), "where?", "here"), contents=False)
    room.settle()
    yield shown
    traces.close()


def test_the_form_shows_what_is_taken_and_says_where_nothing_is_kept(traced: Site) -> None:
    page = traced.read(f"/traces/{'1' * 32}/dataset")
    assert "&lt;i&gt;where" in page
    assert "in Hamburg</textarea>" in page
    assert f'href="/traces/{"1" * 32}/dataset"' in traced.read(f"/traces/{'1' * 32}")
    assert "what was asked is not kept" in text(traced.read(f"/traces/{'2' * 32}/dataset"))


def test_the_form_adds_it(traced: Site) -> None:
    who = traced.api.person("author")
    who.post("/v1/datasets/tried/versions", {"items": KNOWN})
    for notice in ("case_taken", "case_there"):
        answer = who.send(
            "POST",
            f"/traces/{'1' * 32}/dataset",
            data={"dataset": "tried", "expected": "in\r\nKiel"},
            follow_redirects=False,
        )
        assert answer.headers["location"] == f"/datasets/tried?notice={notice}"
    assert items(who, "tried")[1]["expected"] == "in\nKiel"
    assert f'<a href="/traces/{"1" * 32}">trace-' in traced.read("/datasets/tried")


@pytest.mark.browser
@pytest.mark.parametrize("trace", ["1" * 32, "2" * 32])
def test_pages_hold(page: Page, traced: Site, base: str, trace: str) -> None:
    holds(page, traced, base, f"/traces/{trace}/dataset")
