"""Budgets over HTTP and from the terminal."""

import json
from pathlib import Path

import pytest
from tests.api import Api
from tests.budgets.world import reserve, settle, usd
from tests.installation import Shell, home, home_template, own_environment, shell

from opsroom.app import Settings, open_runtime

__all__ = ["home", "home_template", "own_environment", "shell"]
AGENT = {"scope": "agent", "key": "customs", "unit": "usd", "hard": "10", "window": 86_400}


def test_set_spend_look_and_remove(api: Api) -> None:
    ops, viewer = api.program("operator"), api.program("viewer")
    made = ops.put("/v1/budgets", AGENT | {"soft": "4"})
    assert (made["hard"], made["soft"], made["window"]) == ("10", "4", "P1D")
    reserve(api.db, "act_1", usd(3))
    settle(api.db, "act_1", usd("2.5"))
    reserve(api.db, "act_2", usd(1))
    page = viewer.get("/v1/budgets")
    (found,) = page["items"]
    assert (found["held"], found["settled"], page["next"]) == ("1", "2.5", None)
    one = viewer.get(f"/v1/budgets/{made['id']}")
    assert one["spent"][0]["amount"] == "2.5"
    assert one["tasks"]["n"] == 1
    assert one["forecast"] is None
    assert ops.put("/v1/budgets", AGENT | {"hard": "12"})["revision"] == 2
    ops.post(f"/v1/budgets/{made['id']}/remove", {"reason": "over"})
    assert viewer.get("/v1/budgets")["items"] == []
    assert viewer.refused("GET", f"/v1/budgets/{made['id']}").code == "budget_not_found"


def test_lists_go_on_by_key(api: Api) -> None:
    ops = api.program("operator")
    ids = [ops.put("/v1/budgets", AGENT | {"key": f"agent-{n}"})["id"] for n in range(5)]
    first = ops.get("/v1/budgets", limit=3)
    rest = ops.get("/v1/budgets", limit=3, after=first["next"])
    assert [one["budget"]["id"] for one in (*first["items"], *rest["items"])] == ids
    assert ops.get("/v1/budgets", key="agent-2")["items"][0]["budget"]["id"] == ids[2]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"hard": "NaN"}, "bad_request"),
        ({"hard": "-1"}, "impossible_amount"),
        ({"hard": "1e40"}, "impossible_amount"),
        ({"soft": "11"}, "broken_budget"),
        ({"window": 5}, "broken_budget"),
        ({"unit": "roubles"}, "bad_request"),
        ({"key": "a b"}, "broken_budget"),
        ({"surprise": 1}, "bad_request"),
    ],
)
def test_what_no_budget_can_be(sqlite_api: Api, wrong: dict[str, object], code: str) -> None:
    refused = sqlite_api.program("operator").refused("PUT", "/v1/budgets", AGENT | wrong)
    assert refused.status == 422
    assert refused.code == code
    assert refused.hint


def test_agents_and_viewers_set_nothing(sqlite_api: Api) -> None:
    for role in ("agent", "viewer", "author", "reviewer"):
        refused = sqlite_api.program(role).refused("PUT", "/v1/budgets", AGENT)
        assert (refused.status, refused.code) == (403, "may_not")


def test_from_the_terminal(shell: Shell, home: Path) -> None:
    made = shell.data("budget", "set", "agent/customs", "usd", "10", "--window", "1d")
    assert shell("budget", "set", "contract/post", "calls", "5", "--soft", "3") == 0
    assert "contract/post: 5 calls for ever" in shell.out
    assert shell("budget", "set", "turn/*", "seconds", "30") == 0
    runtime = open_runtime(Settings(data=home))
    reserve(runtime.db, "act_1", usd(4))
    settle(runtime.db, "act_1", usd("3.25"))
    runtime.close()
    assert shell("budget", "show") == 0
    assert "agent/customs" in shell.out
    assert "6.75" in shell.out
    assert shell("budget", "show", made["id"]) == 0
    assert "too little was spent" in shell.out
    assert shell.data("budget", "forecast", made["id"])["tasks"]["n"] == 1
    assert shell("budget", "remove", made["id"], "-m", "over") == 0
    assert shell.refused("budget", "forecast", made["id"])["code"] == "budget_not_found"
    assert shell("budget", "set", "customs", "usd", "10") == 2
    assert shell("budget", "set", "agent/customs", "usd", "10", "--window", "soon") == 2
    assert json.dumps(shell.data("budget", "show")).count("bud_") == 2
