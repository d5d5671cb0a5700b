"""A drift that becomes a release without a hand, in a server that is stopped on the way."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.retraining.world import ADA, AGENT, SYSTEM, desk, given, was_released

from opsroom.app import Runtime, Settings, open_runtime
from opsroom.app.background import Background
from opsroom.kit.db import Database
from opsroom.retraining import queries
from opsroom.retraining.model import Entry, Mode, State
from opsroom.simulator.apprentice import Apprentices

SECONDS = 120.0


@pytest.mark.slow
def test_what_was_begun_goes_on_after_a_restart(tmp_path: Path) -> None:
    runtime = open_runtime(Settings(data=tmp_path / "home"))
    desk(runtime.db)
    was_released(runtime.db)
    given(runtime.db, Mode.RELEASE)
    with runtime.db.write(SYSTEM) as tx:
        tx.record("drift.found", "drift/dft_1", agent=AGENT, because="answers changed")
    first = _until(runtime, lambda one: one.state is not State.QUEUED)
    done = _until(runtime, lambda one: bool(one.release))
    runtime.close()
    assert done.id == first.id
    assert done.reasons[0].evidence == ("drift/dft_1",)
    assert done.waits == "its release is under way"


def _until(runtime: Runtime, reached: Callable[[Entry], bool]) -> Entry:
    """Let a server work until the entry has come so far, and stop it."""
    beside = Background(runtime, Apprentices())
    beside.start()
    until = time.monotonic() + SECONDS
    try:
        while not (found := [one for one in _all(runtime.db) if reached(one)]):
            assert time.monotonic() < until, _all(runtime.db)
            time.sleep(0.05)
    finally:
        beside.stop()
    return found[0]


def _all(db: Database) -> list[Entry]:
    with db.read(ADA) as tx:
        return queries.entries(tx)
