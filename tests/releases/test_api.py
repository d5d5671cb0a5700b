"""Releases over HTTP, as programs, reviewers and operators use them."""

import pytest
from tests.api import Api
from tests.releases import world
from tests.releases.conftest import Reach

from opsroom.approvals import Answer
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Database
from opsroom.kit.wire import plain
from opsroom.releases import commands

DRAFT = {"version": "agent/clerk@2", "plan": plain(world.SMALL)}


def test_from_start_to_review_over_http(api: Api, db: Database, clock: ManualClock) -> None:
    world.build(db, cases=2)
    operator, agent = api.program("operator"), api.program("agent")
    reviewer = api.person("reviewer")
    started = operator.post("/v1/releases", DRAFT)
    path = f"/v1/releases/{started['id']}"
    assert (started["state"], started["plan"]["gate"]["dataset"]) == (
        "gating",
        "dataset/clerk@1",
    )
    world.gated(db, started["id"])
    answer = {"answer": "approve", "reason": "fine"}
    assert reviewer.refused("POST", f"{path}/reviews", answer).code == "bad_request"
    stale = reviewer.refused("POST", f"{path}/reviews", {**answer, "binding": "0" * 64})
    assert (stale.status, stale.code) == (409, "release_moved")
    binding = reviewer.get(path)["binding"]
    reviewer.post(f"{path}/reviews", {**answer, "binding": binding})
    assert operator.post(f"{path}/advance")["to"] == "shadowing"
    found = agent.get("/v1/resolve", name="clerk", subject="s1")
    assert (found["version"], found["shadow"]) == ("agent/clerk@1", "agent/clerk@2")
    pairs = [plain(world.pair(f"p{n}")) for n in range(40)]
    assert agent.post(f"{path}/shadow", {"pairs": pairs})["counted"] == 40
    assert operator.post(f"{path}/advance") == {
        "kind": "hold",
        "code": "time",
        "because": "the shadow run lasts until 2026-11-22 00:00:00 UTC; 40 of 40 shadow pairs",
        "until": "2026-11-22T00:00:00Z",
    }
    clock.move(world.SMALL.shadow.min_time)
    assert operator.post(f"{path}/advance")["to"] == "in_review"
    reviewer = api.person("reviewer")  # the session of two days ago is over
    sample = reviewer.get(f"{path}/sample")
    assert len(sample) == 5
    for one in sample:
        reviewer.post(f"{path}/sample", {"key": one["pair"]["key"], "good": True})
    assert operator.post(f"{path}/advance")["to"] == "canarying"
    shown = operator.get(path)
    assert shown["release"]["legs"][0]["weight"] == 0.25
    assert shown["next"]["code"] == "time"
    kinds = [one["decision"]["kind"] for one in operator.get(f"{path}/decisions")["items"]]
    assert kinds.count("advance") == 4


def test_outcomes_series_and_steering(
    sqlite_api: Api, sqlite_db: Database, canarying: Reach
) -> None:
    release = canarying(sqlite_db)
    agent, operator = sqlite_api.program("agent"), sqlite_api.program("operator")
    path = f"/v1/releases/{release.id}"
    outcomes = [
        {"subject": f"s{n}", "leg": 1, "values": {"success": 1, "error": 0}} for n in range(60)
    ]
    assert agent.post(f"{path}/outcomes", {"outcomes": outcomes})["counted"] == 60
    assert agent.post(f"{path}/outcomes", {"outcomes": outcomes})["repeated"] == 60
    (point,) = operator.get(f"{path}/series/success")
    assert point["low"] < point["difference"] < point["high"]
    refused = operator.refused("GET", f"{path}/series/speed")
    assert (refused.status, refused.code) == (404, "metric_not_watched")
    assert operator.post(f"{path}/pause", {"reason": "odd"})["state"] == "paused"
    assert agent.get("/v1/resolve", name="clerk", subject="s1")["number"] == 1
    assert operator.post(f"{path}/resume", {"reason": "fine"})["state"] == "canarying"
    refused = operator.refused("POST", f"{path}/abort", {"reason": "late"})
    assert (refused.status, refused.code, refused.exit_code) == (
        409,
        "release_in_wrong_state",
        7,
    )
    event = {"key": "e1", "what": "secret in output"}
    assert agent.post(f"{path}/security-events", event)["kind"] == "roll_back"
    listed = operator.get("/v1/releases", kind="agent", name="clerk")
    assert [one["state"] for one in listed["items"]] == ["rolled_back"]
    assert operator.get("/v1/releases", active=True) == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("role", "verb", "body"),
    [
        ("agent", "pause", {"reason": "no"}),
        ("reviewer", "rollback", {"reason": "no"}),
        ("viewer", "outcomes", {"outcomes": []}),
        ("operator", "reviews", {"answer": Answer.APPROVE.value}),
        ("viewer", "advance", None),
    ],
)
def test_who_may_not(
    sqlite_api: Api, sqlite_db: Database, role: str, verb: str, body: object
) -> None:
    world.build(sqlite_db, cases=2)
    release = world.start(sqlite_db)
    refused = sqlite_api.program(role).refused(
        "POST", f"/v1/releases/{release.id}/{verb}", body
    )
    assert (refused.status, refused.code) == (403, "may_not")


def test_another_project_finds_nothing(sqlite_api: Api, sqlite_db: Database) -> None:
    world.build(sqlite_db, cases=2)
    release = world.start(sqlite_db)
    sqlite_api.project("elsewhere")
    stranger = sqlite_api.program("admin", project="elsewhere")
    path = f"/v1/releases/{release.id}"
    for method, tail, body in (
        ("GET", "", None),
        ("GET", "/decisions", None),
        ("GET", "/sample", None),
        ("GET", "/series/success", None),
        ("POST", "/advance", None),
        ("POST", "/pause", {"reason": "x"}),
        ("POST", "/shadow", {"pairs": []}),
        ("POST", "/outcomes", {"outcomes": []}),
        ("POST", "/security-events", {"key": "k", "what": "w"}),
    ):
        refused = stranger.refused(method, f"{path}{tail}", body)
        assert (refused.status, refused.code) == (404, "release_not_found")


def test_bad_requests_say_what_is_wrong(
    sqlite_api: Api, sqlite_db: Database, canarying: Reach
) -> None:
    release = canarying(sqlite_db)
    agent, operator = sqlite_api.program("agent"), sqlite_api.program("operator")
    path = f"/v1/releases/{release.id}"
    half = {"outcomes": [{"subject": "s", "values": {"success": 0.5}}]}
    refused = agent.refused("POST", f"{path}/outcomes", half)
    assert (refused.status, refused.code) == (422, "bad_observation")
    refused = operator.refused("POST", "/v1/releases", DRAFT)
    assert (refused.status, refused.code) == (409, "release_running")
    plan = {**DRAFT, "plan": {"steps": []}}
    with sqlite_db.write(world.ADA) as tx:
        commands.roll_back(tx, release.id, reason="make room")
    refused = operator.refused("POST", "/v1/releases", plan)
    assert (refused.status, refused.code) == (422, "bad_release_plan")
    unknown = {**DRAFT, "plan": {"speed": "fast"}}
    assert operator.refused("POST", "/v1/releases", unknown).status == 422
