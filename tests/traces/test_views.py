"""Views of traces that a project keeps by name."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from playwright.sync_api import Page
from tests.api import Api, Caller
from tests.pages import Site, holds
from tests.telemetry import Room
from tests.traces.test_cases import traced
from tests.traces.test_pages import nano, run_of, text

from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock

__all__ = ["traced"]
FAILING = {"name": "failing claims", "q": "errors>0", "words": {"agent": "clerk"}, "hours": 1}


@pytest.fixture
def author(office: Api, room: Room) -> Caller:
    return office.person("author", project=room.project)


def ids(who: Caller, path: str) -> list[str]:
    return [one["trace_id"][0] for one in who.get(path)["items"]]


def test_a_view_is_saved_asked_and_removed(
    office: Api, room: Room, author: Caller, clock: ManualClock
) -> None:
    start = nano(office)
    room.send(run_of("a" * 32, start))
    room.send(run_of("b" * 32, start + 1, error=True))
    room.send(run_of("c" * 32, start + 2, error=True, more={"user.id": "ada"}))
    made = author.post("/v1/traces/views", FAILING)
    assert (made["by"], made["words"]) == (author.name, {"agent": "clerk"})
    assert author.get("/v1/traces/views") == [made]
    asked = "/v1/traces?view=failing claims"
    assert ids(author, asked) == ["c", "b"]
    assert ids(author, f"{asked}&q=-user:ada") == ["b"]
    assert ids(author, f"{asked}&user=ada") == ["c"]
    assert ids(author, f"{asked}&agent=nobody") == []
    clock.move(timedelta(hours=2))
    assert ids(author, asked) == []
    assert ids(author, f"{asked}&since=2020-01-01T00:00:00Z") == ["c", "b"]
    author.delete("/v1/traces/views/failing%20claims")
    assert author.get("/v1/traces/views") == []
    assert author.refused("GET", asked).code == "view_not_found"
    assert author.refused("DELETE", "/v1/traces/views/x").code == "view_not_found"


def test_the_same_again_is_no_change_and_another_takes_its_place(
    office: Api, room: Room, author: Caller
) -> None:
    made = author.post("/v1/traces/views", FAILING)
    assert author.post("/v1/traces/views", FAILING | {"name": " failing claims "}) == made
    changed = author.post("/v1/traces/views", FAILING | {"hours": 0})
    assert author.get("/v1/traces/views") == [changed]
    author.delete(f"/v1/traces/views/{quote('failing claims')}")
    with office.db.read(office.actor(room.project)) as tx:
        entries = [one for one, _ in journal.entries(tx, limit=10)]
    told = [
        (one.event, one.facts["name"]) for one in entries if one.event.startswith("traces.")
    ]
    assert told == [
        ("traces.view_removed", "failing claims"),
        ("traces.view_saved", "failing claims"),
        ("traces.view_saved", "failing claims"),
    ]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": ""}, "broken_view"),
        ({"name": "a/b"}, "broken_view"),
        ({"name": ".."}, "broken_view"),
        ({"name": "x" * 61}, "broken_view"),
        ({"q": "cost>lots"}, "bad_trace_filter"),
        ({"words": {"colour": "red"}}, "broken_view"),
        ({"words": {"agent": "x" * 201}}, "broken_view"),
        ({"hours": -1}, "broken_view"),
        ({"q": "", "words": {}, "hours": 0}, "broken_view"),
    ],
)
def test_what_cannot_be_asked_is_not_kept(
    author: Caller, wrong: dict[str, object], code: str
) -> None:
    assert author.refused("POST", "/v1/traces/views", FAILING | wrong).code == code
    assert author.get("/v1/traces/views") == []


def test_a_project_keeps_so_many_and_its_own(office: Api, room: Room, author: Caller) -> None:
    for number in range(50):
        author.post("/v1/traces/views", FAILING | {"name": f"view {number}"})
    assert author.refused("POST", "/v1/traces/views", FAILING).code == "broken_view"
    author.post("/v1/traces/views", FAILING | {"name": "view 7", "hours": 2})
    office.project("elsewhere")
    stranger = office.person("admin", project="elsewhere")
    assert stranger.get("/v1/traces/views") == []
    assert stranger.refused("DELETE", "/v1/traces/views/view%207").status == 404
    reader = office.person("viewer", project=room.project)
    assert len(reader.get("/v1/traces/views")) == 50
    assert reader.refused("POST", "/v1/traces/views", FAILING).code == "may_not"


@pytest.fixture(scope="module")
def viewed(traced: Site) -> Site:
    who = traced.api.person("author")
    who.post("/v1/traces/views", FAILING | {"name": "<b>odd"})
    who.post("/v1/traces/views", {"name": "of release", "words": {"release": "r1"}})
    return traced


def test_views_stand_above_the_list(viewed: Site) -> None:
    page = viewed.read("/traces")
    assert "&lt;b&gt;odd" in page
    assert 'href="/traces?release=r1"' in page
    read = text(viewed.read("/traces?release=r1"))
    assert "Remove the view “of release”" in read
    assert "Save this view" not in read
    assert '<input type="hidden" name="release" value="r1">' in viewed.read(
        "/traces?release=r1"
    )
    assert "Save this view" in text(viewed.read("/traces?agent=clerk"))
    reader = viewed.api.person("viewer")
    for path in ("/traces?release=r1", "/traces?agent=clerk"):
        shown = text(reader.send("GET", path).text)
        assert "of release" in shown
        assert "Remove" not in shown
        assert "Save this" not in shown


def test_the_form_saves_and_removes(viewed: Site) -> None:
    who = viewed.api.person("author")
    data = {"name": "50 % & more?", "given": "q=a%20%26%20b&agent=clerk&hours=24&before=x"}
    saved = who.send("POST", "/traces/views", data=data, follow_redirects=False)
    where = saved.headers["location"]
    assert where == "/traces?agent=clerk&q=a+%26+b&hours=24&notice=view_saved"
    page = who.send("GET", where).text
    action = f"/traces/views/{quote('50 % & more?')}/remove"
    assert f'action="{action}"' in page
    gone = who.send("POST", action, follow_redirects=False)
    assert gone.headers["location"] == "/traces?notice=view_removed"
    assert "50 %" not in who.send("GET", "/traces").text


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/traces", "/traces?release=r1", "/traces?agent=clerk"])
def test_pages_hold(page: Page, viewed: Site, base: str, path: str) -> None:
    holds(page, viewed, base, path)


def test_on_every_engine(api: Api) -> None:
    who = api.person("author")
    who.post("/v1/traces/views", FAILING)
    changed = who.post("/v1/traces/views", FAILING | {"words": {}})
    assert who.get("/v1/traces/views") == [changed]
    who.delete("/v1/traces/views/failing%20claims")
    assert who.get("/v1/traces/views") == []
