"""What corrections hear of: overrides that are recorded, sorted anew or taken back, and looks."""

from opsroom.journal import Entry
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Tx
from opsroom.registry import Kinds

from . import commands, seconds

NAME = "corrections.overrides"
LOOKS = "corrections.looks"
EVENTS = frozenset({"override.recorded", "override.recategorised", "override.retracted"})


def reactions(kinds: Kinds) -> tuple[Reaction, ...]:
    """How corrections follow overrides; datasets have to be made anew where one is taken back."""

    def react(tx: Tx, entry: Entry) -> None:
        override_id = str(entry.facts["override"])
        match entry.event:
            case "override.recorded":
                commands.take_in(tx, override_id)
            case "override.recategorised":
                commands.sort(tx, override_id)
            case _:
                commands.take_back(tx, override_id, kinds=kinds)

    return (
        Reaction(name=NAME, events=EVENTS, react=react),
        Reaction(name=LOOKS, events=frozenset({"annotation.settled"}), react=_looked),
    )


def _looked(tx: Tx, entry: Entry) -> None:
    if entry.subject.startswith("correction/"):
        queue, task, label = (str(entry.facts[one]) for one in ("queue", "task", "label"))
        seconds.take_in(tx, entry.subject, queue, task, label)
