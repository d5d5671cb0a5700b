"""Templates in a configuration, rendered by the engine of our prompts.

promptfoo uses Nunjucks. What both have means the same, and a variable that is not there
leaves nothing; what only Nunjucks has (calls, `set`, macros, other filters) is refused by
name.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from opsroom.evals.evaluators.assertions.words import as_text
from opsroom.kit.errors import OpsroomError
from opsroom.prompts.model import RESERVED, Variable, VariableType, text_prompt
from opsroom.prompts.rendering import prepare

from .suite import Missing

_TEMPLATE = re.compile(r"\{[{%#]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_TYPES: dict[type, VariableType] = {
    str: VariableType.TEXT,
    bool: VariableType.BOOLEAN,
    int: VariableType.NUMBER,
    float: VariableType.NUMBER,
    list: VariableType.LIST,
    dict: VariableType.OBJECT,
}


def is_template(text: str) -> bool:
    return _TEMPLATE.search(text) is not None


def can_be_named(name: str) -> bool:
    return (
        _NAME.fullmatch(name) is not None and not name.startswith("__") and name not in RESERVED
    )


def type_of(value: Any) -> VariableType:
    return _TYPES.get(type(value), VariableType.TEXT)


def rendered(text: str, values: Mapping[str, Any], where: str, missing: Missing) -> str:
    """`text` with values in place; what cannot be rendered is said to be missing."""
    if not is_template(text):
        return text
    known = {name: one for name, one in values.items() if can_be_named(name)}
    try:
        declared = {
            name: Variable(type=type_of(known.get(name)), required=False)
            for name in names_in(text) | set(known)
        }
        return str(prepare(text_prompt(text, variables=declared)).render(known))
    except OpsroomError as error:
        missing.add(where, f"its template cannot be rendered: {error}")
        return text


def names_in(text: str) -> set[str]:
    """The variables that a template needs. Raises what is wrong with it."""
    from opsroom.prompts.syntax import read_template  # noqa: PLC0415  # only where one is read

    return set(read_template(text).names)


def alike(
    rows: Iterable[dict[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, VariableType]]:
    """The variables of all cases with one type each, for a prompt declares its variables.

    Where cases differ, values become the text that they would be placed as.
    """
    rows = list(rows)
    seen: dict[str, set[VariableType]] = {}
    for row in rows:
        for name, value in row.items():
            kinds = seen.setdefault(name, set())
            if value is not None:
                kinds.add(type_of(value))
    types = {
        name: next(iter(kinds)) if len(kinds) == 1 else VariableType.TEXT
        for name, kinds in seen.items()
    }
    settled = [
        {
            name: as_text(value)
            if value is not None and type_of(value) is not types[name]
            else value
            for name, value in row.items()
        }
        for row in rows
    ]
    return settled, types
