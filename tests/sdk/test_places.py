"""Where a client leads: what was said, what runs, what lies there."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opsroom.sdk.places import Folder, Server, find


@contextmanager
def served(folder: Path) -> Iterator[None]:
    """Hold the folder's lock and announce an address, as a server does."""
    (folder / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:8400"}))
    (folder / "token").write_text("ops_local")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_an_address_that_was_given_goes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPSROOM_URL", "http://environment")
    monkeypatch.setenv("OPSROOM_TOKEN", "secret")
    with served(tmp_path):
        assert find("http://given/", data_dir=tmp_path) == Server("http://given", "secret")
        assert find("http://given", "mine") == Server("http://given", "mine")
        assert find() == Server("http://environment", "secret")


def test_a_folder_that_was_named_goes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPSROOM_URL", "http://environment")
    assert find(data_dir=tmp_path) == Folder(tmp_path)


def test_a_running_server_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPSROOM_HOME", str(tmp_path))
    with served(tmp_path):
        assert find() == Server("http://127.0.0.1:8400", "ops_local", tmp_path)


def test_a_server_that_was_killed_is_not_running(tmp_path: Path) -> None:
    with served(tmp_path):
        pass  # the lock goes with its holder, the announcement stays
    assert find(data_dir=tmp_path) == Folder(tmp_path)


def test_a_token_is_not_shown(tmp_path: Path) -> None:
    assert "secret" not in repr(Server("http://given", "secret"))
