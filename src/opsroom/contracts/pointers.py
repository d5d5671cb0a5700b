"""JSON pointers (RFC 6901) into arguments, where `*` stands for every item of a list."""

from collections.abc import Iterator, Mapping
from typing import Any

EACH = "*"
MOST_BRANCHES = 64


def split(pointer: str) -> tuple[str, ...]:
    """The steps of `/a/b~1c/*`; none for the whole."""
    if not pointer:
        return ()
    return tuple(
        step.replace("~1", "/").replace("~0", "~")
        for step in pointer.removeprefix("/").split("/")
    )


def join(steps: tuple[str | int, ...]) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def found(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """Every place that `pointer` leads to, spelt out, with the value there."""
    yield from _walk(value, split(pointer), ())


def _walk(
    value: Any, steps: tuple[str, ...], done: tuple[str | int, ...]
) -> Iterator[tuple[str, Any]]:
    if not steps:
        yield join(done), value
        return
    step, rest = steps[0], steps[1:]
    match value:
        case Mapping() if step in value:
            yield from _walk(value[step], rest, (*done, step))
        case list() | tuple() if step == EACH:
            for number, one in enumerate(value):
                yield from _walk(one, rest, (*done, number))
        case list() | tuple() if step.isdecimal() and int(step) < len(value):
            yield from _walk(value[int(step)], rest, (*done, int(step)))
        case _:
            return


def schema_at(schema: Mapping[str, Any], pointer: str) -> Mapping[str, Any] | None:
    """The part of an object schema that describes the place; None where it names none."""
    here: Any = schema
    for step in split(pointer):
        here = part(here, step, schema)
        if here is None:
            return None
    return here if isinstance(here, Mapping) else None


def part(schema: Any, step: str, root: Any) -> Any | None:
    """What a schema says of one of its fields or, for `*`, of its items."""
    for one in branches(schema, root):
        fields = one.get("properties")
        if isinstance(fields, Mapping) and step in fields:
            return fields[step]
        if step == EACH and "items" in one:
            return one["items"]
    return None


def branches(schema: Any, root: Any) -> Iterator[Mapping[str, Any]]:
    """A schema and what it may stand for: its alternatives, and what it refers to inside."""
    waiting, left = [schema], MOST_BRANCHES
    while waiting and left:
        left -= 1
        one = waiting.pop(0)
        if not isinstance(one, Mapping):
            continue
        yield one
        for word in ("anyOf", "oneOf", "allOf"):
            waiting += list(one.get(word, ()))
        reference = str(one.get("$ref", ""))
        if reference.startswith("#/"):
            waiting += [value for _, value in found(root, reference[1:])]
