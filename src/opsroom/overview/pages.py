"""The first page."""

from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from opsroom.access.http import Read
from opsroom.alerts.pages import TONES
from opsroom.registry.drawing import drawings
from opsroom.web.render import Pages

from . import queries

router = APIRouter(include_in_schema=False)


@router.get("/")
def overview(request: Request, tx: Read) -> Response:
    """What moves, what waits for you, what changed, what serves, and whether the record is whole."""
    return cast("Pages", request.app.state.pages).render(
        request,
        "overview/overview.html",
        found=queries.overview(tx),
        tones=TONES,
        may=tx.actor.may,
        drawn=drawings(request),
    )
