"""People and tokens at the terminal, and logging in to answer as a person."""

import json
import re
from pathlib import Path

import pytest
from tests.installation import Shell

from opsroom.sdk import Opsroom

PASSWORD = "correct horse battery"


def test_users_and_their_roles(shell: Shell) -> None:
    assert shell("user", "create", "ada", "--role", "author", "--role", "viewer") == 0
    assert re.search(r"first login: /login/once#[0-9a-f]{48}", shell.out)
    assert shell("user", "roles", "ada", "--role", "risk") == 0
    assert {user["name"]: user["roles"] for user in shell.data("user", "list")}["ada"] == [
        "risk"
    ]
    assert shell("user", "roles", "ada", "--role", "king") == 2


def test_a_token_is_shown_once(shell: Shell, home: Path) -> None:
    secret = shell.data("token", "create", "ci", "--role", "author")["secret"]
    with Opsroom(data_dir=home, token=secret) as program:
        assert program.get("/v1/me")["name"] == "token:ci"
    mine = next(token for token in shell.data("token", "list") if token["name"] == "ci")
    assert secret not in json.dumps(mine)
    assert shell("token", "revoke", mine["id"]) == 0
    assert shell("user", "list", "--token", secret) == 4


def test_a_person_approves_at_the_terminal(shell: Shell, local: Opsroom) -> None:
    local.post("/v1/artifacts/prompt", {"name": "greeting"})
    spec = {"format": "text", "text": "Hello."}
    local.post("/v1/artifacts/prompt/greeting/versions", {"spec": spec})
    opened = shell.data("prompt", "propose", "greeting@1")
    assert shell("proposal", "approve", opened["id"]) == 4
    assert "is a program; only people approve" in shell.err
    link = shell.data("user", "create", "bob", "--role", "reviewer", "--role", "author")["link"]
    assert shell("login", "--link", link) == 0
    assert shell.out == "logged in as bob: reviewer, author\n"
    assert shell("proposal", "approve", opened["id"], "--reason", "polite") == 0
    assert shell("proposal", "merge", opened["id"]) == 0
    assert shell.data("proposal", "show", opened["id"])["answers"][0]["approver"] == "bob"
    assert shell("logout") == 0
    assert shell("user", "list") == 0  # the folder's own token again


def test_a_login_with_a_password(
    shell: Shell, home: Path, local: Opsroom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    local.post("/v1/users", {"name": "ada", "roles": ["viewer"], "password": PASSWORD})
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _: PASSWORD)
    assert shell("login", "ada") == 0
    kept = tmp_path / "config" / "sessions.json"
    assert kept.stat().st_mode & 0o077 == 0
    assert list(json.loads(kept.read_text())) == [str(home)]
    with Opsroom(data_dir=home) as program:  # a program is not a person
        assert program.get("/v1/me")["name"] == "token:local"
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _: "wrong horse battery")
    assert shell("login", "ada") == 4
