"""Sessions and users, over HTTP."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request

from opsroom.access.http import Read
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire

from . import groups
from .groups import By, Group
from .telemetry import Traces

router = APIRouter(prefix="/v1/traces", tags=["traces"])
Cursor = Annotated[str, Query(max_length=300)]
Limit = Annotated[int, Query(ge=1, le=500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPage(Wire):
    """Those seen last, first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Group, ...]
    next: str | None


@router.get("/sessions")
def list_sessions(
    request: Request,
    tx: Read,
    since: datetime | None = None,
    before: Cursor = "",
    limit: Limit = 50,
) -> GroupPage:
    """Sessions with traces, of the last 30 days unless said."""
    return _page(request, tx, By.SESSION, since, before, limit)


@router.get("/users")
def list_users(
    request: Request,
    tx: Read,
    since: datetime | None = None,
    before: Cursor = "",
    limit: Limit = 50,
) -> GroupPage:
    """Users whom traces were for, of the last 30 days unless said."""
    return _page(request, tx, By.USER, since, before, limit)


def _page(
    request: Request, tx: Tx, by: By, since: datetime | None, before: str, limit: int
) -> GroupPage:
    store = cast("Traces", request.app.state.traces)
    found = groups.page(
        store, tx.project, by, now=tx.now, since=since, before=before, limit=limit
    )
    last = found[-1].cursor if len(found) == limit else None
    return GroupPage(items=tuple(found), next=last)
