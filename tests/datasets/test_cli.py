"""Datasets at the terminal."""

import gzip
import json
from pathlib import Path

import pytest
from tests.installation import Shell

LINES = '{"id": "a", "input": "x", "expected": "y"}\n{"input": {"q": 1}, "split": "train"}\n'


def test_lines_and_tables_plain_and_packed(shell: Shell, tmp_path: Path) -> None:
    plain, packed = tmp_path / "cases.jsonl", tmp_path / "cases.jsonl.gz"
    plain.write_text(LINES)
    packed.write_bytes(gzip.compress(LINES.encode()))
    assert shell("dataset", "import", "cases", plain) == 0
    assert shell.out == "cases@1 has 2 items\n"
    (tmp_path / "table.csv").write_text('id,input,expected,tags\n1,hello,hi,"a,b"\n')
    made = shell.data("dataset", "import", "table", tmp_path / "table.csv")
    assert made["number"] == 1
    assert shell("dataset", "items", "table") == 0
    assert json.loads(shell.out)["tags"] == ["a", "b"]
    assert shell("dataset", "items", "cases", "--split", "train") == 0
    assert json.loads(shell.out)["id"] == "line-2"
    again = shell.data("dataset", "import", "packed", packed)
    assert [one["hash"] for one in again["spec"]["items"]] == [
        one["hash"]
        for one in shell.data("dataset", "show", "cases")["version"]["spec"]["items"]
    ]


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (LINES.encode() + b'{"id": "c"}\n', "bad_item", "line 3 of cases.jsonl"),
        (LINES.encode() + b'{"id": "c", "inputt": 1}\n', "bad_item", "'inputt'"),
        (LINES.encode() + b"{\n", "line_wrong", "line 3"),
        (gzip.compress(LINES.encode())[:-9], "file_truncated", "cases.jsonl"),
        (gzip.compress(bytes(90_000_000)), "file_bomb", "cases.jsonl"),
        (b"", "empty_dataset", "at least one item"),
    ],
    ids=["no input", "wrong field", "no JSON", "cut off", "bomb", "empty"],
)
def test_a_bad_line_stores_nothing(
    shell: Shell, tmp_path: Path, content: bytes, code: str, says: str
) -> None:
    (tmp_path / "cases.jsonl").write_bytes(content)
    error = shell.refused("dataset", "import", "cases", tmp_path / "cases.jsonl")
    assert (error["code"], error["exit_code"]) == (code, 2)
    assert says in error["message"]
    assert shell.data("dataset", "list") == []
