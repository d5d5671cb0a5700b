"""Sessions and users in the browser: who was served, how it went, and the traces behind it."""

from typing import Annotated, cast

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from opsroom.access.http import Read
from opsroom.kit.db import Tx
from opsroom.web.render import Pages

from . import groups, queries
from .group_routes import Cursor
from .groups import By
from .model import Filter
from .telemetry import Traces

PAGE = 50
router = APIRouter(prefix="/traces", include_in_schema=False)


@router.get("/sessions")
def sessions_page(request: Request, tx: Read, before: Cursor = "") -> Response:
    """Sessions, the one seen last first."""
    return _list(request, tx, By.SESSION, before)


@router.get("/users")
def users_page(request: Request, tx: Read, before: Cursor = "") -> Response:
    """Users, the one seen last first."""
    return _list(request, tx, By.USER, before)


@router.get("/sessions/{session_id:path}")
def session_page(
    request: Request,
    tx: Read,
    session_id: Annotated[str, Path(max_length=200)],
    before: Cursor = "",
) -> Response:
    """One session: what it came to, and its traces, newest first."""
    store = cast("Traces", request.app.state.traces)
    found = groups.session(store, tx.project, session_id, now=tx.now)
    rows = queries.page(
        store, tx.project, Filter(session=session_id), now=tx.now, before=before, limit=PAGE + 1
    )
    return _pages(request).render(
        request,
        "traces/session.html",
        found=found,
        rows=rows[:PAGE],
        next=rows[PAGE - 1].cursor if len(rows) > PAGE else "",
        before=before,
    )


def _list(request: Request, tx: Tx, by: By, before: str) -> Response:
    store = cast("Traces", request.app.state.traces)
    found = groups.page(store, tx.project, by, now=tx.now, before=before, limit=PAGE + 1)
    return _pages(request).render(
        request,
        "traces/groups.html",
        by=by.value,
        rows=found[:PAGE],
        next=found[PAGE - 1].cursor if len(found) > PAGE else "",
        before=before,
    )


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
