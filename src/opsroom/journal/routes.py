"""The journal over HTTP: reading it, verifying it, taking it away."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from opsroom.access.http import Caller, Read, database
from opsroom.kit.db import Actor, Database
from opsroom.kit.wire import Wire

from . import files, queries
from .model import Entry, Head

router = APIRouter(prefix="/v1/journal", tags=["journal"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(Wire):
    """An entry, and the hash that covers it and everything before it."""

    entry: Entry
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage(Wire):
    """Entries, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Recorded, ...]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest(Wire):
    seq: int


@router.get("")
def entries(
    tx: Read,
    subject: str | None = None,
    event: str | None = None,
    actor: str | None = None,
    before: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = queries.PAGE,
) -> EntryPage:
    """What happened in this project, newest first."""
    found = queries.entries(
        tx, subject=subject, event=event, actor=actor, before=before, limit=limit
    )
    more = found[-1][0].seq if len(found) == limit else None
    return EntryPage(items=tuple(Recorded(entry=e, hash=h) for e, h in found), next=more)


@router.get("/head")
def head(tx: Read) -> Head:
    """Where the chain ends. Keep it elsewhere: it proves later that nothing was cut off."""
    return queries.head(tx)


@router.get("/latest")
def latest(tx: Read, event: Annotated[list[str], Query(max_length=20)]) -> Latest:
    """The number of the newest entry about one of these events: a cheap way to notice news."""
    return Latest(seq=queries.latest(tx, tuple(event)))


@router.post("/verify")
def verify(tx: Read, older: Head | None = None) -> Head:
    """Walk the whole chain, and answer its head; 422 at the first entry that does not fit."""
    return queries.verify(tx, older=older)


@router.get("/export")
def export(request: Request, actor: Caller) -> StreamingResponse:
    """The whole chain as JSON lines, for verifying it elsewhere."""
    lines = _lines(database(request), actor)
    return StreamingResponse(lines, media_type="application/jsonl")


def _lines(db: Database, actor: Actor) -> Iterator[str]:
    with db.read(actor) as tx:
        yield from files.lines(queries.chain(tx))
