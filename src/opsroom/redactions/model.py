"""Counts of what was redacted. No I/O.

A count says that a rule found something at a door of ours on a day, and how often. The value
itself, and whose it was, is nowhere.
"""

from dataclasses import dataclass

from opsroom.kit.wire import Wire

# Where something can be taken out, in the words that people read.
DOORS = {
    "traces": "spans that were sent in",
    "feedback": "feedback",
    "corrections": "cases from corrections",
    "training": "exports for training",
    "notices": "notices to channels",
    "exports": "exports of feedback and labels",
    "journal": "facts of the journal",
    "turns": "what was heard and said in turns",
    "actions": "arguments and outcomes of actions",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted(Wire):
    """How often a rule took something out at a door, between two days (UTC, both included)."""

    door: str
    rule: str
    count: int
    first: str
    last: str
