"""What a prompt template may be made of, and what a reading of one tells."""

from dataclasses import dataclass
from enum import StrEnum

# fmt: off
FILTERS = frozenset({
    "abs", "capitalize", "default", "first", "float", "indent", "int", "items", "join", "last",
    "length", "lower", "replace", "reverse", "round", "sort", "title", "tojson", "trim",
    "truncate", "unique", "upper",
})
TESTS = frozenset({
    "boolean", "defined", "even", "false", "mapping", "none", "number", "odd", "sequence",
    "string", "true", "undefined",
})
CONSTANTS = frozenset({"true", "false", "none", "True", "False", "None"})
# fmt: on
MAX_NESTING = 32
MAX_STEPS = 200
MAX_TAGS = 5000


class Does(StrEnum):
    """What a piece of a template does."""

    TEXT = "text"
    PLACE = "place"
    INCLUDE = "include"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One step of a template in reading order.

    `text` is the literal text, or the name of what is included. `sources` are the variables
    that a placed value comes from, through loops as well; `filters` are the last it passed.
    `bound` are the loop names in sight; `repeated` says whether it stands in a loop.
    """

    does: Does
    line: int
    column: int
    text: str = ""
    sources: frozenset[str] = frozenset()
    filters: tuple[str, ...] = ()
    bound: frozenset[str] = frozenset()
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """Where values are compared, searched or sliced, which takes longer the longer they are.

    `whole` are the variables that are looked at as they were passed, `within` those of which
    only a part is; `looped` says whether a loop may do it again and again.
    """

    whole: frozenset[str]
    within: frozenset[str]
    looped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What a template does. `names` are the variables it needs, with their first line and column.

    `source` is the template as the engine gets it: with the same lines, but with the ends of
    lines that hold nothing but a tag inside that tag, so that they leave no empty line. `logic`
    is where it first does more than place whole values: chooses, repeats, picks or filters.
    """

    source: str
    pieces: tuple[Piece, ...]
    names: dict[str, tuple[int, int]]
    comparisons: tuple[Comparison, ...] = ()
    logic: tuple[int, int] | None = None


def placing(text: str) -> str:
    """A template that places exactly `text`, whatever braces it holds."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'{{{{ "{escaped}" }}}}'
