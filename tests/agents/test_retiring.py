"""An agent that is retired is nobody, everywhere and at once (C13)."""

import pytest
from tests.api import Api, api, sqlite_api
from tests.installation import Shell

from opsroom.agents import queries
from opsroom.journal import queries as journal
from opsroom.sdk import Opsroom

__all__ = ["api", "sqlite_api"]
WHY = {"reason": "the desk closed"}


@pytest.fixture
def desk(api: Api) -> Api:
    api.program("admin").post("/v1/artifacts/agent", {"name": "desk"})
    return api


def test_no_token_of_a_retired_agent_works(desk: Api) -> None:
    mine, other = desk.program("agent", agent="desk"), desk.program("agent", agent="clerk")
    assert mine.get("/v1/me")["agent"] == "desk"
    admin = desk.program("admin")
    ended = admin.post("/v1/agents/desk/retire", WHY)
    assert (ended["agent"], ended["reason"]) == ("desk", "the desk closed")
    refusal = mine.refused("GET", "/v1/me")
    assert (refusal.status, refusal.code) == (401, "wrong_credentials")
    assert other.get("/v1/me")["agent"] == "clerk"
    wanted = {"name": "again", "roles": ["agent"], "agent": "desk"}
    assert admin.refused("POST", "/v1/tokens", wanted).code == "identity_closed"
    assert admin.refused("POST", "/v1/agents/desk/retire", WHY).code == "already_retired"
    with desk.db.read(desk.actor()) as tx:
        told = {entry.event: entry.facts for entry, _ in journal.entries(tx, limit=5)}
        assert queries.retired(tx, "desk") is not None
    assert told["agent.retired"] == {"reason": "the desk closed", "tokens": 1}
    assert "token.revoked" in told


def test_a_reinstated_agent_needs_a_new_token(desk: Api) -> None:
    old = desk.program("agent", agent="desk")
    admin = desk.program("admin")
    assert admin.refused("POST", "/v1/agents/desk/reinstate", WHY).code == "not_retired"
    admin.post("/v1/agents/desk/retire", WHY)
    admin.post("/v1/agents/desk/reinstate", {"reason": "it opened again"})
    assert old.refused("GET", "/v1/me").status == 401
    assert desk.program("agent", agent="desk").get("/v1/me")["agent"] == "desk"


def test_a_token_made_while_the_agent_was_being_retired_is_dead(desk: Api) -> None:
    admin = desk.program("admin")
    admin.post("/v1/agents/desk/retire", WHY)
    with desk.db.write(desk.actor()) as tx:  # what a transaction that began earlier would leave
        tx.conn.exec_driver_sql("DELETE FROM closed_identities")
    slipped = desk.program("agent", agent="desk")
    admin.post("/v1/agents/desk/retire", WHY)
    assert slipped.refused("GET", "/v1/me").status == 401
    admin.post("/v1/agents/desk/reinstate", WHY)
    assert slipped.refused("GET", "/v1/me").status == 401


@pytest.mark.parametrize(
    ("path", "reason", "code"),
    [
        ("/v1/agents/nobody/retire", "x", "artifact_not_found"),
        ("/v1/agents/nobody/reinstate", "x", "artifact_not_found"),
        ("/v1/agents/desk/retire", "  ", "reason_missing"),
        ("/v1/agents/desk/reinstate", "", "reason_missing"),
    ],
)
def test_retiring_wants_an_agent_and_a_reason(
    sqlite_api: Api, path: str, reason: str, code: str
) -> None:
    admin = sqlite_api.program("admin")
    admin.post("/v1/artifacts/agent", {"name": "desk"})
    assert admin.refused("POST", path, {"reason": reason}).code == code
    assert sqlite_api.program("agent", agent="desk").get("/v1/me")["agent"] == "desk"


def test_operators_retire_and_only_administrators_bring_back(sqlite_api: Api) -> None:
    sqlite_api.program("admin").post("/v1/artifacts/agent", {"name": "desk"})
    operator = sqlite_api.program("operator")
    operator.post("/v1/agents/desk/retire", WHY)
    assert operator.refused("POST", "/v1/agents/desk/reinstate", WHY).code == "may_not"


def test_retiring_in_one_project_leaves_the_others_alone(sqlite_api: Api) -> None:
    sqlite_api.project("elsewhere")
    sqlite_api.program("admin").post("/v1/artifacts/agent", {"name": "desk"})
    theirs = sqlite_api.program("agent", project="elsewhere", agent="desk")
    sqlite_api.program("admin").post("/v1/agents/desk/retire", WHY)
    assert theirs.get("/v1/me")["project"] == "elsewhere"


def test_at_the_terminal(shell: Shell, local: Opsroom) -> None:
    local.post("/v1/artifacts/agent", {"name": "desk"})
    made = shell.data("token", "create", "desk-1", "--role", "agent", "--agent", "desk")
    assert shell("agent", "retire", "desk", "--reason", "it closed") == 0
    assert shell.out == "desk is retired and its tokens are dead\n"
    assert shell("agent", "tools", "desk", "--token", made["secret"]) == 4
    assert shell.refused("agent", "tools", "desk")["code"] == "agent_retired"
    assert shell("agent", "reinstate", "desk", "--reason", "it opened") == 0
