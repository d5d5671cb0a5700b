"""A grid as people type it: `temperature=0,0.5 model=small,large`."""

import json
from collections.abc import Iterable

from pydantic import JsonValue

from .errors import BadPlan


def read_grid(words: Iterable[str]) -> dict[str, tuple[JsonValue, ...]]:
    """Every name with its values; numbers, true, false and null are that, the rest is text.

    Raises `BadPlan`.
    """
    grid: dict[str, tuple[JsonValue, ...]] = {}
    for word in words:
        name, mark, values = word.partition("=")
        if not (name and mark and values):
            raise BadPlan(f"{word!r} is not NAME=VALUE,VALUE")
        grid[name] = tuple(_value(one) for one in values.split(","))
    return grid


def _value(text: str) -> JsonValue:
    try:
        found: JsonValue = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(found, dict | list) else found
