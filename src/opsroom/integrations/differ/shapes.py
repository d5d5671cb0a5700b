"""A JSON Schema in the one form that comparison understands. No I/O.

OpenAPI 3.0 and 3.1 say the same thing in different ways (`nullable`, boolean exclusive limits,
a reference inside an `allOf` of one); here they become equal before anybody compares them.
References are followed one at a time, when they are reached, so a document may be cyclic.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

Json = Mapping[str, Any]

MOST_HOPS = 32
MOST_PARTS = 100
ANNOTATIONS = frozenset(
    {
        "$anchor", "$comment", "$id", "$schema", "description", "example", "examples",
        "externalDocs", "summary", "title", "xml",
    }
)  # fmt: skip
COMPOSED = ("oneOf", "anyOf")
OF_OBJECTS = ("properties", "required", "additionalProperties", "patternProperties")
OF_LISTS = ("items", "prefixItems")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a schema admits. `types` is None where any type will do; null is told apart."""

    types: frozenset[str] | None
    nullable: bool
    words: Json
    name: str = ""
    title: str = ""

    def branches(self) -> tuple[str, list[Any]]:
        """The composing word that is used, and what it lists."""
        for word in COMPOSED:
            if listed := listing(self.words.get(word)):
                return word, listed
        return "", []

    def admits(self, kind: str) -> bool:
        return self.types is None or kind in self.types


def mapping(value: object) -> Json:
    return cast("Json", value) if isinstance(value, Mapping) else {}


def listing(value: object) -> list[Any]:
    found: list[Any] = value if isinstance(value, list) else []
    return found


def resolved(value: object, root: Json) -> tuple[Json, str]:
    """The object that `value` is or refers to, with the last name on the way. Words beside a
    reference stay, as OpenAPI 3.1 has it. What leads nowhere admits everything.
    """
    name, beside, here = "", dict[str, Any](), mapping(value)
    for _ in range(MOST_HOPS):
        reference = here.get("$ref")
        if not isinstance(reference, str):
            break
        beside = {**{key: one for key, one in here.items() if key != "$ref"}, **beside}
        name = reference.rsplit("/", 1)[-1]
        here = mapping(at(root, reference))
    else:
        here = {}
    return ({**here, **beside} if beside else here), name


def at(root: Json, reference: str) -> object:
    """What a local reference (`#/components/…`) points at; None for every other."""
    if not reference.startswith("#"):
        return None
    here: object = root
    for step in reference[1:].split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")
        match here:
            case Mapping():
                here = mapping(here).get(key)
            case list() if key.isdecimal() and int(key) < len(listing(here)):
                here = listing(here)[int(key)]
            case _:
                return None
    return here


def shaped(value: object, root: Json) -> Shape:
    """The schema `value` in the one form."""
    if value is False:
        return Shape(types=frozenset(), nullable=False, words={})
    found, name = resolved(value, root)
    words = _exclusive(found)
    if len(listing(words.get("allOf"))) == 1:
        words, name = _inlined(words, root, name)
    nullable, words = _without_null(words, root)
    types = _types(words)
    for word in COMPOSED:
        bare = _bare_types(words, word, root)
        if types is None and bare is not None:
            types, words = bare, {key: one for key, one in words.items() if key != word}
    kinds = types - {"null"} if types is not None else None
    if "const" in words:
        words = {**words, "enum": [words["const"]]}
    return Shape(
        types=kinds,
        nullable=nullable or (types is not None and "null" in types),
        words={
            key: one
            for key, one in words.items()
            if key not in ANNOTATIONS and key not in {"type", "nullable", "const"}
        },
        name=name,
        title=str(found.get("title") or ""),
    )


def merged(shape: Shape, root: Json, left: list[int] | None = None) -> Shape:
    """The same with its `allOf` worked in: fields and demands of all, limits of the first.

    `left` counts down the parts that are looked at: a document may lead round in circles.
    """
    parts, left = listing(shape.words.get("allOf")), left or [MOST_PARTS]
    words = {key: one for key, one in shape.words.items() if key != "allOf"}
    types, nullable = shape.types, shape.nullable
    for part in parts:
        left[0] -= 1
        if left[0] <= 0:
            break
        one = merged(shaped(part, root), root, left)
        types = one.types if types is None else types
        nullable = nullable or one.nullable
        words = joined(words, one.words)
    return replace(shape, types=types, nullable=nullable, words=words) if parts else shape


def joined(words: Json, more: Json) -> dict[str, Any]:
    """Both sets of words at once; where they disagree, the first speaks."""
    both = {**more, **words}
    if "properties" in words and "properties" in more:
        both["properties"] = {**mapping(more["properties"]), **mapping(words["properties"])}
    if "required" in words and "required" in more:
        both["required"] = [*listing(words["required"]), *listing(more["required"])]
    return both


def spread(shape: Shape, branch: object, root: Json) -> Shape:
    """One alternative together with what stands beside the alternatives."""
    word, _ = shape.branches()
    beside = {
        key: one for key, one in shape.words.items() if key not in {word, "discriminator"}
    }
    one = merged(shaped(branch, root), root)
    return replace(
        one,
        types=one.types if one.types is not None else shape.types,
        words=joined(one.words, beside),
        nullable=one.nullable or shape.nullable,
    )


def says_nothing(value: object, root: Json) -> bool:
    """Whether a schema admits everything: only annotations, or nothing at all."""
    shape = shaped(value, root)
    return shape.types is None and not set(shape.words) - {"deprecated", "readOnly", "default"}


def _exclusive(found: Json) -> Json:
    """Boolean exclusive limits (3.0) as numbers (3.1)."""
    words = dict(found)
    for limit, exclusive in (
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ):
        if words.get(exclusive) is True and limit in words:
            words[exclusive] = words.pop(limit)
        elif isinstance(words.get(exclusive), bool):
            del words[exclusive]
    return words


def _inlined(words: Json, root: Json, name: str) -> tuple[Json, str]:
    inner, inner_name = resolved(listing(words["allOf"])[0], root)
    rest = {key: one for key, one in words.items() if key != "allOf"}
    if "allOf" in inner and "allOf" in rest:
        return words, name
    return joined(rest, _exclusive(inner)), name or inner_name


def _without_null(words: Json, root: Json) -> tuple[bool, Json]:
    """Whether null is admitted by a word of its own, and the words without that."""
    nullable = words.get("nullable") is True
    for word in COMPOSED:
        branches = listing(words.get(word))
        left = [one for one in branches if not _is_null(one, root)]
        if branches and len(left) < len(branches):
            nullable = True
            rest = {key: one for key, one in words.items() if key != word}
            if len(left) == 1:
                inner, _ = resolved(left[0], root)
                words = joined(rest, _exclusive(inner))
            else:
                words = {**rest, word: left}
    values = listing(words.get("enum"))
    if None in values and len(values) > 1:
        words = {**words, "enum": [one for one in values if one is not None]}
        nullable = True
    return nullable, words


def _is_null(value: object, root: Json) -> bool:
    found, _ = resolved(value, root)
    return found.get("type") == "null" or found.get("enum") == [None]


def _types(words: Json) -> frozenset[str] | None:
    match words.get("type"):
        case str(one):
            return frozenset({one})
        case list():
            return frozenset(map(str, listing(words["type"])))
        case _ if any(word in words for word in OF_OBJECTS):
            return frozenset({"object"})
        case _ if any(word in words for word in OF_LISTS):
            return frozenset({"array"})
        case _:
            return None


def _bare_types(words: Json, word: str, root: Json) -> frozenset[str] | None:
    """The types that alternatives name, if types are all that they name."""
    branches = [resolved(one, root)[0] for one in listing(words.get(word))]
    if not branches or any(set(one) - ANNOTATIONS != {"type"} for one in branches):
        return None
    return frozenset().union(*(_types(one) or frozenset() for one in branches))
