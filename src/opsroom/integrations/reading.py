"""Reading what a system says of itself: an OpenAPI document in JSON or YAML. No I/O.

Documents in the wild hold what our own files may not (numbers as keys), so they are read more
kindly here, and bounded all the same.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

from opsroom.kit.errors import Invalid, TooLarge
from opsroom.kit.yamlfile import Limits, parse_yaml

from .errors import BadDocument

LARGEST = 16 * 2**20
DEEPEST = 200
LIMITS = Limits(size=LARGEST, values=1_000_000, odd_keys=True)


def read_document(text: str) -> dict[str, Any]:
    """The OpenAPI document in a text. Raises `BadDocument`."""
    if len(text) > LARGEST:
        raise BadDocument(f"it is larger than {LARGEST} characters")
    try:
        data = json.loads(text) if text.lstrip()[:1] == "{" else _from_yaml(text)
    except (ValueError, RecursionError, Invalid, TooLarge) as error:
        raise BadDocument(str(error).splitlines()[0][:200] or "it cannot be read") from error
    return checked(data)


def checked(data: object) -> dict[str, Any]:
    """The data, if it is an OpenAPI document of a version that is read."""
    if not isinstance(data, Mapping) or "openapi" not in data:
        raise BadDocument("it does not say `openapi: 3.…` at its top")
    found = cast("dict[str, Any]", data)
    if not str(found["openapi"]).startswith("3."):
        raise BadDocument(
            f"it is written in OpenAPI {found['openapi']}, and 3.0 and 3.1 are read"
        )
    if _too_deep(found):
        raise BadDocument(f"it is nested deeper than {DEEPEST}")
    return found


def _from_yaml(text: str) -> object:
    return parse_yaml(text, file="document", limits=LIMITS).data


def _too_deep(value: object) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            for inner in (
                cast("dict[str, object]", one).values()
                if isinstance(one, dict)
                else cast("list[object]", one)
                if isinstance(one, list)
                else ()
            )
        ]
        if not level:
            return False
    return True
