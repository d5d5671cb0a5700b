"""What became of single fields, and how parts of a schema are called. No I/O."""

from collections.abc import Iterable

from .changes import Level, Move, Seen, Side
from .keywords import at_level, seen
from .shapes import Json, shaped


def field_gone(name: str, side: Side, *, must: bool, closed: bool) -> Seen:
    strict = must if side is Side.RESPONSE else closed
    level = Level.BREAKING if strict else Level.WARNING
    return at_level(level, "field", "removed", side, f"`{name}` is gone").below(name)


def field_new(name: str, side: Side, *, must: bool) -> Seen:
    level = Level.BREAKING if must and side is Side.REQUEST else Level.COMPATIBLE
    says = f"`{name}` is new" + (" and required" if must else "")
    return at_level(level, "field", "added", side, says).below(name)


def field_demanded(name: str, side: Side, *, must: bool) -> Seen:
    move = Move.NARROWED if must else Move.WIDENED
    says = f"`{name}` is required now" if must else f"`{name}` may be left out now"
    return seen("required", move, side, says, what="added" if must else "dropped").below(name)


def label_of(value: object, root: Json) -> str:
    shape = shaped(value, root)
    kinds = "any type" if shape.types is None else " or ".join(sorted(shape.types))
    return f"`{shape.name or shape.title}`" if shape.name or shape.title else f"another {kinds}"


def quoted(names: Iterable[object]) -> str:
    return ", ".join(f"`{one}`" for one in sorted(map(str, names)))
