"""A server process: up, found, alone, and gone without a trace."""

import json
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx2
import pytest
from tests.installation import OPSROOM, Process, running
from tests.patience import PATIENCE

from opsroom.sdk import Opsroom


def test_it_comes_up_and_goes(home: Path) -> None:
    with running(home) as server:
        assert httpx2.get(f"{server.url}/readyz").json()["status"] == "ready"
        token = (home / "token").read_text()
        assert server.stop() == 0
        assert f"{server.url}/login/once#" in server.said
        assert "Traceback" not in server.complained
    assert not (home / "server.json").exists()
    with running(home), Opsroom(data_dir=home) as client:
        assert (home / "token").read_text() == token
        assert client.get("/v1/me")["roles"] == ["admin"]


def test_nothing_in_its_folder_is_for_others(home: Path) -> None:
    with running(home):
        assert home.stat().st_mode & 0o077 == 0
        for name in ("token", "server.json"):
            assert (home / name).stat().st_mode & 0o077 == 0


def test_the_link_logs_in_once(home: Path) -> None:
    with running(home) as server:
        server.stop()
        code = re.search(r"/login/once#([0-9a-f]{48})", server.said)
        assert code
    with running(home) as server:
        form, headers = {"code": code[1]}, {"Origin": server.url}
        answers = [
            httpx2.post(f"{server.url}/login/once", data=form, headers=headers).status_code
            for _ in range(2)
        ]
        assert answers == [303, 401]


def test_a_folder_has_one_server(home: Path) -> None:
    with running(home):
        second = subprocess.run(
            [*OPSROOM, "up", "--data", str(home), "--port", "0"],
            check=False,
            capture_output=True,
            text=True,
        )
        assert second.returncode == 7
        assert "another opsroom is serving" in second.stderr


def test_a_port_that_is_taken_is_said(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = subprocess.run(
            [*OPSROOM, "up", "--data", str(home), "--port", port],
            check=False,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 7
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr


def test_after_a_kill_the_next_one_takes_over(home: Path) -> None:
    server = Process(home)
    with Opsroom(data_dir=home) as client:
        client.post("/v1/users", {"name": "ada", "roles": ["viewer"]})
    server.kill()
    assert (home / "server.json").exists()
    with Opsroom(data_dir=home) as client:  # nobody serves: the folder itself answers
        assert {user["name"] for user in client.get("/v1/users")} == {"admin", "ada"}
    with running(home), Opsroom(data_dir=home) as client:
        assert client.post("/v1/journal/verify")["seq"] > 0
        assert {user["name"] for user in client.get("/v1/users")} == {"admin", "ada"}


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_requests_that_are_under_way_are_answered(home: Path, name: signal.Signals) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with running(home) as server, Opsroom(data_dir=home) as client:
        client.http()
        with ThreadPoolExecutor(4) as pool:
            asked = [
                pool.submit(client.post, "/v1/users", {"name": f"u{n}", "roles": []})
                for n in range(4)
            ]
            time.sleep(0.01)
            server.process.send_signal(name)
            made = [one for one in asked if one.exception() is None]
        assert server.stop() == 0
    with Opsroom(data_dir=home) as client:
        names = {user["name"] for user in client.get("/v1/users")}
    assert {one.result()["name"] for one in made} <= names


def test_a_fresh_folder_becomes_an_installation(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "home"
    command = [*OPSROOM, "up", "--data", str(folder), "--port", "0", "--json"]
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while not (folder / "server.json").exists():
            assert time.monotonic() - begun < PATIENCE
            time.sleep(0.02)
        process.terminate()
        said = json.loads(process.communicate()[0])
    assert said["login"].startswith(f"{said['url']}/login/once#")
    assert process.returncode == 0


@pytest.mark.slow
def test_a_request_that_never_ends_is_cut_off(home: Path) -> None:
    with running(home) as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        token = (home / "token").read_text()
        head = f"POST /v1/users HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        with socket.create_connection((host, int(port))) as half:
            half.send(f"{head}Content-Length: 100\r\n\r\n{{".encode())
            time.sleep(0.3)
            assert server.stop() == 0
        assert "Traceback" not in server.complained
        assert "was cut off" in server.complained
