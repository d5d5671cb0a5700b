"""The audit page: what happened, in words, and whether the record of it is whole."""

from collections.abc import Callable, Collection
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opsroom.access.http import Caller, Read, database
from opsroom.kit.db import Tx
from opsroom.kit.errors import Failed
from opsroom.web.render import Pages

from . import checkpoints, queries
from .attesting import attest, last_attested
from .routes import notary_of
from .vocabulary import WORDS
from .words import Called, tell

PAGE = 40

router = APIRouter(prefix="/audit", include_in_schema=False)
Filter = Annotated[str, Query(max_length=300)]


@router.get("")
def audit_page(
    request: Request,
    tx: Read,
    subject: Filter = "",
    event: Filter = "",
    actor: Filter = "",
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """What happened in this project, newest first, as narrow as the address says."""
    return _show(request, tx, subject, event, actor, before)


@router.post("/verify")
def verify(request: Request, actor: Caller) -> Response:
    """Walk the whole chain and say what was found, on the same page."""
    db = database(request)
    broken: Failed | None = None
    try:
        attest(db, actor, notary=notary_of(request))
    except Failed as error:
        broken = error
    with db.read(actor) as tx:
        return _show(request, tx, "", "", "", None, verified=broken is None, broken=broken)


def _show(
    request: Request,
    tx: Tx,
    subject: str,
    event: str,
    actor: str,
    before: int | None,
    *,
    verified: bool = False,
    broken: Failed | None = None,
) -> Response:
    status = broken.status if broken else 200
    chosen = {"subject": subject.strip(), "event": event.strip(), "actor": actor.strip()}
    page = queries.entries(
        tx,
        subject=chosen["subject"] or None,
        event=chosen["event"] or None,
        actor=chosen["actor"] or None,
        before=before,
        limit=PAGE + 1,
    )
    shown = page[:PAGE]
    broken = broken or _not_what_was_signed(request, tx)
    called = called_by(request, tx, {entry.subject for entry, _ in shown})
    return cast("Pages", request.app.state.pages).render(
        request,
        "journal/audit.html",
        status=status,
        rows=[(entry, hash_, tell(entry, called)) for entry, hash_ in shown],
        chosen={name: value for name, value in chosen.items() if value},
        events=sorted({name.partition(":")[0] for name in WORDS}),
        head=queries.head(tx),
        last=last_attested(tx),
        signed=None if broken else checkpoints.last(tx),
        verified=verified,
        broken=broken,
        before=before,
        next=shown[-1][0].seq if len(page) > PAGE else None,
    )


def _not_what_was_signed(request: Request, tx: Tx) -> Failed | None:
    """What speaks against the newest checkpoint at a glance: without walking the chain."""
    try:
        checkpoints.check(tx, notary_of(request))
    except Failed as error:
        return error
    return None


def called_by(request: Request, tx: Tx, subjects: Collection[str]) -> Called:
    """What people call these subjects; whoever knows them stands above the journal."""
    names = cast("Callable[[Tx, Collection[str]], Called]", request.app.state.called)
    return names(tx, subjects)
