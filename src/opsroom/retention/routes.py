"""Retention over HTTP: what is decided, holds, and erasing."""

from dataclasses import dataclass, replace

from fastapi import APIRouter, Request

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit import shredding
from opsroom.kit.db import Actor, Database
from opsroom.kit.wire import Wire

from . import commands, queries
from .model import Erasure, Hold, Place, Rules, Scope, Standing, Whom

router = APIRouter(prefix="/v1/retention", tags=["retention"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding(Wire):
    """What to hold, and why; `what` is empty for the whole project."""

    scope: Scope
    what: str = ""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Releasing(Wire):
    """Why a hold ends."""

    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing(Whom):
    """Whom or what to erase. Nothing is done unless `dry_run` is false."""

    dry_run: bool = True


@router.get("")
def standing(tx: Read) -> Standing:
    """How long things are kept here, and the holds that stand."""
    return queries.standing(tx)


@router.put("")
def set_rules(tx: Write, wanted: Rules) -> Rules:
    """Keep things so long from now on: actions and approvals for 183 days at least."""
    return commands.set_rules(tx, wanted)


@router.post("/holds", status_code=201)
def hold(tx: Write, wanted: Holding) -> Hold:
    """Keep the project, what an agent did, or what is about a subject from every deletion."""
    return commands.hold(tx, wanted.scope, wanted.what, why=wanted.reason)


@router.post("/holds/{hold_id}/release", status_code=204)
def release(tx: Write, hold_id: str, why: Releasing) -> None:
    """End a hold."""
    commands.release(tx, hold_id, because=why.because)


@router.post("/erasures")
def erase(request: Request, actor: Caller, wanted: Erasing) -> Erasure:
    """Shred what people wrote and what agents did for somebody, or about a subject; first look."""
    whom = Whom(user=wanted.user, subject=wanted.subject)
    return erased(database(request), actor, whom, dry_run=wanted.dry_run)


def erased(db: Database, actor: Actor, whom: Whom, *, dry_run: bool) -> Erasure:
    """Look, or erase and leave nothing of the keys behind in the files of the database."""
    with db.read(actor) as tx:
        looked = commands.look(tx, whom)  # a hold on any part of it lets none of it go
    if dry_run:
        return looked
    told = commands.NOTHING
    place: Place | None = commands.START
    while place is not None:
        with db.write(actor) as tx:
            part, place = commands.erase(tx, whom, place)
        told += part
    return replace(told, scrubbed=shredding.scrub(db.engine))
