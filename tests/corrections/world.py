"""People who say otherwise than a customs clerk, and what the journal makes of it."""

from typing import Any

from opsroom.access.model import permissions_of
from opsroom.app.kinds import KINDS
from opsroom.corrections import Correction, State, commands, queries
from opsroom.corrections.reactions import reactions
from opsroom.inbox import OverrideDraft, overriding
from opsroom.inbox.model import Override
from opsroom.journal import outbox
from opsroom.kit.db import Actor, Database
from opsroom.registry import ArtifactDraft, Criticality
from opsroom.registry import commands as registry

AGENT = "customs"


def person(name: str, *roles: str) -> Actor:
    return Actor(name, "default", permissions_of(roles), roles)


BEN = person("ben", "reviewer")
CAT = person("cat", "reviewer")
RIA = person("ria", "risk")


def override(db: Database, by: Actor = BEN, **given: Any) -> Override:
    draft = {
        "subject": "trace/4bf92f3577b34da6a3ce929d0e0e4736",
        "agent": AGENT,
        "version": f"agent/{AGENT}@1",
        "asked": "laptops, 14 inch",
        "agent_decision": "8504.40",
        "human_decision": "8471.30",
        "reasoning": "a computer is no transformer",
        **given,
    }
    with db.write(by) as tx:
        return overriding.override(tx, OverrideDraft(**draft))


def learn(db: Database) -> None:
    """Let corrections hear of what happened."""
    outbox.pump(db, reactions(KINDS))


def taught(db: Database, by: Actor = BEN, **given: Any) -> Correction:
    """The correction that an override becomes."""
    made = override(db, by, **given)
    learn(db)
    with db.read(by) as tx:
        return next(
            one
            for one in queries.corrections(tx, limit=200)
            if made.id in {each.id for each in queries.lineage(tx, one.id).overrides}
        )


def accept(db: Database, *some: Correction, by: Actor = CAT) -> commands.Accepted:
    with db.write(by) as tx:
        return commands.accept(tx, [one.id for one in some], kinds=KINDS)


def look(db: Database, one: Correction) -> Correction:
    with db.read(BEN) as tx:
        return queries.correction(tx, one.id)


def count(db: Database, state: State) -> int:
    with db.read(BEN) as tx:
        return queries.count(tx, state)


def hire(db: Database, criticality: Criticality) -> None:
    with db.write(person("ada", "author")) as tx:
        draft = ArtifactDraft(kind="agent", name=AGENT, criticality=criticality)
        registry.create_artifact(tx, draft, kinds=KINDS)
