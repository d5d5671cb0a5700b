"""Conditions of alert rules in CEL, the Common Expression Language: decided, never run.

The only module that knows the CEL engine. A condition is a comparison of figures: it has no
loops and no effects, and the macros that walk lists are refused, since figures hold none and
nested ones could be made to take for ever.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .errors import BadCondition

LONGEST = 2_000
_MACROS = re.compile(r"\.\s*(map|filter|all|exists|exists_one)\s*\(")


def holds(condition: str, facts: Mapping[str, Any]) -> bool:
    """Whether `condition` is true of `facts`.

    Raises `BadCondition` for what is no condition, names what there is not, or says something
    else than true or false.
    """
    try:
        answer = _compiled(condition).execute(dict(facts))
    except KeyError as error:
        raise BadCondition(condition, f"there is no figure {error}") from error
    except (ValueError, TypeError, ArithmeticError, RuntimeError) as error:
        raise BadCondition(condition, str(error)) from error
    if not isinstance(answer, bool):
        raise BadCondition(condition, "it says neither true nor false")
    return answer


@lru_cache(maxsize=1024)
def _compiled(condition: str) -> Any:
    import cel  # noqa: PLC0415  # a native library that few processes need

    if len(condition) > LONGEST:
        raise BadCondition(condition[:80] + "…", f"it is longer than {LONGEST:,} characters")
    if found := _MACROS.search(condition):
        raise BadCondition(condition, f"it walks a list with {found[1]}()")
    try:
        return cel.compile(condition)
    except ValueError as error:
        raise BadCondition(condition, str(error).replace("\n", " ")) from error
