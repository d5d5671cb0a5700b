"""The how-to pages about agents do what they say: every block of Python runs, in order."""

import asyncio
import importlib
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, FunctionModel
from tests.installation import Shell
from tests.model_server import ModelServer, say, tool_call
from tests.patience import PATIENCE

import opsroom
from opsroom.testing import Room

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
BLOCK = re.compile(r"^```python ?(\S*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str]]:
    return BLOCK.findall((PAGES / page).read_text(encoding="utf-8"))


def run(code: str, known: dict[str, Any]) -> dict[str, Any]:
    exec(compile(code, "<page>", "exec"), known)
    return known


@pytest.fixture
def desk(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    """The `desk.py` of the first page, and a clerk who has it."""
    name, code = blocks("agents-in-python.md")[0]
    (tmp_path / name).write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "desk", raising=False)
    importlib.invalidate_caches()
    module = importlib.import_module("desk")
    room.agent("clerk", module.post_invoice, module.read_invoice)
    return room


def test_agents_in_python(desk: Room) -> None:
    _, turn, waiting, testing = (code for _, code in blocks("agents-in-python.md"))
    known = run(turn, {})
    assert known["result"].startswith("act_")
    desk.approve(request_of(desk, known["result"]))
    run(waiting, known)
    assert known["outcome"].value.number == 88213
    run(testing, {})


def test_frameworks(desk: Room) -> None:
    codes = [code for name, code in blocks("frameworks.md") if not name]
    openai, agents, pydantic_ai, langchain, langgraph, mcp = codes
    with ModelServer() as server:
        for code, answer in ((openai, "answer"), (agents, "answered")):
            server.next(
                say(None, tool_calls=[tool_call("read_invoice", '{"number": 88213}')]),
                say("Acme, 12.50"),
            )
            known = run(code, {"MODEL_URL": server.url})
            said = known[answer] if answer == "answered" else known[answer].content
            assert said == "Acme, 12.50"
            assert "Acme" in server.requests[-1].body["messages"][-1]["content"]
            if "model" in known:
                known["model"].close()
    poster = Poster(desk)
    run(pydantic_ai, {"MODEL": FunctionModel(poster)})
    poster.approving.join()
    run(langchain, {})
    approving = threading.Thread(target=poster.approve)
    approving.start()
    state = run(langgraph, {})["state"]
    approving.join()
    assert "88213" in state["messages"][-1].content
    served = run(mcp, {})
    listed = asyncio.run(served["listed"](None, None))
    assert [one.name for one in listed.tools] == ["post_invoice", "read_invoice"]


def test_openfeature(desk: Room) -> None:
    desk.client.post("/v1/artifacts/prompt", {"name": "greeting", "criticality": "advisory"})
    spec = {"spec": {"format": "text", "text": "Say it shortly."}}
    desk.client.post("/v1/artifacts/prompt/greeting/versions", spec)
    opened = desk.client.post("/v1/proposals", {"ref": "prompt/greeting@1"})
    desk.client.post(f"/v1/proposals/{opened['id']}/merge")
    ((_, code),) = blocks("openfeature.md")
    known = run(code, {})
    known["api"].clear_providers()
    assert known["text"] == "Say it shortly."
    assert known["agent"].variant.startswith("agent/clerk@")
    assert known["agent"].reason == "STATIC"


class Poster:
    """A model that posts an invoice. While it waits, somebody approves."""

    __name__ = "poster"

    def __init__(self, room: Room) -> None:
        self._room = room
        self.approving = threading.Thread()

    def __call__(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if len(messages) > 1:
            return ModelResponse(parts=[TextPart("posted")])
        self.approving = threading.Thread(target=self.approve)
        self.approving.start()
        arguments = {"supplier": "Birch", "amount": 99}
        return ModelResponse(parts=[ToolCallPart("post_invoice", arguments)])

    def approve(self) -> None:
        until = time.monotonic() + PATIENCE
        while not (found := self._room.client.get("/v1/inbox", agent="clerk")["items"]):
            assert time.monotonic() < until
            time.sleep(0.05)
        self._room.approve(found[0]["request"]["id"])


def request_of(room: Room, action: str) -> str:
    return str(room.client.get(f"/v1/actions/{action}/record")["action"]["approval"])


def test_contracts_are_pushed_from_a_module(desk: Room, shell: Shell) -> None:
    found = shell.data("contract", "push", "desk")
    assert [one["contract"] for one in found] == ["post_invoice@1", "read_invoice@1"]
    (again,) = shell.data("contract", "push", "desk:read_invoice")
    assert again == {"tool": "read_invoice", "risk": "read", "contract": "read_invoice@1"}
    for wrong in ("nowhere", "desk:nothing", "json"):
        assert shell.refused("contract", "push", wrong)["code"] == "no_actions_there"


def test_what_is_offered_is_there() -> None:
    missing = [name for name in opsroom.__all__ if not hasattr(opsroom, name)]
    assert missing == []
