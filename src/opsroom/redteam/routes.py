"""Attacks and edge cases over HTTP."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from pydantic import Field

from opsroom.access.http import Caller, Read, database
from opsroom.evals.measure import Measurement, measure
from opsroom.kit.wire import Wire
from opsroom.models import Models
from opsroom.registry.routes import KnownKinds

from . import commands, conversing, rehearsing, reporting
from .conversing import Talk, Talked
from .model import Generated, Recipe
from .rehearsing import Rehearsal, Rehearsed
from .reporting import Report
from .techniques import TECHNIQUES, Technique

router = APIRouter(prefix="/v1/redteam", tags=["redteam"])
Rate = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial(Wire):
    """What is measured, and how much may go wrong at most."""

    measurement: Measurement
    limit: Rate | None = None


@router.get("/techniques")
def list_techniques(_tx: Read) -> tuple[Technique, ...]:
    """Every technique by which cases are made, with the ids of the field's taxonomies."""
    return TECHNIQUES


@router.post("/datasets", status_code=201)
def generate(recipe: Recipe, actor: Caller, request: Request, known: KnownKinds) -> Generated:
    """Make attacks or edge cases out of a dataset; the same recipe gives the same version."""
    return commands.generate(
        database(request), actor, recipe, models=_models(request), kinds=known
    )


@router.post("/runs")
def run(wanted: Trial, actor: Caller, request: Request) -> Report:
    """Put a version to attacks or edge cases, and count; what was measured is found again."""
    done = measure(database(request), actor, wanted.measurement, models=_models(request))
    with database(request).read(actor) as tx:
        return reporting.report(tx, done.id, limit=wanted.limit)


@router.get("/runs/{run_id}")
def show_report(
    run_id: str, tx: Read, limit: Annotated[float | None, Query(ge=0, le=1)] = None
) -> Report:
    """How often things went wrong in a run, by technique, with the first cases in which."""
    return reporting.report(tx, run_id, limit=limit)


@router.post("/conversations")
def talk(wanted: Talk, actor: Caller, request: Request, known: KnownKinds) -> Talked:
    """Let simulated users talk with a version; what was said becomes cases and answers."""
    return conversing.talk(
        database(request), actor, wanted, models=_models(request), kinds=known
    )


@router.post("/rehearsals")
def rehearse(wanted: Rehearsal, actor: Caller, request: Request) -> Rehearsed:
    """Let an agent work on cases with every action simulated: the gate decides, nothing leaves."""
    return rehearsing.rehearse(database(request), actor, wanted, models=_models(request))


def _models(request: Request) -> Models:
    return cast("Models", request.app.state.models)
