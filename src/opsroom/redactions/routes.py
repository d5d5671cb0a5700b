"""What was redacted, over HTTP and in the browser: counts by door and rule, never a value."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opsroom.access.http import Read
from opsroom.kit.wire import Wire
from opsroom.web.render import Pages

from . import queries
from .model import DOORS, Redacted

PATH = "/redactions"
router = APIRouter(tags=["redactions"])
Days = Annotated[int, Query(ge=1, le=400)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Redactions(Wire):
    """Counts of the last `days`."""

    days: int
    items: tuple[Redacted, ...]


@router.get("/v1/redactions")
def list_redactions(tx: Read, *, days: Days = queries.DAYS) -> Redactions:
    """What was taken out lately: how much, by which rule, and where."""
    return Redactions(days=days, items=tuple(queries.redacted(tx, days=days)))


@router.get(PATH, include_in_schema=False)
def redactions_page(request: Request, tx: Read, *, days: Days = queries.DAYS) -> Response:
    """What was taken out lately, and where that is decided."""
    pages = cast("Pages", request.app.state.pages)
    found = queries.redacted(tx, days=days)
    return pages.render(
        request,
        "redactions/list.html",
        found=found,
        total=sum(one.count for one in found),
        doors=DOORS,
        days=days,
    )
