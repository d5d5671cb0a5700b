"""The values that a prompt is rendered with: checked, and copied to plain data.

A template sees only exact text, numbers, booleans, lists and objects, and only our copies of
them: no subclass with methods of its own, and nothing of the caller's to change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from .errors import (
    PromptTooCostly,
    PromptVariableMissing,
    PromptVariableUnknown,
    PromptVariableWrong,
)
from .model import SAFE_INTEGER, Variable, fits, said

MAX_CHARACTERS = 1024 * 1024
MAX_ENTRIES = 50_000
MAX_DEPTH = 32
_SCALARS = frozenset({bool, int, float, type(None)})


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to look at in a value: longest text, and longest list or object."""

    text: int
    entries: int


@dataclass(slots=True)
class Bound:
    """Values that fit, and their sizes: as a whole, and of the largest part within."""

    values: dict[str, Any]
    whole: dict[str, Size]
    within: dict[str, Size]
    longest: int = 0
    characters: int = 0
    entries: int = 0
    part_text: int = 0
    part_entries: int = 0


def bind(variables: Mapping[str, Variable], given: Mapping[str, object]) -> Bound:
    """Fit what was given to what is declared, with defaults where nothing was given.

    Raises `PromptVariableMissing` and `PromptVariableUnknown` naming all of them at once, and
    `PromptVariableWrong` for the first value that does not fit.
    """
    if missing := [name for name, one in variables.items() if one.needed and name not in given]:
        raise PromptVariableMissing(missing)
    if unknown := [name for name in given if name not in variables]:
        raise PromptVariableUnknown(unknown, ", ".join(variables) or "none")
    bound = Bound({}, {}, {})
    for name, variable in variables.items():
        value = given.get(name)
        if value is None:
            if variable.needed:
                raise PromptVariableWrong(name, "it is required, and this is nothing")
            value = variable.default
        elif why := fits(variable, value):
            raise PromptVariableWrong(name, why)
        bound.values[name] = _measured(bound, name, value)
    if bound.characters > MAX_CHARACTERS:
        raise PromptTooCostly(
            "the prompt", f"its values hold more than {MAX_CHARACTERS} characters"
        )
    return bound


def _measured(bound: Bound, name: str, value: Any) -> Any:
    bound.part_text = bound.part_entries = 0
    copied = _copy(bound, name, value, 0)
    bound.longest = max(bound.longest, bound.part_text)
    if isinstance(copied, str):
        bound.whole[name] = bound.within[name] = Size(len(copied), 0)
    elif isinstance(copied, list | dict):
        bound.whole[name] = Size(bound.part_text, len(copied))
        bound.within[name] = Size(bound.part_text, bound.part_entries)
    return copied


def _copy(bound: Bound, name: str, value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is str:
        size = len(value)
        bound.characters += size
        bound.part_text = max(bound.part_text, size)
        return value if value.isascii() else _whole(name, value)
    if kind is list or kind is dict:
        _enter(bound, name, len(value), depth)
        if kind is list:
            return [_copy(bound, name, one, depth + 1) for one in value]
        return {
            _key(bound, name, key): _copy(bound, name, one, depth + 1)
            for key, one in value.items()
        }
    if kind is int and not -SAFE_INTEGER <= value <= SAFE_INTEGER:
        raise PromptVariableWrong(name, "a whole number lies between −2^53 and 2^53")
    if kind is float and not isfinite(value):
        raise PromptVariableWrong(name, "a number is finite")
    if kind not in _SCALARS:
        raise PromptVariableWrong(name, f"it holds {said(value)}")
    return value


def _enter(bound: Bound, name: str, entries: int, depth: int) -> None:
    if depth == MAX_DEPTH:
        raise PromptVariableWrong(name, f"it is nested deeper than {MAX_DEPTH}")
    bound.entries += entries
    if depth:
        bound.part_entries = max(bound.part_entries, entries)
    if bound.entries > MAX_ENTRIES:
        raise PromptTooCostly("the prompt", f"its values hold more than {MAX_ENTRIES} entries")


def _key(bound: Bound, name: str, key: object) -> str:
    if type(key) is not str:
        raise PromptVariableWrong(name, f"it has a key that is {said(key)}, and keys are text")
    bound.characters += len(key)
    return key if key.isascii() else _whole(name, key)


def _whole(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PromptVariableWrong(
            name, f"character {error.start + 1} is half of a pair (a lone surrogate)"
        ) from error
    return text
