"""A kind that only tests know, and the people who work with it."""

from dataclasses import dataclass

from opsroom.access.model import permissions_of
from opsroom.kit.db import Actor
from opsroom.kit.wire import Wire
from opsroom.registry import Finding, Kind, Lookup, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Wire):
    text: str
    cites: str = ""


def _pin(note: Note, lookup: Lookup) -> Note:
    cites = lookup(note.cites, kind="note").ref if note.cites else ""
    return Note(text=note.text, cites=cites)


def _lint(note: Note, before: Note | None, _lookup: Lookup) -> list[Finding]:
    found: list[Finding] = []
    if "forbidden" in note.text:
        found.append(Finding(code="forbidden", severity=Severity.ERROR, message="no"))
    if before is not None and len(note.text) < len(before.text):
        found.append(Finding(code="shorter", severity=Severity.INFO, message="it shrank"))
    return found


KINDS = {
    "note": Kind(name="note", shape=Note, text=lambda note: note.text, pin=_pin, lint=_lint)
}


def person(name: str, *roles: str, project: str = "default") -> Actor:
    return Actor(name, project, permissions_of(roles), roles)


def program(name: str, *roles: str, project: str = "default") -> Actor:
    return Actor(f"token:{name}", project, permissions_of(roles), roles, human=False)
