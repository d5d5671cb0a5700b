"""Scorecards over HTTP: draw one up, read it, put it beside a proposal or a release."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.wire import Wire
from opsroom.models import Models
from opsroom.registry import Proposal

from . import commands, queries
from .model import Ask, Kept

router = APIRouter(prefix="/v1/scorecards", tags=["scorecards"])
Limit = Annotated[int, Query(ge=1, le=100)]
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorecardPage(Wire):
    """Scorecards, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Kept, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Wire):
    """The proposal or the release that a scorecard is put beside, by id."""

    id: str


@router.post("")
def draw_up_scorecard(wanted: Ask, actor: Caller, request: Request) -> Kept:
    """Compare candidates for one task. Equal evidence gives the scorecard that is there already."""
    models = cast("Models", request.app.state.models)
    return commands.draw_up(database(request), actor, wanted, models=models)


@router.get("")
def list_scorecards(
    tx: Read, before: Text | None = None, limit: Limit = queries.PAGE
) -> ScorecardPage:
    """Scorecards of this project, newest first."""
    items, more = queries.scorecards(tx, before=before, limit=limit)
    return ScorecardPage(items=tuple(items), next=more)


@router.get("/{wanted}")
def show_scorecard(wanted: str, tx: Read) -> Kept:
    """A scorecard by its digest, as `name@3`, or the latest of a name."""
    return queries.scorecard(tx, wanted)


@router.post("/{wanted}/proposal")
def attach_to_proposal(wanted: str, given: Change, tx: Write) -> Proposal:
    """Put a scorecard on a proposal as its check `selection`."""
    return commands.attach_to_proposal(tx, wanted, given.id)


@router.post("/{wanted}/release")
def attach_to_release(wanted: str, given: Change, tx: Write) -> Kept:
    """Put a scorecard into the history of a release."""
    return commands.attach_to_release(tx, wanted, given.id)
