"""Alerts over HTTP, on pages and in the terminal, and rules that nobody can store."""

from typing import Any

import pytest
from tests.alerts.world import HOUR, SYSTEM, end, look, usual_days
from tests.api import Api

from opsroom.actions.model import Final
from opsroom.kit.clock import ManualClock

VERSIONS = "/v1/artifacts/alert-rule/mine/versions"


@pytest.fixture
def opened(api: Api, clock: ManualClock) -> str:
    """The id of an alert that is open."""
    usual_days(api.db, clock, "clerk")
    with api.db.write(SYSTEM) as tx:
        end(tx, "clerk", tx.now - HOUR, [*[Final.FAILED] * 12, *[Final.DONE] * 28])
        tx.record("label.moved", "agent/clerk", label="production", before=1, after=2, how="x")
    return next(one.id for one in look(api.db) if one.rule == "errors-high")


def test_list_show_take_on_resolve(api: Api, opened: str) -> None:
    viewer, ops = api.program("viewer"), api.program("operator")
    listed = viewer.get("/v1/alerts", limit=1)
    assert len(listed["items"]) == 1
    rest = viewer.get("/v1/alerts", before=listed["next"])["items"]
    assert opened in {one["id"] for one in [*listed["items"], *rest]}
    shown = viewer.get(f"/v1/alerts/{opened}")
    assert shown["alert"]["state"] == "open"
    assert shown["suspect"]["subject"] == "agent/clerk"
    assert viewer.refused("POST", f"/v1/alerts/{opened}/acknowledge").status == 403
    assert ops.post(f"/v1/alerts/{opened}/acknowledge")["state"] == "acknowledged"
    body = {"note": "a bad release"}
    assert ops.post(f"/v1/alerts/{opened}/resolve", body)["note"] == "a bad release"
    refused = ops.refused("POST", f"/v1/alerts/{opened}/resolve", body)
    assert (refused.status, refused.code, refused.exit_code) == (409, "alert_over", 7)
    assert opened not in {one["id"] for one in viewer.get("/v1/alerts")["items"]}
    every = viewer.get("/v1/alerts", everything="true")["items"]
    assert opened in {one["id"] for one in every}
    assert viewer.refused("GET", "/v1/alerts/alt_nobody").code == "alert_not_found"


def test_the_pages_say_what_is_open_and_what_can_be_done(api: Api, opened: str) -> None:
    person = api.person("operator")
    page = person.send("GET", "/alerts").text
    assert "clerk: errors-high" in page
    assert "More than 1.5 % of turns fail" in page
    assert "Alerts that are not resolved" in person.send("GET", "/").text
    shown = person.send("GET", f"/alerts/{opened}").text
    assert "/agents/clerk/labels/production/rollback" in shown
    assert "Take it on" in shown
    watching = api.person("viewer").send("GET", f"/alerts/{opened}").text
    assert "Take it on" not in watching
    answered = person.send("POST", f"/alerts/{opened}/acknowledge", follow_redirects=False)
    assert answered.status_code == 303
    again = person.send("GET", f"/alerts/{opened}").text
    assert f"taken on by {person.name}" in again
    done = person.send(
        "POST", f"/alerts/{opened}/resolve", data={"note": "<b>x</b>"}, follow_redirects=False
    )
    assert done.status_code == 303
    assert "&lt;b&gt;x" in person.send("GET", f"/alerts/{opened}").text


def test_mute_list_unmute(api: Api, opened: str) -> None:
    viewer, ops = api.program("viewer"), api.program("operator")
    body = {"rule": "errors-high", "agent": "clerk", "seconds": 7200, "reason": "the ledger"}
    assert viewer.refused("POST", "/v1/alert-mutes", body).status == 403
    made = ops.post("/v1/alert-mutes", body)
    assert (made["by"], made["every"]) == (ops.name, "once")
    assert viewer.get("/v1/alert-mutes") == [made]
    refused = ops.refused("POST", "/v1/alert-mutes", {**body, "rule": "nothing"})
    assert (refused.status, refused.code) == (422, "broken_mute")
    assert ops.refused("POST", "/v1/alert-mutes", {**body, "seconds": 1e9}).status == 422
    naive = {**body, "starts_at": "2026-11-20T00:00:00"}
    assert ops.refused("POST", "/v1/alert-mutes", naive).status == 422
    assert ops.send("DELETE", f"/v1/alert-mutes/{made['id']}").json()["ended_at"]
    assert viewer.get("/v1/alert-mutes") == []
    assert ops.refused("DELETE", f"/v1/alert-mutes/{made['id']}").code == "mute_not_found"


def test_muting_on_the_pages(api: Api, opened: str) -> None:
    ops = api.person("operator")
    form = {"rule": "errors-high", "agent": "clerk", "hours": "8", "reason": "<b>moves</b>"}
    answered = ops.send(
        "POST", "/alerts/mutes", data={**form, "back": opened}, follow_redirects=False
    )
    assert answered.headers["location"].startswith(f"/alerts/{opened}")
    assert "&lt;b&gt;moves" in ops.send("GET", f"/alerts/{opened}").text
    weekly = {**form, "every": "week", "starts_at": "2027-01-03T02:00", "back": "//evil"}
    answered = ops.send("POST", "/alerts/mutes", data=weekly, follow_redirects=False)
    assert answered.headers["location"].startswith("/alerts?")
    page = ops.send("GET", "/alerts").text
    assert "every week" in page
    assert "to come" in page
    first = api.program("viewer").get("/v1/alert-mutes")[0]["id"]
    ops.send("POST", f"/alerts/mutes/{first}/end", follow_redirects=False)
    assert len(api.program("viewer").get("/v1/alert-mutes")) == 1
    wrong = {**form, "starts_at": "soon"}
    assert ops.send("POST", "/alerts/mutes", data=wrong).status_code == 422


def test_rules_have_versions_like_everything_else(sqlite_api: Api) -> None:
    author, viewer = sqlite_api.program("author"), sqlite_api.program("viewer")
    author.post("/v1/artifacts/alert-rule", {"name": "mine"})
    spec = {"when": "now.turns > 100", "description": "busy"}
    made = author.post(VERSIONS, {"spec": spec})
    assert made["number"] == 1
    rules = {one["name"]: one for one in viewer.get("/v1/alert-rules")["items"]}
    assert rules["mine"]["ref"] == "alert-rule/mine@1"
    assert rules["mine"]["digest"] == made["digest"]
    page = sqlite_api.person("viewer").send("GET", "/alert-rules/mine").text
    assert "now.turns &gt; 100" in page
    assert "Busy" in page


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"when": "now.turns >"}, "bad_condition"),
        ({"when": "now.luck > 1"}, "bad_condition"),
        ({"window": 1}, "broken_rule"),
        ({"window": 8 * 86400}, "broken_rule"),
        ({"quiet_after": -1}, "broken_rule"),
        ({"events": ["turn.begun"]}, "broken_rule"),
        ({"description": " "}, "broken_rule"),
        ({"remind_every": 1}, "broken_rule"),
        ({"surprise": 1}, "bad_spec"),
    ],
)
def test_what_no_rule_can_be(sqlite_api: Api, wrong: dict[str, Any], code: str) -> None:
    author = sqlite_api.program("author")
    author.post("/v1/artifacts/alert-rule", {"name": "mine"})
    body = {"spec": {"when": "now.turns > 1", "description": "d", **wrong}}
    refused = author.refused("POST", VERSIONS, body)
    assert (refused.status, refused.code) == (422, code)
    assert refused.hint


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"events": ["budget.refused"], "when": "events > 0"}, "events_of_the_project"),
        ({"when": "now.turns == 0"}, "holds_of_nothing"),
        ({"when": "now.failed.rate > 0.02"}, "bare_rate"),
    ],
)
def test_what_the_linter_says(sqlite_api: Api, spec: dict[str, Any], code: str) -> None:
    author = sqlite_api.program("author")
    author.post("/v1/artifacts/alert-rule", {"name": "mine"})
    author.post(VERSIONS, {"spec": {"description": "d", **spec}})
    assert code in {one["code"] for one in author.get(f"{VERSIONS}/1/lint")}
