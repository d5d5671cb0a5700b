"""`opsroom trace …` as people and scripts type it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.installation import Shell
from tests.telemetry import alone
from tests.traces.test_cases import run_of

from opsroom.kit.clock import SystemClock
from opsroom.sdk import Opsroom

TRACE = "a" * 32


@pytest.fixture
def traced(shell: Shell, home: Path) -> Iterator[Shell]:
    """A terminal on an installation of its own that has a trace."""
    with alone():
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
