"""`opsroom doctor` says what is not well, and how to mend it."""

import sqlite3
from pathlib import Path

from tests.installation import Shell, running

from opsroom.cli.main import run


def test_all_is_well(shell: Shell, home: Path) -> None:
    home.chmod(0o700)
    checks = {one["check"]: one for one in shell.data("doctor")}
    assert {
        "python",
        "opsroom",
        "installation",
        "folder",
        "disk",
        "database",
        "journal",
    } <= set(checks)
    assert all(one["ok"] for one in checks.values())


def test_a_running_server_is_asked(shell: Shell, home: Path) -> None:
    with running(home) as server:
        checks = {one["check"]: one for one in shell.data("doctor")}
    assert checks["server"]["found"] == server.url


def test_no_installation(tmp_path: Path, capfd: object) -> None:
    assert run(["doctor", "--data", str(tmp_path / "nowhere")]) == 3
    assert not (tmp_path / "nowhere").exists()


def test_an_edited_journal_is_found(shell: Shell, home: Path) -> None:
    with sqlite3.connect(home / "opsroom.db") as database:
        database.execute("UPDATE journal SET record = replace(record, 'admin', 'nobody')")
    assert shell("doctor") == 3
    assert "NOT OK  journal" in shell.out
    assert "does not verify at entry" in shell.out
    assert shell("audit", "verify") == 3
    assert shell("audit", "verify", home / "opsroom.db") == 3


def test_a_folder_that_others_may_read(shell: Shell, home: Path) -> None:
    home.chmod(0o755)
    assert shell("doctor") == 3
    assert f"→ chmod 700 {home}" in shell.out
