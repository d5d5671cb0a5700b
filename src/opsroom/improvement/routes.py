"""Improvement over HTTP: starting a search, carrying it out at once, looking, stopping."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.wire import Wire
from opsroom.models import Models
from opsroom.registry import Kinds
from opsroom.traces.telemetry import Traces

from . import commands, queries
from .errors import InBackground
from .failing import Issues, issues_of
from .model import Candidate, Improvement, Plan
from .running import carry_out

router = APIRouter(prefix="/v1/improvements", tags=["improvements"])
Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(Wire):
    """What to search for. With `inline`, nobody carries it out until it is asked to `run`."""

    plan: Plan
    inline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImprovementPage(Wire):
    """Searches, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Improvement, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidatePage(Wire):
    """Candidates in the order in which they were found. `next` is what to pass as `after`."""

    items: tuple[Candidate, ...]
    next: int | None


@router.get("")
def list_improvements(
    tx: Read, target: Text = "", before: Text | None = None, limit: Limit = queries.PAGE
) -> ImprovementPage:
    """Searches of this project, or those of one `target` (`prompt/name`)."""
    items = tuple(queries.improvements(tx, target=target, before=before, limit=limit))
    return ImprovementPage(items=items, next=items[-1].id if len(items) == limit else None)


@router.post("")
def start_improvement(given: Start, tx: Write) -> Improvement:
    """Start a search. It sees the splits train and selection, and proposes what it finds."""
    return commands.start(tx, given.plan, inline=given.inline)


@router.get("/issues")
def list_issues(request: Request, tx: Read, agent: Text, run: Text = "") -> Issues:
    """What goes wrong with an agent or a prompt, grouped into issues; or in one evaluation run."""
    return issues_of(tx, agent, run=run, store=telemetry(request))


@router.get("/{improvement_id}")
def show_improvement(improvement_id: str, tx: Read) -> Improvement:
    """One search: what it may spend, what it spent, and what it came to."""
    return queries.improvement(tx, improvement_id)


@router.get("/{improvement_id}/candidates")
def list_candidates(
    improvement_id: str,
    tx: Read,
    after: Annotated[int, Query(ge=-1)] = -1,
    limit: Limit = queries.PAGE,
) -> CandidatePage:
    """What was tried and what was refused, with scores and reasons; number 0 is the base."""
    items = tuple(queries.candidates(tx, improvement_id, after=after, limit=limit))
    return CandidatePage(items=items, next=items[-1].number if len(items) == limit else None)


@router.post("/{improvement_id}/run")
def run_improvement(improvement_id: str, actor: Caller, request: Request) -> Improvement:
    """Carry a search out now, and answer when it is over. Safe to repeat after an interruption.

    Refused for one that the server carries out, and while somebody else is at work on it.
    """
    db = database(request)
    with db.read(actor) as tx:
        found = queries.improvement(tx, improvement_id)
    if not found.inline:
        raise InBackground(improvement_id)
    return carry_out(
        db, actor.project, improvement_id, models=_models(request), kinds=_kinds(request)
    )


@router.post("/{improvement_id}/stop")
def stop_improvement(improvement_id: str, tx: Write) -> Improvement:
    """End a search before it is done; nothing of it is proposed."""
    return commands.stop(tx, improvement_id)


def telemetry(request: Request) -> Traces | None:
    """The store of traces, where anything was ever sent to it."""
    return cast("Traces", request.app.state.traces).used


def _models(request: Request) -> Models:
    return cast("Models", request.app.state.models)


def _kinds(request: Request) -> Kinds:
    return cast("Kinds", request.app.state.kinds)
