"""The command line as scripts meet it: help, exit codes, and where words go."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from tests.installation import OPSROOM

from opsroom.cli.main import run
from opsroom.cli.root import NOUNS, Root, root


def commands(group: click.Group, path: str = "") -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        found.append((f"{path} {name}".strip(), command))
        if isinstance(command, click.Group):
            found += commands(command, f"{path} {name}".strip())
    return found


def test_every_noun_is_there_and_says_what_it_is_for() -> None:
    assert isinstance(root, Root)
    for name, command in commands(root):
        assert command.help, name
        assert not isinstance(command, Root)


def test_every_command_takes_what_all_take() -> None:
    for name, command in commands(root):
        options = {option for one in command.params for option in one.opts}
        assert {"--json", "--url", "--token", "--data"} <= options, name


def test_help_imports_no_engine() -> None:
    script = (
        "import sys; from opsroom.cli.main import run; run(['--help']);"
        "heavy = {'sqlalchemy', 'fastapi', 'pydantic', 'numpy', 'httpx2', 'rich', 'yaml'};"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in NOUNS)


def test_importing_opsroom_imports_no_engine() -> None:
    script = (
        "import sys, opsroom;"
        "assert not {'pydantic', 'httpx2', 'click', 'minijinja'} & sys.modules.keys();"
        "opsroom.prompt, opsroom.resolve, opsroom.Opsroom, opsroom.Prompt, opsroom.Resolution;"
        "assert not {'fastapi', 'sqlalchemy', 'numpy', 'minijinja', 'httpx2'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--version"], 0, "opsroom 0."),
        (["prompt", "list"], 0, "no prompt yet"),
        (["prompt", "show", "missing"], 2, "there is no prompt 'missing'"),
        (["pronpt"], 2, "Did you mean 'prompt'?"),
        (["prompt", "show"], 2, "Missing argument"),
        (["prompt", "list", "--url", "http://127.0.0.1:9"], 6, "no opsroom answers"),
        (["user", "list", "--token", "ops_wrong"], 4, "these credentials are not valid"),
        (["proposal", "merge", "prp_missing"], 2, "there is no proposal"),
        (["user", "create", "admin", "--role", "viewer"], 7, "'admin' is taken"),
    ],
)
def test_exit_codes(
    home: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    says: str,
) -> None:
    monkeypatch.setenv("OPSROOM_HOME", str(home))
    assert run(arguments) == code
    said = capfd.readouterr()
    assert says in said.out + said.err
    if code:
        assert says in said.err
        assert not said.out


def test_an_error_says_what_to_do(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run(["prompt", "show", "missing", "--data", str(home)])
    assert capfd.readouterr().err.splitlines() == [
        "error: there is no prompt 'missing' in this project",
        " hint: list what there is with `opsroom prompt list`",
        " docs: docs/reference/errors.md#artifact_not_found",
    ]


@pytest.mark.parametrize(
    "arguments",
    [["prompt", "show", "missing", "--json"], ["--json", "prompt", "show", "missing"]],
)
def test_an_error_as_data(
    home: Path, capfd: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run([*arguments, "--data", str(home)]) == 2
    error = json.loads(capfd.readouterr().err)["error"]
    assert (error["code"], error["facts"]["name"]) == ("artifact_not_found", "missing")


def test_an_answer_as_data(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["user", "list", "--json", "--data", str(home)]) == 0
    said = capfd.readouterr()
    assert [user["name"] for user in json.loads(said.out)] == ["admin"]
    assert not said.err


def test_stored_text_cannot_steer_a_terminal(
    home: Path, capfd: pytest.CaptureFixture[str], local: Any
) -> None:
    local.post("/v1/tokens", {"name": "eve\x1b[2J", "roles": ["viewer"]})
    assert run(["token", "list", "--data", str(home)]) == 0
    said = capfd.readouterr().out
    assert "eve" in said
    assert "\x1b" not in said


def test_a_reader_that_goes_away_is_no_bug(home: Path) -> None:
    command = [*OPSROOM, "audit", "export", "--data", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        complained = process.stderr.read()
    assert b"Traceback" not in complained
    assert b"BrokenPipe" not in complained
