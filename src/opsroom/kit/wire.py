"""What every shape that crosses a boundary has in common."""

from typing import Any, ClassVar, TypeVar

from pydantic import ConfigDict, TypeAdapter

T = TypeVar("T")
_adapters: dict[Any, TypeAdapter[Any]] = {}


class Wire:
    """Unknown fields are refused, and every field of an answer is always present."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", json_schema_serialization_defaults_required=True
    )


def adapter(shape: type[T]) -> TypeAdapter[T]:
    """The validator and serializer of a shape; building one is slow, so each is built once."""
    built = _adapters.get(shape)
    if built is None:
        built = _adapters[shape] = TypeAdapter(shape)
    return built


def plain(value: Any) -> Any:
    """`value` as JSON data: dataclasses become dicts, times become text, decimals become text."""
    return adapter(type(value)).dump_python(value, mode="json")
