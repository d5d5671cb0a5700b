"""Comparing what single words of a schema admit: types, values, limits, formats. No I/O."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .changes import Level, Move, Seen, Side, hurt, judged
from .shapes import Shape, listing

LONGEST = 60
NONE = frozenset[str]()
ANY_TEXT = {"", ".*", "^.*$", "^.*", ".*$", "(?s).*", r"[\s\S]*", r"^[\s\S]*$"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A word that bounds values of one type. `idle` is the value that bounds nothing."""

    word: str
    kind: str
    upper: bool
    says: str
    idle: int | None = None


NUMBER, TEXT, LIST, OBJECT = "number", "string", "array", "object"
LIMITS = (
    Limit(word="maximum", kind=NUMBER, upper=True, says="the highest value"),
    Limit(word="exclusiveMaximum", kind=NUMBER, upper=True, says="the value it stays below"),
    Limit(word="maxLength", kind=TEXT, upper=True, says="the longest text"),
    Limit(word="maxItems", kind=LIST, upper=True, says="the most items"),
    Limit(word="maxContains", kind=LIST, upper=True, says="the most matching items"),
    Limit(word="maxProperties", kind=OBJECT, upper=True, says="the most fields"),
    Limit(word="minimum", kind=NUMBER, upper=False, says="the lowest value"),
    Limit(word="exclusiveMinimum", kind=NUMBER, upper=False, says="the value it stays above"),
    Limit(word="minLength", kind=TEXT, upper=False, says="the shortest text", idle=0),
    Limit(word="minItems", kind=LIST, upper=False, says="the fewest items", idle=0),
    Limit(word="minContains", kind=LIST, upper=False, says="the fewest matching items", idle=1),
    Limit(word="minProperties", kind=OBJECT, upper=False, says="the fewest fields", idle=0),
)
WIDER_FORMATS = {("int32", "int64"), ("float", "double")}


def seen(about: str, move: Move, side: Side, says: str, *, what: str = "") -> Seen:
    """A move of the admitted values, judged by the one rule."""
    level = judged(move, side)
    return at_level(level, about, what or move.value, side, says)


def at_level(level: Level, about: str, what: str, side: Side, says: str) -> Seen:
    return Seen(about=about, what=what, level=level, words=f"{says}; {hurt(level, side)}")


def compare_words(before: Shape, after: Shape, side: Side, *, loose: bool) -> Iterator[Seen]:
    """Everything that single words say. `loose` values travel as text (paths, queries, headers,
    XML, forms), so text admits every scalar there.
    """
    yield from _types(before, after, side, loose=loose)
    yield from _null(before, after, side)
    yield from _enum(before, after, side)
    if _apart(before, after):
        return
    for limit in LIMITS:
        if _applies(limit, before) and _applies(limit, after):
            yield from _limit(limit, before, after, side)
    yield from _pattern(before, after, side)
    yield from _format(before, after, side)
    yield from _multiple(before, after, side)
    yield from _unique(before, after, side)
    for word, says in (
        ("contentMediaType", "the media type of the text"),
        ("contentEncoding", "the encoding of the text"),
    ):
        yield from _plain(word, says, before, after, side)
    yield from _notes(before, after, side)


def _apart(before: Shape, after: Shape) -> bool:
    """Whether the types have nothing in common: then the rest says nothing new."""
    if before.types is None or after.types is None:
        return False
    return not _opened(before.types) & _opened(after.types)


def _opened(types: frozenset[str]) -> frozenset[str]:
    return types | {"integer"} if "number" in types else types


def _types(before: Shape, after: Shape, side: Side, *, loose: bool) -> Iterator[Seen]:
    was, now = _universal(before.types, loose=loose), _universal(after.types, loose=loose)
    if was == now:
        return
    if was is not None and now is not None:
        more, less = _opened(now) - _opened(was), _opened(was) - _opened(now)
    else:
        anything = frozenset({"any"})
        more, less = (anything, NONE) if now is None else (NONE, anything)
    move = Move.CHANGED if more and less else Move.WIDENED if more else Move.NARROWED
    says = f"{_kinds(after.types)} now, {_kinds(before.types)} before"
    yield seen("type", move, side, says)


def _universal(types: frozenset[str] | None, *, loose: bool) -> frozenset[str] | None:
    return None if loose and types is not None and "string" in types else types


def _kinds(types: frozenset[str] | None) -> str:
    return "any type" if types is None else " or ".join(sorted(types)) or "nothing at all"


def _null(before: Shape, after: Shape, side: Side) -> Iterator[Seen]:
    if after.nullable and not before.nullable and before.types is not None:
        yield seen("null", Move.WIDENED, side, "may be null now", what="allowed")
    if before.nullable and not after.nullable and after.types is not None:
        yield seen("null", Move.NARROWED, side, "may no longer be null", what="refused")


def _enum(before: Shape, after: Shape, side: Side) -> Iterator[Seen]:
    was, now = before.words.get("enum"), after.words.get("enum")
    if was is None and now is None:
        return
    if was is None:
        says = f"only {_values(listing(now))} now, anything before"
        yield seen("enum", Move.NARROWED, side, says, what="introduced")
        return
    if now is None:
        yield _opened_up(side, f"anything now, only {_values(listing(was))} before", "dropped")
        return
    known, fresh = _by_text(was), _by_text(now)
    gone = [one for key, one in known.items() if key not in fresh]
    new = [one for key, one in fresh.items() if key not in known]
    if gone and new and len(known) == len(fresh) == 1:
        says = f"{_values(new)} now, {_values(gone)} before"
        yield seen("enum", Move.CHANGED, side, says, what="replaced")
        return
    if gone:
        says = f"no longer takes {_values(gone)}" if side is Side.REQUEST else (
            f"no longer says {_values(gone)}"
        )  # fmt: skip
        yield seen("enum", Move.NARROWED, side, says, what="values_removed")
    if new:
        verb = "also takes" if side is Side.REQUEST else "may also say"
        yield _opened_up(side, f"{verb} {_values(new)}", "values_added")


def _opened_up(side: Side, says: str, what: str) -> Seen:
    """More values than before. Readers should expect that of lists of names, but many don't."""
    level = Level.COMPATIBLE if side is Side.REQUEST else Level.WARNING
    return at_level(level, "enum", what, side, says)


def _by_text(values: object) -> dict[str, Any]:
    return {json.dumps(one, sort_keys=True, default=str): one for one in listing(values)}


def _values(values: list[Any]) -> str:
    text = ", ".join(f"`{one}`" for one in values[:6])
    return text if len(values) <= 6 else f"{text} and {len(values) - 6} more"


def _applies(limit: Limit, shape: Shape) -> bool:
    """Whether the limit can bound anything here: one on the items of a text cannot."""
    if limit.word.endswith("Contains") and "contains" not in shape.words:
        return False
    return shape.admits(limit.kind) or (limit.kind == NUMBER and shape.admits("integer"))


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return Decimal(str(value))


def _limit(limit: Limit, before: Shape, after: Shape, side: Side) -> Iterator[Seen]:
    was, now = _number(before.words.get(limit.word)), _number(after.words.get(limit.word))
    idle = None if limit.idle is None else Decimal(limit.idle)
    if was == now or (was in (None, idle) and now in (None, idle)):
        return
    about = f"limit.{limit.word}"
    if was is None:
        level = judged(Move.NARROWED, side)
        if side is Side.REQUEST:
            level = Level.WARNING  # it may lie beyond what anybody sends
        says = f"{limit.says} is {now} now, without limit before"
        yield at_level(level, about, "introduced", side, says)
    elif now is None:
        says = f"{limit.says} is without limit now, {was} before"
        yield seen(about, Move.WIDENED, side, says, what="dropped")
    else:
        raised = now > was
        move = Move.WIDENED if raised == limit.upper else Move.NARROWED
        says = f"{limit.says} is {now} now, {was} before"
        yield seen(about, move, side, says, what="raised" if raised else "lowered")


def _pattern(before: Shape, after: Shape, side: Side) -> Iterator[Seen]:
    was, now = _bounding(before.words.get("pattern")), _bounding(after.words.get("pattern"))
    if was == now or not (before.admits("string") and after.admits("string")):
        return
    if was is None:
        yield seen("pattern", Move.NARROWED, side, f"must match `{_short(now)}` now")
    elif now is None:
        says = f"need not match `{_short(was)}` any more"
        yield at_level(Level.COMPATIBLE, "pattern", "dropped", side, says)
    else:
        says = f"must match `{_short(now)}` now, `{_short(was)}` before"
        yield at_level(Level.WARNING, "pattern", "changed", side, says)


def _bounding(pattern: object) -> str | None:
    return pattern if isinstance(pattern, str) and pattern not in ANY_TEXT else None


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _format(before: Shape, after: Shape, side: Side) -> Iterator[Seen]:
    was, now = before.words.get("format"), after.words.get("format")
    if was == now:
        return
    if before.types != after.types and not (was and now):
        return  # the format came or went with the type
    if was is None or (now, was) in WIDER_FORMATS:
        move = Move.NARROWED
    elif now is None or (was, now) in WIDER_FORMATS:
        move = Move.WIDENED
    else:
        move = Move.CHANGED
    says = f"format {_named(now)} now, {_named(was)} before"
    yield seen("format", move, side, says)


def _named(value: object) -> str:
    return "unstated" if value is None else f"`{_short(value)}`"


def _multiple(before: Shape, after: Shape, side: Side) -> Iterator[Seen]:
    was, now = (
        _number(before.words.get("multipleOf")),
        _number(after.words.get("multipleOf")),
    )
    if was == now:
        return
    if was is None or (now and was and now % was == 0):
        move = Move.NARROWED
    elif now is None or (now and was % now == 0):
        move = Move.WIDENED
    else:
        move = Move.CHANGED
    says = f"a multiple of {_named(now)} now, {_named(was)} before"
    yield seen("multiple", move, side, says)


def _unique(before: Shape, after: Shape, side: Side) -> Iterator[Seen]:
    was, now = before.words.get("uniqueItems") is True, after.words.get("uniqueItems") is True
    if now and not was:
        yield seen("unique", Move.NARROWED, side, "items must differ from one another now")
    if was and not now:
        yield seen("unique", Move.WIDENED, side, "items may repeat now")


def _plain(word: str, says: str, before: Shape, after: Shape, side: Side) -> Iterator[Seen]:
    was, now = before.words.get(word), after.words.get(word)
    if was == now:
        return
    move = Move.NARROWED if was is None else Move.WIDENED if now is None else Move.CHANGED
    yield seen(word, move, side, f"{says} is {_named(now)} now, {_named(was)} before")


def _notes(before: Shape, after: Shape, side: Side) -> Iterator[Seen]:
    """What is left out means something else, or is on its way out."""
    was, now = before.words.get("default"), after.words.get("default")
    if side is Side.REQUEST and was != now:
        level = Level.WARNING if "default" in before.words else Level.COMPATIBLE
        says = f"left out, it means {_named(now)} now, {_named(was)} before"
        yield at_level(level, "default", "changed", side, says)
    if after.words.get("deprecated") is True and before.words.get("deprecated") is not True:
        yield at_level(Level.WARNING, "deprecated", "announced", side, "is deprecated now")
