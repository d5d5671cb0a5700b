"""Tools that are not what was approved: which, and what changed."""

from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opsroom.access.http import Read
from opsroom.integrations.differ import Level
from opsroom.registry.reading import read
from opsroom.web.render import Pages

from . import queries

SHOWN = 20
TONES = {Level.BREAKING: "bad", Level.WARNING: "warn", Level.COMPATIBLE: "good"}

router = APIRouter(prefix="/quarantine", include_in_schema=False)


@router.get("")
def quarantine(
    request: Request, tx: Read, before: Annotated[str | None, Query(max_length=100)] = None
) -> Response:
    """Tools of MCP servers that differ from their contracts, each with its difference."""
    items = queries.quarantined(tx, before=before, limit=SHOWN)
    return cast("Pages", request.app.state.pages).render(
        request,
        "gateway/quarantine.html",
        items=[(one, read(queries.difference(one)), queries.changes(one)) for one in items],
        tones=TONES,
        next=items[-1].id if len(items) == SHOWN else None,
    )
