"""Feedback over HTTP, on pages, through links, and from programs."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.api import HOST, Api, Caller
from tests.feedback.world import hire, turn
from tests.telemetry import Room
from tests.traces.otlp import request

from opsroom import sdk
from opsroom.app import guarded
from opsroom.app.settings import BadSetting, from_environment
from opsroom.feedback import joining
from opsroom.feedback.model import PER_USER
from opsroom.kit.clock import ManualClock
from opsroom.sdk import Opsroom, RemoteError
from opsroom.simulator.paying import NAME

F = "/v1/feedback"


@pytest.fixture
def office(sqlite_api: Api) -> Api:
    hire(sqlite_api.db)
    return sqlite_api


def test_say_list_show_and_what_it_comes_to(office: Api) -> None:
    one = turn(office.db)
    app, viewer = office.program("agent"), office.program("viewer")
    made = app.post(F, {"subject": f"turn/{one.id}", "helpful": True, "by": "bo"})
    assert (made["agent"], made["version"], made["counts"]) == (NAME, f"{NAME}@1", True)
    app.post(F, {"subject": f"turn/{one.id}", "source": "agent", "confidence": 0.7})
    app.post(
        F,
        {
            "subject": f"turn/{one.id}",
            "source": "business",
            "kpi": "days-late",
            "value": "3.50",
            "unit": "days",
            "known_at": "2026-11-20T00:00:00Z",
        },
    )
    listed = viewer.get(F, limit=2)
    assert [found["source"] for found in listed["items"]] == ["business", "agent"]
    assert listed["items"][0]["value"] == "3.50"
    rest = viewer.get(F, limit=2, before=listed["next"])
    assert [found["id"] for found in rest["items"]] == [made["id"]]
    assert rest["next"] is None
    assert len(viewer.get(F, agent=NAME, source="user", counted="true")["items"]) == 1
    assert viewer.get(f"{F}/{made['id']}") == made
    assert viewer.refused("GET", f"{F}/fbk_nobody").code == "feedback_not_found"
    assert viewer.refused("POST", F, {"subject": "turn/x", "helpful": True}).status == 403
    figures = viewer.get(f"{F}/figures", days=7)
    assert figures["said"] == {"user": 1, "agent": 1, "business": 1}
    assert figures["by_use_case"][0]["helpful"]["tally"] == {"n": 1, "hits": 1}


def test_each_of_many_is_taken_or_refused_by_itself(office: Api) -> None:
    app = office.program("agent")
    items: list[dict[str, Any]] = [
        {"subject": "trace/a", "helpful": True, "key": "1"},
        {"subject": "nothing", "helpful": True},
        {"subject": "trace/a", "helpful": "perhaps"},
        {"subject": "trace/a", "helpfull": True},
        {"subject": "trace/a", "helpful": False, "key": "1"},
        {"subject": "trace/b", "text": "half a pair \ud800"},
        {"subject": "trace/c", "helpful": True},
    ]
    body = json.dumps({"items": items})  # escaped, as a surrogate can be
    answer = app.send("POST", F, content=body, headers={"Content-Type": "application/json"})
    done = answer.json()["items"]
    codes = [one["code"] for one in done]
    assert codes[:5] == ["", "bad_feedback", "bad_feedback", "bad_feedback", "feedback_differs"]
    assert codes[5]
    assert codes[6] == ""
    assert "helpful" in done[2]["error"]
    assert len(app_list(office)) == 2
    many = [{"subject": "trace/a", "helpful": True}] * 501
    assert app.refused("POST", F, {"items": many}).status == 422


def app_list(office: Api) -> list[dict[str, Any]]:
    return list(office.program("viewer").get(F, limit=200)["items"])


def test_a_flood_is_set_aside_refused_and_seen(office: Api) -> None:
    app, person = office.program("agent"), office.person("operator")
    done: list[dict[str, Any]] = []
    for batch in range(4):
        items = [
            {"subject": f"trace/{batch}-{number}", "helpful": False, "by": "<b>mallory"}
            for number in range(60)
        ]
        done = app.post(F, {"items": items})["items"]
    assert {one["code"] for one in done[20:]} == {"feedback_flood"}
    refused = app.refused(
        "POST", F, {"subject": "trace/x", "helpful": False, "by": "<b>mallory"}
    )
    assert (refused.status, refused.code) == (409, "feedback_flood")
    (voice,) = person.get(f"{F}/quarantine")["items"]
    assert (voice["set_aside"], voice["refused"]) == (200, 41), "the one that raised as well"
    page = person.send("GET", "/feedback").text
    assert "&lt;b&gt;mallory" in page
    assert "<b>mallory" not in page
    assert "More than 30 within an hour" in page
    assert "no user has said anything yet" in page
    watching = office.person("viewer")
    assert ">Release<" not in watching.send("GET", "/feedback").text
    assert watching.refused("POST", f"{F}/quarantine/release", {"by": "x"}).status == 403
    assert watching.send("GET", "/feedback/said?state=quarantined").text.count("set aside") > 40
    freed = person.send(
        "POST", "/feedback/release", data={"by": "<b>mallory"}, follow_redirects=False
    )
    assert freed.status_code == 303
    assert person.get(f"{F}/figures")["overall"]["voices"] == 200
    refused = person.refused("POST", f"{F}/quarantine/release", {"by": "<b>mallory"})
    assert refused.code == "nothing_set_aside"


def test_one_piece_is_released_from_the_list(office: Api) -> None:
    app, person = office.program("agent"), office.person("operator")
    said = [
        app.post(F, {"subject": f"trace/{number}", "text": "no", "by": "bo"})
        for number in range(PER_USER + 1)
    ]
    last = said[-1]
    assert last["state"] == "quarantined"
    person.send("POST", "/feedback/release", data={"feedback_id": last["id"]})
    now = person.get(f"{F}/{last['id']}")
    assert (now["state"], now["counts"]) == ("accepted", True)
    assert now["released_by"] == person.name


def test_texts_lose_what_the_project_takes_out(office: Api) -> None:
    app = office.program("agent")
    made = app.post(F, {"subject": "trace/a", "text": "write to bo@example.com", "by": "bo"})
    assert made["text"] == "write to [redacted:email]"


def test_pages_say_what_was_said_as_text(office: Api) -> None:
    one = turn(office.db, trace="ab" * 16)
    app, person = office.program("agent"), office.person("viewer")
    app.post(F, {"subject": f"turn/{one.id}", "text": "<script>x</script>", "by": "bo"})
    app.post(F, {"subject": f"turn/{one.id}", "helpful": True, "by": "ann"})
    page = person.send("GET", "/feedback").text
    assert "&lt;script&gt;x" in page
    assert f'href="/turns/{one.id}"' in page
    assert "pay-invoice-order" in page
    listed = person.send("GET", f"/feedback/said?agent={NAME}&source=user&counted=true").text
    assert f"{NAME}@1" in listed
    assert (
        "Nobody has said anything like that" in person.send("GET", "/feedback/said?by=x").text
    )


def test_a_trace_shows_what_was_said_of_it(office: Api, room: Room) -> None:
    office.app.state.traces = room.traces
    office.project(room.project)
    room.send(
        request(
            {
                "trace": "1" * 32,
                "id": "a" * 16,
                "name": "x",
                "gen_ai.agent.name": "sam",
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.version": "sam@4",
            }
        )
    )
    app = office.program("agent", project=room.project)
    person = office.person("viewer", project=room.project)
    assert "What was said of it" not in person.send("GET", f"/traces/{'1' * 32}").text
    made = app.post(F, {"subject": f"trace/{'1' * 32}", "text": "well done", "by": "bo"})
    assert made["joined"] is False
    assert "well done" in person.send("GET", f"/traces/{'1' * 32}").text
    assert joining.join(office.db, room.traces) == 1
    now = person.get(f"{F}/{made['id']}")
    assert (now["agent"], now["joined"]) == ("sam", True)
    assert joining.join(office.db, room.traces) == 0


def test_a_link_permits_one_thing_only(office: Api) -> None:
    one = turn(office.db)
    app = office.program("agent")
    linked = app.post(f"{F}/links", {"subject": f"turn/{one.id}", "by": "bo", "hours": 1})
    assert linked["post_to"] == "http://127.0.0.1:8400/v1/feedback/given"
    token = linked["token"]
    said = {"token": token, "helpful": True, "text": "thanks"}
    assert office.nobody.post(f"{F}/given", said) == {"heard": True}
    (found,) = app_list(office)
    assert (found["subject"], found["by"]) == (f"turn/{one.id}", "bo")
    assert found["reported_by"].startswith("link:token:agent"), "who made it answers for it"
    holder = Caller(office.client, "holder", {"Authorization": f"Bearer {token}"})
    for method, path in (("GET", F), ("POST", F), ("GET", "/v1/me"), ("POST", f"{F}/links")):
        assert holder.refused(method, path, {} if method == "POST" else None).status == 401
    other = office.nobody.refused("POST", f"{F}/given", {**said, "subject": "turn/other"})
    assert other.status == 422, "the subject is the link's"
    assert office.nobody.refused("POST", f"{F}/given", {"token": token}).code == "bad_feedback"
    broken = office.nobody.refused("POST", f"{F}/given", {**said, "token": token[:-2] + "xx"})
    assert (broken.status, broken.code) == (403, "feedback_link_refused")
    assert isinstance(office.db.clock, ManualClock)
    office.db.clock.move(timedelta(hours=2))
    late = office.nobody.refused("POST", f"{F}/given", said)
    assert "its time is up" in late.message
    assert app.refused("POST", f"{F}/links", {"subject": "x"}).code == "bad_feedback"
    assert (
        app.refused("POST", f"{F}/links", {"subject": "turn/x", "hours": 9_999}).status == 422
    )
    again = {**said, "token": app.post(f"{F}/links", {"subject": "turn/x"})["token"]}
    assert app.refused("POST", f"{F}/links/revoke").status == 403
    office.person("operator").post(f"{F}/links/revoke")
    assert office.nobody.refused("POST", f"{F}/given", again).code == "feedback_link_refused"
    foreign = office.nobody.refused("POST", f"{F}/given", {**said, "token": "ofb_e30.x"})
    assert foreign.code == "feedback_link_refused"


def test_only_named_origins_may_post_and_only_there(office: Api) -> None:
    shop = {"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}
    token = office.program("agent").post(f"{F}/links", {"subject": "trace/a"})["token"]
    said = {"token": token, "helpful": True}
    refused = office.nobody.refused("POST", f"{F}/given", said, headers=shop)
    assert (refused.status, refused.code) == (403, "foreign_origin")
    settings = office.app.state.settings
    office.app.state.settings = replace(settings, feedback_origins=("https://shop.example",))
    client = TestClient(guarded(office.app), base_url=HOST)
    office.app.state.settings = settings
    asked = client.options(
        f"{F}/given", headers={**shop, "Access-Control-Request-Method": "POST"}
    )
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-credentials" not in asked.headers
    heard = client.post(f"{F}/given", json=said, headers=shop)
    assert heard.status_code == 200
    assert heard.headers["access-control-allow-origin"] == "https://shop.example"
    assert heard.headers["vary"] == "Origin"
    other = client.post(f"{F}/given", json=said, headers={"Origin": "https://evil.example"})
    assert other.status_code == 403
    assert "access-control-allow-origin" not in other.headers
    person = office.person("operator")
    for path in (F, f"{F}/given/", f"{F}/quarantine/release"):
        done = client.post(path, json=said, headers={**person.headers, **shop})
        assert done.status_code == 403, path
        assert "access-control-allow-origin" not in done.headers


@pytest.mark.parametrize("origin", ["*", "shop.example", "https://shop.example/", "null"])
def test_an_origin_is_an_origin(origin: str) -> None:
    with pytest.raises(BadSetting):
        from_environment({"OPSROOM_FEEDBACK_ORIGINS": origin})
    several = from_environment(
        {"OPSROOM_FEEDBACK_ORIGINS": "https://shop.example, http://localhost:9000"}
    )
    assert several.feedback_origins == ("https://shop.example", "http://localhost:9000")


def test_the_widget_is_small_and_any_site_may_load_it(office: Api) -> None:
    answer = office.nobody.send("GET", "/feedback-widget.js")
    assert answer.status_code == 200
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert len(answer.content) < 4_000


@pytest.fixture
def program(office: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Opsroom:
    """The SDK's client of a program, over this application."""
    monkeypatch.setenv("OPSROOM_SPOOL", str(tmp_path / "spool"))
    who = office.program("agent")
    return Opsroom("http://127.0.0.1:1").over(office.client._transport, who.headers)


def test_the_sdk_says_it_and_keeps_it_while_the_server_is_away(
    office: Api, program: Opsroom, tmp_path: Path
) -> None:
    one = turn(office.db)
    made = sdk.feedback(turn=one.id, helpful=True, by="bo", client=program)
    assert made.startswith("fbk_")
    result = sdk.feedback(turn=one.id, kpi="days-late", value=2.5, client=program)
    assert office.program("viewer").get(f"{F}/{result}")["value"] == "2.5"
    with pytest.raises(RemoteError) as refused:
        sdk.feedback(turn=one.id, client=program)
    assert refused.value.code == "bad_feedback"
    away = Opsroom("http://127.0.0.1:1")
    assert sdk.feedback(turn=one.id, helpful=False, by="ann", client=away) == ""
    away.close()
    waiting = list((tmp_path / "spool").glob("*.json"))
    assert len(waiting) == 1
    (file, report), *_ = program.reports.waiting()
    assert program.reports.send(report.path, report.body, file) is not None
    assert not list((tmp_path / "spool").glob("*.json"))
    assert office.program("viewer").get(f"{F}/figures")["overall"]["voices"] == 2


def test_what_can_be_neither_sent_nor_kept_is_not_lost_in_silence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OPSROOM_SPOOL", str(tmp_path / "file" / "spool"))
    with pytest.raises(sdk.Unreachable):
        sdk.feedback(trace="a", helpful=True, client=Opsroom("http://127.0.0.1:1"))


@pytest.mark.parametrize("loaded", ["", "import opsroom.feedback.routes, opsroom.feedback;"])
def test_programs_call_it_whatever_else_is_loaded(loaded: str) -> None:
    code = f"import opsroom; {loaded} opsroom.feedback(trace='a', helpful=True)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={
            "OPSROOM_URL": "http://127.0.0.1:1",
            "OPSROOM_SPOOL": "/dev/null/x",
            "PATH": "",
            "PYTHONPATH": ":".join(sys.path),
        },
    )
    assert "Unreachable" in done.stderr, done.stderr
