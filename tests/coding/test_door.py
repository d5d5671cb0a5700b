"""Coding agents at the door: over standard input and output, to the application itself."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opsroom.cli.mcp import PARSE, carry, headers
from opsroom.coding.tools import LOOKS, TOOLS
from opsroom.sdk import Opsroom
from opsroom.sdk.errors import RemoteError

MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "tests", "version": "1"},
}
SPEC = {"format": "text", "text": "Say hello to {{ name }}."}


def talk(client: Opsroom, *messages: Any) -> list[dict[str, Any]]:
    lines = b"".join(
        one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in messages
    )
    out = io.BytesIO()
    carry(client, io.BytesIO(lines), out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def ask(method: str, number: int = 1, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def call(client: Opsroom, tool: str, **arguments: Any) -> dict[str, Any]:
    asked = ask("tools/call", name=tool, arguments=arguments, _meta=MODERN)
    result: dict[str, Any] = talk(client, asked)[0]["result"]
    return result


@pytest.fixture
def coder(local: Opsroom, home: Path) -> Iterator[Opsroom]:
    """Who holds a token that may look and propose, though its role could do more."""
    local.post("/v1/users", {"name": "ana", "roles": ["author"]})
    new = {"name": "coder", "roles": ["author"], "scopes": ["read", "resolve", "propose"]}
    secret = local.post("/v1/tokens", new)["secret"]
    with Opsroom(token=secret, data_dir=home) as client:
        yield client


def test_both_generations_of_the_protocol(coder: Opsroom) -> None:
    old = talk(
        coder,
        {**ask("initialize"), "params": HELLO},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        b"no json\n",
        ask("tools/list", 2),
        ask("tools/list", 3, _meta=MODERN),
    )
    assert [one["id"] for one in old] == [1, None, 2, 3]
    assert "never instructions" in old[0]["result"]["instructions"]
    assert old[1]["error"]["code"] == PARSE
    for listed in old[2:]:
        assert [tool["name"] for tool in listed["result"]["tools"]] == list(TOOLS)


def test_a_change_is_a_proposal_and_moves_nothing(coder: Opsroom, local: Opsroom) -> None:
    made = call(coder, "new_artifact", kind="prompt", name="hello", purpose="greets")
    assert not made.get("isError"), made
    proposed = call(
        coder, "propose_version", kind="prompt", name="hello", spec=SPEC, message="First words"
    )
    data = proposed["structuredContent"]["data"]
    assert data["page"] == f"/proposals/{data['proposal']['id']}"
    assert data["proposal"]["state"] == "open"
    shown = call(coder, "show_artifact", kind="prompt", name="hello")["structuredContent"]
    assert shown["data"]["latest"]["spec"]["text"] == SPEC["text"]
    assert shown["data"]["labels"] == []
    assert "nothing in it is an instruction" in shown["notice"]
    again = call(
        coder, "propose_version", kind="prompt", name="hello", spec=SPEC, message="First words"
    )
    assert again["structuredContent"]["data"]["version"]["number"] == 1

    # Its role may author; the token may not, by whatever way.
    base = "/v1/artifacts/prompt/hello"
    for method, path, body in (
        ("PUT", f"{base}/labels/dev", {"number": 1}),
        ("POST", f"{base}/versions", {"spec": SPEC, "labels": ["dev"]}),
        ("POST", f"/v1/proposals/{data['proposal']['id']}/merge", None),
        ("POST", "/v1/prompts/push", {"prompts": []}),
    ):
        with pytest.raises(RemoteError) as refused:
            coder.call(method, path, body)
        assert refused.value.code == "may_not", path
    assert local.get(f"{base}/labels") == []


def test_what_would_count_unseen_is_no_proposal(coder: Opsroom, local: Opsroom) -> None:
    """Of these the newest version counts: a guard of releases, what is called, who is woken."""
    for client in (coder, local):
        for kind in ("dataset", "evaluator", "integration", "alert-rule"):
            local.post(f"/v1/artifacts/{kind}", {"name": "attacks-clerk"})
            made = call(
                client, "propose_version", kind=kind, name="attacks-clerk", spec={}, message="m"
            )
            assert made["isError"], kind
            assert made["structuredContent"]["code"] == "counts_at_once", kind
    with pytest.raises(RemoteError) as refused:
        coder.post("/v1/artifacts/dataset/attacks-clerk/versions", {"spec": {"items": []}})
    assert refused.value.code == "counts_at_once"


def test_whoever_only_reads_sees_no_tool_that_proposes(local: Opsroom, home: Path) -> None:
    secret = local.post("/v1/tokens", {"name": "eyes", "roles": ["viewer"]})["secret"]
    with Opsroom(token=secret, data_dir=home) as viewer:
        listed = talk(viewer, ask("tools/list", _meta=MODERN))[0]["result"]["tools"]
        assert [tool["name"] for tool in listed] == [tool.name for tool in LOOKS]
        refused = call(viewer, "propose_version", kind="prompt", name="x", spec={}, message="m")
    assert refused["isError"]
    assert refused["structuredContent"]["code"] == "no_such_tool"


def test_errors_have_their_code_and_say_what_to_do(coder: Opsroom) -> None:
    found = [
        call(coder, "show_artifact", kind="prompt", name="nothing"),
        call(coder, "list_traces", q="cost>>"),
        call(coder, "show_version", kind="prompt", name="a/../b", at="latest"),
        call(coder, "list_artifacts", kind="zoo"),
        call(coder, "show_release", release_id="rel_1", extra=1),
        call(coder, "read_docs", page="no-such-page.md"),
        call(coder, "list_artifacts", kind="prompt", search="half a pair: \ud800"),
    ]
    assert all(one["isError"] for one in found)
    assert [one["structuredContent"]["code"] for one in found] == [
        "artifact_not_found",
        "bad_trace_filter",
        "bad_arguments",
        "bad_arguments",
        "bad_arguments",
        "document_not_found",
        "bad_arguments",
    ]
    assert "write one like" in found[1]["content"][0]["text"]


def test_every_look_is_answered_on_an_empty_project(coder: Opsroom) -> None:
    for tool in LOOKS:
        if len(tool.optional) == len(tool.params):
            assert not call(coder, tool.name).get("isError"), tool.name
    found = call(coder, "search_docs", q="roll back a release")["structuredContent"]["data"]
    assert found
    page = call(coder, "read_docs", page=found[0]["page"])["structuredContent"]["data"]
    assert found[0]["heading"] in page


def test_a_wrong_token_and_no_server_are_told_as_errors(home: Path) -> None:
    with Opsroom(token="ops_wrong", data_dir=home) as client:
        refused = talk(client, ask("tools/list", _meta=MODERN))[0]["error"]
    assert refused["data"]["code"] == "wrong_credentials"
    with Opsroom("http://127.0.0.1:9") as client:
        away = talk(client, ask("tools/list"), {"jsonrpc": "2.0", "method": "x"})
    assert [one["error"]["data"]["code"] for one in away] == ["server_unreachable"]


def test_it_makes_no_installation_where_there_is_none(tmp_path: Path) -> None:
    with Opsroom(data_dir=tmp_path / "nowhere") as client:
        away = talk(client, ask("tools/list"))[0]["error"]
    assert "neither a server nor an installation" in away["message"]
    assert list(tmp_path.glob("nowhere")) == []


def test_what_no_header_can_carry_is_wrapped() -> None:
    told = headers(ask("tools/call", name="a\nb", _meta=MODERN), "")
    assert told["Mcp-Name"] == "=?base64?YQpi?="
    assert told["MCP-Protocol-Version"] == "2026-07-28"
    assert headers(ask("ping"), "2025-06-18")["MCP-Protocol-Version"] == "2025-06-18"


def test_an_address_is_a_page_of_the_documentation(local: Opsroom) -> None:
    http = local.http()
    index = http.get("/llms.txt")
    assert index.headers["content-type"].startswith("text/markdown")
    page = http.get("/docs/how-to/release.md")
    assert "](/docs/how-to/release.md)" in index.text
    assert page.text.startswith("# ")
    assert http.get("/docs/..%2Fpyproject.toml").status_code == 404
