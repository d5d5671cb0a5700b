"""Comparing two JSON Schemas: what requests may no longer say, what answers may say now. No I/O.

One comparison serves OpenAPI documents and the tools of MCP servers. It follows references
only when it reaches them, remembers what it has compared, and stops at a stated amount of work.
"""

from collections.abc import Iterator
from typing import Any

from .changes import WORST, Level, Move, Seen, Side, breaking
from .fields import field_demanded, field_gone, field_new, label_of, quoted
from .keywords import at_level, compare_words, seen
from .shapes import Json, Shape, at, listing, mapping, merged, says_nothing, shaped, spread

MOST_WORK = 60_000
CHOICE_COSTS = 8  # a choice is spread out before it is compared
MOST_SEEN = 1_000
DEEPEST = 60
DEEPEST_CHOICE = 3
MOST_BRANCHES = 30
HIDDEN_FROM = {Side.REQUEST: "readOnly", Side.RESPONSE: "writeOnly"}
DEMANDS = {
    "contains": "a matching item",
    "propertyNames": "the names of fields",
    "contentSchema": "what the text holds",
    "unevaluatedItems": "items that nothing else describes",
    "unevaluatedProperties": "fields that nothing else describes",
    "then": "what follows when the condition holds",
    "else": "what follows when the condition does not hold",
}
NAMED_DEMANDS = {
    "patternProperties": "fields named like",
    "dependentSchemas": "what must hold beside",
}
UNORDERED = {"if": "the condition", "not": "what must not be"}

_Key = tuple[int, int, Side, bool]


class Comparison:
    """Two documents side by side, and what has been compared of them already."""

    def __init__(self, before: Json, after: Json) -> None:
        self.before, self.after = before, after
        self.stopped = False
        self._work = 0
        self._nested = 0
        self._known: dict[_Key, tuple[Seen, ...]] = {}
        self._open: set[_Key] = set()
        self._cut: set[_Key] = set()
        self._kept: list[object] = []

    def schemas(
        self, before: object, after: object, side: Side, *, loose: bool = False
    ) -> tuple[Seen, ...]:
        """Every difference that matters on this side. `loose` values travel as text."""
        was, now = _meant(before, self.before), _meant(after, self.after)
        key = (id(was), id(now), side, loose)
        if key in self._known:
            return self._known[key]
        if key in self._open:
            self._cut.add(key)
            return ()
        if len(self._open) > DEEPEST or self._spent(1):
            return ()
        self._kept += (was, now)  # an id names an object only while that lives
        outer, self._cut = self._cut, set()
        self._open.add(key)
        shapes = shaped(before, self.before), shaped(after, self.after)
        found = self._limited(self.shapes(*shapes, side, loose=loose))
        self._open.discard(key)
        self._cut.discard(key)
        if not self._cut:  # else it is not the whole truth outside the circle
            self._known[key] = found
        self._cut |= outer
        return found

    def shapes(
        self, before: Shape, after: Shape, side: Side, *, loose: bool = False
    ) -> Iterator[Seen]:
        """The same for schemas that have been brought into the one form."""
        if ("allOf" in before.words) != ("allOf" in after.words):
            before, after = merged(before, self.before), merged(after, self.after)
        if bool(before.branches()[0]) != bool(after.branches()[0]):
            yield from self._wrapped(before, after, side, loose=loose)
            return
        yield from compare_words(before, after, side, loose=loose)
        yield from self._fields(before, after, side, loose=loose)
        yield from self._other_fields(before, after, side, loose=loose)
        yield from self._items(before, after, side, loose=loose)
        yield from self._demands(before, after, side, loose=loose)
        yield from self._named_demands(before, after, side, loose=loose)
        yield from self._all_of(before, after, side, loose=loose)
        yield from self._one_of(before, after, side, loose=loose)

    def _spent(self, more: int) -> bool:
        """Count work that is about to be done; whether that is too much of it."""
        self._work += more
        self.stopped = self.stopped or self._work > MOST_WORK
        return self._work > MOST_WORK

    def _limited(self, found: Iterator[Seen]) -> tuple[Seen, ...]:
        kept = list[Seen]()
        for one in found:
            if len(kept) >= MOST_SEEN:
                self.stopped = True
                break
            kept.append(one)
        return tuple(kept)

    def _fields(
        self, before: Shape, after: Shape, side: Side, *, loose: bool
    ) -> Iterator[Seen]:
        was, now = (
            mapping(before.words.get("properties")),
            mapping(after.words.get("properties")),
        )
        had = {str(one) for one in listing(before.words.get("required"))}
        has = {str(one) for one in listing(after.words.get("required"))}
        closed = after.words.get("additionalProperties") is False
        for name in sorted({*was, *now, *had, *has}):
            gone, new = name in was and name not in now, name in now and name not in was
            must, must_now = name in had, name in has
            if _hidden(was.get(name), self.before, side) and (
                name not in now or _hidden(now[name], self.after, side)
            ):
                continue
            if new and _hidden(now[name], self.after, side):
                continue
            if gone and not must_now:
                yield field_gone(name, side, must=must, closed=closed)
                continue
            if new and not must:
                yield field_new(name, side, must=must_now)
                continue
            if must_now != must:
                yield field_demanded(name, side, must=must_now)
            if name in was and name in now:
                for one in self.schemas(was[name], now[name], side, loose=loose):
                    yield one.below(name)

    def _other_fields(
        self, before: Shape, after: Shape, side: Side, *, loose: bool
    ) -> Iterator[Seen]:
        if not (before.admits("object") and after.admits("object")):
            return
        was = before.words.get("additionalProperties", True)
        now = after.words.get("additionalProperties", True)
        about, says = "additionalProperties", "fields without a name in the schema"
        if (was is False) != (now is False):
            move = Move.NARROWED if now is False else Move.WIDENED
            verb = "no longer" if now is False else "now"
            yield seen(about, move, side, f"{says} are {verb} admitted")
        elif was is not False:
            yield from self._demand(about, says, was, now, side, loose=loose)

    def _items(self, before: Shape, after: Shape, side: Side, *, loose: bool) -> Iterator[Seen]:
        if not (before.admits("array") and after.admits("array")):
            return
        yield from self._demand(
            "items",
            "the items",
            before.words.get("items", True),
            after.words.get("items", True),
            side,
            loose=loose,
            step="*",
        )
        was, now = (
            listing(before.words.get("prefixItems")),
            listing(after.words.get("prefixItems")),
        )
        for number, (one, other) in enumerate(zip(was, now, strict=False)):
            for found in self.schemas(one, other, side, loose=loose):
                yield found.below(str(number))
        if len(was) != len(now):
            longer = after if len(now) > len(was) else before
            move = Move.NARROWED if longer is after else Move.WIDENED
            if "items" in longer.words:
                move = Move.CHANGED  # these places had, or get, the rule of all the others
            says = f"the first {len(now)} items have their own rules now, {len(was)} before"
            yield seen("prefixItems", move, side, says)

    def _demand(
        self,
        about: str,
        says: str,
        was: object,
        now: object,
        side: Side,
        *,
        loose: bool,
        step: str = "",
    ) -> Iterator[Seen]:
        """A schema that applies to a part of the value. `True` demands nothing."""
        free, free_now = was is True or was == {}, now is True or now == {}
        if free and free_now:
            return
        if free or free_now:
            move = Move.WIDENED if free_now else Move.NARROWED
            verb = "no longer have" if free_now else "have"
            what = "removed" if free_now else "added"
            yield seen(about, move, side, f"{says} {verb} a rule", what=what)
            return
        for found in self.schemas(was, now, side, loose=loose):
            yield found.below(step or about)

    def _demands(
        self, before: Shape, after: Shape, side: Side, *, loose: bool
    ) -> Iterator[Seen]:
        for about, says in DEMANDS.items():
            was, now = before.words.get(about, True), after.words.get(about, True)
            yield from self._demand(about, says, was, now, side, loose=loose)
        for about, says in UNORDERED.items():
            was, now = before.words.get(about), after.words.get(about)
            if was is None and now is None:
                continue
            if was is None or now is None:
                move = Move.NARROWED if was is None else Move.WIDENED
                verb, what = ("is new", "added") if was is None else ("is gone", "removed")
                yield seen(about, move, side, f"{says} {verb}", what=what)
            elif self.schemas(was, now, Side.REQUEST) or self.schemas(was, now, Side.RESPONSE):
                yield seen(about, Move.CHANGED, side, f"{says} changed")

    def _named_demands(
        self, before: Shape, after: Shape, side: Side, *, loose: bool
    ) -> Iterator[Seen]:
        for about, says in NAMED_DEMANDS.items():
            was, now = mapping(before.words.get(about)), mapping(after.words.get(about))
            for name in sorted({*was, *now}):
                rule, rule_now = was.get(name, True), now.get(name, True)
                what = f"{says} `{name}`"
                yield from self._demand(about, what, rule, rule_now, side, loose=loose)
        had = mapping(before.words.get("dependentRequired"))
        has = mapping(after.words.get("dependentRequired"))
        for name in sorted({*had, *has}):
            less = {*listing(had.get(name))} - {*listing(has.get(name))}
            more = {*listing(has.get(name))} - {*listing(had.get(name))}
            about = "dependentRequired"
            if more:
                says = f"with `{name}` there must be {quoted(more)} now"
                yield seen(about, Move.NARROWED, side, says, what="added")
            if less:
                says = f"with `{name}` there need not be {quoted(less)} any more"
                yield seen(about, Move.WIDENED, side, says, what="removed")

    def _all_of(
        self, before: Shape, after: Shape, side: Side, *, loose: bool
    ) -> Iterator[Seen]:
        was, now = listing(before.words.get("allOf")), listing(after.words.get("allOf"))
        pairs, gone, new = self._paired(was, now)
        for one, other in pairs:
            yield from self.schemas(one, other, side, loose=loose)
        for one in new:
            if not says_nothing(one, self.after):
                label = label_of(one, self.after)
                yield seen("allOf", Move.NARROWED, side, f"must also be {label}", what="added")
        for one in gone:
            if not says_nothing(one, self.before):
                yield self._part_gone(one, side)

    def _part_gone(self, part: object, side: Side) -> Seen:
        """Readers lose only what the part promised for certain."""
        says = f"need no longer be {label_of(part, self.before)}"
        promised = listing(merged(shaped(part, self.before), self.before).words.get("required"))
        level = Level.COMPATIBLE
        if side is Side.RESPONSE:
            level = Level.BREAKING if promised else Level.WARNING
        return at_level(level, "allOf", "removed", side, says)

    def _one_of(
        self, before: Shape, after: Shape, side: Side, *, loose: bool
    ) -> Iterator[Seen]:
        (word, was), (word_now, now) = before.branches(), after.branches()
        if not was or not now:
            return
        if (word, word_now) == ("anyOf", "oneOf") and side is Side.REQUEST:
            says = "must be exactly one of the alternatives now, one or more before"
            yield at_level(Level.WARNING, word_now, "exclusive", side, says)
        pairs, gone, new = self._paired(was, now)
        for one, other in pairs:
            yield from self.schemas(one, other, side, loose=loose)
        for one in gone:
            says = f"can no longer be {label_of(one, self.before)}"
            yield seen(word, Move.NARROWED, side, says, what="removed")
        for one in new:
            level = Level.COMPATIBLE if side is Side.REQUEST else Level.WARNING
            says = f"can also be {label_of(one, self.after)}"
            yield at_level(level, word_now, "added", side, says)
        had, has = (mapping(one.words.get("discriminator")) for one in (before, after))
        if had and has and had.get("propertyName") != has.get("propertyName"):
            says = f"`{has.get('propertyName')}` tells the alternatives apart now"
            yield at_level(Level.WARNING, "discriminator", "changed", side, says)

    def _paired(
        self, was: list[Any], now: list[Any]
    ) -> tuple[list[tuple[Any, Any]], list[Any], list[Any]]:
        """Which alternative became which: by name, else by being the same, else by type."""
        if self._spent(len(was) * len(now)):
            return list(zip(was, now, strict=False)), [], []
        pairs, gone, left = list[tuple[Any, Any]](), list(was), list(now)
        tests = (self._same_name, self._same, self._same_kind)
        for test in tests:
            for one in list(gone):
                other = next((each for each in left if test(one, each)), None)
                if other is not None:
                    pairs.append((one, other))
                    _drop(gone, one)
                    _drop(left, other)
        return pairs, gone, left

    def _same_name(self, was: object, now: object) -> bool:
        one, other = shaped(was, self.before), shaped(now, self.after)
        return (one.name or one.title) != "" and (one.name, one.title) == (
            other.name,
            other.title,
        )

    def _same(self, was: object, now: object) -> bool:
        return not any(
            WORST[one.level] for side in Side for one in self.schemas(was, now, side)
        )

    def _same_kind(self, was: object, now: object) -> bool:
        one, other = shaped(was, self.before), shaped(now, self.after)
        named = bool(one.name or other.name)
        return not named and one.types == other.types and one.title == other.title

    def _wrapped(
        self, before: Shape, after: Shape, side: Side, *, loose: bool
    ) -> Iterator[Seen]:
        """A schema became a choice between some, or the other way round."""
        self._nested += 1
        try:
            branches = len(before.branches()[1]) + len(after.branches()[1])
            if self._nested > DEEPEST_CHOICE or self._spent(branches * CHOICE_COSTS):
                return
            yield self._choice(before, after, side, loose=loose)
        finally:
            self._nested -= 1

    def _choice(self, before: Shape, after: Shape, side: Side, *, loose: bool) -> Seen:
        grew = not before.branches()[0]
        word, branches = after.branches() if grew else before.branches()
        root = self.after if grew else self.before
        split = [
            spread(after if grew else before, one, root) for one in branches[:MOST_BRANCHES]
        ]
        fits = sum(
            not breaking(
                self._limited(
                    self.shapes(before, one, side, loose=loose)
                    if grew
                    else self.shapes(one, after, side, loose=loose)
                )
            )
            for one in split
        )
        if grew == (side is Side.REQUEST):
            fine = fits == 1 if word == "oneOf" and grew else fits > 0
        else:
            fine = fits == len(split)
        level = Level.COMPATIBLE if fine else Level.BREAKING
        says = (
            f"one of {len(split)} alternatives now, a single shape before"
            if grew
            else f"a single shape now, one of {len(split)} alternatives before"
        )
        return at_level(level, word, "wrapped" if grew else "unwrapped", side, says)


def _meant(value: object, root: Json) -> object:
    """What a bare reference leads to, else the value itself."""
    held = mapping(value)
    reference = held.get("$ref")
    if len(held) == 1 and isinstance(reference, str):
        found = at(root, reference)
        return found if found is not None else value
    return value


def _hidden(value: object, root: Json, side: Side) -> bool:
    """Whether a field is never sent on this side."""
    return value is not None and shaped(value, root).words.get(HIDDEN_FROM[side]) is True


def _drop(many: list[Any], one: object) -> None:
    """Take out the object itself, once, and not one that happens to be equal."""
    del many[next(at for at, each in enumerate(many) if each is one)]
