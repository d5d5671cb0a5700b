"""A fleet of agents that work, some of which linger in ways that were planted and are known."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import insert
from tests.drift.world import priced
from tests.sunset.world import DAY, SECOND, hire, olga, root
from tests.telemetry import Room
from tests.traces.otlp import request

from opsroom.access import commands as access
from opsroom.access import store as access_store
from opsroom.access.uses import Uses
from opsroom.actions.turn_store import turns
from opsroom.agents import commands as agents
from opsroom.app.kinds import KINDS
from opsroom.inbox import OverrideDraft, overriding
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, Tx
from opsroom.registry import Criticality, VersionDraft
from opsroom.registry import commands as registry
from opsroom.sunset.zombies import Zombie

LIFE = 130  # days that the fleet has been there
GONE = "gus"
EASY = (Criticality.ADVISORY, Criticality.ASSISTIVE)


@dataclass
class Life:
    """How one agent lives: what happened to it, in days before today (None: never)."""

    name: str
    criticality: Criticality = Criticality.ASSISTIVE
    owner: str = "olga"
    changed: float | None = 20
    looked: float | None = None
    token: float | None = LIFE
    called: float | None = 1
    turns: int = 30
    done: float = 0.9
    usd: float = 0.0
    retired: bool = False
    planted: frozenset[Zombie] = field(default_factory=frozenset[Zombie])


PLANTS: dict[Zombie, Callable[[random.Random], dict[str, Any]]] = {
    Zombie.OWNER_GONE: lambda draw: {"owner": GONE, "usd": draw.choice([0.0, 8.0])},
    Zombie.COST_WITHOUT_VALUE: lambda draw: {
        "usd": draw.uniform(2, 40),
        "done": 0.0,
        "turns": draw.randrange(25, 60),
    },
    Zombie.CREDENTIALS_ALIVE: lambda draw: {
        "called": draw.choice([None, draw.uniform(95, 125)]),
        "turns": 0,
        "criticality": draw.choice(EASY),
        "token": LIFE - draw.uniform(1, 20),
    },
    Zombie.REVIEW_OVERDUE: lambda draw: {
        "criticality": Criticality.AUTONOMOUS,
        "changed": draw.uniform(93, 125),
        "looked": draw.uniform(1, 40),
    },
    Zombie.NOBODY_LOOKS: lambda draw: {
        "criticality": draw.choice(EASY),
        "changed": draw.uniform(65, 120),
        "looked": draw.choice([None, draw.uniform(65, 120)]),
    },
}
# Those that look a little like them, and are not.
HEALTHY: tuple[Callable[[random.Random], dict[str, Any]], ...] = (
    lambda draw: {"changed": draw.uniform(1, 50), "usd": draw.uniform(0, 20)},
    lambda draw: {"changed": draw.uniform(65, 120), "looked": draw.uniform(1, 55)},
    lambda draw: {"changed": draw.uniform(65, 120), "turns": draw.randrange(0, 15)},
    lambda _: {"called": None, "turns": 0, "token": None},
    lambda draw: {"called": None, "turns": 0, "token": draw.uniform(1, 80)},
    lambda draw: {"called": draw.uniform(60, 85), "turns": 0},
    lambda draw: {"usd": draw.uniform(2, 20), "done": draw.uniform(0.35, 0.7)},
    lambda _: {"usd": 0.4, "done": 0.0},
    lambda draw: {"usd": 9.0, "done": 0.0, "turns": draw.randrange(2, 15)},
    lambda draw: {"criticality": Criticality.AUTONOMOUS, "changed": draw.uniform(62, 85), "looked": 9},
    lambda _: {"owner": GONE, "retired": True},
    lambda _: {"owner": "ben"},
)  # fmt: skip


def lives(size: int, each: int, *, seed: int) -> list[Life]:
    """So many agents, of which so many linger in each of the five ways."""
    draw = random.Random(seed)
    found = [
        Life(
            f"{kind.value.replace('_', '-')}-{number}", planted=frozenset({kind}), **plant(draw)
        )
        for kind, plant in PLANTS.items()
        for number in range(each)
    ]
    healthy = (
        Life(f"healthy-{number:03d}", **HEALTHY[number % len(HEALTHY)](draw))
        for number in range(size - len(found))
    )
    return [*found, *healthy]


def live(db: Database, clock: ManualClock, room: Room, fleet: list[Life], *, seed: int) -> None:
    """Let the fleet live until today, which is `LIFE` days from the clock's now."""
    draw = random.Random(seed)
    project = room.project
    begin = clock.now()
    today = begin + LIFE * DAY
    hire(db, project=project)
    with db.write(olga(project)) as tx:
        access_store.add_user(tx, GONE, None)
        access_store.set_roles(tx, project, GONE, ("operator",))
    for one in fleet:
        hire(db, one.name, project=project, owner=one.owner, criticality=one.criticality)
    uses = Uses()
    uses.note(Actor("token:ci", project, human=False), "ci", "GET /v1/resolve", at=begin)
    happened = sorted(_happened(db, project, uses, fleet), key=lambda each: -each[0])
    for ago, do in happened:
        clock.move(today - ago * DAY - clock.now())
        do()
    clock.move(today - clock.now())
    uses.keep(db)
    with db.write(olga(project)) as tx:
        access_store.set_roles(tx, project, GONE, ())
        tx.conn.execute(insert(turns), [*_turns(tx, fleet, draw)])
    room.send(request(*_traces(fleet, today)))
    priced(room)


def _happened(
    db: Database, project: str, uses: Uses, fleet: list[Life]
) -> Iterator[tuple[float, Callable[[], None]]]:
    for one in fleet:
        if one.changed is not None:
            yield one.changed, partial(_change, db, project, one)
        if one.token is not None:
            yield one.token, partial(_token, db, project, one)
        if one.looked is not None:
            yield one.looked, partial(_look, db, project, one)
        if one.called is not None:
            yield one.called, partial(_call, db, project, uses, one)
        if one.retired:
            yield 0.5, partial(_retire, db, project, one)


def _change(db: Database, project: str, one: Life) -> None:
    with db.write(olga(project)) as tx:
        draft = VersionDraft(spec={"model": {"model": "test:other"}})
        registry.create_version(tx, "agent", one.name, draft, kinds=KINDS)


def _token(db: Database, project: str, one: Life) -> None:
    with db.write(root(project)) as tx:
        access.issue_token(tx, one.name, ("agent",), agent=one.name)


def _look(db: Database, project: str, one: Life) -> None:
    draft = OverrideDraft(
        subject=f"trace/{'a' * 32}",
        agent=one.name,
        agent_decision={"say": "a"},
        human_decision={"say": "b"},
        reasoning="it was another thing",
    )
    with db.write(olga(project)) as tx:
        overriding.override(tx, draft)


def _call(db: Database, project: str, uses: Uses, one: Life) -> None:
    caller = Actor(f"agent:{one.name}", project, human=False, agent=one.name)
    uses.note(caller, one.name, "POST /v1/turns", at=db.clock.now())


def _retire(db: Database, project: str, one: Life) -> None:
    with db.write(olga(project)) as tx:
        agents.retire(tx, one.name, reason="it was replaced")


def _turns(tx: Tx, fleet: list[Life], draw: random.Random) -> Iterator[dict[str, Any]]:
    for one in fleet:
        for number in range(one.turns):
            at = tx.now - timedelta(days=draw.uniform(0.5, 28))
            yield {
                "id": tx.ids.new("trn"), "project": tx.project, "agent": one.name,
                "version": f"agent/{one.name}@1", "manifest": "0" * 64,
                "environment": "production", "intent": "work", "subject": f"s{number}",
                "session": "", "human": "", "release": None, "arm": "champion", "trace": "",
                "plan": "", "alternatives": [],
                "final": "done" if draw.random() < one.done else "failed", "result": "",
                "started_at": at, "deadline": None, "ended_at": at, "revision": 1,
            }  # fmt: skip


def _traces(fleet: list[Life], today: datetime) -> Iterator[dict[str, Any]]:
    """What each agent spent, in one trace: gpt-4o answers cost ten dollars a million tokens."""
    for place, one in enumerate(fleet, start=1):
        if not one.usd:
            continue
        start = int((today - timedelta(days=5)).timestamp()) * SECOND
        trace = f"{place:032x}"
        yield {
            "trace": trace, "id": "00000000000000a1", "name": f"invoke_agent {one.name}",
            "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": one.name,
            "start": start, "end": start + SECOND,
        }  # fmt: skip
        yield {
            "trace": trace, "id": "00000000000000a2", "parent": "00000000000000a1",
            "name": "chat gpt-4o", "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": int(one.usd * 100_000),
            "start": start + 1, "end": start + SECOND,
        }  # fmt: skip
