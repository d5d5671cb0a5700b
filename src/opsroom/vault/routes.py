"""Secrets over HTTP. No answer ever holds a value."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from opsroom.access.http import Read, Write
from opsroom.kit.wire import Wire

from . import commands, queries
from .model import Rotation, SecretDraft, StoredSecret
from .queries import SecretView

router = APIRouter(prefix="/v1/secrets", tags=["secrets"])
Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretPage(Wire):
    """Secrets by name. `next` is what to pass as `after` for the page after this one."""

    items: tuple[SecretView, ...]
    next: str | None


@router.get("")
def list_secrets(tx: Read, *, after: Text = "", limit: Limit = queries.PAGE) -> SecretPage:
    """The project's secrets: where each may go, who cites it, when it was last used."""
    items = tuple(queries.secrets(tx, after=after, limit=limit))
    full = len(items) == limit
    return SecretPage(items=items, next=items[-1].secret.name if full else None)


@router.get("/{name}")
def show_secret(name: str, tx: Read) -> SecretView:
    """One secret, without its value."""
    return queries.view(tx, name)


@router.put("/{name}")
def set_secret(name: str, draft: SecretDraft, tx: Write) -> StoredSecret:
    """Keep a value for the places it may go to. Other places need the value again."""
    return commands.put(tx, name, draft)


@router.post("/{name}/rotate")
def rotate_secret(name: str, wanted: Rotation, tx: Write) -> StoredSecret:
    """Replace the value, for the same places."""
    return commands.rotate(tx, name, wanted.value)


@router.delete("/{name}", status_code=204)
def remove_secret(name: str, tx: Write) -> None:
    """Forget a secret, at once."""
    commands.remove(tx, name)
