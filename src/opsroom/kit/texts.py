"""The texts inside of plain data: found, or changed where they stand; and names made of texts."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, but for keys."""
    match value:
        case str():
            yield value
        case Mapping():
            for part in value.values():
                yield from texts(part)
        case list() | tuple():
            for part in value:
                yield from texts(part)
        case _:
            return


def changed(value: Any, change: Callable[[str], str], *, keys: bool = False) -> Any:
    """`value` with every text in it changed, and with `keys` the keys as well."""
    match value:
        case str():
            return change(value)
        case Mapping():
            return {
                change(str(key)) if keys else key: changed(part, change, keys=keys)
                for key, part in value.items()
            }
        case list() | tuple():
            return [changed(part, change, keys=keys) for part in value]
        case _:
            return value


def as_name(text: str) -> str:
    """`text` as a name: lower case, odd characters become dashes, 100 characters at most."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:100]
