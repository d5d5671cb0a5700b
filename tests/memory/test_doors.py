"""Decision memory over HTTP, at the terminal and beside a request."""

import pytest
from tests.api import Api
from tests.installation import Shell

from opsroom.memory import commands
from opsroom.memory.drawing import similar
from opsroom.sdk import Opsroom

CONTEXT = "the parcel arrived damaged <script>alert(1)</script>"


def remembered(api: Api, project: str = "default") -> None:
    with api.db.write(api.actor(project)) as tx:
        for number, text in enumerate((CONTEXT, "the ship is late")):
            commands.remember(
                tx,
                action=f"act_{number}",
                agent="desk",
                contract="contract/refund@1",
                context=text,
                chosen={"amount": "10"},
            )
            commands.outcome(tx, f"act_{number}", outcome="succeeded", verified=True)


def test_an_agent_recalls_its_own_decisions_only(api: Api) -> None:
    remembered(api)
    ask = {"agent": "desk", "context": "damaged parcel arrived"}
    found = api.program("agent", agent="desk").get("/v1/memory/recall", **ask)
    assert [one["memory"]["action"] for one in found] == ["act_0"]
    assert found[0]["memory"]["chosen"] == {"amount": "10"}
    other = api.program("agent", agent="clerk")
    refusal = other.refused("GET", "/v1/memory/recall", params=ask)
    assert (refusal.status, refusal.code) == (403, "acts_for_another")


def test_memories_are_paged_and_forgotten(sqlite_api: Api) -> None:
    remembered(sqlite_api)
    viewer, operator = sqlite_api.program("viewer"), sqlite_api.program("operator")
    first = viewer.get("/v1/memory", agent="desk", limit=1)
    rest = viewer.get("/v1/memory", agent="desk", limit=5, before=first["next"])
    assert [one["action"] for one in (*first["items"], *rest["items"])] == ["act_1", "act_0"]
    assert rest["next"] is None
    path = f"/v1/memory/{rest['items'][0]['id']}/forget"
    assert viewer.refused("POST", path, {"reason": "x"}).code == "may_not"
    operator.post(path, {"reason": "it was planted"})
    ask = {"agent": "desk", "context": "damaged parcel"}
    assert operator.get("/v1/memory/recall", **ask) == []


def test_other_projects_memories_are_nothing_here(sqlite_api: Api) -> None:
    remembered(sqlite_api)
    mine = sqlite_api.program("viewer").get("/v1/memory", agent="desk")["items"][0]["id"]
    sqlite_api.project("elsewhere")
    eve = sqlite_api.program("admin", project="elsewhere")
    assert eve.get("/v1/memory", agent="desk")["items"] == []
    assert eve.get("/v1/memory/recall", agent="desk", context="ship is late") == []
    there, nowhere = (
        eve.refused("POST", f"/v1/memory/{one}/forget", {"reason": "x"})
        for one in (mine, "mem_nothing")
    )
    assert (
        (there.status, there.code)
        == (nowhere.status, nowhere.code)
        == (404, "memory_not_found")
    )


@pytest.mark.parametrize("query", [{"k": 0}, {"k": 1000}, {"context": "x" * 4001}])
def test_what_is_too_much_is_refused(sqlite_api: Api, query: dict[str, object]) -> None:
    ask = {"agent": "desk", "context": "x"} | query
    refusal = sqlite_api.program("viewer").refused("GET", "/v1/memory/recall", params=ask)
    assert refusal.code == "bad_request"


def test_beside_a_request_texts_stay_text(sqlite_api: Api) -> None:
    remembered(sqlite_api)
    with sqlite_api.db.read(sqlite_api.actor()) as tx:
        panel = similar(tx, "desk", "contract/refund@2", "a parcel arrived damaged")
        assert similar(tx, "desk", "contract/refund@2", "something else altogether") is None
    assert panel is not None
    environment = sqlite_api.app.state.pages._environment
    told = environment.get_template(panel.template).render(panel=panel.facts)
    assert "<script>alert(1)" not in told
    assert "&lt;script&gt;" in told


def test_at_the_terminal(shell: Shell, local: Opsroom) -> None:
    assert shell("memory", "list", "desk") == 0
    assert "it remembers nothing yet" in shell.out
    assert shell.data("memory", "recall", "desk", "a damaged parcel") == []
    error = shell.refused("memory", "forget", "mem_none", "--reason", "x")
    assert (error["code"], error["exit_code"]) == ("memory_not_found", 2)
