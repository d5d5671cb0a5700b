"""What the journal holds, and what makes it trustworthy. No I/O."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsroom.kit.canonical import NotCanonical, canonical
from opsroom.kit.wire import Wire

from .errors import BadHead, ChainBroken

GENESIS = "0" * 64
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Wire):
    """One thing that happened: who did what to which subject, when, and the facts of it."""

    seq: int
    id: str
    at: datetime
    project: str
    actor: str
    event: str
    subject: str
    facts: dict[str, Any]

    def record(self) -> str:
        """The canonical text that is stored and hashed: every field, nothing beside it.

        Raises `NotCanonical` for what has no such form, and for NUL characters, which
        PostgreSQL cannot search.
        """
        text = canonical(
            {
                "seq": self.seq,
                "id": self.id,
                "at": self.at.isoformat(),
                "project": self.project,
                "actor": self.actor,
                "event": self.event,
                "subject": self.subject,
                "facts": self.facts,
            }
        )
        if _NUL.search(text):
            raise NotCanonical("the journal holds no NUL characters")
        return text.decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head(Wire):
    """The end of a chain: how many entries, and the hash that covers them all."""

    seq: int = 0
    hash: str = GENESIS

    def __post_init__(self) -> None:
        # Against a head that no chain can have, every chain would look whole.
        empty = self.seq == 0 and self.hash == GENESIS
        if not empty and (self.seq < 1 or _HASH.fullmatch(self.hash) is None):
            raise BadHead(str(self))

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


def read_head(text: str) -> Head:
    """The head that `str(head)` wrote down."""
    seq, _, hash_ = text.strip().partition(":")
    if not (seq.isascii() and seq.isdecimal() and len(seq) < 19):
        raise BadHead(text)
    return Head(seq=int(seq), hash=hash_)


def link(previous: str, record: str) -> str:
    """The hash of an entry: SHA-256 over the previous hash, a line feed and the record."""
    return hashlib.sha256(f"{previous}\n{record}".encode("utf-8", "surrogatepass")).hexdigest()


def read(record: str) -> Entry:
    """The entry a canonical record stands for."""
    data: dict[str, Any] = json.loads(record)
    data["at"] = datetime.fromisoformat(data["at"])
    return Entry(**data)


def verify(
    rows: Iterable[tuple[int, str, str]],
    *,
    older: Head | None = None,
    after: Head | None = None,
) -> Head:
    """Walk a chain of `(seq, record, hash)` rows, oldest first, and return its head. It begins
    with the first entry, or with the one that follows the head `after`.

    Raises `ChainBroken` at the first entry that was edited, dropped, inserted or moved. A
    tail that was cut off shows only against an `older` head that was kept elsewhere.
    """
    seq, last = (after.seq, after.hash) if after else (0, GENESIS)
    if older and older.seq == 0:
        older = None
    for found, record, stored in rows:
        seq += 1
        if found != seq:
            raise ChainBroken(seq, f"the next entry is numbered {found}")
        # Keys are sorted and quotes inside text are escaped, so the last `,"seq":` of a
        # canonical record is its own, and cannot be imitated by facts or by a subject.
        if not record.startswith(f',"seq":{seq},"subject":"', record.rfind(',"seq":')):
            raise ChainBroken(seq, "the record carries another number")
        last = link(last, record)
        if last != stored:
            raise ChainBroken(seq, "its hash does not cover its content and its predecessor")
        if older and seq == older.seq and last != older.hash:
            raise ChainBroken(seq, "it differs from the head that was kept earlier")
    if older and seq < older.seq:
        raise ChainBroken(seq + 1, f"{older.seq - seq} entries at the end are missing")
    return Head(seq=seq, hash=last)


def check_end(found: Head, kept: Head) -> None:
    """Raise `ChainBroken` unless the chain ends at the head that is kept beside it."""
    if found.seq < kept.seq:
        raise ChainBroken(
            found.seq + 1, f"{kept.seq - found.seq} entries at the end are missing"
        )
    if found != kept:
        raise ChainBroken(found.seq, "the chain does not end at the head kept beside it")
