"""What runs beside the requests, and ends when it is told to."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.drift.world import work
from tests.telemetry import Room

from opsroom.access import store as access
from opsroom.app import Settings, background, open_runtime
from opsroom.app.models import ConfiguredModels
from opsroom.drift import queries
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor

SECONDS = 60.0


def test_agents_are_looked_at_where_telemetry_is_in_use(
    tmp_path: Path, clock: ManualClock, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "LOOK_AT_AGENTS_EVERY", 0.05)
    runtime = open_runtime(replace(Settings(data=tmp_path / "home"), clock=clock))
    reader = Actor("system", room.project, frozenset({"read"}), human=False)
    with runtime.db.write(reader) as tx:
        access.add_project(tx, room.project)
    work(room, clock.now(), days=14, strange_share=0.6)
    models = ConfiguredModels(runtime.settings)
    beside = background.Background(runtime, models, room.traces)
    beside.start()
    try:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            with runtime.db.read(reader) as tx:
                found = {one.aspect.value for one in queries.drifts(tx)}
            if found:
                break
            time.sleep(0.05)
    finally:
        beside.stop()
        runtime.close()
    assert {"input", "tools", "cost"} <= found
