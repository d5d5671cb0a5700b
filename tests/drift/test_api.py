"""Drift over HTTP, on pages and in the terminal; and the alert that tells of it."""

import pytest
from tests.api import Api
from tests.drift.world import work
from tests.telemetry import KEEP, MOST, QUICK, Room, no_own_price, shared

from opsroom.alerts import looking as alerts
from opsroom.alerts import queries as alert_queries
from opsroom.alerts import store as alert_store
from opsroom.drift.cli import _list, _one, _watches
from opsroom.kit.db import Actor
from opsroom.traces.telemetry import Traces


@pytest.fixture
def office(sqlite_api: Api, room: Room) -> Api:
    """The application over the store of this process, in a project where the clerk changed."""
    sqlite_api.app.state.traces = room.traces
    sqlite_api.project(room.project)
    work(room, sqlite_api.db.clock.now(), days=14, strange_share=0.6)
    return sqlite_api


def test_look_list_show_accept(office: Api, room: Room) -> None:
    viewer = office.program("viewer", project=room.project)
    ops = office.program("operator", project=room.project)
    assert viewer.get("/v1/drift")["items"] == []
    assert viewer.refused("POST", "/v1/drift/look", {"agent": "clerk"}).status == 403
    found = {
        one["aspect"]: one for one in ops.post("/v1/drift/look", {"agent": "clerk"})["items"]
    }
    assert set(found) == {"input", "output", "length", "tools", "cost", "confidence"}
    listed = viewer.get("/v1/drift", limit=4)
    assert len(listed["items"]) == 4
    assert len(viewer.get("/v1/drift", before=listed["next"])["items"]) == 2
    one = viewer.get(f"/v1/drift/{found['cost']['id']}")
    before, now = one["compared"]["before"], one["compared"]["now"]
    assert before["interval"]["high"] < now["median"] <= now["interval"]["high"]
    watches = viewer.get("/v1/drift/watches")["items"]
    assert {one["agent"] for one in watches} == {"clerk"}
    note = {"note": "a better model"}
    assert viewer.refused("POST", f"/v1/drift/{one['id']}/accept", note).status == 403
    assert ops.post(f"/v1/drift/{one['id']}/accept", note)["state"] == "accepted"
    refused = ops.refused("POST", f"/v1/drift/{one['id']}/accept", note)
    assert (refused.status, refused.code) == (409, "drift_over")
    assert refused.hint
    assert one["id"] not in {each["id"] for each in viewer.get("/v1/drift")["items"]}
    assert one["id"] in {
        each["id"] for each in viewer.get("/v1/drift", everything="true")["items"]
    }
    assert viewer.refused("GET", "/v1/drift/dft_nobody").code == "drift_not_found"
    assert ops.refused("POST", "/v1/drift/look", {"agent": "nobody"}).code == "agent_at_rest"


def test_the_terminal_says_the_same(office: Api, room: Room) -> None:
    ops = office.program("operator", project=room.project)
    found = ops.post("/v1/drift/look", {"agent": "clerk"})["items"]
    assert "refund is used in 60.0% of runs, 0.0% before" in _list(found)
    tools = next(one for one in found if one["aspect"] == "tools")
    told = _one(ops.get(f"/v1/drift/{tools['id']}"))
    assert "30 runs against 420 of 14 days" in told
    assert "refund: 0 [0, 0.0" in told
    assert "now: " in told
    cost = next(one for one in found if one["aspect"] == "cost")
    assert "before: median" in _one(cost)
    assert "clerk" in _watches(ops.get("/v1/drift/watches")["items"])


def test_pages_show_what_moved_side_by_side_and_as_text(office: Api, room: Room) -> None:
    person = office.person("operator", project=room.project)
    html = {"Accept": "text/html"}
    empty = person.send("GET", "/drift").text
    assert "Nothing here" in empty
    looked = person.send(
        "POST", "/drift/look", data={"agent": "clerk"}, headers=html, follow_redirects=False
    )
    assert looked.status_code == 303
    page = person.send("GET", "/drift").text
    assert "6 moved" in page
    asked = next(one for one in person.get("/v1/drift")["items"] if one["aspect"] == "input")
    shown = person.send("GET", f"/drift/{asked['id']}").text
    assert "cancel my &lt;b&gt;subscription&lt;/b&gt;" in shown
    assert "<b>subscription" not in shown
    assert "where is the" in shown
    assert "Accept as the new normal" in shown
    watching = office.person("viewer", project=room.project)
    assert "Accept as the new normal" not in watching.send("GET", f"/drift/{asked['id']}").text
    assert "Look now" not in watching.send("GET", "/drift").text
    done = person.send(
        "POST",
        f"/drift/{asked['id']}/accept",
        data={"note": "a <b>campaign</b>"},
        headers=html,
        follow_redirects=False,
    )
    assert done.status_code == 303
    again = person.send("GET", f"/drift/{asked['id']}").text
    assert "a &lt;b&gt;campaign" in again
    stranger = office.person("admin")
    assert stranger.refused("GET", f"/drift/{asked['id']}").status == 404


def test_what_is_not_kept_any_more_is_said_to_be_gone(office: Api, room: Room) -> None:
    person = office.person("operator", project=room.project)
    found = person.post("/v1/drift/look", {"agent": "clerk"})["items"]
    empty = Traces(
        shared, clock=office.db.clock, own=no_own_price, keep=KEEP, most=MOST, bounds=QUICK
    )
    empty.rows = lambda *_args, **_more: []  # type: ignore[method-assign]
    office.app.state.traces = empty
    for one in found:
        assert "not kept any more" in person.send("GET", f"/drift/{one['id']}").text
    empty.close()


def test_an_alert_tells_of_a_drift(office: Api, room: Room) -> None:
    ops = office.program("operator", project=room.project)
    ops.post("/v1/drift/look", {"agent": "clerk"})
    system = Actor("system", room.project, frozenset({"read"}), human=False)
    with office.db.write(system) as tx:
        alert_store.hurry(tx)
    alerts.look(office.db, None)
    with office.db.read(system) as tx:
        (alert,) = [one for one in alert_queries.alerts(tx) if one.rule == "drift"]
    assert "6 times" in alert.because
