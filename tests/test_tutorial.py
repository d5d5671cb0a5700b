"""The tutorial does what it says: its files are written and its commands run, in order."""

import re
import shlex
from pathlib import Path

import pytest

from opsroom.cli.main import run

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"
BLOCK = re.compile(
    r"^```(?P<kind>console|file) ?(?P<name>\S*)\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL
)


def test_the_tutorial_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    commands = 0
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if block["kind"] == "file":
            Path(block["name"]).write_text(block["body"], encoding="utf-8")
            continue
        for line in block["body"].splitlines():
            words = shlex.split(line)
            assert words[:2] == ["$", "opsroom"], line
            assert run(words[2:]) == 0, line
            commands += 1
    assert commands > 8
