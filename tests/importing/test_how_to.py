"""The how-to page does what it says: its files are written and its commands run, in order."""

from pathlib import Path

import pytest
from tests.installation import Shell
from tests.test_tutorial import BLOCK

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "coming-from.md"


@pytest.mark.slow
def test_the_page_runs(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if block["kind"] == "file":
            Path(block["name"]).write_text(block["body"], encoding="utf-8")
            continue
        for line in block["body"].splitlines():
            assert shell(*line.split()[2:]) == 0, (line, shell.err)
            said.append(shell.out)
    assert any("Greet Ada." in one for one in said)
    assert sum(one.startswith("imported ") for one in said) == 6
