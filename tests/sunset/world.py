"""A desk that is to end, the one that takes over, and the people who decide it."""

from datetime import timedelta
from typing import Any

from tests.telemetry import Room
from tests.traces.otlp import request

from opsroom.access import store as access
from opsroom.access.model import permissions_of
from opsroom.app.kinds import KINDS
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.registry import ArtifactDraft, Criticality, VersionDraft
from opsroom.registry import commands as registry
from opsroom.sunset import commands, queries, store
from opsroom.sunset.model import Plan, Sunset, SunsetDraft
from opsroom.sunset.workflow import Driver

AGENT, NEXT = "desk", "harbour"
DAY = timedelta(days=1)
PLAN = Plan(at_100=4, at_50=2, at_10=2, dormant=10)
SECOND = 1_000_000_000


def person(name: str, *roles: str, project: str = "default") -> Actor:
    return Actor(name, project, permissions_of(roles), roles)


def root(project: str = "default") -> Actor:
    return person("root", "admin", project=project)


def olga(project: str = "default") -> Actor:
    return person("olga", "operator", "author", project=project)


def ben(project: str = "default") -> Actor:
    return person("ben", "reviewer", "risk", project=project)


def hire(
    db: Database,
    *names: str,
    project: str = "default",
    owner: str = "olga",
    criticality: Criticality = Criticality.ADVISORY,
) -> None:
    """Agents that serve, with a manifest each; and the people of the project."""
    actor = olga(project)
    with db.write(actor) as tx:
        if not access.has_project(tx, project):
            access.add_project(tx, project)
        for name, roles in (("olga", ("operator", "author")), ("ben", ("reviewer", "risk"))):
            if not access.has_user(tx, name):
                access.add_user(tx, name, None)
            if access.roles_of(tx, project, name) is None:
                access.set_roles(tx, project, name, roles)
        for name in names:
            draft = ArtifactDraft(kind="agent", name=name, owner=owner, criticality=criticality)
            of = registry.create_artifact(tx, draft, kinds=KINDS)
            spec = {"model": {"model": "test:model"}}
            made = registry.create_version(
                tx, "agent", name, VersionDraft(spec=spec), kinds=KINDS
            )
            registry.move_label(tx, of, "production", made.number, how="import", reason="first")


def proposed(db: Database, *, project: str = "default", **more: Any) -> Sunset:
    draft = SunsetDraft(agent=AGENT, because="the harbour took over", successor=NEXT, plan=PLAN)
    with db.write(olga(project)) as tx:
        return commands.propose(tx, SunsetDraft(**{**_fields(draft), **more}))


def approved(db: Database, one: Sunset, *, project: str = "default") -> Sunset:
    with db.write(ben(project)) as tx:
        return commands.approve(tx, one.id, binding=one.binding, reason="nobody needs two")


def look(db: Database, sunset_id: str, *, project: str = "default") -> Sunset:
    with db.read(olga(project)) as tx:
        return queries.sunset(tx, sunset_id)


def driven(db: Database, clock: ManualClock, one: Sunset, telemetry: Any, days: int) -> Sunset:
    """Let the loop look after it for so many days, as often as it wants within each."""
    driver = Driver(db, telemetry, KINDS)
    for _ in range(days):
        while driver.look(one.id) == 0.0:
            pass
        clock.move(DAY)
    while driver.look(one.id) == 0.0:
        pass
    with db.read(Actor("system", "", human=False)) as tx:
        project = store.project_of(tx, one.id)
    return look(db, one.id, project=project or "default")


def work(room: Room, agent: str = AGENT, *, led_by: str = "", at: Any = None) -> None:
    """A trace of the agent that begins now, perhaps led by another one."""
    start = int((at or room.clock.now()).timestamp()) * SECOND
    trace = f"{start:032x}"
    spans: list[dict[str, Any]] = []
    if led_by:
        spans.append(_span(trace, "00000000000000a0", led_by, start))
    spans.append(_span(trace, "00000000000000a1", agent, start + SECOND))
    room.send(request(*spans))


def _span(trace: str, span: str, agent: str, start: int) -> dict[str, Any]:
    return {
        "trace": trace, "id": span, "name": f"invoke_agent {agent}",
        "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": agent,
        "start": start, "end": start + SECOND,
    }  # fmt: skip


def _fields(draft: SunsetDraft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in SunsetDraft.__dataclass_fields__}
