"""The journal over HTTP: reading it, verifying it, taking it away."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from pydantic import StringConstraints
from starlette.responses import StreamingResponse

from opsroom.access.http import Caller, Read, database
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.wire import Wire

from . import checkpoints, files, proofs, queries
from .checkpoints import Notary
from .errors import NoCheckpoint
from .model import Entry, Head
from .proofs import EntryProof, GrowthProof, Signed

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningPublicKey(Wire):
    """Empty before the first checkpoint."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey(Wire):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


def notary_of(request: Request) -> Notary:
    return cast("Notary", request.app.state.notary)


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
def verify(request: Request, tx: Read, older: Head | None = None) -> Head:
    """Walk the whole chain, hold it against the newest checkpoints, and answer its head; 422 at
    the first entry that does not fit.
    """
    return checkpoints.verify(tx, notary_of(request), older=older)


@router.get("/key")
def key(tx: Read) -> SigningPublicKey:
    """The public key that checkpoints are signed with: `name+id+base64`, as signed notes have it."""
    return SigningPublicKey(key=checkpoints.key_on_record(tx) or "")


@router.post("/key")
def new_key(request: Request, actor: Caller, body: NewKey) -> Signed:
    """Make another key and sign the journal with it: the old one was lost or got out, or an
    older backup had to be put back. What does not fit the old checkpoint is put on record.
    """
    return checkpoints.begin_anew(
        database(request), notary_of(request), actor, reason=body.reason
    )


@router.get("/checkpoint")
def checkpoint(request: Request, tx: Read) -> Signed:
    """The newest checkpoint; 422 where the journal is not what was signed."""
    checkpoints.check(tx, notary_of(request))
    return _last(tx)


@router.post("/checkpoint")
def make_checkpoint(request: Request, _: Caller) -> Signed:
    """Sign what the journal is now, without waiting for the minute to pass."""
    return checkpoints.make(database(request), notary_of(request))


@router.get("/proofs/entry")
def entry_proof(tx: Read, seq: Annotated[int, Query(ge=1)]) -> EntryProof:
    """The proof that an entry of this project is among those of the newest checkpoint."""
    signed = _last(tx)
    return proofs.entry(tx, seq, size=signed.size, note=signed.note)


@router.get("/proofs/growth")
def growth_proof(
    tx: Read,
    first: Annotated[int, Query(ge=0)],
    second: Annotated[int | None, Query(ge=0)] = None,
) -> GrowthProof:
    """The proof that the journal of `second` entries begins with that of `first`; without
    `second`, the one of the newest checkpoint.
    """
    return proofs.growth(tx, first, _last(tx).size if second is None else second)


@router.get("/export")
def export(request: Request, actor: Caller) -> StreamingResponse:
    """The whole chain as JSON lines, for verifying it elsewhere."""
    lines = _lines(database(request), actor)
    return StreamingResponse(lines, media_type="application/jsonl")


def _last(tx: Tx) -> Signed:
    signed = checkpoints.last(tx)
    if signed is None:
        raise NoCheckpoint(queries.head(tx).seq)
    return signed


def _lines(db: Database, actor: Actor) -> Iterator[str]:
    with db.read(actor) as tx:
        yield from files.lines(queries.chain(tx))
