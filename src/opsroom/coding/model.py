"""A tool for coding agents: which routes it asks, with what, and how its answer is cut. No I/O.

A tool is a short conversation with our own HTTP API: it asks a route, hears the answer, may
ask another, and ends with what it found. It can ask only the routes that it names, and what
those take stands in the table of permissions like for everybody else.
"""

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from .errors import BadArguments

Arguments = Mapping[str, Any]
# Names, labels, numbers, ids and digests: nothing that could lead to another route.
_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@:+-]{0,199}", re.ASCII)
_PLACE = re.compile(r"\{(\w+)(:path)?\}")
MOST_TEXT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request of ours. `route` is as the table of permissions names it; `at` fills its places."""

    route: str
    at: Arguments = field(default_factory=dict)
    query: Arguments = field(default_factory=dict)
    body: Arguments | None = None


Talk = Generator[Question, Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What a model sees of a tool, the only routes it asks, and how it asks them.

    `params` are JSON Schemas by name; those not `optional` have to be given. `cursor` is the
    argument that goes on where a page ends. `proposes` says that it is no mere look.
    """

    name: str
    about: str
    routes: tuple[str, ...]
    params: Mapping[str, Mapping[str, Any]]
    talk: Callable[[Arguments], Talk]
    optional: frozenset[str] = frozenset()
    cursor: str = ""
    proposes: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its arguments."""
        every = self.params if self.proposes else {**self.params, **PARTS}
        return {
            "type": "object",
            "properties": {name: dict(shape) for name, shape in every.items()},
            "required": [name for name in self.params if name not in self.optional],
            "additionalProperties": False,
        }


def text(about: str, *, most: int = 200) -> dict[str, Any]:
    return {"type": "string", "description": about, "maxLength": most}


def number(about: str, *, most: int, least: int = 0) -> dict[str, Any]:
    return {"type": "integer", "description": about, "minimum": least, "maximum": most}


def choice(about: str, among: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "string", "description": about, "enum": list(among)}


# Every look takes these, so that what was cut can be had.
PARTS: Mapping[str, Mapping[str, Any]] = {
    "within": text(
        "Only this part of the answer, as `cut` of an earlier one names it", most=500
    ),
    "offset": number("Where in that part to begin: a character or an item", most=100_000_000),
}


def looks(
    name: str,
    about: str,
    route: str,
    params: Mapping[str, Mapping[str, Any]],
    *,
    optional: tuple[str, ...] = (),
    cursor: str = "",
) -> Tool:
    """A tool that asks one route to read: arguments that the route has no place for are its
    query.
    """
    places = {found[1] for found in _PLACE.finditer(route)}

    def talk(given: Arguments) -> Talk:
        at = {key: value for key, value in given.items() if key in places}
        query = {key: value for key, value in given.items() if key not in places}
        return (yield Question(route=route, at=at, query=query))

    return Tool(
        name=name,
        about=about,
        routes=(route,),
        params=params,
        talk=talk,
        optional=frozenset(optional),
        cursor=cursor,
    )


def address(tool: Tool, question: Question) -> tuple[str, str]:
    """Method and path of a question, which reach its route and no other.

    Raises `BadArguments` where a value could be more than one step of a path, or where the tool
    does not name the route.
    """
    if question.route not in tool.routes:
        raise BadArguments(tool.name, f"{question.route} is not for it")
    method, _, template = question.route.partition(" ")

    def fill(found: re.Match[str]) -> str:
        value = str(question.at.get(found[1], ""))
        parts = value.split("/") if found[2] else [value]
        if not all(_SEGMENT.fullmatch(part) for part in parts):
            raise BadArguments(tool.name, f"{found[1]} is not a name or an id: {value[:100]!r}")
        return "/".join(quote(part, safe="@:+") for part in parts)

    return method, _PLACE.sub(fill, template)
