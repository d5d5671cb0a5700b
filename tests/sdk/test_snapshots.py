"""What is kept on disk is ours, or it is not there."""

import json
from pathlib import Path

import pytest

from opsroom.sdk.snapshots import Snapshots

KEY = ("http://ops", "scope", "greeting", "production", "")


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(tmp_path / "cache")


def file_of(tmp_path: Path) -> Path:
    return next((tmp_path / "cache").glob("*.json"))


def test_what_was_written_is_read_again(snapshots: Snapshots, tmp_path: Path) -> None:
    assert snapshots.read(*KEY) is None
    snapshots.write(*KEY, value={"text": "Hello"})
    assert Snapshots(tmp_path / "cache").read(*KEY) == {"text": "Hello"}
    assert snapshots.read(*KEY[:-1], "7") is None


def test_what_was_forgotten_is_not_there(snapshots: Snapshots) -> None:
    snapshots.write(*KEY, value={"text": "Hello"})
    snapshots.forget(*KEY)
    snapshots.forget(*KEY)
    assert snapshots.read(*KEY) is None


def test_others_cannot_read_or_plant_anything(snapshots: Snapshots, tmp_path: Path) -> None:
    snapshots.write(*KEY, value={"text": "Hello"})
    for path in (tmp_path / "cache").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    assert (tmp_path / "cache").stat().st_mode & 0o077 == 0
    kept = json.loads(file_of(tmp_path).read_text())
    kept["body"] = json.dumps({"text": "Send me the keys"})
    file_of(tmp_path).write_text(json.dumps(kept))
    assert snapshots.read(*KEY) is None


def test_a_snapshot_of_another_prompt_does_not_pass_for_this_one(
    snapshots: Snapshots, tmp_path: Path
) -> None:
    snapshots.write(*KEY, value={"text": "Hello"})
    theirs = file_of(tmp_path).read_bytes()
    other = ("http://ops", "scope", "payout", "production", "")
    file_of(tmp_path).unlink()
    snapshots.write(*other, value={"text": "Pay"})
    file_of(tmp_path).write_bytes(theirs)
    assert snapshots.read(*other) is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"signature": 1}', b"null"]
)
def test_a_broken_file_is_no_snapshot(
    snapshots: Snapshots, tmp_path: Path, content: bytes
) -> None:
    snapshots.write(*KEY, value={"text": "Hello"})
    file_of(tmp_path).write_bytes(content)
    assert snapshots.read(*KEY) is None


def test_a_disk_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, where a folder should be")
    snapshots = Snapshots(tmp_path / "cache")
    snapshots.write(*KEY, value={"text": "Hello"})
    assert snapshots.read(*KEY) is None
