"""Autonomy over HTTP and from the terminal."""

import pytest
from tests.api import Api
from tests.autonomy.world import AGENT, POST, WRITE, earn, store_agent
from tests.installation import Shell, home, home_template, own_environment, shell

from opsroom.kit.clock import ManualClock

__all__ = ["home", "home_template", "own_environment", "shell"]


@pytest.fixture
def earned(api: Api, clock: ManualClock) -> Api:
    store_agent(api.db)
    earn(api.db, clock)
    return api


def test_asking_approving_and_narrowing(earned: Api) -> None:
    author, reviewer = earned.person("author"), earned.person("reviewer")
    ladder = author.get(f"/v1/autonomy/{AGENT}")
    (rung,) = (one for one in ladder["rungs"] if one["grant"]["scope"] == WRITE)
    assert (rung["level"], rung["next"], rung["ready"]) == ("approve_each", "bounded", True)
    draft = {
        "agent": AGENT,
        "scope": WRITE,
        "level": "bounded",
        "envelope": {"max_amount": "50"},
        "reason": "it does well",
    }
    asked = author.post("/v1/widenings", draft)
    path = f"/v1/widenings/{asked['widening']['id']}"
    assert author.refused("POST", f"{path}/approve", {"binding": "x"}).code == "may_not"
    wrong = reviewer.refused("POST", f"{path}/approve", {"binding": "0" * 64})
    assert (wrong.status, wrong.code) == (409, "widening_moved")
    program = earned.program("reviewer")
    refused = program.refused("POST", f"{path}/approve", {"binding": asked["binding"]})
    assert (refused.status, refused.code) == (403, "not_a_person")
    granted = reviewer.post(f"{path}/approve", {"binding": asked["binding"]})
    assert (granted["level"], granted["envelope"]["max_amount"]) == ("bounded", "50")
    (listed,) = author.get("/v1/widenings", agent=AGENT)["items"]
    assert listed["widening"]["state"] == "granted"
    ops = earned.program("operator")
    body = {"scope": WRITE, "level": "expanded", "reason": "more!"}
    assert ops.refused("POST", f"/v1/autonomy/{AGENT}/narrow", body).code == "not_narrower"
    body = {"scope": WRITE, "level": "suspended", "reason": "less"}
    assert ops.post(f"/v1/autonomy/{AGENT}/narrow", body)["revision"] == 2
    (one,) = author.get("/v1/autonomy")["items"]
    assert one["grants"][0]["level"] == "suspended"


def test_who_asked_does_not_approve(earned: Api) -> None:
    both = earned.person("author", "reviewer")
    draft = {"agent": AGENT, "scope": WRITE, "level": "bounded", "reason": "mine"}
    asked = both.post("/v1/widenings", draft)
    path = f"/v1/widenings/{asked['widening']['id']}"
    refused = both.refused("POST", f"{path}/approve", {"binding": asked["binding"]})
    assert (refused.status, refused.code) == (403, "approver_is_requester")
    declined = both.post(f"{path}/decline", {"reason": "a slip"})
    assert declined["widening"]["state"] == "declined"


def test_more_than_was_earned(earned: Api) -> None:
    author = earned.person("author")
    draft = {"agent": AGENT, "scope": WRITE, "level": "expanded", "reason": "why not"}
    refused = author.refused("POST", "/v1/widenings", draft)
    assert (refused.status, refused.code) == (409, "not_earned")
    assert "one step at a time" in refused.message
    refused = author.refused("POST", "/v1/widenings", draft | {"scope": "tier/everything"})
    assert (refused.status, refused.code) == (422, "broken_grant")
    refused = author.refused("POST", "/v1/widenings", draft | {"agent": "nobody"})
    assert refused.status == 404


def test_the_kill_switch(earned: Api) -> None:
    ops = earned.program("operator")
    on = ops.post("/v1/kill-switch", {"agent": AGENT, "reason": "it ran wild"})
    assert on == {"agent": AGENT, "because": "it ran wild", "changed": True}
    assert ops.get(f"/v1/autonomy/{AGENT}")["stopped"]["by"].startswith("token:operator")
    ops.post("/v1/kill-switch", {"agent": "*", "reason": "all of them"})
    assert ops.get("/v1/autonomy")["all_stopped"]["reason"] == "all of them"
    refused = ops.refused("POST", "/v1/kill-switch/revive", {"agent": "*", "reason": "fine"})
    assert (refused.status, refused.code) == (403, "revived_by_program")
    person = earned.person("operator")
    off = person.post("/v1/kill-switch/revive", {"agent": "*", "reason": "fine"})
    assert off["because"] is None
    assert ops.post("/v1/kill-switch/revive", {"agent": AGENT, "reason": "fixed"})["changed"]
    assert ops.refused("POST", "/v1/kill-switch", {"agent": AGENT, "reason": ""}).status == 422
    agent = earned.program("agent")
    for path in ("/v1/kill-switch", "/v1/kill-switch/revive"):
        assert agent.refused("POST", path, {"agent": AGENT, "reason": "x"}).code == "may_not"


def test_from_the_terminal(shell: Shell, home: object) -> None:
    assert shell("autonomy", "show") == 0
    assert "there is no agent" in shell.out
    assert shell("autonomy", "kill", "--all", "-m", "the bank called") == 0
    assert "all agents: stopped (the bank called)" in shell.out
    assert shell("autonomy", "kill", "-m", "whom?") == 2
    assert shell.refused("autonomy", "kill", "nobody", "-m", "x")["exit_code"] == 2
    refused = shell.refused("autonomy", "revive", "--all", "-m", "false alarm")
    assert refused["code"] == "revived_by_program"
    refused = shell.refused("autonomy", "propose", "nobody", POST, "bounded", "-m", "x")
    assert refused["exit_code"] == 2
    assert (
        shell.refused("autonomy", "widen", "wid_1", "-m", "x")["code"] == "widening_not_found"
    )
    refused = shell.refused("autonomy", "narrow", "nobody", "tier/x", "shadow", "-m", "x")
    assert refused["code"] == "broken_grant"
