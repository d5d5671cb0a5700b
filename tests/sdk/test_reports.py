"""What came of an action reaches the server in the end, and nothing is done twice to find out."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.installation import Process, running
from tests.patience import PATIENCE
from tests.sdk import freight

from opsroom.sdk import Opsroom
from opsroom.sdk.acting import push
from opsroom.testing import Room

CLERK = """
import os, sys, time
import opsroom
from opsroom.kit import faults
faults.arm_from_environment()

@opsroom.action("read_invoice", risk="read", timeout=2)
def read_invoice(number: int) -> str:
    with open(sys.argv[1], "a") as file:
        file.write("done ")
    if len(sys.argv) > 2:
        print("began", flush=True)
        sys.stdin.readline()
    return f"invoice {number}"

with opsroom.turn("clerk", intent="read") as t:
    print(type(t.act_sync(read_invoice, {"number": 7}, key="seven")).__name__, flush=True)
    t.final("done")
"""


def prepare(home: Path) -> None:
    """An agent that may read, on a server that runs."""
    with Opsroom(data_dir=home) as client:
        (cited,) = push(client, freight.read_invoice)
        client.post("/v1/artifacts/agent", {"name": "clerk", "criticality": "advisory"})
        spec = {"model": {"model": "none"}, "contracts": [cited]}
        client.post("/v1/artifacts/agent/clerk/versions", {"spec": spec})
        opened = client.post("/v1/proposals", {"ref": "agent/clerk@1"})
        client.post(f"/v1/proposals/{opened['id']}/merge")


def clerk(home: Path, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CLERK, *map(str, arguments)],
        env={**os.environ, "OPSROOM_HOME": str(home), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def the_action(client: Opsroom) -> dict[str, Any]:
    (found,) = client.get("/v1/actions", limit=10)["items"]
    return dict(found)


def state_becomes(client: Opsroom, state: str) -> None:
    until = time.monotonic() + PATIENCE
    while the_action(client)["state"] != state:
        assert time.monotonic() < until, the_action(client)
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "after"),
    [("sdk.after_effect", "executing"), ("sdk.report_kept", "succeeded")],
)
def test_killed_after_the_effect_it_is_not_done_again(
    home: Path, tmp_path: Path, fault: str, after: str
) -> None:
    """Killed before anything was put down, nobody knows; after, the next process tells."""
    effects = tmp_path / "effects"
    with running(home):
        prepare(home)
        first = clerk(home, effects, OPSROOM_FAULT=fault)
        _, complaint = first.communicate(timeout=PATIENCE)
        assert first.returncode == -signal.SIGKILL, complaint
        with Opsroom(data_dir=home) as client:
            assert the_action(client)["state"] == "executing"
            second = clerk(home, effects)
            said, complaint = second.communicate(timeout=2 * PATIENCE)
            assert said.strip() in {"Done", "Unknown"}, complaint
            assert effects.read_text() == "done "
            if after == "succeeded":
                state_becomes(client, after)


def test_without_a_server_a_report_waits_and_is_delivered(
    home: Path, tmp_path: Path, own_spool: Path
) -> None:
    effects = tmp_path / "effects"
    server = Process(home)
    prepare(home)
    acting = clerk(home, effects, "wait", OPSROOM_URL=server.url, OPSROOM_TOKEN=token(home))
    assert acting.stdout is not None
    assert acting.stdout.readline() == "began\n"
    server.kill()
    said, complaint = acting.communicate("go on\n", timeout=2 * PATIENCE)
    assert said == "Done\n", complaint
    assert list(own_spool.glob("*.json"))
    port = server.url.rpartition(":")[2]
    with running(home, "--port", port), Opsroom(server.url, token(home)) as client:
        client.reports.wake()
        state_becomes(client, "succeeded")
        until = time.monotonic() + PATIENCE
        while list(own_spool.glob("*.json")):
            assert time.monotonic() < until
            time.sleep(0.05)
    assert effects.read_text() == "done "


def token(home: Path) -> str:
    return (home / "token").read_text().strip()


def test_a_planted_report_is_not_delivered(opened: Room, own_spool: Path) -> None:
    client = Opsroom(data_dir=own_spool.parent / "nowhere")
    reports = client.reports
    file = reports.keep("/v1/actions/act_1/outcome", {"state": "failed"})
    assert [one for one, _ in reports.waiting()] == [file]
    kept = json.loads(file.read_text())
    kept["body"] = kept["body"].replace("failed", "succeeded")
    file.write_text(json.dumps(kept))
    assert reports.waiting() == []
    file.write_text("{half")
    assert reports.waiting() == []
    client.close()


def test_what_the_server_refuses_is_put_aside(opened: Room, own_spool: Path) -> None:
    reports = opened.client.reports
    path = "/v1/actions/act_nobody/outcome"
    file = reports.keep(path, {"state": "failed"})
    assert reports.send(path, {"state": "failed"}, file) is None
    assert not file.exists()
    assert file.with_suffix(".json.refused").exists()
