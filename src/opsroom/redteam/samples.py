"""What a simulated action answers: what its contract declares as an example, or the smallest
value that its schema describes. Never what a system said.
"""

from typing import Any

DEEPEST = 8
MOST_FIELDS = 50  # of an object; half as many with each step down
ANSWERED = {"simulated": True}
SMALLEST: dict[str, Any] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "null": None,
}


def sample(schema: dict[str, Any] | None) -> Any:
    """A value of `schema` (JSON Schema 2020-12), as far as a simple one can be found.

    Declared examples come first, then defaults and constants. Rules such as patterns are not
    looked at, so a contract that needs them should declare an example.
    """
    return ANSWERED if schema is None else _of(schema, schema, 0)


def _of(schema: Any, root: dict[str, Any], depth: int) -> Any:
    if not isinstance(schema, dict) or depth > DEEPEST:
        return None
    for name in ("examples", "enum"):
        if isinstance(listed := schema.get(name), list) and listed:
            return listed[0]
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    if isinstance(where := schema.get("$ref"), str):
        return _of(_found(root, where), root, depth + 1)
    for name in ("oneOf", "anyOf", "allOf"):
        if isinstance(parts := schema.get(name), list) and parts:
            return _of(parts[0], root, depth + 1)
    return _typed(schema, root, depth)


def _typed(schema: dict[str, Any], root: dict[str, Any], depth: int) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    match kind:
        case "array":
            few = min(_whole(schema.get("minItems")), MOST_FIELDS)
            return [_of(schema.get("items", {}), root, depth + 1) for _ in range(few)]
        case "string":
            return "x" * min(_whole(schema.get("minLength")), 1_000)
        case "integer" | "number":
            least = schema.get("minimum", 0)
            return least if isinstance(least, int | float) else 0
        case str() if kind in SMALLEST:
            return SMALLEST[kind]
        case _:
            return _object(schema, root, depth)


def _object(schema: dict[str, Any], root: dict[str, Any], depth: int) -> dict[str, Any]:
    parts = schema.get("properties")
    known = parts if isinstance(parts, dict) else {}
    names = dict.fromkeys([*(schema.get("required") or ()), *known])
    few = list(names)[: MOST_FIELDS >> depth]
    return {str(one): _of(known.get(one, {}), root, depth + 1) for one in few}


def _whole(found: Any) -> int:
    return found if isinstance(found, int) and found > 0 else 0


def _found(root: dict[str, Any], where: str) -> Any:
    """What a reference inside the schema points at; nothing else is looked up."""
    here: Any = root
    for step in where.removeprefix("#/").split("/"):
        here = here.get(step) if isinstance(here, dict) else None
    return here if where.startswith("#/") else None
