"""What thresholds do when something becomes of an action: label it, and look whether what runs
alone is still as right as was promised.
"""

from opsroom.journal import Entry
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Tx

from . import commands

NAME = "thresholds-labels"
ACTION = "action/"
EVENTS = frozenset(
    {
        *(
            f"action.{one}"
            for one in (
                "permitted",
                "awaiting_approval",
                "denied",
                "deferred",
                "succeeded",
                "failed",
                "unknown",
                "reconciled",
            )
        ),
        *(f"inbox.{one}" for one in ("approved", "edited", "rejected", "responded")),
        *(f"inbox.{one}" for one in ("undone", "lapsed")),
        "override.recorded",
        "override.retracted",
    }
)


def happened(tx: Tx, entry: Entry) -> None:
    """Read anew what became of the action that an entry is about."""
    if entry.subject.startswith(ACTION):
        commands.take_in(tx, entry.subject.removeprefix(ACTION))


REACTIONS = (Reaction(name=NAME, events=EVENTS, react=happened),)
