"""R1–R3: killed at any place, any two places and at random, nothing is lost, nothing is done
twice that can be told apart, and what nobody can tell is listed as unknown.
"""

import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from tests.actions.auditing import Audit
from tests.actions.crashing import HOUR, START, TOOLS, Life, build, opened, told
from tests.conftest import ROOT

from opsroom.actions.faults import POINTS

RANDOM = 300
QUICK = tuple(tool for tool in TOOLS if tool != "pay")  # one thing to do, instead of three
AT_ONCE = timedelta(seconds=3)  # less than any lease
SEED = 20261127
SIGKILL = 9


class Nursery:
    """The warm process in which lives are forked."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.actions.crashing"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def live(self, life: Life) -> dict[str, dict[str, int]] | None:
        """Which places a life has passed; None for one that was killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(told(life))
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        assert "error" not in said, said["error"]
        if "killed" in said:
            assert said["killed"] == SIGKILL
            return None
        return dict(said["passed"])

    def close(self) -> None:
        self._process.communicate()


@dataclass
class Town:
    """One installation, in which case after case is begun, cut off, and brought to its end."""

    nursery: Nursery
    url: str
    outside: Path
    cases: list[tuple[str, str]] = field(default_factory=list)
    passed: dict[str, Counter[str]] = field(default_factory=dict)
    now: datetime = START
    lives: int = 0
    kills: Counter[str] = field(default_factory=Counter)

    def case(self, tool: str, *faults: tuple[str, int]) -> Counter[str]:
        """Begin something, killed at one place after the other, then left to finish: what the
        last life passed. What is never passed kills nobody. In every other case somebody goes
        on within seconds, while what was begun could still be reported; else an hour later.
        """
        case = self._begun(tool)
        for point, passage in faults:
            passed = self.live(case, tool, point, passage)
            if passed is not None:
                return passed
            self.kills[point] += 1
            self.now += AT_ONCE if len(self.cases) % 2 else HOUR
        return self.finish(case, tool)

    def finish(self, case: str, tool: str, *, warm: bool = False) -> Counter[str]:
        passed = self.live(case, tool, warm=warm)
        assert passed is not None
        return passed

    def warm(self, tool: str) -> Counter[str]:
        """A case that nobody cuts off: which places it passes."""
        return self.finish(self._begun(tool), tool, warm=True)

    def _begun(self, tool: str) -> str:
        case = f"c{len(self.cases)}"
        self.cases.append((case, tool))
        self.now += HOUR
        return case

    def live(
        self, case: str, tool: str, point: str = "", passage: int = 0, *, warm: bool = False
    ) -> Counter[str] | None:
        self.lives += 1
        life = Life(
            url=self.url,
            outside=str(self.outside),
            case=case,
            tool=tool,
            now=self.now.isoformat(),
            point=point,
            passage=passage,
            warm=warm,
        )
        passed = self.nursery.live(life)
        return None if passed is None else Counter(passed)

    def audit(self) -> None:
        seen = Audit(self.url, self.outside, self.cases).check()
        print(f"{self.kills.total()} kills in {self.lives} lives: {dict(seen)}")  # noqa: T201  # the counts are what this is for


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()


@pytest.fixture
def town(nursery: Nursery, database_url: str, tmp_path: Path) -> Town:
    db, _ = opened(database_url, START)
    build(db)
    db.engine.dispose()
    outside = tmp_path / "outside"
    outside.mkdir()
    found = Town(nursery, database_url, outside)
    found.passed = {tool: found.warm(tool) for tool in TOOLS}
    return found


def test_every_point_is_a_boundary_in_the_code() -> None:
    code = "\n".join(one.read_text() for one in (ROOT / "src" / "opsroom").rglob("*.py"))
    there = set(re.findall(r'boundary\("([a-z_.]+)"\)', code))
    assert len(POINTS) == len(set(POINTS))
    assert set(POINTS) <= there
    mine = {
        one for one in there if one.partition(".")[0] in {"action", "budget", "tx", "outbox"}
    }
    assert mine <= set(POINTS), "a place nobody is killed at"


def test_killed_at_every_place(town: Town) -> None:
    """The first passage of every place, carried out here and there, with people and without."""
    for tool in ("tell", "clear"):
        for point in town.passed[tool]:
            town.case(tool, (point, 1))
    for point in ("action.before_effect", "action.after_effect", "tx.after_commit"):
        for tool in ("tell", "tell", "send", "send"):
            town.case(tool, (point, 1))
    # What only ever happens after a kill.
    for point in ("action.lapsed", "action.reconciled", "budget.freed"):
        for tool in ("send", "file"):
            town.case(tool, ("action.before_effect", 1), (point, 1))
    assert set(town.kills) == set(POINTS)
    town.audit()


@pytest.mark.slow
def test_killed_at_every_passage(town: Town) -> None:
    """Whenever a place is passed, for every kind of contract; of three payments alike, a third."""
    for tool in TOOLS:
        for point, times in sorted(town.passed[tool].items()):
            for passage in range(1, times + 1, 3 if tool == "pay" else 1):
                town.case(tool, (point, passage))
    assert town.kills.total() > len(POINTS)
    town.audit()


@pytest.mark.slow
def test_killed_at_every_pair_of_places(town: Town) -> None:
    """Those that pass the first take turns, so that each place meets every kind of contract.
    A place that is only passed after a kill is reached by one before any effect.
    """
    for number, (first, second) in enumerate(product(POINTS, POINTS)):
        able = [tool for tool in QUICK if town.passed[tool][first]]
        before = [] if able else [("action.before_effect", 1)]
        tool = (able or ["send", "file"])[number % len(able or ["send", "file"])]
        town.case(tool, *before, (first, 1), (second, 1))
    town.audit()


@pytest.mark.slow
def test_killed_at_random(town: Town) -> None:
    """Up to four times in a row, after any number of places."""
    print(f"seed {SEED}")  # noqa: T201  # a failing seed becomes a test
    chance = random.Random(SEED)
    while town.kills.total() < RANDOM:
        tool = chance.choice(TOOLS)
        longest = town.passed[tool].total()
        town.case(
            tool, *(("*", chance.randint(1, longest)) for _ in range(chance.randint(1, 4)))
        )
    town.audit()
