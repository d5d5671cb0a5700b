"""An agent with two versions, people around it, and a record that was earned."""

from datetime import timedelta
from typing import Any

from opsroom.access.model import permissions_of
from opsroom.app.kinds import KINDS
from opsroom.autonomy import Grant, Level, Widening, WideningDraft, commands
from opsroom.contracts.model import Tier
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.registry import ArtifactDraft, Criticality, VersionDraft, queries
from opsroom.registry import commands as registry

ADA = Actor("ada", "default", permissions_of(("author", "operator")), ("author", "operator"))
BOB = Actor("bob", "default", permissions_of(("reviewer",)), ("reviewer",))
BOT = Actor(
    "token:bot",
    "default",
    permissions_of(("reviewer", "operator")),
    ("reviewer", "operator"),
    human=False,
    owner="ada",
)
AGENT = "customs"
WRITE = "tier/write"
POST = "contract/post-invoice"
DAY = timedelta(days=1)


def store_agent(db: Database, *, model: str = "small", **more: Any) -> int:
    """Another version of the agent; the first one makes the agent too."""
    with db.write(ADA) as tx:
        if not queries.artifacts(tx, "agent", search=AGENT):
            draft = ArtifactDraft(
                kind="agent", name=AGENT, criticality=Criticality.ADVISORY, purpose="classifies"
            )
            registry.create_artifact(tx, draft, kinds=KINDS)
        spec = {"model": {"model": model}, **more}
        made = registry.create_version(
            tx, "agent", AGENT, VersionDraft(spec=spec, message="a version"), kinds=KINDS
        )
        return made.number


def earn(
    db: Database,
    clock: ManualClock,
    *,
    agreed: int = 120,
    corrected: int = 0,
    days: float = 8,
    environment: str = "production",
) -> None:
    """People approve what the agent proposes, for some days."""
    with db.write(BOT) as tx:
        commands.observe(tx, AGENT, POST, Tier.WRITE, environment, agreed=1)
    clock.move(days * DAY)
    with db.write(BOT) as tx:
        for kind, count in (("agreed", agreed - 1), ("corrected", corrected)):
            commands.observe(tx, AGENT, POST, Tier.WRITE, environment, **{kind: count})


def propose(
    db: Database, level: Level, *, by: Actor = ADA, scope: str = WRITE, **more: Any
) -> Widening:
    with db.write(by) as tx:
        return commands.propose_widening(
            tx,
            WideningDraft(agent=AGENT, scope=scope, level=level, reason="it does well", **more),
        )


def widen(db: Database, asked: Widening, *, by: Actor = BOB) -> Grant:
    with db.write(by) as tx:
        return commands.widen(tx, asked.id, binding=asked.binding, reason="I looked at ten")


def bounded(db: Database, clock: ManualClock, **more: Any) -> Grant:
    earn(db, clock)
    return widen(db, propose(db, Level.BOUNDED, **more))
