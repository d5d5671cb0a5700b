"""The first page."""

import logging
import time
from typing import cast
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Request
from starlette.responses import Response

from opsroom.access.http import Read
from opsroom.alerts.pages import TONES
from opsroom.budgets import queries as budgets
from opsroom.kit.db import Tx
from opsroom.registry.drawing import drawings
from opsroom.traces.errors import TelemetryUnavailable
from opsroom.traces.telemetry import Traces
from opsroom.web.render import Pages

from . import costs, queries
from .costs import Costs

router = APIRouter(include_in_schema=False)
log = logging.getLogger(__name__)
FRESH = 60.0  # seconds: what agents cost is counted once a minute
_kept: WeakKeyDictionary[Traces, dict[str, tuple[float, Costs]]] = WeakKeyDictionary()


@router.get("/")
def overview(request: Request, tx: Read) -> Response:
    """What moves, what waits for you, what changed, what serves, and whether the record is whole."""
    cost = _costs(request, tx)
    planned = costs.plan(budgets.plans(tx), cost.each if cost else ())
    return cast("Pages", request.app.state.pages).render(
        request,
        "overview/overview.html",
        found=queries.overview(tx),
        cost=cost,
        used=cost.used(planned) if cost and planned else None,
        planned=planned,
        tones=TONES,
        may=tx.actor.may,
        drawn=drawings(request),
    )


def _costs(request: Request, tx: Tx) -> Costs | None:
    """What agents cost, if anybody sends telemetry that says so."""
    traces = cast("Traces", request.app.state.traces)
    if not traces.in_use:
        return None
    kept = _kept.setdefault(traces, {})
    at, found = kept.get(tx.project, (0.0, None))
    if found is None or time.monotonic() - at > FRESH:
        try:
            found = costs.costs(traces, tx.project, now=tx.now)
        except TelemetryUnavailable as error:
            log.warning("what agents cost could not be counted: %s", error)
            return None
        kept[tx.project] = (time.monotonic(), found)
    return found if found.week or found.before else None
