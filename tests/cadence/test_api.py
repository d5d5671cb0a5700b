"""The calendar over HTTP, on pages, in the terminal, and as a feed."""

from datetime import timedelta

import pytest
from tests.api import Api
from tests.cadence.world import desk, on, tick

from opsroom.cadence.cli import _answer, _due, _list, _one, _settings

HTML = {"Accept": "text/html"}


@pytest.fixture
def office(sqlite_api: Api) -> Api:
    sqlite_api.project("default")
    desk(sqlite_api.db, cases=40)
    tick(sqlite_api.db)
    return sqlite_api


def audit_of(office: Api) -> str:
    found = office.person("viewer").get("/v1/cadence/due", kind="prompt-audit")
    return str(found["items"][0]["id"])


def test_due_start_close_and_what_the_terminal_says(office: Api) -> None:
    viewer, ben = office.person("viewer"), office.person("reviewer", name="ben")
    one = audit_of(office)
    assert viewer.refused("POST", f"/v1/cadence/{one}/start", {}).status == 403
    program = office.program("reviewer")
    assert program.refused("POST", f"/v1/cadence/{one}/start", {}).code == "people_judge"
    begun = ben.post(f"/v1/cadence/{one}/start", {})
    assert begun["questions"] == ["relevance", "token efficiency", "edge-case coverage"]
    assert "dataset/corrections-customs@1" in _one(begun)
    holds = {each: {"verdict": "holds"} for each in begun["questions"]}
    refused = ben.refused("POST", f"/v1/cadence/{one}/close", {"answers": {}, "note": "x"})
    assert (refused.status, refused.code) == (422, "occasion_unanswered")
    ben.post(f"/v1/cadence/{one}/attach", {"record": "prompt/customs@1", "note": "as it is"})
    closed = ben.post(f"/v1/cadence/{one}/close", {"answers": holds, "note": "well kept"})
    assert (closed["state"], closed["closed_by"]) == ("closed", "ben")
    assert "ben: well kept" in _one(closed)
    due = viewer.get("/v1/cadence/due")
    assert "prompt-audit: 1 in time in a row, 1 of 1" in _due(due)
    assert "access-review" in _list(due["items"], due["now"])
    listed = viewer.get("/v1/cadence", limit=1)
    assert listed["next"] == listed["items"][0]["id"]
    assert viewer.refused("GET", "/v1/cadence/occ_nobody").code == "occasion_not_found"
    assert _answer("token/tok_1=act:a=b") == (
        "token/tok_1", {"verdict": "act", "because": "a=b"}
    )  # fmt: skip


def test_moving_and_settings(office: Api) -> None:
    ben, root = office.person("reviewer", name="ben"), office.person("admin", name="root")
    one = audit_of(office)
    day = (office.db.clock.now() + timedelta(days=30)).date().isoformat()
    moved = ben.post(f"/v1/cadence/{one}/reschedule", {"to": day, "because": "ill"})
    assert moved["due_at"] == f"{day}T23:59:59Z"
    gone = {"to": "2020-01-01", "because": "ill"}
    refused = ben.refused("POST", f"/v1/cadence/{one}/reschedule", gone)
    assert (refused.status, refused.code) == (422, "occasion_bad_date")
    settings = root.get("/v1/cadence/settings")
    settings["prompt_audit"] |= {"every_months": 3, "owner": "ben"}
    assert ben.refused("PUT", "/v1/cadence/settings", settings).status == 403
    assert "3 months" in _settings(root.put("/v1/cadence/settings", settings))
    settings["prompt_audit"]["every_months"] = 7
    assert root.refused("PUT", "/v1/cadence/settings", settings).code == "bad_cadence"


def test_a_feed_is_read_by_its_address_as_long_as_its_owner_may(office: Api) -> None:
    ben = office.person("viewer", name="ben")
    url = ben.post("/v1/cadence/feed", {})["url"]
    path = url[url.index("/calendar/") :]
    nobody = office.nobody
    feed = nobody.send("GET", path)
    assert feed.status_code == 200
    assert feed.headers["content-type"].startswith("text/calendar")
    assert "SUMMARY:Prompt audit: customs" in feed.text
    assert ben.send("GET", "/v1/cadence/calendar.ics").text == feed.text
    assert nobody.send("GET", "/calendar/ocf_wrong.ics").status_code == 404
    office.person("admin", name="root").put("/v1/users/ben/roles", {"roles": []})
    assert nobody.send("GET", path).status_code == 404


def test_a_feed_follows_a_role_of_the_projects_own(office: Api) -> None:
    root = office.person("admin", name="root")
    root.put("/v1/roles/night-desk", {"permissions": ["read"]})
    ben = office.person("night-desk", name="ben")
    url = ben.post("/v1/cadence/feed", {})["url"]
    assert office.nobody.send("GET", url[url.index("/calendar/") :]).status_code == 200


def test_pages_carry_an_audit_from_the_month_to_its_end(office: Api) -> None:
    ben = office.person("reviewer", name="ben")
    one = audit_of(office)
    month = ben.send("GET", "/cadence").text
    assert "Prompt audit: customs" in month
    assert "November 2026" in month
    assert "January 2027" in ben.send("GET", "/cadence?month=2027-01").text
    form = {"headers": HTML, "follow_redirects": False}
    done = ben.send("POST", f"/cadence/{one}/start", data={}, **form)
    assert done.status_code == 303
    page = ben.send("GET", f"/cadence/{one}").text
    assert "were asked of it" in page
    asked = ["relevance", "token efficiency", "edge-case coverage"]
    given = {
        "question": asked,
        "verdict": ["holds", "act", "holds"],
        "because": ["", "it is <b>long</b>", ""],
        "note": "shorten it",
    }
    done = ben.send("POST", f"/cadence/{one}/close", data=given, **form)
    assert done.status_code == 303, done.text
    page = ben.send("GET", f"/cadence/{one}").text
    assert "it is &lt;b&gt;long&lt;/b&gt;" in page
    assert "done in time" in page
    assert "shorten it" in ben.send("GET", "/cadence/all").text
    root = office.person("admin", name="root")
    rule = {"kind": "prompt-audit", "every_months": "2", "within_days": "20", "on": "yes"}
    assert root.send("POST", "/cadence/settings", data=rule, **form).status_code == 303
    assert "every 2 months" in root.send("GET", "/cadence").text


def test_overdue_is_a_number_beside_the_place_and_told(office: Api) -> None:
    on(office.db.clock, "2026-11-30")  # type: ignore[arg-type]
    tick(office.db)
    ben = office.person("reviewer", name="ben")
    assert "3 overdue" in ben.send("GET", "/cadence").text.replace("\N{NO-BREAK SPACE}", " ")
    assert "is overdue since 2026-11-27" in office.person("risk").send("GET", "/audit").text
