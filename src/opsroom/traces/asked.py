"""What may be asked of traces, as a tree, and how such a tree is written down. No I/O.

A term asks whether the trace has a span like that, or, for numbers, about the trace as a whole.
`parse(written(asked)) == asked` for every tree that is within the bounds.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

LONGEST, MOST_TERMS, DEEPEST = 1_000, 40, 10
LARGEST = 10**9  # of a number, before the point
FINEST = 9  # digits after it

WORDS = {
    "agent": "the agent at work",
    "version": "the version of the agent",
    "model": "the model that served, or was asked for",
    "provider": "who offers the model",
    "tool": "a tool that was called",
    "status": "ok, error or unset",
    "error": "the kind of error",
    "name": "what a span is called",
    "service": "the program that sent it",
    "operation": "the kind of step",
    "prompt": "the prompt that was used",
    "user": "whom it was for",
    "session": "the conversation it belongs to",
    "release": "the release it ran under",
    "environment": "where it ran",
    "turn": "the turn it tells about",
    "action": "the action it tells about",
}
NUMBERS = {
    "cost": "what is known of the cost, in US dollars",
    "duration": "from its first moment to its last: 300ms, 2s, 5m, 1h",
    "tokens": "tokens in and out",
    "errors": "spans with an error",
    "spans": "spans in all",
}
STATUSES = ("ok", "error", "unset")
RESERVED = {"AND", "OR", "NOT"}
Order = Literal["=", ">", ">=", "<", "<="]
Match = Literal["is", "has"]


@dataclass(frozen=True, slots=True)
class Said:
    """A span whose word is, or contains, this. `has` does not mind case."""

    field: str
    match: Match
    value: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A span with an attribute that is, or contains, this."""

    key: str
    match: Match
    value: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A number of the whole trace; of `duration` in seconds."""

    field: str
    order: Order
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A span with this text in its name, its error or what was said in it."""

    text: str


@dataclass(frozen=True, slots=True)
class Not:
    """Traces of which this does not hold."""

    part: "Asked"


@dataclass(frozen=True, slots=True)
class All:
    """Traces of which all of this holds; at least two parts."""

    parts: tuple["Asked", ...]


@dataclass(frozen=True, slots=True)
class Any:
    """Traces of which some of this holds; at least two parts."""

    parts: tuple["Asked", ...]


Asked = Said | Noted | Counted | Mentioned | Not | All | Any


def written(asked: Asked) -> str:  # noqa: PLR0911 (one line for each kind)
    """The tree in the words of the filter language."""
    match asked:
        case Said(field, match, value):
            return f"{field}{':' if match == 'is' else '~'}{quoted(value)}"
        case Noted(key, match, value):
            return f"attr.{quoted(key)}{'=' if match == 'is' else '~'}{quoted(value)}"
        case Counted(field, order, amount):
            return f"{field}{order}{amount:f}{'s' if field == 'duration' else ''}"
        case Mentioned(text):
            return quoted(text, always=True)
        case Not(part):
            return f"NOT {_inside(part)}"
        case All(parts):
            return " AND ".join(map(_inside, parts))
        case Any(parts):
            return " OR ".join(map(_inside, parts))


def quoted(value: str, *, always: bool = False) -> str:
    """A value that is read as one, whatever is in it."""
    if value.isascii() and value.replace("_", "a").isalnum() and not always:
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _inside(asked: Asked) -> str:
    return f"({written(asked)})" if isinstance(asked, All | Any) else written(asked)
