"""Contracts of Python functions: from annotations, docstring and pydantic models."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from typing import Any, NotRequired, get_type_hints

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, with_config
from pydantic.errors import PydanticInvalidForJsonSchema
from typing_extensions import TypedDict

from opsroom.contracts.closing import closed
from opsroom.contracts.errors import Unreadable
from opsroom.contracts.infer import tier_of, trust_of
from opsroom.contracts.model import ContractSpec, Effects, Tier

_RESULT = "return"
_NAMELESS = {
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.VAR_KEYWORD,
    inspect.Parameter.POSITIONAL_ONLY,
}
_SECTION = re.compile(
    r"^(?:Args|Arguments|Parameters):\s*$\n((?:[ \t]+.*\n?|\s*\n)+)", re.MULTILINE
)
_GOOGLE = re.compile(r"^[ \t]+(\w+)(?:\s*\([^)]*\))?:\s*(.+)$", re.MULTILINE)
_SPHINX = re.compile(r"^\s*:param\s+(?:\S+\s+)?(\w+):\s*(.+)$", re.MULTILINE)


def read_function(
    function: Callable[..., Any], *, tool: str = "", description: str = ""
) -> ContractSpec:
    """The contract of a function that takes keyword arguments, or one model whose fields they
    are. Its tier is a guess from its name. Raises `Unreadable` where no schema can be made.
    """
    name = tool or str(getattr(function, "__name__", ""))
    if not name:
        raise Unreadable(repr(function), "it has no name; pass `tool`")
    docs = inspect.getdoc(function) or ""
    try:
        hints = get_type_hints(function, include_extras=True)
        taken = _taken(name, function, hints)
        schema = _described(TypeAdapter(taken).json_schema(), _arguments(docs))
    except (NameError, TypeError, PydanticUserError) as error:
        raise Unreadable(name, str(error).splitlines()[0]) from error
    says = description or docs
    return _contract(name, says, schema, _returned(hints))


def read_model(model: type[Any], *, tool: str, description: str = "") -> ContractSpec:
    """The contract of a tool whose arguments are the fields of a pydantic model or dataclass."""
    try:
        schema = TypeAdapter(model).json_schema()
    except PydanticUserError as error:
        raise Unreadable(tool, str(error).splitlines()[0]) from error
    return _contract(tool, description or inspect.getdoc(model) or "", schema, None)


def _contract(
    tool: str, description: str, schema: dict[str, Any], output: dict[str, Any] | None
) -> ContractSpec:
    risk = tier_of(tool, description, schema)
    return ContractSpec(
        tool=tool,
        description=description,
        input=closed(schema),
        output=output,
        risk=risk,
        effects=Effects(read_only=risk is Tier.READ),
        returns=trust_of(tool, description, schema),
    )


def _taken(name: str, function: Callable[..., Any], hints: Mapping[str, Any]) -> Any:
    """The type of the arguments together."""
    parameters = list(inspect.signature(function).parameters.values())
    if len(parameters) == 1 and _has_fields(hints.get(parameters[0].name)):
        return hints[parameters[0].name]
    fields: dict[str, Any] = {}
    for one in parameters:
        if one.kind in _NAMELESS:
            raise Unreadable(name, f"{str(one)!r} has no name to be called by")
        if one.name not in hints:
            raise Unreadable(name, f"{one.name!r} has no annotation")
        needed = one.default is inspect.Parameter.empty
        fields[one.name] = hints[one.name] if needed else NotRequired[hints[one.name]]
    made: Any = TypedDict  # mypy knows only those that are written out
    return with_config(ConfigDict(extra="forbid"))(made(name, fields))


def _has_fields(hint: Any) -> bool:
    return isinstance(hint, type) and (is_dataclass(hint) or hasattr(hint, "model_fields"))


def _returned(hints: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema of the result, where its annotation says anything that can be checked."""
    hint = hints.get(_RESULT, Any)
    if hint is Any:
        return None
    try:
        return TypeAdapter(hint).json_schema(mode="serialization")
    except (PydanticUserError, PydanticInvalidForJsonSchema):
        return None


def _arguments(docs: str) -> dict[str, str]:
    """What a docstring in Google's or Sphinx' style says of each argument."""
    section = _SECTION.search(docs + "\n")
    found = dict(_GOOGLE.findall(section.group(1))) if section else {}
    return {**found, **dict(_SPHINX.findall(docs))}


def _described(schema: dict[str, Any], said: Mapping[str, str]) -> dict[str, Any]:
    fields = {
        name: {**part, "description": said[name].strip()}
        if name in said and "description" not in part
        else part
        for name, part in schema.get("properties", {}).items()
    }
    return {**schema, "properties": fields} if fields else schema
