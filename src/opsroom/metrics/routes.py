"""Metrics for whoever scrapes them."""

from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from opsroom.access.http import Caller

from .collecting import Metrics
from .exposition import CONTENT_TYPE

router = APIRouter(tags=["metrics"])


@router.get("/metrics", response_class=Response)
def scrape(request: Request, actor: Caller) -> Response:
    """Metrics of the caller's project in Prometheus' text format, ten seconds old at most."""
    state = request.app.state
    found = cast("Metrics", state.metrics).of(actor.project, state.traces)
    return Response(found.text, headers={"Content-Type": CONTENT_TYPE})
