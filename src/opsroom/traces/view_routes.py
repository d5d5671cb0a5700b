"""Saved views of traces, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path

from opsroom.access.http import Read, Write

from . import views
from .model import View, ViewDraft

router = APIRouter(prefix="/v1/traces", tags=["traces"])


@router.get("/views")
def list_views(tx: Read) -> tuple[View, ...]:
    """The views that this project keeps, by name."""
    return tuple(views.views(tx))


@router.post("/views")
def save_view(draft: ViewDraft, tx: Write) -> View:
    """Keep a view, in place of one of that name."""
    return views.save(tx, draft)


@router.delete("/views/{name}", status_code=204)
def remove_view(name: Annotated[str, Path(max_length=200)], tx: Write) -> None:
    """Forget a view."""
    views.remove(tx, name)
