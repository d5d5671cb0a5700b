"""What the journal says, in words: one sentence for each event, and the page of its subject.

An event that nobody has found words for is shown by its name and its facts; nothing is left
out because we do not know it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .model import Entry
from .vocabulary import ARTIFACTS, PLACES, TURNS, WORDS, Tone

MISSING = "?"
SHOWN_FACTS = 200
Called = Mapping[str, str]
NOBODY: Called = {}
SPOKEN = frozenset({*ARTIFACTS, *PLACES, "import", "action"})
_PLAIN = re.compile(r"[A-Za-z0-9._-]+(?:@[A-Za-z0-9._-]+)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An entry for people: a sentence, what stands beside it, how it strikes, where to look."""

    seq: int
    at: datetime
    title: str
    note: str
    tone: Tone
    href: str


def tell(entry: Entry, called: Called = NOBODY) -> Told:
    """The entry in words. Every entry has some.

    `called` says what people call a subject whose own name is only an id.
    """
    words = WORDS.get(f"{entry.event}:{_turn(entry)}") or WORDS.get(entry.event)
    if words is None:
        return Told(
            seq=entry.seq,
            at=entry.at,
            title=f"{entry.actor}: {entry.event} on {entry.subject}",
            note=_listed(entry.facts)[:SHOWN_FACTS],
            tone="muted",
            href=address(entry.subject),
        )
    facts = _Facts(entry, called)
    return Told(
        seq=entry.seq,
        at=entry.at,
        title=words.says.format_map(facts),
        note=words.note.format_map(facts).strip(),
        tone=words.tone,
        href=words.place.format_map(facts) if words.place else address(entry.subject),
    )


def address(subject: str) -> str:
    """The page of a subject (`prompt/refunds@7`, `release/rel_…`), or nothing."""
    what, _, name = subject.partition("/")
    if _PLAIN.fullmatch(name) is None:
        return ""
    if what in ARTIFACTS:
        name, _, at = name.partition("@")
        return f"{ARTIFACTS[what]}/{name}" + (f"?at={at}" if at else "")
    return PLACES.get(what, "").format(name)


def _turn(entry: Entry) -> str:
    facts = entry.facts
    if entry.event == "version.created" and facts.get("reverts") is not None:
        return "reverts"
    if entry.event == "label.moved" and facts.get("before") is None:
        return "first"
    return str(facts.get(TURNS.get(entry.event, ""), ""))


class _Facts(Mapping[str, str]):
    """What a sentence may name; a fact that an older entry lacks is a question mark."""

    def __init__(self, entry: Entry, called: Called) -> None:
        self._known: dict[str, Any] = {
            **entry.facts,
            # An evaluation names the version it measures as one of its facts.
            "measured": entry.facts.get("subject"),
            "actor": entry.actor,
            "subject": called.get(entry.subject, entry.subject),
        }

    def __getitem__(self, name: str) -> str:
        match self._known.get(name):
            case None:
                return MISSING
            case dict() as several:
                return _listed(several)
            case list() as many:
                return ", ".join(map(str, many))
            case one:
                return _spoken(str(one))

    def __iter__(self) -> Any:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def _spoken(text: str) -> str:
    """`prompt/refunds` as `prompt refunds`; versions and people go by their names alone."""
    what, slash, name = text.partition("/")
    if not slash or what not in SPOKEN or _PLAIN.fullmatch(name) is None:
        return text
    return name if what in {"user", "import"} or "@" in name else f"{what} {name}"


def _listed(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())
