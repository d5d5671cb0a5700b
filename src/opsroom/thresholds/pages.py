"""An agent's confidence in the browser: the diagram, the cut-offs, and what may follow."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Read, Write
from opsroom.autonomy.drawing import envelope
from opsroom.autonomy.errors import BrokenGrant
from opsroom.autonomy.model import Envelope
from opsroom.web.render import Notice, Pages

from . import commands, drawing, queries

router = APIRouter(include_in_schema=False)
PAGE = 20
NOTICES = {
    "confidence_examined": Notice(text="Examined. What was found is below, and kept."),
    "cutoff_proposed": Notice(
        text="Proposed. Nothing changes until somebody else approves.", tone="info"
    ),
    "cutoff_tightened": Notice(text="Narrowed. It holds at once."),
}
Text = Annotated[str, Query(max_length=200)]
Word = Annotated[str, Form(max_length=200)]
Reason = Annotated[str, Form(max_length=2000, pattern=r"\S")]


@router.get("/agents/{name}/confidence")
def confidence_page(
    request: Request, name: str, tx: Read, contract: Text = "", before: Text | None = None
) -> Response:
    """What an agent's confidence is worth under one contract, and from which on it may act
    alone; without one named, that with the most labels.
    """
    found = queries.confidence(tx, name)
    chosen = contract or (found.contracts[0].contract if found.contracts else "")
    standing = queries.standing(tx, name, chosen) if chosen else None
    past = queries.examinations(tx, agent=name, contract=chosen, before=before, limit=PAGE + 1)
    shown = past[:PAGE]
    made = standing and standing.calibration
    rated = next((one for one in found.contracts if one.contract == chosen), None)
    return _pages(request).render(
        request,
        "thresholds/confidence.html",
        agent=name,
        found=found,
        chosen=chosen,
        rated=rated,
        last=rated.last if rated else None,
        standing=standing,
        diagram=drawing.diagram(made) if made else None,
        tones=drawing.TONES,
        words=drawing.WORDS,
        watching=drawing.watching(standing.watch) if standing else "",
        envelope=envelope,
        past=shown,
        alone=drawing.share_alone,
        settings=queries.settings(tx),
        next=shown[-1].id if len(past) > PAGE else "",
        may=tx.actor.may,
    )


@router.post("/agents/{name}/confidence")
def examine(request: Request, name: str, tx: Write, contract: Word) -> Response:
    """Look for a cut-off, and keep what was found."""
    commands.examine(tx, name, contract)
    return _back(request, name, contract, "confidence_examined")


@router.post("/thresholds/{cutoff_id}/propose")
def propose(
    request: Request,
    cutoff_id: str,
    tx: Write,
    reason: Reason,
    max_amount: Word = "",
    max_per_day: Word = "",
) -> Response:
    """Ask that the agent may act alone from its cut-off on."""
    one = queries.examination(tx, cutoff_id)
    commands.propose(tx, cutoff_id, reason=reason, bounds=_bounds(max_amount, max_per_day))
    return _back(request, one.agent, one.contract, "cutoff_proposed")


@router.post("/thresholds/{cutoff_id}/tighten")
def tighten(request: Request, cutoff_id: str, tx: Write, reason: Reason) -> Response:
    """Let the agent act alone from its cut-off on only."""
    one = queries.examination(tx, cutoff_id)
    commands.tighten(tx, cutoff_id, reason=reason)
    return _back(request, one.agent, one.contract, "cutoff_tightened")


def _bounds(max_amount: str, max_per_day: str) -> Envelope:
    try:
        return Envelope(
            max_amount=Decimal(max_amount) if max_amount.strip() else None,
            max_per_day=int(max_per_day) if max_per_day.strip() else None,
        )
    except (ValueError, InvalidOperation) as error:
        raise BrokenGrant("the bounds of an envelope are numbers") from error


def _back(request: Request, agent: str, contract: str, notice: str) -> Response:
    return _pages(request).redirect(
        f"/agents/{agent}/confidence?contract={contract}", notice=notice
    )


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
