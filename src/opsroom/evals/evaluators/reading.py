"""How references and answers are read, the same way by every evaluator."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from opsroom.datasets import Item
from opsroom.kit.canonical import NotCanonical, canonical


class NoReference(Exception):
    """The item and the evaluator together do not say what is right; becomes an errored score."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A JSON value that was read; wrapped, because null is a value too."""

    value: Any


def reference(value: Any, item: Item) -> Any:
    """What is right: the evaluator's own value, else what the item expects."""
    wanted = item.expected if value is None else value
    if wanted is None:
        raise NoReference("neither the evaluator nor the item says what is expected")
    return wanted


def text_reference(value: str | None, item: Item) -> str:
    wanted = reference(value, item)
    if isinstance(wanted, str):
        return wanted
    if isinstance(wanted, bool | int | float):
        return json.dumps(wanted)
    raise NoReference("the item's expected answer is not a text")


def json_of(text: str) -> Parsed | None:
    """The one JSON value that `text` is, or None. NaN and infinities are not JSON."""
    try:
        return Parsed(json.loads(text, parse_constant=_not_json))
    except (ValueError, RecursionError):
        return None


def same_json(one: Any, other: Any) -> bool:
    """Equality of JSON data: 1 is 1.0, but true is not 1."""
    try:
        return canonical(one) == canonical(other)
    except NotCanonical:
        return False


def negated(kind: str) -> bool:
    return kind.startswith("not-")


def quoted(value: Any) -> str:
    """`value` in a reason: short, and on one line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return repr(text if len(text) <= 80 else f"{text[:79]}…")


def _not_json(word: str) -> NoReturn:
    raise ValueError(word)
