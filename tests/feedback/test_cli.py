"""`opsroom feedback …` as people and scripts type it."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from tests.installation import Shell

LINES = [
    {"subject": "trace/a", "helpful": True, "by": "bo", "use_case": "pay"},
    {
        "subject": "trace/b", "helpful": False, "by": "ann", "use_case": "pay", "text": "=1+1",
    },
]  # fmt: skip


@pytest.fixture
def other(home_template: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    """A terminal at another installation."""
    shutil.copytree(home_template, tmp_path / "other")
    return Shell(tmp_path / "other", capfd)


def test_every_bad_line_is_named_and_the_good_ones_are_kept(
    shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "said.jsonl"
    good = "\n".join(json.dumps(one) for one in (*LINES, LINES[0]))
    file.write_text(f'{good}\n\n[]\n{{"subject": "x", "helpful": true}}\nnot json\n')
    assert shell("feedback", "import", file) == 2
    assert "3 lines taken, 0 set aside, 3 refused" in shell.out
    for number, why in ((5, "no JSON object"), (6, "its subject is"), (7, "no JSON")):
        assert f"said.jsonl:{number}: " in shell.err
        assert why in shell.err
    assert shell("feedback", "import", file, "--json") == 2
    assert json.loads(shell.out)["taken"] == 3
    assert shell("feedback", "export") == 0
    assert len(shell.out.splitlines()) == 3, "the same file again changes nothing"
    assert shell("feedback", "figures") == 0
    assert "50 % [1, 99] of 2" in shell.out


def test_what_is_taken_out_can_be_brought_in_elsewhere(
    shell: Shell, other: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "said.jsonl"
    result = {"subject": "trace/a", "source": "business", "kpi": "margin", "value": "-2.50"}
    file.write_text("\n".join(json.dumps(one) for one in (*LINES, result)))
    assert shell("feedback", "import", file) == 0
    assert shell("feedback", "export", "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(shell.out)))
    assert {row["text"] for row in rows} == {"", "'=1+1"}, "no spreadsheet runs it"
    assert {row["value"] for row in rows} == {"", "-2.50"}
    sheet = tmp_path / "said.csv"
    sheet.write_text(shell.out + "trace/c,user\n")
    assert other("feedback", "import", sheet) == 2
    assert "3 lines taken" in other.out
    assert "said.csv:5: it has another number of cells" in other.err
    found = other.data("feedback", "list")
    assert {one["text"] for one in found} == {"", "=1+1"}
    assert {one["helpful"] for one in found} == {True, False, None}
    assert {one["value"] for one in found} == {None, "-2.50"}


def test_say_list_link_and_release(shell: Shell) -> None:
    assert shell("feedback", "add", "trace/a", "--not-helpful", "--text", "slow") == 0
    assert "not known here yet" in shell.out
    assert shell("feedback", "add", "trace/a", "--kpi", "csat", "--value", "4") == 0
    assert shell("feedback", "add", "trace/a", "--confidence", "0.5", "--uses", "wiki") == 0
    assert shell("feedback", "list") == 0
    for said in ("not helpful, slow", "csat 4", "confidence 0.50"):
        assert said in shell.out
    assert shell("feedback", "link", "trace/a", "--by", "bo") == 0
    assert shell.out.startswith("ofb_")
    assert shell("feedback", "revoke-links") == 0
    assert "no link" in shell.out
    assert shell("feedback", "quarantine") == 0
    assert "nobody" in shell.out
    assert shell.refused("feedback", "release", "bo")["code"] == "nothing_set_aside"
