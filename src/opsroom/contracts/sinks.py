"""Which arguments decide whom or what a call reaches, and of what kind they are.

A contract may declare them. Where it does not, names, formats and descriptions of arguments
tell: the vocabulary is general English and the formats of JSON Schema. What was inferred says
so, until somebody confirms it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from opsroom.kit.canonical import canonical

from .model import ArgumentKind, ContractSpec, Origin, Sink
from .pointers import EACH, branches, found, join

IDENTIFYING = frozenset(
    {
        ArgumentKind.RECIPIENT,
        ArgumentKind.ACCOUNT,
        ArgumentKind.URL,
        ArgumentKind.SECRET,
        ArgumentKind.IDENTIFIER,
    }
)

# Every word of an argument's name is looked up; the first kind that has one goes.
_WORDS: tuple[tuple[ArgumentKind, frozenset[str]], ...] = (
    (
        ArgumentKind.SECRET,
        frozenset(["password", "passwd", "passphrase", "secret", "token", "credential", "credentials", "pin", "apikey", "otp"]),
    ),
    (ArgumentKind.TIME, frozenset(["date", "time", "datetime", "day", "month", "year", "hour", "start", "end", "deadline", "due", "until", "since", "duration", "timezone"])),
    (ArgumentKind.AMOUNT, frozenset(["amount", "price", "total", "sum", "cost", "fee", "value", "budget", "quantity", "qty", "currency", "balance"])),
    (
        ArgumentKind.RECIPIENT,
        frozenset(
            ["recipient", "recipients", "to", "cc", "bcc", "email", "emails", "mail", "participant", "participants", "attendee", "attendees", "guest", "guests", "invitee", "invitees", "receiver", "receivers", "user", "users", "username", "member", "members", "person", "people", "contact", "contacts", "channel", "channels", "group", "phone", "mobile", "number_to", "audience", "assignee", "owner", "payee", "beneficiary", "destination", "addressee", "reviewer", "reviewers"]
        ),
    ),
    (ArgumentKind.ACCOUNT, frozenset(["account", "accounts", "iban", "bic", "swift", "wallet", "card", "routing"])),
    (ArgumentKind.URL, frozenset(["url", "urls", "uri", "link", "links", "website", "webpage", "site", "domain", "host", "endpoint", "webhook", "href", "address"])),
    (ArgumentKind.TEXT, frozenset(["body", "text", "content", "contents", "message", "subject", "title", "description", "comment", "note", "notes", "summary", "caption", "reason", "query", "search", "keyword", "keywords"])),
    (ArgumentKind.IDENTIFIER, frozenset(["id", "ids", "uuid", "guid", "key", "ref", "reference", "number", "no", "code", "name", "path", "file", "files", "filename", "folder", "slug", "handle", "ticket", "order", "repo", "repository", "branch"])),
)  # fmt: skip
_FORMATS = {
    "email": ArgumentKind.RECIPIENT,
    "idn-email": ArgumentKind.RECIPIENT,
    "uri": ArgumentKind.URL,
    "iri": ArgumentKind.URL,
    "uri-reference": ArgumentKind.URL,
    "hostname": ArgumentKind.URL,
    "uuid": ArgumentKind.IDENTIFIER,
    "password": ArgumentKind.SECRET,
    "date": ArgumentKind.TIME,
    "date-time": ArgumentKind.TIME,
    "time": ArgumentKind.TIME,
    "duration": ArgumentKind.TIME,
}
_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")


def sinks_of(spec: ContractSpec) -> tuple[Sink, ...]:
    """The arguments that were declared, and of the others what can be inferred."""
    inferred = _inferred(canonical(spec.input))
    declared = {sink.path for sink in spec.sinks}
    return (*spec.sinks, *(one for one in inferred if one.path not in declared))


def values_at(arguments: Mapping[str, Any], path: str) -> list[tuple[str, Any]]:
    """Every value that a sink's path leads to, each with its own place."""
    return list(found(arguments, path))


def kind_of(name: str, schema: Mapping[str, Any]) -> ArgumentKind:
    """What an argument of this name and schema most likely is."""
    known = _FORMATS.get(str(schema.get("format", "")))
    if known is not None:
        return known
    words = [one.lower() for one in _SPLIT.split(name) if one]
    # An identifier says what of at its end: `user_id` is an id, `file_path` a path.
    if words and words[-1] in {"id", "ids", "uuid", "path"}:
        return ArgumentKind.IDENTIFIER
    for kind, vocabulary in _WORDS:
        if vocabulary.intersection(words):
            return kind
    return ArgumentKind.OTHER


@lru_cache(maxsize=2048)
def _inferred(text: bytes) -> tuple[Sink, ...]:
    schema = json.loads(text)
    return tuple(
        Sink(path=path, kind=kind, origin=Origin.INFERRED)
        for path, kind in _walk(schema, (), schema, 8)
        if kind is not ArgumentKind.OTHER
    )


def _walk(
    schema: Any, steps: tuple[str | int, ...], root: Any, left: int
) -> Iterator[tuple[str, ArgumentKind]]:
    for name, part in _properties(schema, root).items():
        here = (*steps, name)
        kind = kind_of(name, part)
        listed = _items(part, root)
        if listed is not None:
            yield join((*here, EACH)), kind
            if left:
                yield from _walk(listed, (*here, EACH), root, left - 1)
        elif left and _properties(part, root):
            yield from _walk(part, here, root, left - 1)
        else:
            yield join(here), kind


def _properties(schema: Any, root: Any) -> dict[str, Mapping[str, Any]]:
    for one in branches(schema, root):
        if isinstance(one.get("properties"), Mapping):
            return {
                str(name): part if isinstance(part, Mapping) else {}
                for name, part in one["properties"].items()
            }
    return {}


def _items(schema: Any, root: Any) -> Mapping[str, Any] | None:
    for one in branches(schema, root):
        if one.get("type") == "array" or "items" in one:
            items = one.get("items", {})
            return items if isinstance(items, Mapping) else {}
    return None
