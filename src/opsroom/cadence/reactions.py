"""What calls for a review outside the calendar: drift, critical alerts, another model, a rollback;
and what ends one: that its agent ended.
"""

from opsroom.journal import Entry
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Tx
from opsroom.kit.errors import OpsroomError
from opsroom.releases import queries as releases

from . import planning, records
from .model import Exhibit

EVENTS = frozenset(
    {
        "drift.found",
        "alert.opened",
        "retraining.queued",
        "retraining.strengthened",
        "release.rolled_back",
    }
)
ENDED = frozenset({"agent.retired"})  # by hand, and at the end of a sunset


def reactions() -> tuple[Reaction, ...]:
    """Names are kept for ever: cursors are filed under them."""
    return (
        Reaction(name="cadence.events", events=EVENTS, react=_event),
        Reaction(name="cadence.ended", events=ENDED, react=_ended),
    )


def _ended(tx: Tx, entry: Entry) -> None:
    planning.call_off(tx, entry.subject)


def _event(tx: Tx, entry: Entry) -> None:
    because = str(entry.facts.get("because", ""))
    match entry.event:
        case "alert.opened" if entry.facts.get("urgency") != "critical":
            return
        case "retraining.queued" | "retraining.strengthened":
            if entry.facts.get("trigger") != "model":
                return
            agent = str(entry.facts["agent"])
        case "release.rolled_back":
            release = releases.release(tx, entry.subject.partition("/")[2])
            agent = release.name if release.kind == "agent" else ""
        case _:
            agent = str(entry.facts.get("agent", ""))
    if agent:
        shown = _shown(tx, entry, because)
        planning.call_for(tx, agent, shown, entry=entry.id, because=because)


def _shown(tx: Tx, entry: Entry, because: str) -> Exhibit:
    """The record that the entry is about where it can be read, or else the entry itself."""
    try:
        return records.find(tx, entry.subject, says=f"{entry.event}: {because}")
    except OpsroomError:
        told = {"event": entry.event, "subject": entry.subject, "facts": entry.facts}
        return records.exhibit(f"journal/{entry.seq}", told, f"{entry.event}: {because}")
