import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.installation import home, home_template, local, own_environment, shell
from tests.sdk import freight

from opsroom.testing import Room, fake

_numbers = itertools.count(1)
__all__ = ["home", "home_template", "local", "own_environment", "own_spool", "shell"]


@pytest.fixture(autouse=True)
def own_spool(own_environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the reports of one test wait."""
    monkeypatch.setenv("OPSROOM_SPOOL", str(tmp_path / "reports"))
    return tmp_path / "reports"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> freight.World:
    """What the actions of `freight` touch, untouched."""
    monkeypatch.setattr(freight, "world", fresh := freight.World())
    return fresh


@pytest.fixture(scope="module")
def opened() -> Iterator[Room]:
    with fake() as room:
        yield room


@pytest.fixture
def clerk() -> str:
    """An agent that no other test knows."""
    return f"clerk-{next(_numbers)}"


@pytest.fixture
def room(opened: Room, clerk: str, world: freight.World) -> Room:
    """An opsroom where the clerk may touch everything, and writes only with approval."""
    opened.agent(clerk, *freight.EVERYTHING)
    return opened


@pytest.fixture
def trusting(room: Room, clerk: str) -> Room:
    """The same, where the clerk does everything alone."""
    for action in freight.ALONE:
        room.allow(clerk, action)
    return room
