"""How references, answers and what they took are read, the same way by every evaluator."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from opsroom.datasets import Item
from opsroom.evals.model import Usage
from opsroom.kit.canonical import NotCanonical, canonical
from opsroom.models import Output


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


def usage_of(answer: Output) -> Usage:
    """What one call of a model took."""
    return Usage(
        cost=answer.cost, input_tokens=answer.input_tokens, output_tokens=answer.output_tokens
    )


def added(parts: Sequence[Usage]) -> Usage:
    """What all of them took; a sum with a part that is not known is not known."""
    costs = [one.cost for one in parts]
    return Usage(
        cost=None if None in costs else sum((one for one in costs if one), Decimal(0)),
        input_tokens=_sum([one.input_tokens for one in parts]),
        output_tokens=_sum([one.output_tokens for one in parts]),
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    return None if None in counts else sum(one for one in counts if one)


def _not_json(word: str) -> NoReturn:
    raise ValueError(word)
