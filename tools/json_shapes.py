"""What commands print with `--json`, read from their code and the API document.

Most commands print what a route answered: as it is, one field of it, or every item of its pages.
Which one that is stands in their code, and the shape in the document that the server generates
from its types, so neither can be out of date. A command that puts its answer together by itself
is left out.
"""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

METHODS = {"get": "GET", "post": "POST", "put": "PUT", "delete": "DELETE"}
EVERY = "every"  # of the client: all items of a paged list
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer of a route, or the part of it that `fields` lead to; "*" is each of a list."""

    route: str
    fields: tuple[str, ...] = ()


def answers(command: click.Command, routes: Mapping[str, Any]) -> list[Answered]:
    """What a command may show, where all of it is known; nothing otherwise."""
    if command.callback is None:
        return []
    function = inspect.unwrap(command.callback)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):
        return []
    reader = _Reader(tree, vars(sys.modules[function.__module__]), routes)
    found = [reader.read(one) for one in _shown(tree)]
    known = [one for one in found if one is not None]
    return list(dict.fromkeys(known)) if len(known) == len(found) else []


def shape(document: Schema, answered: Answered) -> Schema | None:
    """The JSON Schema of an answer in an OpenAPI document; None where it is not said."""
    method, _, path = answered.route.partition(" ")
    said = document["paths"].get(path, {}).get(method.lower(), {}).get("responses", {})
    bodies = [one for status, one in said.items() if status.startswith("2")]
    if not bodies:
        return None
    found = bodies[0].get("content", {}).get("application/json", {}).get("schema")
    for name in answered.fields:
        found = _whole(document, found)
        found = found.get("items") if name == "*" else found.get("properties", {}).get(name)
        if found is None:
            return None
    return found or None


def named(schema: Schema, found: dict[str, None]) -> None:
    """Note every shape that a schema refers to, in the order they are met."""
    for key, value in schema.items():
        if key == "$ref":
            found.setdefault(value.rsplit("/", 1)[1])
        elif isinstance(value, dict):
            named(value, found)
        elif isinstance(value, list):
            for one in value:
                if isinstance(one, dict):
                    named(one, found)


def _whole(document: Schema, schema: Schema | None) -> dict[str, Any]:
    if schema is None:
        return {}
    if "$ref" in schema:
        return dict(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    return dict(schema)


def _shown(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="show"), args=[_, answer, *_]):
                yield answer


class _Reader:
    """Follows an expression back to the route that it came from."""

    def __init__(
        self, tree: ast.AST, known: Mapping[str, Any], routes: Mapping[str, Any]
    ) -> None:
        self._known = known
        self._routes = {re.sub(r"\{[^}]*\}", "{}", route): route for route in routes}
        self._set: dict[str, list[ast.expr]] = {}
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._set.setdefault(name, []).append(value)

    def read(self, expression: ast.expr) -> Answered | None:
        match expression:
            case ast.Name(id=name) if len(self._set.get(name, ())) == 1:
                return self.read(self._set[name][0])
            case ast.Subscript(value=value, slice=ast.Constant(value=str() as field)):
                inner = self.read(value)
                return inner and Answered(inner.route, (*inner.fields, field))
            case ast.Call(func=ast.Name(id="list"), args=[one]):
                return self.read(one)
            case ast.Call(func=ast.Attribute(attr=verb), args=[path, *_]):
                return self._asked(verb, path)
            case _:
                return None

    def _asked(self, verb: str, path: ast.expr) -> Answered | None:
        method = METHODS.get("get" if verb == EVERY else verb)
        text = self._text(path)
        route = self._routes.get(f"{method} {text}") if method and text else None
        if route is None:
            return None
        return Answered(route, ("items",) if verb == EVERY else ())

    def _text(self, node: ast.expr) -> str | None:
        """A path, with {} for what is only known when it runs."""
        match node:
            case ast.Constant(value=str() as text):
                return text
            case ast.Name(id=name) if len(self._set.get(name, ())) == 1:
                return self._text(self._set[name][0])
            case ast.Name(id=name):
                found = self._known.get(name)
                return found if isinstance(found, str) else None
            case ast.JoinedStr(values=values):
                return "".join(self._piece(one) for one in values)
            case _:
                return None

    def _piece(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=str() as text):
                return text
            case ast.FormattedValue(value=ast.Name() as name):
                return self._text(name) or "{}"
            case _:
                return "{}"
