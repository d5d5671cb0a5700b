"""Security events in the browser: who tried what, and what became of it."""

from datetime import timedelta
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opsroom.access.http import Read
from opsroom.journal.words import tell
from opsroom.web.render import Pages

from . import queries
from .model import GRAVE, Event

PAGE = 50
BACK = timedelta(days=7)
router = APIRouter(prefix="/security", include_in_schema=False)
Word = Annotated[str, Query(max_length=200)]
NAMES = {
    "security.order_seen": "orders in what tools answered",
    "security.attack_stopped": "attacks that were stopped",
    "security.unknown_tool": "calls of tools without a contract",
    "security.secret_in_output": "secrets in outputs",
    "security.canary_seen": "canaries seen",
    "security.odd_output": "odd outputs",
    "release.security_event": "reported to a release",
    "gateway.tool_quarantined": "tools in quarantine",
}


@router.get("")
def list_page(
    request: Request,
    tx: Read,
    event: Word = "",
    agent: Word = "",
    before: int | None = None,
) -> Response:
    """What was seen, newest first."""
    known = event if event in NAMES else None
    found = queries.events(tx, event=known, agent=agent or None, before=before, limit=PAGE + 1)
    counted = queries.counts(tx, back=BACK)
    grave = sum(
        many
        for name, many in counted.items()
        if name not in {Event.ORDER_SEEN, Event.UNKNOWN_TOOL, Event.ODD_OUTPUT}
    )
    return cast("Pages", request.app.state.pages).render(
        request,
        "security/list.html",
        rows=[(entry, tell(entry)) for entry in found[:PAGE]],
        next=found[PAGE - 1].seq if len(found) > PAGE else "",
        before=before,
        event=known or "",
        agent=agent,
        counted=[(name, NAMES[name], many) for name, many in counted.items()],
        names=sorted(NAMES.items(), key=lambda one: one[1]),
        grave=grave,
        bad={one.value for one in GRAVE},
    )
