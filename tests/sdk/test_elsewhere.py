"""The examples for programs without our SDK run against a real server: MCP, OTLP, JavaScript."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from openfeature.evaluation_context import EvaluationContext
from tests.installation import running
from tests.model_server import ModelServer, say
from tests.sdk.test_pages import PAGES, blocks
from tests.sdk.test_pages import run as run_block

from opsroom.openfeature import OpsroomProvider
from opsroom.sdk import Opsroom

PAGE = "frameworks.md"
WHO = EvaluationContext(targeting_key="customer-7")
CONTRACT = {
    "tool": "weather",
    "description": "What the weather is at a port.",
    "risk": "read",
    "executor": {"kind": "mcp", "url": "https://tools.example/mcp", "tool": "weather"},
}


def block(language: str, name: str = "") -> str:
    text = (PAGES / PAGE).read_text(encoding="utf-8")
    fence = f"```{language} {name}".rstrip()
    return text.split(f"\n{fence}\n", 1)[1].split("\n```\n", 1)[0]


def desk(client: Opsroom) -> str:
    """A clerk with one tool, who serves; a greeting; and the token that the clerk's program has."""
    specs = {
        ("contract", "weather"): CONTRACT,
        ("prompt", "greeting"): {"format": "text", "text": "Say it shortly."},
        ("agent", "clerk"): {"model": {"model": "none"}, "contracts": ["weather@1"]},
    }
    for (kind, name), spec in specs.items():
        drafted = {"name": name, "criticality": "advisory"}
        client.post(f"/v1/artifacts/{kind}", drafted)
        client.post(f"/v1/artifacts/{kind}/{name}/versions", {"spec": spec})
        opened = client.post("/v1/proposals", {"ref": f"{kind}/{name}@1"})
        client.post(f"/v1/proposals/{opened['id']}/merge")
    token = {"name": "clerk-key", "roles": ["agent"], "agent": "clerk"}
    return str(client.post("/v1/tokens", token)["secret"])


@pytest.mark.slow
def test_programs_without_the_sdk(home: Path, tmp_path: Path) -> None:
    missing = [one for one in ("node", "curl") if shutil.which(one) is None]
    with running(home) as server, Opsroom(data_dir=home) as client, ModelServer() as models:
        token = desk(client)
        known = {"OPSROOM_URL": server.url, "OPSROOM_TOKEN": token}
        (code,) = (code for name, code in blocks(PAGE) if name == "room")
        assert run_block(code, dict(known))["listed"] == ["weather"]
        if missing:
            pytest.skip(f"MCP was tried; no {' and no '.join(missing)} on this machine")
        environment = {**os.environ, **known, "MODEL_URL": models.url}
        subprocess.run(["sh", "-c", block("sh")], env=environment, check=True)
        while not client.get("/v1/traces")["items"]:
            time.sleep(0.05)
        (tmp_path / "clerk.mjs").write_text(block("javascript", "clerk.mjs"))
        models.next(say("Acme, 12.50"))
        ran = subprocess.run(
            ["node", "clerk.mjs"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        said = json.loads(ran.stdout)
        assert (said["variant"], said["said"]) == ("prompt/greeting@1", "Acme, 12.50")
        system, _ = models.requests[-1].body["messages"]
        assert system == {"role": "system", "content": "Say it shortly."}
        turn = client.get(f"/v1/turns/{said['turn']}")
        assert "Acme, 12.50" in json.dumps(turn)


@pytest.mark.slow
def test_flags_outlive_their_server(home: Path) -> None:
    """Also those of a program that starts when the server is gone."""
    with running(home) as server, Opsroom(data_dir=home) as client:
        token = desk(client)
        with Opsroom(server.url, token) as program:
            flags = OpsroomProvider(program)
            assert flags.resolve_string_details("prompt/greeting", "").reason == "STATIC"
            assert flags.resolve_string_details("agent/clerk", "", WHO).value == "agent/clerk@1"
    with Opsroom(server.url, token) as program:
        flags = OpsroomProvider(program)
        text = flags.resolve_string_details("prompt/greeting", "")
        assert (text.value, text.reason) == ("Say it shortly.", "STALE")
        agent = flags.resolve_string_details("agent/clerk", "", WHO)
        assert (agent.value, agent.reason) == ("agent/clerk@1", "STALE")
