"""The how-to page does what it says: its file is written and its commands run, in order."""

import json
from pathlib import Path

import pytest
from tests.test_tutorial import BLOCK

from opsroom.cli.main import run

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "promptfoo.md"


def test_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if block["kind"] == "file":
            Path(block["name"]).write_text(block["body"], encoding="utf-8")
            continue
        for line in block["body"].splitlines():
            assert run(line.split()[2:]) == 0, line
    assert 'tests="2" failures="0"' in Path("junit.xml").read_text()
    assert "freight-desk: passed" in Path("summary.md").read_text()

    text = Path("promptfooconfig.yaml").read_text()
    Path("worse.yaml").write_text(text.replace("Say where {{parcel}} is.", "Sorry, no."))
    capsys.readouterr()
    assert run(["eval", "run", "worse.yaml", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["passed"] is False
    Path("code.yaml").write_text(text.replace("not-is-refusal}", "javascript, value: 'x'}"))
    assert run(["eval", "run", "code.yaml"]) == 2
    assert "assertion javascript: it runs code of the configuration" in capsys.readouterr().err
