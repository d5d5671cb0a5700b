"""Nothing beside what a schema names: objects are closed unless their author says otherwise.

An argument that nobody described is one that no policy looked at. What is closed is spelt out
in the schema, so that whoever reads a stored contract sees it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_COMBINED = ("allOf", "anyOf", "oneOf", "$ref", "if", "dependentSchemas")
_SAID = ("additionalProperties", "unevaluatedProperties", "patternProperties")
_MANY = ("properties", "$defs", "definitions")
_LISTS = ("anyOf", "oneOf", "prefixItems")


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` with `additionalProperties: false` wherever it lists properties and says nothing
    of others. Doing it again changes nothing.

    An object that lists none stays open: it was meant to hold anything. Parts of an `allOf`
    stay open too, or none could be met beside the others; the whole of them is closed.
    """
    done: dict[str, Any] = _closed(schema, frozenset(_in_all_of(schema)))
    return done


def open_places(schema: Mapping[str, Any]) -> bool:
    """Whether the arguments may hold fields that nobody described."""
    return not any(schema.get(word) is False for word in _SAID)


def _closed(schema: Any, parts: frozenset[str], place: str = "#") -> Any:
    if not isinstance(schema, Mapping):
        return schema
    done: dict[str, Any] = dict(schema)
    for word in _MANY:
        if isinstance(done.get(word), Mapping):
            done[word] = {
                name: _closed(one, parts, f"#/{word}/{name}" if place == "#" else "")
                for name, one in done[word].items()
            }
    if isinstance(done.get("items"), Mapping):
        done["items"] = _closed(done["items"], parts, "")
    lists_own = bool(done.get("properties"))
    for word in _LISTS:
        if isinstance(done.get(word), list) and not (lists_own and word != "prefixItems"):
            done[word] = [_closed(one, parts, "") for one in done[word]]
    names = isinstance(done.get("properties"), Mapping)
    if not names or place in parts or any(word in done for word in _SAID):
        return done
    together = any(word in done for word in _COMBINED)
    done["unevaluatedProperties" if together else "additionalProperties"] = False
    return done


def _in_all_of(schema: Any, inside: bool = False) -> Iterator[str]:
    """Every place inside the schema that is only a part of some whole."""
    if isinstance(schema, Mapping):
        reference = schema.get("$ref")
        if isinstance(reference, str) and (inside or "properties" in schema):
            yield reference
        for word, one in schema.items():
            listed = word in {"anyOf", "oneOf"} and "properties" in schema
            yield from _in_all_of(one, word == "allOf" or listed)
    elif isinstance(schema, list):
        for one in schema:
            yield from _in_all_of(one, inside)
