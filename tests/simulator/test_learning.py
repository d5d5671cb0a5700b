"""The whole loop, from a person's first correction to an agent that acts alone, without a hand.

One process, no network but its own loopback, and everything that decides is the real thing.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.simulator.test_demo import opsroom

from opsroom.access.model import permissions_of
from opsroom.app import open_runtime
from opsroom.app.settings import from_environment
from opsroom.autonomy import Level
from opsroom.autonomy import queries as autonomy
from opsroom.corrections import State
from opsroom.corrections import queries as corrections
from opsroom.journal import queries as journal
from opsroom.kit.db import Actor, Tx
from opsroom.registry import queries as registry
from opsroom.simulator import goods
from opsroom.simulator.customs import NAME
from opsroom.simulator.learning import SCOPE, expert, judged

ADMIN = Actor("root", "default", permissions_of(("admin",)), ("admin",))
TITLES = [
    "People correct the agent",
    "Corrections become cases",
    "A judge is held against people",
    "What serves fails them",
    "A search finds a better prompt",
    "Gate and review agree",
    "A release proves it",
    "It may act alone",
    "And does",
]


def every_event(tx: Tx) -> list[str]:
    events: list[str] = []
    while some := journal.after(tx, len(events)):
        events += [entry.event for entry in some]
    return events


@pytest.mark.slow
def test_a_desk_learns_from_the_first_correction_to_acting_alone(tmp_path: Path) -> None:
    story: dict[str, Any] = opsroom("--data", str(tmp_path), "demo", "--once", "loop")
    assert [one["title"] for one in story["chapters"]] == TITLES
    runtime = open_runtime(from_environment({}, data=Path(story["data"]), port=0))
    try:
        with runtime.db.read(ADMIN) as tx:
            head = journal.verify(tx)
            assert head.seq == story["journal"]["entries"]
            events = every_event(tx)
            serving = registry.label(tx, "agent", NAME, "production")
            grant = autonomy.granted(tx, NAME, SCOPE)
            one = corrections.corrections(tx, state=State.ACCEPTED, limit=1)[0]
            found = corrections.lineage(tx, one.id)
    finally:
        runtime.close()
    assert serving is not None
    assert serving.number == 2
    assert grant.level is Level.BOUNDED
    order = [
        "override.recorded",
        "correction.found",
        "correction.accepted",
        "judge.calibrated",
        "improvement.finished",
        "release.started",
        "release.promoted",
        "autonomy.widened",
    ]
    places = [events.index(event) for event in order]
    assert places == sorted(places)
    assert events[places[-1] :].count("inbox.asked") == 0, "it asks nobody any more"
    assert {each.by for each in found.overrides} == {"ben"}
    tests = [one for one in found.uses if one.gates]
    assert tests or found.correction.split != "test"


def test_the_expert_knows_goods_but_not_all_of_them() -> None:
    cases = goods.cases(count=300)
    said = [
        json.loads(judged(json.dumps({"input": one.input, "answer": one.expected})))["verdict"]
        for one in cases
    ]
    assert 0.85 < said.count("pass") / len(said) < 1
    body = {
        "model": "expert",
        "messages": [
            {"role": "user", "content": json.dumps({"input": cases[0].input, "answer": "0000"})}
        ],
    }
    assert json.loads(expert(body))["verdict"] in {"pass", "fail"}
