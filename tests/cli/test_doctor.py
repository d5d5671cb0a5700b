"""`opsroom doctor` says what is not well, and how to mend it."""

import json
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.installation import Shell, running

from opsroom.cli.main import run
from opsroom.migrations import head


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


def checks(shell: Shell, *options: object) -> dict[str, dict[str, Any]]:
    """What is said of an installation in which something is not well, by check."""
    code = shell("doctor", "--json", *options)
    found = {one["check"]: one for one in json.loads(shell.out)}
    assert code == (0 if all(one["ok"] for one in found.values()) else 3)
    return found


def test_pending_migrations_are_said_and_not_made(shell: Shell, home: Path) -> None:
    with sqlite3.connect(home / "opsroom.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '0002'")
    found = checks(shell)
    assert found["schema"]["found"] == f"step 0002; this opsroom knows {head()}"
    assert "database" not in found
    with sqlite3.connect(home / "opsroom.db") as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [
            ("0002",)
        ]
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "this opsroom knows schemas up to" in checks(shell)["schema"]["found"]


def test_what_is_no_database(shell: Shell, home: Path) -> None:
    for path in home.glob("opsroom.db*"):
        path.unlink()
    (home / "opsroom.db").write_text(
        "this was a database once, and nobody has a backup of it\n"
    )
    found = checks(shell)["schema"]
    assert (found["ok"], "restore a backup" in found["fix"]) == (False, True)


def test_a_wrong_token_says_where_it_came_from(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = checks(shell, "--token", "ops_wrong")
    assert found["credential"]["found"].endswith("not valid: the token of --token")
    assert "opsroom token create" in found["credential"]["fix"]
    assert "journal" not in found
    monkeypatch.setenv("OPSROOM_TOKEN", "ops_wrong")
    assert "OPSROOM_TOKEN" in checks(shell)["credential"]["found"]


def test_a_server_that_is_down_is_said_once(shell: Shell) -> None:
    found = checks(shell, "--url", "http://127.0.0.1:9")
    assert [one["check"] for one in found.values() if not one["ok"]] == ["server"]


def test_what_the_server_lacks(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSROOM_MODEL_URL", "https://models.example/v1")
    monkeypatch.setenv("OPSROOM_TELEMETRY_URL", "clickhouse://127.0.0.1:9/opsroom")
    found = checks(shell)
    assert (found["models"]["ok"], found["telemetry"]["ok"]) == (False, False)
    assert found["models"]["found"] == "models.example, without a key"
    assert "OPSROOM_TELEMETRY_URL" in found["telemetry"]["fix"]
    monkeypatch.setenv("OPSROOM_MODEL_KEY", "k")
    assert checks(shell)["models"]["ok"]


class Other(BaseHTTPRequestHandler):
    """A server of another version, on a machine whose clock is an hour late."""

    def do_GET(self) -> None:
        body = json.dumps({"status": "ready", "version": "0.0.1"}).encode()
        self.send_response_only(200 if self.path in ("/readyz", "/healthz") else 404)
        hour_ago = datetime.now(UTC) - timedelta(hours=1)
        self.send_header("Date", format_datetime(hour_ago, usegmt=True))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def test_another_version_and_a_clock_that_is_wrong(shell: Shell) -> None:
    server = HTTPServer(("127.0.0.1", 0), Other)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        found = checks(shell, "--url", f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (found["version"]["ok"], found["clock"]["ok"]) == (False, False)
    assert found["version"]["fix"] == 'pip install "opsroom==0.0.1"'
    assert found["clock"]["found"].startswith("3,6")
