"""What was acknowledged before a backup began comes back from it, on a machine that has nothing."""

import errno
import json
import os
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.installation import OPSROOM, running
from tests.traces.otlp import request

from opsroom.app import Settings
from opsroom.app.backups import making
from opsroom.app.backups.model import MANIFEST, BackedUpElsewhere, NoBackup, NotWritten
from opsroom.app.backups.restoring import restore, verify
from opsroom.kit.files import PathLeaves
from opsroom.sdk import Opsroom
from opsroom.sdk.errors import RemoteError
from opsroom.traces.checking import PROTOBUF


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own: telemetry has one folder for a process."""
    said = [*OPSROOM, *map(str, arguments), "--json"]
    return subprocess.run(said, capture_output=True, text=True, check=False)


def answer(*arguments: object) -> Any:
    done = command(*arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def send(home: Path, url: str, number: int) -> None:
    now = time.time_ns()
    span = {"trace": f"{number:032x}", "id": f"{number:016x}", "start": now, "end": now}
    token = (home / "token").read_text()
    answer = httpx2.post(
        f"{url}/v1/traces",
        content=request(span).SerializeToString(),
        headers={"Content-Type": PROTOBUF, "Authorization": f"Bearer {token}"},
        timeout=60,
    )
    assert answer.status_code == 200


@pytest.mark.slow
def test_a_backup_under_load_comes_back_whole(home: Path, tmp_path: Path) -> None:
    with running(home) as server, Opsroom(data_dir=home) as client:
        for number in range(1, 6):
            client.post("/v1/artifacts/prompt", {"name": f"before-{number}"})
            send(home, server.url, number)
        done, made = threading.Event(), [0]

        def work() -> None:
            with Opsroom(data_dir=home) as other:
                while not done.is_set():
                    made[0] += 1
                    other.post("/v1/artifacts/prompt", {"name": f"meanwhile-{made[0]}"})
                    send(home, server.url, 1000 + made[0])

        killed = (
            home / "telemetry" / "shadow" / "opsroom_backup" / "store" / "left.bin",
            home / "backups" / ".20200101T000000.part" / "left.bin",
        )
        for left in killed:
            left.parent.mkdir(parents=True)
            left.touch()
        busy = threading.Thread(target=work)
        busy.start()
        try:
            kept = answer("backup", "--data", home)
        finally:
            done.set()
            busy.join()
        head = client.get("/v1/journal/head")
    assert made[0] > 0
    backup = Path(kept["folder"])
    assert not [*backup.rglob("left.bin"), *(home / "backups").rglob("left.bin")]
    assert answer("restore", backup, "--verify")["entries"] <= head["seq"]
    elsewhere = tmp_path / "machine" / "opsroom"
    found = answer("restore", backup, "--data", elsewhere)
    assert found["journal"] == kept["journal"]
    assert found["spans"] >= 5
    with running(elsewhere) as server, Opsroom(data_dir=elsewhere) as client:
        for number in range(1, 6):
            assert client.get(f"/v1/artifacts/prompt/before-{number}")
        traces = {one["trace_id"] for one in client.get("/v1/traces", hours=1)["items"]}
        assert {f"{number:032x}" for number in range(1, 6)} <= traces
        send(elsewhere, server.url, 9999)
        assert client.post("/v1/journal/verify")["seq"] >= found["entries"]
    again = command("restore", backup, "--data", elsewhere)
    assert json.loads(again.stderr)["error"]["code"] == "something_there"


@pytest.fixture
def backup(local: Opsroom) -> Path:
    return Path(local.post("/v1/backups")["folder"])


def test_what_was_changed_cut_off_or_left_out_is_not_put_back(
    backup: Path, tmp_path: Path
) -> None:
    new = Settings(data=tmp_path / "new")
    state = backup / "opsroom.db"
    whole, manifest = state.read_bytes(), (backup / MANIFEST).read_text()
    for broken in (whole[:-1], whole[:5000] + b"x" + whole[5001:]):
        state.write_bytes(broken)
        with pytest.raises(NoBackup, match="not what it was"):
            restore(backup, new)
    state.unlink()
    with pytest.raises(NoBackup, match="missing"):
        restore(backup, new)
    state.symlink_to("/etc/passwd")
    with pytest.raises(PathLeaves):
        restore(backup, new)
    state.unlink()
    state.write_bytes(whole)
    listed = json.loads(manifest)
    listed["files"]["../../outside"] = listed["files"]["opsroom.db"]
    (backup / MANIFEST).write_text(json.dumps(listed))
    with pytest.raises(PathLeaves):
        restore(backup, new)
    listed = json.loads(manifest)
    listed["journal"]["seq"] += 1
    (backup / MANIFEST).write_text(json.dumps(listed))
    with pytest.raises(NoBackup, match="ends elsewhere"):
        restore(backup, new)
    assert [one.name for one in tmp_path.iterdir() if "new" in one.name] == []
    (backup / MANIFEST).write_text(manifest)
    listed = json.loads(manifest)
    for wrong in ({"database": "store/x"}, {"files": listed["files"] | {"opsroom.db": 0}}):
        (backup / MANIFEST).write_text(json.dumps(listed | wrong))
        with pytest.raises(NoBackup):
            restore(backup, new)
    listed["files"]["./opsroom.db"] = listed["files"]["opsroom.db"]
    (backup / MANIFEST).write_text(json.dumps(listed))
    with pytest.raises(NotWritten):
        restore(backup, new)
    assert not new.data.exists()
    (backup / MANIFEST).write_text(manifest)
    assert restore(backup, new).entries == listed["journal"]["seq"]


def test_a_backup_is_put_back_into_a_folder_that_stays(backup: Path, tmp_path: Path) -> None:
    volume = Settings(data=tmp_path / "volume")
    (volume.data / ".part").mkdir(parents=True)  # of a restore that was killed
    (volume.data / ".part" / "opsroom.db").touch()
    folder = volume.data.stat().st_ino
    restore(backup, volume)
    assert volume.data.stat().st_ino == folder
    assert {"opsroom.db", "master.key"} <= {one.name for one in volume.data.iterdir()}
    assert not (volume.data / ".part").exists()


def test_a_server_that_is_set_is_not_touched_by_a_backup(backup: Path, tmp_path: Path) -> None:
    live = tmp_path / "live.db"
    settings = Settings(data=tmp_path / "new", database_url=f"sqlite:///{live}")
    with pytest.raises(BackedUpElsewhere, match="state"):
        restore(backup, settings)
    with pytest.raises(BackedUpElsewhere, match="telemetry"):
        restore(backup, replace(settings, database_url="", telemetry_url="clickhouse://x"))
    assert verify(backup, settings).entries > 0
    assert not live.exists()
    assert not settings.data.exists()


def test_a_backup_that_has_no_room_says_so_and_leaves_nothing(
    home: Path, local: Opsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(making, "copied", full)
    with pytest.raises(RemoteError, match="No space left") as refused:
        local.post("/v1/backups")
    assert refused.value.code == "backup_not_written"
    assert list((home / "backups").iterdir()) == []


def test_a_backup_is_for_who_administers_the_installation(home: Path, local: Opsroom) -> None:
    token = local.post("/v1/tokens", {"name": "ops", "roles": ["operator"]})["secret"]
    made = local.post("/v1/backups")
    assert {one.stat().st_mode & 0o077 for one in Path(made["folder"]).rglob("*")} == {0}
    entry = local.get("/v1/journal", event="backup.made")["items"][0]["entry"]
    assert entry["facts"]["journal"] == made["journal"]
    with (
        Opsroom(data_dir=home, token=token) as other,
        pytest.raises(RemoteError, match="administer"),
    ):
        other.post("/v1/backups")
