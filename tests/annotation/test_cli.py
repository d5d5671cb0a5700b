"""`opsroom queue …` as people and scripts type it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.installation import Shell

from opsroom.access import commands as access
from opsroom.app import Runtime, Settings, open_runtime
from opsroom.kit.db import Actor

BEN = Actor("ben", "default")


@pytest.fixture
def runtime(home: Path) -> Iterator[Runtime]:
    opened = open_runtime(Settings(data=home))
    yield opened
    opened.close()


@pytest.fixture
def ben(shell: Shell, runtime: Runtime) -> Shell:
    """A terminal where ben has logged in."""
    with runtime.db.write(BEN) as tx:
        access.create_user(tx, "ben", ("author", "reviewer"))
        link = access.issue_link(tx, "ben")
    assert shell("login", "--link", link) == 0, shell.err
    return shell


def fill(ben: Shell, tmp_path: Path) -> str:
    assert (
        ben("queue", "new", "Cases", "--label", "good", "--label", "bad", "--second", "0") == 0
    )
    queue = ben.out.split()[0]
    file = tmp_path / "tasks.jsonl"
    cases = [{"subject": f"case/{n}", "input": f"q{n}", "output": "a"} for n in range(2)]
    file.write_text("\n".join(map(json.dumps, cases)))
    assert ben("queue", "add", queue, "--file", file) == 0
    assert "2 tasks added" in ben.out
    return queue


def test_a_queue_from_opening_it_to_its_labels(ben: Shell, tmp_path: Path) -> None:
    queue = fill(ben, tmp_path)
    assert ben("queue", "next", queue) == 0
    assert "q0" in ben.out
    task = ben.out.split()[0]
    assert ben("queue", "label", queue, task, "bad", "-m", "too short") == 0
    assert "is settled: bad" in ben.out
    assert ben("queue", "show", queue) == 0
    assert "bad: 1.00 [0.03, 1.00]" in ben.out
    assert ben("queue", "export", queue) == 0
    assert json.loads(ben.out)["labels"][0]["reason"] == "too short"


@pytest.mark.slow
def test_what_else_can_be_done_with_a_queue(ben: Shell, tmp_path: Path) -> None:
    assert ben("queue", "list") == 0
    assert "opsroom queue new" in ben.out
    queue = fill(ben, tmp_path)
    first = ben.data("queue", "next", queue)["id"]
    assert ben("queue", "skip", queue, first, "-m", "I wrote it") == 0
    second = ben.data("queue", "next", queue)["id"]
    assert ben("queue", "label", queue, second, "fine") == 2
    assert "'good', 'bad'" in ben.err
    assert ben("queue", "label", queue, second, "good") == 0
    assert ben("queue", "next", queue) == 0
    assert "nothing waits for you" in ben.out
    assert ben("queue", "list") == 0
    assert "1 of 2" in ben.out
    assert ben("queue", "export", queue, "--form", "csv") == 0
    assert ben.out.count("\n") == 2
    assert ben("queue", "dataset", queue, "judged") == 0
    assert "dataset/judged@1 has 1 label" in ben.out
    assert ben("queue", "sample", queue) == 7
    assert ben("queue", "close", queue, "-m", "enough") == 0
    assert ben("queue", "next", queue) == 7
