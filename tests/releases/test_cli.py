"""`opsroom release …` as people and scripts type it, on a folder that nobody serves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.installation import home, home_template, own_environment
from tests.releases import world

from opsroom.app import Runtime, Settings, open_runtime
from opsroom.cli.main import run
from opsroom.kit.wire import plain
from opsroom.releases import commands
from opsroom.releases.model import State

__all__ = ["home", "home_template", "own_environment"]


class Terminal:
    """A shell in front of an installation."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys

    def types(self, *words: str, exits: int = 0) -> str:
        code = run([*words, "--data", str(self._folder)])
        said = self._capsys.readouterr()
        assert code == exits, said.err
        return said.out if code == 0 else said.out + said.err

    def asks(self, *words: str, exits: int = 0) -> Any:
        return json.loads(self.types(*words, "--json", exits=exits))


@pytest.fixture
def runtime(home: Path) -> Iterator[Runtime]:
    opened = open_runtime(Settings(data=home))
    world.build(opened.db, cases=2)
    yield opened
    opened.close()


@pytest.fixture
def terminal(home: Path, runtime: Runtime, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(home, capsys)


def test_a_release_from_the_command_line(
    terminal: Terminal, runtime: Runtime, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.yaml"
    stated = plain(world.SMALL)
    stated["shadow"]["min_time"] = "PT0S"
    plan.write_text(yaml.safe_dump(stated))
    started = terminal.asks("release", "start", "agent/clerk@2", "--plan", str(plan))
    release_id = started["id"]
    assert release_id in terminal.types("release", "list")
    world.gated(runtime.db, release_id)
    world.approve(runtime.db, release_id)
    world.advance(runtime.db, release_id)
    lines = [json.dumps(plain(world.pair(f"p{n}"))) for n in range(40)]
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text("\n".join(lines))
    assert terminal.types("release", "observe", release_id, str(pairs)).strip() == (
        "40 counted, 0 repeated, 0 ignored"
    )
    again = terminal.asks("release", "observe", release_id, str(pairs))
    assert again == {"counted": 0, "repeated": 40, "ignored": 0}
    world.advance(runtime.db, release_id)
    assert "5 pairs to judge" in terminal.types("release", "sample", release_id)
    world.judge_all(runtime.db, release_id)
    world.advance(runtime.db, release_id)
    subjects = "\n".join(
        json.dumps({"subject": f"s{n}", "leg": 1, "values": world.values(fine=True)})
        for n in range(120)
    )
    outcomes = tmp_path / "outcomes.jsonl"
    outcomes.write_text(subjects)
    assert terminal.asks("release", "observe", release_id, str(outcomes))["counted"] == 120
    status = terminal.types("release", "status", release_id)
    assert "canarying" in status
    assert "requests to the candidate" in status
    assert "success" in status
    terminal.types("release", "pause", release_id, "-m", "lunch")
    terminal.types("release", "watch", release_id, exits=5)
    terminal.types("release", "resume", release_id, "-m", "back")
    terminal.types("release", "abort", release_id, "-m", "too late", exits=7)
    terminal.types("release", "rollback", release_id, "-m", "odd")
    assert world.state(runtime.db, release_id) is State.ROLLED_BACK
    assert terminal.asks("release", "watch", release_id, exits=3)["release"]["because"] == "odd"
    assert "no release is under way" in terminal.types("release", "list")
    assert release_id in terminal.types("release", "list", "--all")


def test_what_goes_wrong_is_said(terminal: Terminal, runtime: Runtime, tmp_path: Path) -> None:
    terminal.types("release", "status", "rel_nobody", exits=2)
    terminal.types("release", "start", "agent/clerk@1", exits=7)
    release = world.start(runtime.db)
    terminal.types("release", "watch", release.id, "--timeout", "0", exits=5)
    said = terminal.types("release", "approve", release.id, exits=7)
    assert "has no gate verdict yet" in said
    world.gated(runtime.db, release.id)
    said = terminal.types("release", "approve", release.id, exits=4)
    assert "only people approve" in said
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{}\nno json\n")
    said = terminal.types("release", "observe", release.id, str(broken), exits=2)
    assert "line 2 is no JSON" in said
    with runtime.db.write(world.ADA) as tx:
        commands.abort(tx, release.id, reason="over")
    terminal.types("release", "abort", release.id, "-m", "again", exits=7)
