"""The client: the same answers with a server and without one."""

import pickle
from pathlib import Path

import pytest
from tests.installation import running

from opsroom.sdk import NotOpsroom, Opsroom, RemoteError, Unreachable


def test_a_folder_answers_like_a_server(home: Path, local: Opsroom) -> None:
    assert local.get("/v1/me")["roles"] == ["admin"]
    local.post("/v1/artifacts/prompt", {"name": "greeting"})
    with running(home) as server, Opsroom(data_dir=home) as client:
        assert client.address == server.url
        assert client.get("/v1/artifacts/prompt/greeting") == local.get(
            "/v1/artifacts/prompt/greeting"
        )
        assert client.get("/v1/me") == local.get("/v1/me")


def test_errors_arrive_as_they_were(local: Opsroom) -> None:
    with pytest.raises(RemoteError) as caught:
        local.get("/v1/artifacts/prompt/missing")
    error = caught.value
    assert (error.code, error.status, error.exit_code) == ("artifact_not_found", 404, 2)
    assert error.facts == {"kind": "prompt", "name": "missing"}
    assert error.hint
    again = pickle.loads(pickle.dumps(error))
    assert again.as_dict() == error.as_dict()
    assert str(again) == str(error)


def test_a_proof_that_did_not_come_out_ends_with_three(local: Opsroom) -> None:
    local.post("/v1/artifacts/prompt", {"name": "greeting"})
    spec = {"format": "text", "text": "Hello."}
    local.post("/v1/artifacts/prompt/greeting/versions", {"spec": spec})
    opened = local.post("/v1/proposals", {"ref": "prompt/greeting@1"})
    with pytest.raises(RemoteError) as caught:
        local.post(f"/v1/proposals/{opened['id']}/merge")
    assert (caught.value.status, caught.value.exit_code) == (422, 3)


def test_every_item_of_a_paged_list(local: Opsroom) -> None:
    for number in range(5):
        local.post("/v1/artifacts/prompt", {"name": f"p{number}"})
    found = local.every("/v1/artifacts/prompt", "after", limit=2)
    assert [one["artifact"]["name"] for one in found] == ["p0", "p1", "p2", "p3", "p4"]


def test_no_installation_is_made_in_passing(tmp_path: Path) -> None:
    with Opsroom(data_dir=tmp_path / "nowhere") as client:
        with pytest.raises(Unreachable) as caught:
            client.get("/v1/me")
        assert caught.value.exit_code == 6
    assert not (tmp_path / "nowhere").exists()


def test_a_server_that_is_not_there() -> None:
    with Opsroom("http://127.0.0.1:9") as client, pytest.raises(Unreachable) as caught:
        client.get("/v1/me")
    assert "127.0.0.1:9" in str(caught.value)


def test_a_stranger_at_the_address(tmp_path: Path) -> None:
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name the base class calls
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>It works!")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        with Opsroom(address) as client, pytest.raises(NotOpsroom):
            client.get("/v1/me")
        server.shutdown()
