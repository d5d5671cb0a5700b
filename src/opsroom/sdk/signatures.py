"""How a function takes its arguments, and how they travel: as JSON data, both ways.

A function takes keyword arguments, or one pydantic model or dataclass whose fields they are.
What is approved is JSON; what is called gets the types that it asked for.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import cached_property
from typing import Any, NotRequired, cast, get_type_hints

from .errors import BrokenAction

VARIADIC = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
RESULT = "return"


class Shape:
    """The arguments and the result of one function; nothing is built before it is needed."""

    def __init__(self, tool: str, function: Callable[..., Any]) -> None:
        self._tool = tool
        self._function = function
        self._parameters = list(inspect.signature(function).parameters.values())

    @cached_property
    def whole(self) -> Any | None:
        """The model that the function takes in place of keyword arguments."""
        if len(self._parameters) != 1:
            return None
        hint = self._hints.get(self._parameters[0].name)
        return hint if _has_fields(hint) else None

    def plain(self, arguments: Any) -> dict[str, Any]:
        """Arguments as JSON data: only what was given, no defaults."""
        from pydantic_core import to_jsonable_python

        if arguments is None:
            return {}
        if isinstance(arguments, Mapping):
            given: Any = dict(arguments)
        elif hasattr(arguments, "model_dump"):
            given = arguments.model_dump(mode="json", exclude_unset=True, by_alias=True)
        else:
            given = arguments
        found = to_jsonable_python(given, by_alias=True)
        if not isinstance(found, dict):
            raise BrokenAction(self._tool, f"a {type(arguments).__name__} names no arguments")
        return found

    def bind(self, arguments: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """JSON data as what the function is to be called with."""
        if self.whole is not None:
            value = self._taken.validate_python(dict(arguments))
            only = self._parameters[0]
            if only.kind is inspect.Parameter.KEYWORD_ONLY:
                return (), {only.name: value}
            return (value,), {}
        return (), self._taken.validate_python(dict(arguments))

    def told(self, value: Any) -> Any:
        """A result as JSON data; what has no such form is told in words."""
        from pydantic_core import from_json, to_json

        text = to_json(value, inf_nan_mode="strings", by_alias=True, serialize_unknown=True)
        return from_json(text)

    def remembered(self, value: Any) -> Any:
        """A result that an earlier call had, as the function would have returned it."""
        from pydantic import TypeAdapter, ValidationError

        hint = self._hints.get(RESULT, Any)
        try:
            return TypeAdapter(hint).validate_python(value)
        except ValidationError:
            return value

    def input_schema(self) -> dict[str, Any]:
        """What the function takes, as JSON Schema; nothing else is let in."""
        from pydantic.json_schema import GenerateJsonSchema

        class OneSpelling(GenerateJsonSchema):
            """A decimal is a number, never text too: "1e3" and 1000 must not be two amounts."""

            def decimal_schema(self, schema: Any) -> dict[str, Any]:
                return self.float_schema(cast("Any", {**schema, "type": "float"}))

        schema: dict[str, Any] = self._taken.json_schema(
            by_alias=True, schema_generator=OneSpelling
        )
        return {"additionalProperties": False, **schema}

    def output_schema(self) -> dict[str, Any] | None:
        """What it returns, as JSON Schema; None where its annotation does not say."""
        from pydantic import PydanticSchemaGenerationError, TypeAdapter
        from pydantic.errors import PydanticInvalidForJsonSchema

        hint = self._hints.get(RESULT, Any)
        if hint is Any:
            return None
        try:
            return TypeAdapter(hint).json_schema(mode="serialization", by_alias=True)
        except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema):
            return None

    @cached_property
    def _taken(self) -> Any:
        from pydantic import ConfigDict, TypeAdapter, with_config
        from typing_extensions import TypedDict

        if self.whole is not None:
            return TypeAdapter(self.whole)
        fields: dict[str, Any] = {}
        for one in self._parameters:
            if one.kind in VARIADIC or one.kind is inspect.Parameter.POSITIONAL_ONLY:
                raise BrokenAction(self._tool, f"{str(one)!r} has no name to be called by")
            if one.name not in self._hints:
                raise BrokenAction(self._tool, f"{one.name!r} has no annotation")
            hint = self._hints[one.name]
            needed = one.default is inspect.Parameter.empty
            fields[one.name] = hint if needed else NotRequired[hint]
        made: Any = TypedDict  # mypy knows only those that are written out
        return TypeAdapter(with_config(ConfigDict(extra="forbid"))(made(self._tool, fields)))

    @cached_property
    def _hints(self) -> dict[str, Any]:
        try:
            return get_type_hints(self._function, include_extras=True)
        except NameError as error:
            raise BrokenAction(self._tool, str(error)) from error


def _has_fields(hint: Any) -> bool:
    return isinstance(hint, type) and (is_dataclass(hint) or hasattr(hint, "model_fields"))
