"""Secrets in the browser: what there is, where it may go, who cites it. Never a value."""

from typing import Annotated, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Read, Write
from opsroom.journal.vocabulary import ARTIFACTS
from opsroom.registry.listing import Citing
from opsroom.web.render import Notice, Pages

from . import commands, queries
from .model import LONGEST, SecretDraft

PATH = "/secrets"
PAGE = 50
router = APIRouter(prefix=PATH, include_in_schema=False)
Text = Annotated[str, Query(max_length=200)]
Word = Annotated[str, Form(max_length=500)]
Places = Annotated[str, Form(max_length=4_000)]
Value = Annotated[str, Form(max_length=LONGEST)]
NOTICES = {
    "secret_set": Notice(text="It is sealed. Nobody will see it again here.", tone="good"),
    "secret_rotated": Notice(text="The new value is used from now on.", tone="good"),
    "secret_removed": Notice(text="It is gone. What cites it is refused now.", tone="warn"),
}


@router.get("")
def list_page(request: Request, tx: Read, *, after: Text = "") -> Response:
    """What there is, and setting one."""
    found = queries.secrets(tx, after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    return _pages(request).render(
        request,
        "vault/list.html",
        secrets=shown,
        after=after,
        next=shown[-1].secret.name if len(found) > PAGE else "",
        may="administer" in tx.actor.may,
    )


@router.post("")
def set_page(
    request: Request,
    tx: Write,
    name: Word,
    places: Places,
    value: Value,
    description: Word = "",
) -> Response:
    """Keep a value for the places it may go to."""
    draft = SecretDraft(value=value, places=tuple(places.split()), description=description)
    commands.put(tx, name.strip(), draft)
    return _pages(request).redirect(f"{PATH}/{name.strip()}", notice="secret_set")


@router.get("/{name}")
def secret_page(request: Request, name: str, tx: Read) -> Response:
    """One secret: where it may go, who cites it, rotating and removing it."""
    view = queries.view(tx, name)
    return _pages(request).render(
        request,
        "vault/secret.html",
        one=view.secret,
        used_by=[(one, _place(one)) for one in view.used_by],
        may="administer" in tx.actor.may,
    )


@router.post("/{name}/rotate")
def rotate_page(request: Request, name: str, tx: Write, value: Value) -> Response:
    """Replace the value, for the same places."""
    commands.rotate(tx, name, value)
    return _pages(request).redirect(f"{PATH}/{name}", notice="secret_rotated")


@router.post("/{name}/remove")
def remove_page(request: Request, name: str, tx: Write) -> Response:
    """Forget a secret, at once."""
    commands.remove(tx, name)
    return _pages(request).redirect(PATH, notice="secret_removed")


def _place(one: Citing) -> str:
    kind, _, named = one.ref.partition("/")
    name, _, number = named.partition("@")
    return f"{ARTIFACTS[kind]}/{name}?version={number}" if kind in ARTIFACTS else ""


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
