"""`opsroom eval judge …` as people and scripts type it, on a folder that nobody serves."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.evals.judging import Having, Speaks, labelled, put, put_judge
from tests.installation import home, home_template, own_environment

from opsroom.app import Runtime, Settings, open_runtime
from opsroom.cli.main import run
from opsroom.evals.calibrating import Calibrating, calibrate
from opsroom.kit.db import Actor

__all__ = ["home", "home_template", "own_environment"]

ADA = Actor("ada", "default", frozenset({"author", "read"}), ("author",))


@pytest.fixture
def runtime(home: Path) -> Iterator[Runtime]:
    opened = open_runtime(Settings(data=home))
    put_judge(opened.db, ADA)
    items = [
        labelled(f"{word}{n}", word == "good", answer=f"{word} {n}")
        for word in ("good", "bad")
        for n in range(20)
    ]
    put(opened.db, ADA, "labels", items)
    yield opened
    opened.close()


def test_a_judge_from_the_command_line(
    home: Path, runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    def types(*words: str, exits: int = 0) -> str:
        code = run(["eval", "judge", *words, "--data", str(home)])
        said = capsys.readouterr()
        assert code == exits, said.err
        return said.out + said.err

    said = types("calibrate", "polite", "--dataset", "labels", exits=3)
    assert "answered 0 of 40 items" in said
    assert "only the rest goes to the model" in said
    assert "it was never calibrated" in types("list")
    wanted = Calibrating(evaluator="polite", dataset="labels")
    found = calibrate(runtime.db, ADA, wanted, models=Having(Speaks(wrong=["good 1"])))
    said = types("calibrate", "polite@1", "--dataset", "labels@1")
    assert "evaluator/polite@1 (gpt-4o-2024-11-20) against dataset/labels@1" in said
    assert "desk: may gate: its κ is 0.95" in said
    assert types("show", found.digest) == said
    assert json.loads(types("show", found.digest, "--json"))["digest"] == found.digest
    assert "yes" in types("list")
