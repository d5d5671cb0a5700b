"""What may change between two versions of an interface, and whom it hurts. No I/O.

One rule carries every judgement: a request that admits less breaks callers, an answer that
admits more breaks readers. What cannot be ordered breaks both.
"""

from dataclasses import dataclass
from enum import StrEnum

from opsroom.kit.wire import Wire


class Level(StrEnum):
    """How bad a change is for those who use the interface as it was."""

    BREAKING = "breaking"
    WARNING = "warning"
    COMPATIBLE = "compatible"


class Side(StrEnum):
    """Who writes the values: callers (requests), or the system (answers)."""

    REQUEST = "request"
    RESPONSE = "response"

    @property
    def other(self) -> "Side":
        return Side.RESPONSE if self is Side.REQUEST else Side.REQUEST


class Move(StrEnum):
    """How the set of admitted values moved."""

    NARROWED = "narrowed"
    WIDENED = "widened"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Wire):
    """One difference. `operation` is empty where the whole document changed; `path` says where
    inside the operation; `words` say what changed and whom it hurts.
    """

    id: str
    level: Level
    operation: str
    path: str
    words: str

    @property
    def sentence(self) -> str:
        """The words with the operation in front, where they do not begin with it."""
        if not self.operation or self.words.startswith(self.operation):
            return self.words
        return f"{self.operation}, {self.words}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A difference inside one schema, before it is known where the schema is used."""

    steps: tuple[str, ...] = ()
    about: str
    what: str
    level: Level
    words: str

    def below(self, *steps: str) -> "Seen":
        return Seen(
            steps=(*steps, *self.steps),
            about=self.about,
            what=self.what,
            level=self.level,
            words=self.words,
        )


WORST = {Level.COMPATIBLE: 0, Level.WARNING: 1, Level.BREAKING: 2}


def judged(move: Move, side: Side) -> Level:
    """What a move of the admitted values means on this side."""
    harmless = Move.WIDENED if side is Side.REQUEST else Move.NARROWED
    return Level.COMPATIBLE if move is harmless else Level.BREAKING


def hurt(level: Level, side: Side) -> str:
    """Whom a change hurts, as the end of a sentence."""
    match level, side:
        case Level.BREAKING, Side.REQUEST:
            return "callers that send what was fine before are refused"
        case Level.BREAKING, Side.RESPONSE:
            return "readers that rely on what was promised before break"
        case Level.WARNING, Side.REQUEST:
            return "callers may have to change"
        case Level.WARNING, Side.RESPONSE:
            return "readers may have to change"
        case _:
            return "nobody has to change"


def worst(changes: "tuple[Change, ...] | list[Change]") -> Level | None:
    """The worst level among them; None where nothing changed."""
    return max((one.level for one in changes), key=WORST.__getitem__, default=None)


def breaking(seen: "tuple[Seen, ...]") -> bool:
    return any(one.level is Level.BREAKING for one in seen)
