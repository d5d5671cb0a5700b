"""Scorecards in the browser: the list, and one with its table, its plot and what follows."""

from typing import Annotated, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Caller, Read, Write, database
from opsroom.models import Models
from opsroom.web.render import Notice, Pages

from . import commands, drawing, queries
from .model import SHARES, Ask, Candidate, Dimension

PATH = "/scorecards"
router = APIRouter(prefix=PATH, include_in_schema=False)
Text = Annotated[str, Query(max_length=200)]
Line = Annotated[str, Form(max_length=200)]
NOTICES = {
    "scorecard_drawn": Notice(
        text="The scorecard is kept. What was measured before was not again."
    ),
    "scorecard_attached": Notice(text="The scorecard is attached."),
}


@router.get("")
def list_page(request: Request, tx: Read, *, before: Text | None = None) -> Response:
    """What was compared, and what followed, newest first."""
    found, more = queries.scorecards(tx, before=before)
    return _pages(request).render(
        request,
        "selection/list.html",
        scorecards=found,
        tones=drawing.OUTCOMES,
        before=before,
        next=more or "",
        may="author" in tx.actor.may,
    )


@router.post("")
def draw_up(
    request: Request,
    actor: Caller,
    name: Line,
    candidates: Annotated[str, Form(max_length=2000)],
    dataset: Line = "",
    metric: Line = "",
) -> Response:
    """Draw up a scorecard of what is recorded; programs and files can ask for more."""
    subjects = tuple(line.strip() for line in candidates.splitlines() if line.strip())
    ask = Ask(
        name=name.strip(),
        candidates=tuple(Candidate(subject=one) for one in subjects),
        dataset=dataset.strip(),
        metric=metric.strip(),
    )
    models = cast("Models", request.app.state.models)
    kept = commands.draw_up(database(request), actor, ask, models=models)
    return _pages(request).redirect(f"{PATH}/{kept.digest}", notice="scorecard_drawn")


@router.get("/{wanted}")
def scorecard_page(request: Request, wanted: str, tx: Read) -> Response:
    """One scorecard: what follows, the figures, who is better than whom, the plot, the facts."""
    kept = queries.scorecard(tx, wanted)
    card = kept.card
    return _pages(request).render(
        request,
        "selection/scorecard.html",
        kept=kept,
        found=card,
        said=card.recommendation,
        tone=drawing.OUTCOMES[card.recommendation.outcome],
        shares=[one for one in SHARES if any(one in each.measures for each in card.standings)],
        dimensions=Dimension,
        place_tones=drawing.PLACES,
        place_words=drawing.PLACE_WORDS,
        called={one.name: one.called for one in card.standings},
        plot=drawing.pareto(card),
        effects=drawing.effects(card),
        level=drawing.level(card.contrasts),
        may="author" in tx.actor.may,
    )


@router.post("/{wanted}/attach")
def attach(request: Request, wanted: str, tx: Write, change: Line) -> Response:
    """Put a scorecard beside a proposal or a release."""
    change = change.strip()
    if change.startswith("rel_"):
        commands.attach_to_release(tx, wanted, change)
        return _pages(request).redirect(f"/releases/{change}", notice="scorecard_attached")
    commands.attach_to_proposal(tx, wanted, change)
    return _pages(request).redirect(f"/proposals/{change}", notice="scorecard_attached")


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
