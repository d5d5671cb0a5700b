"""`opsroom trace …` as people and scripts type it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.installation import Shell, running
from tests.traces.test_cases import run_of

from opsroom.kit.clock import SystemClock
from opsroom.sdk import Opsroom

TRACE = "a" * 32


@pytest.fixture
def traced(shell: Shell, home: Path) -> Iterator[Shell]:
    """A terminal on an installation that a server process has open, with one trace."""
    with running(home):
        sent = run_of(TRACE, int(SystemClock().now().timestamp()) * 10**9, "where?", "in Kiel")
        with Opsroom(data_dir=home) as client:
            answer = client.http().post(
                "/v1/traces",
                content=sent.SerializeToString(),
                headers={"Content-Type": "application/x-protobuf"},
            )
            assert answer.status_code == 200, answer.text
        yield shell


def test_a_trace_is_added_to_a_dataset(traced: Shell, tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text('{"id": "one", "input": "x", "expected": "y"}\n')
    assert traced("dataset", "import", "cases", tmp_path / "cases.jsonl") == 0
    add = ("trace", "add-to-dataset", TRACE, "cases")
    assert traced(*add, "--expected", "in Bonn") == 0, traced.err
    assert traced.out == f"dataset/cases@2 has it as a candidate: trace-{TRACE}\n"
    assert traced(*add) == 0
    assert traced.out == f"dataset/cases@2 had it before: trace-{TRACE}\n"
    assert traced("dataset", "items", "cases", "--split", "candidate") == 0
    assert json.loads(traced.out)["expected"] == "in Bonn"
    assert traced.refused("trace", "add-to-dataset", "b" * 32, "cases")["exit_code"] == 2


def test_traces_are_told_in_words(traced: Shell) -> None:
    assert traced("trace", "list") == 0, traced.err
    header, line = traced.out.splitlines()
    assert header.split()[:2] == ["TRACE", "NAME"]
    assert line.startswith(TRACE)
    took = traced.data("trace", "list")[0]["duration"].removeprefix("PT").lower()
    assert f" {took} " in line
    assert traced("trace", "show", TRACE) == 0, traced.err
    assert f" {took}" in traced.out
    assert traced("trace", "figures") == 0, traced.err
    assert "clerk" in traced.out


def test_views_are_saved_used_and_removed(traced: Shell) -> None:
    saved = ("trace", "save-view", "by 100%?", "--agent", "clerk", "--where", "errors=0")
    assert traced(*saved) == 0, traced.err
    assert traced.out == "saved by 100%?\n"
    assert traced("trace", "views") == 0
    assert "agent=clerk" in traced.out
    assert len(traced.data("trace", "list", "--view", "by 100%?")) == 1
    assert traced.data("trace", "list", "--view", "by 100%?", "--where", "errors>0") == []
    assert traced("trace", "remove-view", "by 100%?") == 0, traced.err
    assert traced.out == "removed by 100%?\n"
    assert traced.refused("trace", "list", "--view", "by 100%?")["code"] == "view_not_found"
