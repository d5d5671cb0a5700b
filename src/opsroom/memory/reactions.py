"""What decision memory does when people decide otherwise than an agent did."""

from opsroom.journal.model import Entry
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Tx

from . import commands

ACTION = "action/"
TOLD = ("say", "reasoning", "category", "override")


def corrected(tx: Tx, entry: Entry) -> None:
    """Note an override beside the decision that it is about, with its reasoning."""
    if entry.subject.startswith(ACTION):
        said = {name: entry.facts.get(name, "") for name in TOLD} | {"by": entry.actor}
        commands.correct(tx, entry.subject.removeprefix(ACTION), said)


REACTIONS = (
    Reaction(name="memory-overrides", events=frozenset({"override.recorded"}), react=corrected),
)
