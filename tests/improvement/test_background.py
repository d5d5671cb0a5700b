"""A search that a server carries out, and goes on with after it was killed."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.improvement.world import desk, plan

from opsroom.access.model import permissions_of
from opsroom.app import Settings, open_runtime
from opsroom.app.background import Background
from opsroom.improvement import commands, queries
from opsroom.improvement.model import Improvement, State
from opsroom.kit.clock import SystemClock
from opsroom.kit.db import Actor, Database
from opsroom.simulator.apprentice import Apprentices
from opsroom.simulator.endpoint import Endpoint

SECONDS = 240.0
ADA = Actor("ada", "default", permissions_of(("author",)), ("author",))
SERVE = """
import sys
from pathlib import Path
from opsroom.app import Settings, open_runtime
from opsroom.app.background import Background
from opsroom.app.models import ConfiguredModels
from opsroom.kit.faults import arm_from_environment
import time

home, url, host = sys.argv[1:]
settings = Settings(data=Path(home), model_url=url, allowed_hosts=(host,))
arm_from_environment()
beside = Background(open_runtime(settings), ConfiguredModels(settings))
beside.start()
time.sleep(600)
"""


@pytest.mark.slow
def test_a_killed_search_is_carried_out_by_the_next_process(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = replace(Settings(data=home), clock=SystemClock())
    runtime = open_runtime(settings)
    desk(runtime.db, ADA)
    with runtime.db.write(ADA) as tx:
        found = commands.start(tx, plan())
    with Endpoint() as there:
        # The third time that answers are kept is in the middle of the candidates, however fast
        # the machine is: the base and each candidate are kept at least once.
        killed = subprocess.run(
            [sys.executable, "-c", SERVE, str(home), there.url, there.host],
            env={**os.environ, "OPSROOM_FAULT": "measure.kept:3"},
            timeout=SECONDS,
            check=False,
        )
        assert killed.returncode == -9
        before = [
            tuple((m["role"], m["content"]) for m in one["messages"]) for one in there.asked
        ]
    with runtime.db.read(ADA) as tx:
        half = queries.improvement(tx, found.id)
        measured = len(queries.candidates(tx, found.id))
    assert half.state is State.RUNNING
    assert measured > 0
    models = Apprentices()
    beside = Background(runtime, models)
    beside.start()
    try:
        done = _when_over(runtime.db, found.id)
    finally:
        beside.stop()
        runtime.close()
    assert done.state is State.FINISHED
    assert done.proposal
    after = [tuple((m.role, m.content) for m in one.messages) for one in models.asked]
    in_flight = 16
    assert len(set(before) & set(after)) <= in_flight, "what is kept is not asked again"
    assert len(after) < done.spent.calls


def _when_over(db: Database, improvement_id: str) -> Improvement:
    until = time.monotonic() + SECONDS
    while True:
        with db.read(ADA) as tx:
            found = queries.improvement(tx, improvement_id)
        if found.state not in {State.QUEUED, State.RUNNING}:
            return found
        assert time.monotonic() < until, found
        time.sleep(0.1)
