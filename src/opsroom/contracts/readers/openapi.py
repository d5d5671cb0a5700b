"""Contracts of HTTP operations that an OpenAPI 3.0 or 3.1 document describes.

An operation becomes one flat list of arguments: those of its path, of its query, and the
fields of its JSON body. References are followed inside the document and nowhere else.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from opsroom.contracts.checking import checker
from opsroom.contracts.closing import closed
from opsroom.contracts.errors import BadContract, Unreadable
from opsroom.contracts.infer import tier_of, trust_of
from opsroom.contracts.model import ContractSpec, Effects, Http, Tier
from opsroom.contracts.pointers import found

from . import Found, LeftOut, graver

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
METHODS: tuple[Method, ...] = ("GET", "POST", "PUT", "PATCH", "DELETE")
SAFE_INTEGER = 2**53 - 1
SCHEMAS = "#/components/schemas/"
_TIERS = {"GET": Tier.READ, "DELETE": Tier.IRREVERSIBLE}
_ASIDE = frozenset({"discriminator", "xml", "example", "externalDocs", "nullable"})


def read_openapi(data: Any, *, server: str = "", secret: str = "") -> Found:
    """Contracts of every operation, executed against the first server, or `server`."""
    if not isinstance(data, Mapping) or not str(data.get("openapi", "")).startswith("3."):
        raise Unreadable("openapi", "it is no OpenAPI 3 document")
    base = (server or _server(data)).rstrip("/")
    made: list[ContractSpec] = []
    left_out: list[LeftOut] = []
    for path, method, operation, shared in _operations(data):
        name = str(operation.get("operationId") or _slug(method, path))
        try:
            one = _Operation(data, name, method, path, operation, shared)
            made.append(one.contract(base, secret))
        except (BadContract, Unreadable) as error:
            left_out.append(LeftOut(tool=name, why=str(error)))
    return Found(contracts=tuple(made), left_out=tuple(left_out))


class _Operation:
    """One operation of a document, on its way to being a contract."""

    def __init__(
        self,
        document: Mapping[str, Any],
        name: str,
        method: Method,
        path: str,
        operation: Mapping[str, Any],
        shared: list[Any],
    ) -> None:
        self._document, self._name, self._path = document, name, path
        self._method: Method = method
        self._operation, self._shared = operation, shared
        self._fields: dict[str, Any] = {}
        self._required: list[str] = []

    def contract(self, base: str, secret: str) -> ContractSpec:
        url = base + self._path
        query = self._parameters()
        if query and self._method not in {"GET", "DELETE"}:
            url += "?" + "&".join(f"{name}={{{name}}}" for name in query)
        self._body()
        wants = {"type": "object", "properties": self._fields, "required": self._required}
        schema = closed(_with_definitions(_plain(wants), self._document))
        said = self._operation
        says = str(said.get("description") or said.get("summary") or "")
        risk = graver(_TIERS.get(self._method, Tier.WRITE), tier_of(self._name, "", schema))
        if self._method == "GET" and risk is not Tier.EXTERNAL:
            risk = Tier.READ
        checker(schema, tool=self._name)
        return ContractSpec(
            tool=self._name,
            description=says,
            input=schema,
            risk=risk,
            effects=Effects(
                read_only=risk is Tier.READ, idempotent=self._method in {"GET", "PUT", "DELETE"}
            ),
            returns=trust_of(self._name, "", schema),
            executor=Http(method=self._method, url=url, secret=secret),
        )

    def _parameters(self) -> list[str]:
        """Take in what goes into path and query; the names of those in the query."""
        by_name: dict[tuple[str, str], Mapping[str, Any]] = {}
        for one in (*self._shared, *self._operation.get("parameters", ())):
            whole = _followed(one, self._document, self._name)
            by_name[str(whole.get("in")), str(whole.get("name"))] = whole
        query: list[str] = []
        body_follows = self._method not in {"GET", "DELETE"}
        for (place, name), one in by_name.items():
            needed = bool(one.get("required")) or place == "path"
            if place in {"header", "cookie"}:
                if needed and name.lower() not in {"authorization", "idempotency-key"}:
                    raise Unreadable(self._name, f"it needs the {place} {name!r}")
                continue
            if place == "query" and body_follows and not needed:
                continue
            schema = one.get("schema") or {}
            about = {"description": one["description"]} if one.get("description") else {}
            self._take(name, {**about, **schema}, needed=needed)
            if place == "query":
                query.append(name)
        return query

    def _body(self) -> None:
        if "requestBody" not in self._operation:
            return
        body = _followed(self._operation["requestBody"], self._document, self._name)
        content = body.get("content", {})
        kind = next((one for one in content if "json" in one), None)
        if kind is None:
            raise Unreadable(
                self._name, f"its body is {', '.join(content) or 'nothing'}, not JSON"
            )
        if self._method in {"GET", "DELETE"}:
            raise Unreadable(self._name, f"{self._method} with a body is not sent")
        schema = content[kind].get("schema", {})
        needed = bool(body.get("required"))
        for fields, required in _objects(schema, self._document, self._name):
            for name, part in fields.items():
                self._take(name, part, needed=needed and name in required)

    def _take(self, name: str, schema: Mapping[str, Any], *, needed: bool) -> None:
        if name in self._fields:
            raise Unreadable(self._name, f"{name!r} stands in two places")
        self._fields[name] = schema
        if needed:
            self._required.append(name)


def _operations(
    document: Mapping[str, Any],
) -> Iterator[tuple[str, Method, Mapping[str, Any], list[Any]]]:
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            operation = item.get(method.lower())
            if isinstance(operation, Mapping):
                yield path, method, operation, item.get("parameters", [])


def _server(document: Mapping[str, Any]) -> str:
    servers = document.get("servers") or [{}]
    url = str(servers[0].get("url", ""))
    for name, variable in servers[0].get("variables", {}).items():
        url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    if not url.startswith(("http://", "https://")):
        raise Unreadable("openapi", "it names no server by its whole address; say which")
    return url


def _slug(method: str, path: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", f"{method.lower()}_{path}").strip("_")


def _followed(value: Any, document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What a reference leads to inside the document."""
    for _ in range(16):
        if not isinstance(value, Mapping):
            break
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return value
        if not reference.startswith("#/"):
            raise Unreadable(name, f"{reference!r} leads out of the document")
        value = next((one for _, one in found(document, reference[1:])), None)
    raise Unreadable(name, "a reference leads nowhere")


def _objects(
    schema: Any, document: Mapping[str, Any], name: str
) -> Iterator[tuple[Mapping[str, Any], frozenset[str]]]:
    """The fields of a body, and which it needs; those of all parts of an `allOf`."""
    whole = _followed(schema, document, name)
    if "oneOf" in whole or "anyOf" in whole or whole.get("type", "object") != "object":
        raise Unreadable(name, "its body is not one object with fields")
    for part in whole.get("allOf", ()):
        yield from _objects(part, document, name)
    if "properties" in whole:
        yield whole["properties"], frozenset(whole.get("required", ()))
    elif "allOf" not in whole:
        raise Unreadable(name, "its body lists no fields")


def _with_definitions(schema: dict[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` with every definition that it needs, and their definitions, inside it."""
    held = document.get("components", {}).get("schemas", {})
    needed: dict[str, Any] = {}
    waiting = [schema]
    while waiting:
        for name in _named(waiting.pop()):
            if name not in needed:
                needed[name] = _plain(held.get(name, False))
                waiting.append(needed[name])
    return {**schema, "$defs": needed} if needed else schema


def _named(schema: Any) -> Iterator[str]:
    match schema:
        case Mapping():
            for word, one in schema.items():
                if word == "$ref" and isinstance(one, str):
                    yield one.removeprefix("#/$defs/")
                else:
                    yield from _named(one)
        case list():
            for one in schema:
                yield from _named(one)
        case _:
            return


def _plain(schema: Any, *, names: bool = False) -> Any:  # one rule a line
    """A schema of OpenAPI 3.0 as JSON Schema 2020-12 says the same; `names` where the keys
    are names of fields and no words of a schema.
    """
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    if names:
        return {name: _plain(one) for name, one in schema.items()}
    done = {
        word: one
        if word in {"default", "enum", "const", "examples", "required"}
        else _plain(one, names=word in {"properties", "patternProperties"})
        for word, one in schema.items()
        if word not in _ASIDE and not word.startswith("x-")
    }
    reference = done.get("$ref")
    if isinstance(reference, str):
        done["$ref"] = reference.replace(SCHEMAS, "#/$defs/")
    _limits(done)
    if schema.get("nullable") is True:
        return {"anyOf": [done, {"type": "null"}]}
    return done


def _limits(done: dict[str, Any]) -> None:
    """Limits of numbers as JSON Schema writes them."""
    for word, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(done.get(word), bool):
            strict = done.pop(word)
            if strict and limit in done:
                done[word] = done.pop(limit)
    for limit, furthest in (("minimum", -SAFE_INTEGER), ("maximum", SAFE_INTEGER)):
        # A limit beyond what a number may be limits nothing, and has no canonical form.
        if isinstance(done.get(limit), int) and abs(done[limit]) >= SAFE_INTEGER:
            done[limit] = furthest
