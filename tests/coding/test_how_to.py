"""What the how-to page says, with the clients that people have: real ones, on a real server."""

import asyncio
import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from tests.installation import Shell, running

from opsroom.coding.tools import TOOLS

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "coding-agents.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks() -> dict[str, str]:
    return dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))


def test_the_page_names_every_tool() -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE.read_text(encoding="utf-8")))
    assert TOOLS.keys() <= named


async def look(transport: Any, mode: str) -> Any:
    async with Client(transport, mode=mode, cache=None) as client:
        listed = await client.list_tools()
        found = await client.call_tool("search_docs", {"q": "canary"})
    return [tool.name for tool in listed.tools], found


async def over_http(url: str, token: str, mode: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        return await look(streamable_http_client(url, http_client=http), mode)


@pytest.mark.slow
def test_real_clients_over_both_ways(shell: Shell, home: Path) -> None:
    with running(home) as server:
        command = shlex.split(blocks()["bash"])[1:]
        token = shell.data(*command)["secret"]
        config = json.loads(blocks()["json"])["mcpServers"]["opsroom"]
        assert config["command"] == "opsroom"
        program = StdioServerParameters(
            command=sys.executable,
            args=["-c", "from opsroom.cli import main; main()", *config["args"]],
            env={**os.environ, "OPSROOM_URL": server.url, "OPSROOM_TOKEN": token},
        )
        ways = [
            way
            for mode in ("auto", "legacy")
            for way in (
                over_http(f"{server.url}/v1/mcp", token, mode),
                look(stdio_client(program), mode),
            )
        ]
        for way in ways:
            names, found = asyncio.run(way)
            assert names == list(TOOLS)
            assert not found.is_error
            assert "--- data " in found.content[0].text
