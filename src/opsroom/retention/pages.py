"""The page of retention: how long things are kept, what is held, and erasing somebody."""

from typing import Annotated, cast

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.db import Tx
from opsroom.web.render import Notice, Pages

from . import commands, queries
from .model import LEAST_DAYS, MOST_TEXT, Erasure, Rules, Scope, Whom
from .routes import erased

PATH = "/retention"
router = APIRouter(prefix=PATH, include_in_schema=False)
NOTICES = {
    "retention_set": Notice(text="Decided. What was kept long enough goes within the hour."),
    "hold_placed": Notice(text="Held. Nothing of it is deleted until the hold is released."),
    "hold_released": Notice(
        text="Released. What was kept by it alone goes with the next round."
    ),
}
Days = Annotated[str, Form(max_length=6, pattern=r"^\s*[0-9]*\s*$")]
Name = Annotated[str, Form(max_length=300)]
Reason = Annotated[str, Form(max_length=MOST_TEXT, pattern=r"\S")]


@router.get("")
def retention_page(request: Request, tx: Read) -> Response:
    """How long things are kept here, and the holds that stand."""
    return _show(request, tx)


@router.post("")
def set_rules(
    request: Request, tx: Write, action_days: Days = "", feedback_days: Days = ""
) -> Response:
    """Keep things so long from now on."""
    rules = Rules(action_days=_days(action_days), feedback_days=_days(feedback_days))
    commands.set_rules(tx, rules)
    return _pages(request).redirect(PATH, notice="retention_set")


@router.post("/holds")
def hold(
    request: Request,
    tx: Write,
    scope: Annotated[Scope, Form()],
    reason: Reason,
    what: Name = "",
) -> Response:
    """Place a hold."""
    commands.hold(tx, scope, what.strip(), why=reason)
    return _pages(request).redirect(PATH, notice="hold_placed")


@router.post("/holds/{hold_id}/release")
def release(request: Request, tx: Write, hold_id: str, because: Reason) -> Response:
    """End a hold."""
    commands.release(tx, hold_id, because=because)
    return _pages(request).redirect(PATH, notice="hold_released")


@router.post("/erasures")
def erase(
    request: Request,
    actor: Caller,
    user: Name = "",
    subject: Name = "",
    go: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Look what erasing would find; erase where that was confirmed."""
    whom = Whom(user=user.strip(), subject=subject.strip())
    told = erased(database(request), actor, whom, dry_run=go != "erase")
    with database(request).read(actor) as tx:
        return _show(request, tx, whom, told)


def _show(
    request: Request, tx: Tx, whom: Whom | None = None, told: Erasure | None = None
) -> Response:
    return _pages(request).render(
        request,
        "retention/retention.html",
        standing=queries.standing(tx),
        least=LEAST_DAYS,
        scopes=[(one.value, one.value) for one in Scope],
        whom=whom or Whom(),
        told=told,
        may="administer" in tx.actor.may,
    )


def _days(text: str) -> int | None:
    return int(text) if text.strip() else None


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
