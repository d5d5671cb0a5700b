"""The demo, as a newcomer runs it: no terminal, no question, an end, and the truth."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from opsroom.app import Settings, open_runtime
from opsroom.kit.db import Database
from opsroom.registry import queries as registry
from opsroom.releases import queries as releases
from opsroom.releases.decide import replay
from opsroom.simulator.people import ADMIN


def opsroom(*args: str) -> Any:
    """What the command prints as JSON; it is run without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "opsroom.cli", *args, "--json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={key: value for key, value in os.environ.items() if not key.startswith("OPSROOM_")},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ended(found: dict[str, Any]) -> dict[str, str]:
    return {one["agent"]: one["state"] for one in found["releases"]}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found: dict[str, Any] = opsroom(
        "demo", "--once", "--data", str(tmp_path_factory.mktemp("demo") / "home")
    )
    return found


def test_the_good_release_is_promoted_and_the_bad_one_rolled_back(
    office: dict[str, Any],
) -> None:
    assert ended(office) == {"customs-classifier": "promoted", "invoice-matcher": "rolled_back"}
    bad = next(one for one in office["releases"] if one["agent"] == "invoice-matcher")
    assert "disputed" in bad["because"]


def test_what_the_demo_leaves_behind_holds_together(office: dict[str, Any]) -> None:
    runtime = open_runtime(Settings(data=Path(office["data"])))
    try:
        _check(runtime.db, office)
    finally:
        runtime.close()


def _check(db: Database, office: dict[str, Any]) -> None:
    with db.read(ADMIN) as tx:
        for agent, number in (("customs-classifier", 2), ("invoice-matcher", 1)):
            label = registry.label(tx, "agent", agent, "production")
            assert label is not None
            assert label.number == number
        for one in office["releases"]:
            taken = releases.decisions(tx, one["id"])
            assert taken
            for decision in taken:
                assert replay(decision) == decision.decision


@pytest.mark.slow
@pytest.mark.parametrize(
    ("champion", "challenger", "state"),
    [
        ("gpt-4o-2024-11-20", "claude-sonnet-4-5", "promoted"),
        ("claude-sonnet-4-5", "gpt-4o-2024-11-20", "aborted"),
    ],
)
def test_recorded_airline_runs_decide_as_they_should(
    data_dir: Path, tmp_path: Path, champion: str, challenger: str, state: str
) -> None:
    runs = str(data_dir / "tau" / "runs")
    home = str(tmp_path / "home")
    found = opsroom(
        "demo", "--once", "--data", home, "replay", runs, "airline", champion, challenger
    )
    assert ended(found) == {"airline": state}
    assert opsroom("audit", "verify", "--data", home)
