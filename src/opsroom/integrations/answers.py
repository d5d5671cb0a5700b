"""Whether an answer is what was promised: by schema, by a recorded answer, by a document. No I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from opsroom.contracts.checking import checker
from opsroom.contracts.errors import BadContract

from .differ import Change, Comparison, Level, Side
from .differ.documents import operations
from .differ.shapes import Json, listing, mapping, resolved
from .model import ContractTest

MOST_DERIVED = 20
DEEPEST = 60
COMPONENTS = "components"
TYPES: dict[type[object], str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
}


def shape_of(value: Any, like: Any = None, depth: int = 0) -> dict[str, Any]:
    """The schema of what can be seen in `value`: types and fields. Where a list is empty,
    what `like` has there stands in, because nothing was seen that could differ. Null says
    nothing of what else might be there.
    """
    if depth > DEEPEST:
        return {}
    if value is None:
        return _nullable(shape_of(like, depth=depth + 1)) if like is not None else {}
    if isinstance(value, list):
        items, known = listing(value), listing(like)
        return {"type": "array", "items": _item(items or known, known, depth)}
    if isinstance(value, Mapping):
        fields, known_fields = mapping(cast("Json", value)), mapping(like)
        return {
            "type": "object",
            "properties": {
                name: shape_of(one, known_fields.get(name), depth + 1)
                for name, one in fields.items()
            },
            "required": list(fields),
        }
    return {"type": TYPES.get(cast("type[object]", type(value)), "string")}


def _nullable(shape: dict[str, Any]) -> dict[str, Any]:
    return {**shape, "type": [*_kinds(shape), "null"]}


def _item(items: list[Any], known: list[Any], depth: int) -> Any:
    """One schema for every item: what all of them have is required."""
    if not items:
        return True
    like = known[0] if known else None
    shapes = [shape_of(one, like, depth + 1) for one in items]
    whole = shapes[0]
    for one in shapes[1:]:
        whole = _either(whole, one)
    return whole


def _either(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """A schema that admits whatever either does."""
    if one == other:
        return one
    if one.get("type") == other.get("type") == "object":
        names = {**one["properties"], **other["properties"]}
        return {
            "type": "object",
            "properties": {
                name: _either(one["properties"].get(name, rule), rule)
                for name, rule in names.items()
            },
            "required": [name for name in one["required"] if name in other["required"]],
        }
    if one.get("type") == other.get("type") == "array":
        return {"type": "array", "items": _either(one["items"], other["items"])}
    kinds = sorted({*_kinds(one), *_kinds(other)})
    if {"integer", "number"} <= set(kinds):
        kinds.remove("integer")
    return {**one, **other, "type": kinds}


def _kinds(one: dict[str, Any]) -> list[str]:
    kind = one.get("type", [])
    return [kind] if isinstance(kind, str) else list(kind)


def against_recorded(test: ContractTest, body: Any) -> tuple[Change, ...]:
    """How the shape of an answer differs from the one that was recorded.

    One recorded answer does not say what may be null, so that alone is a warning.
    """
    before, after = shape_of(test.recorded), shape_of(body, test.recorded)
    comparison = Comparison(before, after)
    changes: list[Change] = []
    for one in comparison.schemas(before, after, Side.RESPONSE):
        null = one.about == "null"
        where = f"answer {'/'.join(('', *one.steps))}" if one.steps else "answer"
        changes.append(
            Change(
                id=f"answer.{one.about}.{one.what}",
                level=Level.WARNING if null and one.level is Level.BREAKING else one.level,
                operation=f"{test.method} {test.path}",
                path=where,
                words=f"{where}: {one.words}",
            )
        )
    return tuple(changes)


def against_schema(test: ContractTest, body: Any) -> str:
    """Why an answer does not fit the schema; nothing where it fits. A broken schema of a
    document is no fault of the answer.
    """
    if test.schema is None:
        return ""
    try:
        wrong = checker(test.schema, tool=test.name, place="schema").wrong(body)
    except BadContract:
        return ""
    return "" if wrong is None else f"answer {wrong[0]}: {wrong[1]}"


def derived(document: Json) -> tuple[ContractTest, ...]:
    """A test for each GET of a document that needs no arguments and promises JSON."""
    return tuple(_derived(document))[:MOST_DERIVED]


def _derived(document: Json) -> Iterator[ContractTest]:
    for (method, shape), (path, item, operation) in sorted(operations(document).items()):
        if method != "GET" or "{}" in shape or operation.get("deprecated") is True:
            continue
        parameters = [
            resolved(one, document)[0]
            for one in (*listing(item.get("parameters")), *listing(operation.get("parameters")))
        ]
        if any(one.get("required") is True for one in parameters):
            continue
        for status, value in mapping(operation.get("responses")).items():
            answer, _ = resolved(value, document)
            schema = _json_schema(answer)
            if status.startswith("2") and status.isdecimal() and schema is not None:
                yield ContractTest(
                    name=f"GET {path}",
                    path=path,
                    status=(int(status),),
                    schema={
                        **_draft(schema),
                        COMPONENTS: _draft(mapping(document.get(COMPONENTS))),
                    },
                )
                break


def _json_schema(answer: Json) -> Json | None:
    for media, one in mapping(answer.get("content")).items():
        if "json" in media and isinstance(mapping(one).get("schema"), Mapping):
            return mapping(mapping(one)["schema"])
    return None


def _draft(value: Any, depth: int = 0) -> Any:
    """A schema of OpenAPI 3.0 or 3.1 as JSON Schema 2020-12 means it."""
    if depth > DEEPEST:
        return value
    if isinstance(value, list):
        return [_draft(one, depth + 1) for one in listing(value)]
    if not isinstance(value, Mapping):
        return value
    made = {key: _draft(one, depth + 1) for key, one in mapping(value).items()}
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        said = made.get(exclusive)
        if isinstance(said, bool):
            del made[exclusive]
        if said is True and limit in made:
            made[exclusive] = made.pop(limit)
    if made.get("nullable") is True:
        rest = {key: one for key, one in made.items() if key != "nullable"}
        return {"anyOf": [{"type": "null"}, rest]}
    return made


def placed(tests: tuple[ContractTest, ...], *, before: str) -> tuple[ContractTest, ...]:
    """Tests with a word in front of their names, so that two kinds never share one."""
    return tuple(replace(one, name=f"{before}{one.name}") for one in tests)
