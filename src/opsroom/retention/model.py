"""How long things are kept, what is held back from every deletion, and what erasing finds."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from opsroom.kit.wire import Wire

from .errors import KeptTooShort, NobodyNamed, NothingToHold

LEAST_DAYS = (
    183  # six months, for logs of high-risk systems: EU AI Act, articles 19(1) and 26(6)
)
MOST_DAYS = 36_500
MOST_TEXT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(Wire):
    """What a project decided; nothing goes by itself before it does.

    `action_days` is how long actions that are over are kept, with the requests and approvals
    about them; `feedback_days` how long the words of feedback stay readable.
    """

    action_days: int | None = None
    feedback_days: int | None = None


class Scope(StrEnum):
    """What a hold is on."""

    PROJECT = "project"
    AGENT = "agent"
    SUBJECT = "subject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Wire):
    """What nobody may delete until it is released: in this project everything, or what an agent
    did, or what is about a subject (a person, a case, `turn/…`, `action/…`, `feedback/…`).
    """

    id: str
    scope: Scope
    what: str
    reason: str
    placed_by: str
    placed_at: datetime
    released_by: str = ""
    released_at: datetime | None = None
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom(Wire):
    """Whom or what to erase: a user, or else a subject."""

    user: str = ""
    subject: str = ""

    @property
    def name(self) -> str:
        return self.user or self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something whose words may be shredded: its name, which agent did it, and about whom."""

    ref: str
    agent: str
    about: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure(Wire):
    """What erasing found, by its sort, and how many keys it destroyed (or would destroy).

    `under_way` is how many turns stay because actions of theirs are not over: repeat it then.
    `scrubbed` says that nothing of the keys lies in the files of the database any more; where it
    could not be done at once, repeat it.
    """

    turns: int
    actions: int
    feedback: int
    under_way: int
    keys: int
    done: bool
    scrubbed: bool = False

    def __add__(self, other: Self) -> Self:
        return replace(
            other,
            turns=self.turns + other.turns,
            actions=self.actions + other.actions,
            feedback=self.feedback + other.feedback,
            under_way=self.under_way + other.under_way,
            keys=self.keys + other.keys,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far erasing has come: the last turn and the last words; None where no more follow."""

    turn: str | None = ""
    said: str | None = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A part of what erasing finds, how many turns stay, and where the next part begins."""

    items: tuple[Item, ...]
    under_way: int
    next: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Wire):
    """What is decided and held, and how much a round would remove now."""

    rules: Rules
    holds: tuple[Hold, ...]


def check_rules(rules: Rules) -> None:
    """Raise `KeptTooShort` for what is kept shorter than the law lets it be."""
    for what, days, least in (
        ("actions and approvals", rules.action_days, LEAST_DAYS),
        ("words of feedback", rules.feedback_days, 1),
    ):
        if days is not None and not least <= days <= MOST_DAYS:
            raise KeptTooShort(what, days, least)


def check_hold(scope: Scope, what: str) -> None:
    """Raise `NothingToHold` where it names nothing, or something although it is on everything."""
    if scope is Scope.PROJECT and what:
        raise NothingToHold(scope.value, what, "it is on all of the project")
    if scope is not Scope.PROJECT and not what:
        raise NothingToHold(scope.value, what, "it names nothing")


def check_whom(whom: Whom) -> None:
    """Raise `NobodyNamed` unless exactly one is named."""
    if bool(whom.user) == bool(whom.subject):
        raise NobodyNamed


def holding(holds: tuple[Hold, ...], item: Item) -> Hold | None:
    """The hold that keeps an item from being deleted, if one does."""
    for hold in holds:
        match hold.scope:
            case Scope.PROJECT:
                return hold
            case Scope.AGENT if hold.what == item.agent:
                return hold
            case Scope.SUBJECT if hold.what in {item.ref, *item.about}:
                return hold
            case _:
                pass
    return None
