"""One spelling for every argument, before policy looks at it; what is executed is that form.

Names, numbers and texts that look alike but are not the same are how a rule is walked around
(NFKC forms, digits of other scripts, invisible characters). So identifying arguments get one
spelling, numbers the type of the schema, and what remains suspicious is noted for policy.
Nothing is invented: no defaults, no missing field, no list where there was none.
"""

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from opsroom.kit.canonical import MAX_DEPTH, NotCanonical
from opsroom.kit.wire import Wire

from .checking import Checker, checker
from .errors import BrokenContract
from .model import ArgumentKind, ContractSpec
from .pointers import EACH, branches, join, part, split
from .sinks import IDENTIFYING, sinks_of

MOST_BYTES = 256 * 1024
MOST_DIGITS = 400
SAFE_INTEGER = 2**53
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_HIDDEN = frozenset("\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u180e\u034f")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
_TRAILING = {ArgumentKind.URL: " \t\r\n", ArgumentKind.RECIPIENT: " \t\r\n."}
# The host `example.com.` is the host `example.com`.
_ROOTED = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://[^/?#\s]*?)\.+(?=[:/?#]|$)")
_EXACT = frozenset({ArgumentKind.SECRET})
# Scripts whose letters are taken for Latin ones; a word that mixes them deceives.
_LOOKALIKE = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Wire):
    """Something about an argument that a person or a policy should know."""

    path: str
    code: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Canonical(Wire):
    """Arguments in canonical form, and what was changed or is suspicious about them."""

    arguments: dict[str, Any]
    notes: tuple[Note, ...] = ()

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(note.code for note in self.notes)


def canonicalise(spec: ContractSpec, arguments: Mapping[str, Any]) -> Canonical:
    """The canonical form of what a model wrote. Doing it again changes nothing.

    Raises `BrokenContract` where it does not fit the contract: fields that are missing or too
    many, wrong types, numbers that are not finite or not exact, nesting or size beyond bounds.
    """
    form = _form(spec)
    notes: list[Note] = []
    try:
        plain = _value(dict(arguments), form.schema, (), form, notes)
        # What RFC 8785 refuses beside this was refused on the way here.
        size = len(json.dumps(plain, ensure_ascii=False).encode())
    except NotCanonical as error:
        raise BrokenContract(spec.tool, "/", error.why) from error
    except UnicodeEncodeError as error:
        why = "holds half of a character (a lone surrogate)"
        raise BrokenContract(spec.tool, "/", why) from error
    if size > MOST_BYTES:
        raise BrokenContract(spec.tool, "/", f"is larger than {MOST_BYTES // 1024} kB")
    if wrong := form.checker.wrong(plain):
        raise BrokenContract(spec.tool, *wrong)
    return Canonical(arguments=plain, notes=tuple(notes))


@dataclass(frozen=True, slots=True)
class _Form:
    """What is known of a contract's arguments before any are seen."""

    schema: Mapping[str, Any]
    checker: Checker
    kinds: Mapping[tuple[str, ...], ArgumentKind] = field(
        default_factory=dict[tuple[str, ...], ArgumentKind]
    )
    # By the identity of parts of `schema`, which lives as long as this does.
    _parts: dict[tuple[int, str], Any] = field(default_factory=dict[tuple[int, str], Any])
    _types: dict[int, frozenset[str]] = field(default_factory=dict[int, frozenset[str]])

    def part(self, schema: Any, step: str) -> Any:
        """What a schema says of a field, or of its items."""
        if schema is None:
            return None
        at = id(schema), step
        if at not in self._parts:
            found = part(schema, step, self.schema)
            if found is None:
                return None  # not kept: the names in a call are anybody's choice
            self._parts[at] = found
        return self._parts[at]

    def types(self, schema: Any) -> frozenset[str]:
        """Every type that a schema admits, as far as it says so plainly."""
        if schema is None:
            return frozenset()
        if id(schema) not in self._types:
            self._types[id(schema)] = _types(schema, self.schema)
        return self._types[id(schema)]


class _Forms:
    """Forms by contract. A spec is immutable, so one is never out of date."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[int, tuple[ContractSpec, _Form]] = {}

    def __call__(self, spec: ContractSpec) -> _Form:
        kept = self._kept.get(id(spec))
        if kept is not None and kept[0] is spec:
            return kept[1]
        form = _Form(
            schema=spec.input,
            checker=checker(spec.input, tool=spec.tool),
            kinds={split(sink.path): sink.kind for sink in sinks_of(spec)},
        )
        if len(self._kept) >= self._most:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[id(spec)] = (spec, form)
        return form


_form = _Forms(2048)


def _value(
    value: Any, schema: Any, steps: tuple[str | int, ...], form: _Form, notes: list[Note]
) -> Any:
    if len(steps) > MAX_DEPTH:
        raise NotCanonical(f"nested deeper than {MAX_DEPTH}")
    match value:
        case str():
            return _text(value, schema, steps, form, notes)
        case bool() | None:
            return value
        case int() | float() | Decimal():
            return _number(value, steps)
        case Mapping():
            return {
                _name(name): _value(
                    one, form.part(schema, str(name)), (*steps, name), form, notes
                )
                for name, one in value.items()
            }
        case list() | tuple():
            items = form.part(schema, EACH)
            return [
                _value(one, items, (*steps, number), form, notes)
                for number, one in enumerate(value)
            ]
        case _:
            raise NotCanonical(f"{join(steps)} holds a {type(value).__name__}")


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise NotCanonical("the name of a field is text")
    return name


def _text(
    value: str, schema: Any, steps: tuple[str | int, ...], form: _Form, notes: list[Note]
) -> Any:
    kind = form.kinds.get(
        tuple(EACH if isinstance(one, int) else one for one in steps), ArgumentKind.OTHER
    )
    wants = form.types(schema)
    if wants and "string" not in wants and wants & {"number", "integer"}:
        return _read_number(value, steps, notes)
    if value.isascii() and "\0" not in value:
        return _trimmed(value, kind)
    if "\0" in value:
        raise NotCanonical(f"{join(steps)} holds a NUL character")
    place = join(steps)
    if _HIDDEN.intersection(value):
        notes.append(Note(path=place, code="hidden", words="it holds invisible characters"))
    if _BIDI.intersection(value):
        notes.append(Note(path=place, code="bidi", words="it changes the direction of text"))
    if kind in _EXACT:
        return value
    if kind not in IDENTIFYING:
        return unicodedata.normalize("NFC", value)
    plain = _one_spelling(value)
    plain = _trimmed(plain, kind)
    if plain != value:
        notes.append(Note(path=place, code="respelt", words=f"it was written {value[:80]!r}"))
    if _mixed(plain):
        notes.append(
            Note(path=place, code="mixed_script", words="letters of two scripts in one word")
        )
    return plain


def _trimmed(value: str, kind: ArgumentKind) -> str:
    """An address without what stands around it and makes no difference to where it leads."""
    if kind not in _TRAILING:
        return value
    bare = value.lstrip(" \t\r\n").rstrip(_TRAILING[kind])
    return _ROOTED.sub(r"\1", bare) if kind is ArgumentKind.URL else bare


def _one_spelling(value: str) -> str:
    """NFKC without what nobody sees, and with every digit as 0 to 9."""
    plain = unicodedata.normalize("NFKC", value)
    plain = "".join(one for one in plain if one not in _HIDDEN and one not in _BIDI)
    digits = "".join(
        str(unicodedata.decimal(one)) if one.isdecimal() and not one.isascii() else one
        for one in plain
    )
    return unicodedata.normalize("NFKC", digits)


def _mixed(value: str) -> bool:
    for word in re.findall(r"[^\W\d_]+", value):
        latin = any(one.isascii() for one in word)
        other = any(unicodedata.name(one, "").startswith(_LOOKALIKE) for one in word)
        if latin and other:
            return True
    return False


def _read_number(value: str, steps: tuple[str | int, ...], notes: list[Note]) -> Any:
    """The number that a text spells; the text itself where it spells none."""
    if len(value) > MOST_DIGITS:
        return value
    plain = _one_spelling(value).strip()
    if not _NUMBER.fullmatch(plain):
        return value
    try:
        read = _number(Decimal(plain), steps)
    except InvalidOperation:
        return value
    notes.append(Note(path=join(steps), code="respelt", words=f"it was written {value[:80]!r}"))
    return read


def _number(value: float | Decimal, steps: tuple[str | int, ...]) -> int | float:
    if isinstance(value, int):
        # Looked at as bits: to spell a million digits out would take for ever.
        if value.bit_length() > 53 and abs(value) > SAFE_INTEGER - 1:
            raise NotCanonical(f"{join(steps)} exceeds what a number may be")
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise NotCanonical(f"{join(steps)} is not a finite number")
    exact = Decimal(value) if not isinstance(value, Decimal) else value
    if not exact.is_finite():
        raise NotCanonical(f"{join(steps)} is not a finite number")
    if exact.adjusted() > 15 and abs(exact) >= SAFE_INTEGER:
        raise NotCanonical(f"{join(steps)} exceeds what a number may be")
    if exact == exact.to_integral_value():
        return int(exact)
    return float(exact)


def _types(schema: Any, root: Any) -> frozenset[str]:
    """Every type that a schema admits, as far as it says so plainly."""
    found: set[str] = set()
    for one in branches(schema, root):
        said = one.get("type")
        found |= {said} if isinstance(said, str) else set(said or ())
        values = [*one.get("enum", ()), *([one["const"]] if "const" in one else [])]
        found |= {"string" for value in values if isinstance(value, str)}
    return frozenset(found)
