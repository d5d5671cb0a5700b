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


def test_roles_rules_and_services_at_the_terminal(shell: Shell, tmp_path: Path) -> None:
    assert shell("role", "set", "night-desk", "--may", "read", "--may", "operate") == 0
    assert shell("user", "create", "ada", "--role", "night-desk") == 0
    rules = tmp_path / "rules.cedar"
    rules.write_text('@id("n") @reason("not at night") forbid (principal, action, resource);')
    asked = ("access", "check", "author", "prompt/x@staging", "--role", "author")
    assert shell(*asked) == 0
    assert shell(*asked, "--rules", rules) == 4
    assert shell.out == "denied: not at night\n"
    assert shell("access", "rules", "--set", rules, "--protect", "staging") == 0
    assert shell(*asked) == 4
    assert shell("access", "rules", "--no-protected") == 4
    assert "only people" in shell.err
    assert shell("login", "--link", shell.data("user", "link", "admin")["link"]) == 0
    assert shell("access", "rules", "--no-protected", "--otherwise", "deny") == 0
    found = shell.data("access", "rules")
    assert (found["otherwise"], found["protected_labels"]) == ("deny", [])
    assert shell("role", "remove", "night-desk") == 0
    assert "night-desk" not in str(shell.data("role", "list"))
    opened = ("service", "open", "billing", "--owner", "ada", "--purpose", "what it cost")
    assert shell(*opened, "--role", "viewer") == 0
    assert shell("token", "create", "b-1", "--service", "billing") == 0
    assert shell("token", "create", "b-2") == 2
    secret = shell.data("token", "create", "b-3", "--role", "admin", "--scope", "resolve")
    assert shell("user", "list", "--token", secret["secret"]) == 4
    assert shell("service", "close", "billing", "-m", "it moved") == 0
    assert shell("service", "list") == 0
    assert "it moved" not in shell.out


def test_an_emergency_at_the_terminal(shell: Shell) -> None:
    assert shell("glass", "take", "operator", "-m", "nobody else was awake") == 4
    assert "only people" in shell.err
    link = shell.data("user", "create", "ana", "--role", "author")["link"]
    assert shell("login", "--link", link) == 0
    taken = shell.data("glass", "take", "operator", "-m", "nobody else was awake")
    assert shell("glass", "end", taken["id"]) == 0
    assert shell.out == "ana is not operator any more\n"
    assert shell("glass", "list") == 0
    assert "nobody else was awake" in shell.out
    assert shell("session", "list") == 4
    assert shell("session", "end-mine") == 0
    assert shell("logout") == 0
    assert shell("session", "list") == 0
    assert shell("access", "settings", "--token-days", "30", "--no-glass") == 0
    assert "30 days at most" in shell.out
