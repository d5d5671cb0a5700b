"""Which version serves a subject, with a server and without one."""

from pathlib import Path

import pytest
from tests.installation import running

from opsroom.sdk import Opsroom, RemoteError, Unreachable


def serve_first_version(client: Opsroom) -> None:
    client.post("/v1/artifacts/agent", {"name": "desk", "criticality": "advisory"})
    spec = {"model": {"model": "gpt-5-mini"}}
    client.post("/v1/artifacts/agent/desk/versions", {"spec": spec})
    opened = client.post("/v1/proposals", {"ref": "agent/desk@1"})
    client.post(f"/v1/proposals/{opened['id']}/merge")


def test_everybody_gets_what_the_label_names(local: Opsroom) -> None:
    serve_first_version(local)
    found = local.resolve("desk", subject="customer-7")
    assert (found.version, found.number, found.arm) == ("agent/desk@1", 1, "champion")
    assert (found.release, found.shadow, found.reason) == (None, None, "fresh")


def test_what_nobody_released_is_an_error(local: Opsroom) -> None:
    with pytest.raises(RemoteError) as caught:
        local.resolve("nobody", subject="customer-7")
    assert caught.value.status == 404


def test_when_the_server_is_away_the_proven_version_serves(home: Path) -> None:
    with running(home) as server:
        with Opsroom(data_dir=home) as program:
            serve_first_version(program)
            assert program.resolve("desk", subject="a").reason == "fresh"
            server.pause()
            away = program.resolve("desk", subject="b")
            assert (away.version, away.arm, away.reason) == (
                "agent/desk@1",
                "champion",
                "stale",
            )
        with Opsroom(data_dir=home) as cold:
            assert cold.resolve("desk", subject="c").reason == "stale"


def test_nothing_is_guessed() -> None:
    with Opsroom("http://127.0.0.1:9") as program, pytest.raises(Unreachable):
        program.resolve("desk", subject="a")
