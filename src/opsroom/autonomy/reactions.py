"""What autonomy does when another manifest serves: inherit, wait, or begin anew."""

from opsroom.agents.model import AgentSpec
from opsroom.journal import Entry
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.registry import Ref, Version
from opsroom.registry import queries as registry

from . import commands, store
from .decide import Inherit, Reset, Unproven, decide_inheritance

NAME = "autonomy.labels"


def reactions() -> tuple[Reaction, ...]:
    return (Reaction(name=NAME, events=frozenset({"label.moved"}), react=label_moved),)


def label_moved(tx: Tx, entry: Entry) -> None:
    """Look at every grant of an agent whose label moved, and at what it has shown so far.

    Where it does not go on alone, the evidence for more begins anew with the manifest. Until this has run, the new manifest is approved each time: grants count for the manifest
    that they carry. A release moves the label once its canary is through; nothing else does.
    """
    kind, _, agent = entry.subject.partition("/")
    if kind != "agent":
        return
    environment, number, earlier = (entry.facts[one] for one in ("label", "after", "before"))
    granted = store.grants_of(tx, agent, environment)
    after = _version(tx, agent, number)
    before = None if earlier is None else _version(tx, agent, earlier)
    decision = decide_inheritance(
        None if before is None else _spec(before),
        _spec(after),
        came_through_canary=_proven(tx, agent, environment, number, entry.facts.get("how")),
    )
    if before is not None and before.digest != after.digest:
        alone = {one.scope for one in granted if one.level.alone}
        keep = alone if isinstance(decision, Inherit) else set[str]()
        commands.begin_anew(tx, agent, environment, after.digest, keep=keep)
    for grant in granted:
        match decision:
            case Inherit(because=because):
                commands.carry_over(tx, grant, after.digest, because=because)
            case Reset(because=because):
                commands.reset(tx, grant, after.digest, because=because)
            case Unproven():
                pass


def _proven(tx: Tx, agent: str, environment: str, number: int, how: object) -> bool:
    """Whether a version came through a canary, now or before somebody went back to it."""
    if how == "release":
        return True
    moves = registry.label_history(tx, "agent", agent, environment)
    return how == "rollback" and any(
        one.after == number and one.how == "release" for one in moves
    )


def _version(tx: Tx, agent: str, number: int) -> Version:
    return registry.version(tx, Ref("agent", agent, str(number)))


def _spec(version: Version) -> AgentSpec:
    return adapter(AgentSpec).validate_python(version.spec)
