"""The Cedar schema that policies are checked against, generated from contracts.

Each contract is an action in the group of its tier (`tier:write`) and in `tier:any`. Its
context has `arguments`, typed from the JSON Schema, `facts`, and the `human` whom the agent
represents. What Cedar cannot type (unions, free-form objects, lists of objects) is left out
and listed, so that nobody writes a rule about it in vain.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any

from opsroom.contracts.model import ContractSpec, Tier

from .facts import FACTS, LARGEST, CedarType, FactType

AGENT, OBJECT, ACTION = "Agent", "Object", "Action"
ANY = "tier:any"
_PLACES = Decimal("0.0001")
_DEPTH = 4

Type = dict[str, Any]
Turn = Callable[[Any], Any]
FactTurn = tuple[str, Turn, Any]


class NotExpressible(ValueError):
    """A value that Cedar has no exact form for; then there is no verdict to rely on."""


def group(tier: Tier | str) -> str:
    return f"tier:{tier}"


GROUPS = frozenset({ANY, *(group(tier) for tier in Tier)})


@dataclass(frozen=True, slots=True)
class Arguments:
    """How the arguments of one contract look to Cedar."""

    type: Type
    turns: Mapping[str, Turn]
    left_out: tuple[str, ...]

    def only(self, words: Collection[str]) -> "Arguments":
        """The same for the arguments that are among these words, or are no words themselves."""
        turns = {
            name: turn
            for name, turn in self.turns.items()
            if name in words or not name.isidentifier()
        }
        return Arguments(self.type, turns, self.left_out)

    def turned(
        self, arguments: Mapping[str, Any], names: Collection[str] | None
    ) -> dict[str, Any]:
        """Those of the arguments that are named, or all, as Cedar reads them.

        Raises `NotExpressible`, also for one that is there and that Cedar cannot be shown: a
        policy that asks whether it is there must not be told that it is not.
        """
        return _turned(
            arguments,
            self.turns,
            self.turns.keys() | arguments.keys() if names is None else names,
        )


def _turned(
    values: Mapping[str, Any], turns: Mapping[str, Turn], names: Collection[str]
) -> dict[str, Any]:
    turned: dict[str, Any] = {}
    for name in names:
        value = values.get(name)
        if value is None:
            continue
        if name not in turns:
            raise NotExpressible(f"policies cannot read the argument {name!r}")
        turned[name] = turns[name](value)
    return turned


def decimal(value: Any) -> dict[str, Any]:
    """A number as Cedar's decimal. Raises `NotExpressible` beyond its four places or its range."""
    exact = _exact(value)
    if exact != exact.quantize(_PLACES, rounding=ROUND_FLOOR):
        raise NotExpressible(f"{value} has more than the four places that a policy can compare")
    return _written(exact)


def _exact(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise NotExpressible(f"{value!r} is not a number")
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        raise NotExpressible(f"{value!r} is not a number") from None
    if not exact.is_finite() or abs(exact) > LARGEST:
        raise NotExpressible(f"{value} is no amount that a policy can compare")
    return exact


def _written(exact: Decimal) -> dict[str, Any]:
    text = format(exact.quantize(_PLACES, rounding=ROUND_FLOOR), "f")
    return {"__extn": {"fn": "decimal", "arg": text}}


def arguments_of(spec: ContractSpec) -> Arguments:
    type_, turns, left_out = _record(spec.input, "", _DEPTH)
    return Arguments(type_, turns, tuple(left_out))


def facts_turned(facts: Mapping[str, Any], names: Collection[str] | None) -> dict[str, Any]:
    """Those of the facts that are named, or all, as Cedar reads them.

    What the caller does not know has the value that asks for most care; where no value does,
    and beside that for what cannot be turned, it raises `NotExpressible`.
    """
    turned: dict[str, Any] = {}
    for name in _FACTS if names is None else names:
        if name in _FACTS:  # of the others Cedar says, where it reads one, that it is not there
            turn, missing = _FACTS[name]
            value = facts.get(name, missing)
            if value is None:
                raise NotExpressible(f"nobody knows {name!r}")
            turned[name] = turn(value)
    return turned


def schema_of(contracts: Sequence[ContractSpec]) -> dict[str, Any]:
    """The schema as the JSON that Cedar reads."""
    actions: dict[str, Any] = {ANY: {}}
    for tier in Tier:
        actions[group(tier)] = {"memberOf": [{"id": ANY}]}
    facts: Type = {
        "type": "Record",
        "attributes": {name: _FACT_TYPES[fact.type] for name, fact in FACTS.items()},
    }
    for spec in contracts:
        actions[spec.tool] = {
            "memberOf": [{"id": group(spec.risk)}],
            "appliesTo": {
                "principalTypes": [AGENT],
                "resourceTypes": [OBJECT],
                "context": {
                    "type": "Record",
                    "attributes": {
                        "arguments": arguments_of(spec).type,
                        "facts": facts,
                        "human": {"type": "String"},
                    },
                },
            },
        }
    empty = {"shape": {"type": "Record", "attributes": {}}}
    return {"": {"entityTypes": {AGENT: empty, OBJECT: empty}, "actions": actions}}


def entities_of(contracts: Sequence[ContractSpec]) -> list[dict[str, Any]]:
    """The actions and their groups, as Cedar's entities."""

    def entity(name: str, parents: Sequence[str]) -> dict[str, Any]:
        return {
            "uid": {"type": ACTION, "id": name},
            "attrs": {},
            "parents": [{"type": ACTION, "id": one} for one in parents],
        }

    return [
        entity(ANY, ()),
        *(entity(group(tier), (ANY,)) for tier in Tier),
        *(entity(spec.tool, (group(spec.risk),)) for spec in contracts),
    ]


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise NotExpressible(f"{value!r} is not true or false")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise NotExpressible(f"{value!r} is not text")
    return value


def _long(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise NotExpressible(f"{value!r} is not a whole number")
    if not -(2**63) <= value < 2**63:
        raise NotExpressible(f"{value} is no whole number that a policy can compare")
    return value


def _strings(value: Any) -> list[str]:
    if not isinstance(value, list | tuple | set | frozenset):
        raise NotExpressible(f"{value!r} is not a list of texts")
    return [_string(one) for one in value]


def _careful(fact: FactType) -> Turn:
    """How a fact is turned. Money of ours is rounded towards care, not refused: spending up,
    what is left down.
    """
    if fact.type is not CedarType.DECIMAL:
        return _FACT_TURNS[fact.type]
    rounding = ROUND_CEILING if fact.missing > 0 else ROUND_FLOOR
    return lambda value: _written(_exact(value).quantize(_PLACES, rounding=rounding))


_FACT_TYPES: Mapping[CedarType, Type] = {
    CedarType.BOOL: {"type": "Boolean"},
    CedarType.LONG: {"type": "Long"},
    CedarType.STRING: {"type": "String"},
    CedarType.STRINGS: {"type": "Set", "element": {"type": "String"}},
    CedarType.DECIMAL: {"type": "Extension", "name": "decimal"},
}
_FACT_TURNS: Mapping[CedarType, Turn] = {
    CedarType.BOOL: _bool,
    CedarType.LONG: _long,
    CedarType.STRING: _string,
    CedarType.STRINGS: _strings,
    CedarType.DECIMAL: decimal,
}
_FACTS = {name: (_careful(fact), fact.missing) for name, fact in FACTS.items()}

_SCALARS: Mapping[str, tuple[Type, Turn]] = {
    "string": (_FACT_TYPES[CedarType.STRING], _string),
    "boolean": (_FACT_TYPES[CedarType.BOOL], _bool),
    "integer": (_FACT_TYPES[CedarType.LONG], _long),
    "number": (_FACT_TYPES[CedarType.DECIMAL], decimal),
}


def _record(
    schema: Mapping[str, Any], place: str, left: int
) -> tuple[Type, dict[str, Turn], list[str]]:
    attributes: dict[str, Any] = {}
    turns: dict[str, Turn] = {}
    left_out: list[str] = []
    required = set(schema.get("required", ()))
    for name, part in schema.get("properties", {}).items():
        here = f"{place}/{name}"
        typed = _typed(part, here, left, left_out)
        if typed is None:
            left_out.append(here)
            continue
        # What may be null is absent where it is null.
        attributes[name] = typed[0] | {"required": name in required and not _nullable(part)}
        turns[name] = typed[1]
    return {"type": "Record", "attributes": attributes}, turns, left_out


def _typed(part: Any, place: str, left: int, left_out: list[str]) -> tuple[Type, Turn] | None:
    kind, schema = _plain(part)
    if kind in _SCALARS:
        return _SCALARS[kind]
    if kind == "array":
        element = _typed(schema.get("items", {}), f"{place}/*", 0, left_out)
        if element is None or element[0]["type"] == "Record":
            return None
        turn = element[1]

        def listed(value: Any) -> list[Any]:
            if not isinstance(value, list | tuple):
                raise NotExpressible(f"{value!r} is not a list")
            return [turn(one) for one in value]

        return {"type": "Set", "element": element[0]}, listed
    if kind == "object" and left and schema.get("properties"):
        type_, turns, inner = _record(schema, place, left - 1)
        left_out.extend(inner)

        def turned(value: Any) -> dict[str, Any]:
            if not isinstance(value, Mapping):
                raise NotExpressible(f"{value!r} is not an object")
            return _turned(value, turns, turns.keys() | value.keys())

        return type_, turned
    return None


def _plain(part: Any) -> tuple[str, Mapping[str, Any]]:
    """The one type that a schema stands for beside null; empty where there are several."""
    if not isinstance(part, Mapping):
        return "", {}
    kind = part.get("type")
    kinds = [kind] if isinstance(kind, str) else [one for one in kind or () if one != "null"]
    if len(kinds) == 1:
        return str(kinds[0]), part
    if not kinds:
        branches = [one for word in ("anyOf", "oneOf") for one in part.get(word, ())]
        real = [one for one in branches if one.get("type") != "null"]
        if len(real) == 1:
            return _plain(real[0])
        if not branches and part.get("enum") and all(isinstance(o, str) for o in part["enum"]):
            return "string", part
    return "", {}


def _nullable(part: Any) -> bool:
    if not isinstance(part, Mapping):
        return False
    kind = part.get("type")
    branches = [one for word in ("anyOf", "oneOf") for one in part.get(word, ())]
    return (not isinstance(kind, str) and "null" in (kind or ())) or any(
        one.get("type") == "null" for one in branches if isinstance(one, Mapping)
    )
