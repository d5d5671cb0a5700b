"""Integrations over HTTP: how they stand, their checks, checking now, accepting a change."""

from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Query, Request

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.wire import Wire

from . import checking, commands, queries
from .differ import Change, Level, compare, worst
from .model import Run, Standing
from .probing import Prober
from .queries import Detail, Overview
from .reading import checked

router = APIRouter(prefix="/v1", tags=["integrations"])
Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str, Query(max_length=200)]


def prober(request: Request) -> Prober:
    return cast("Prober", request.app.state.prober)


Probing = Annotated[Prober, Depends(prober)]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationPage(Wire):
    """Integrations by name. `next` is what to pass as `after` for the page after this one."""

    items: tuple[Overview, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage(Wire):
    """Checks, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Run, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance(Wire):
    """`document` is the digest of what was looked at."""

    document: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents(Wire):
    """Two OpenAPI documents to compare."""

    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Wire):
    """What changed between two documents, and the worst of it."""

    level: Level | None
    changes: tuple[Change, ...]


@router.get("/integrations")
def list_integrations(
    tx: Read, after: Text = "", limit: Limit = queries.PAGE
) -> IntegrationPage:
    """Every integration, with how it stands and how calls went lately."""
    items = tuple(queries.overviews(tx, after=after, limit=limit))
    last = items[-1].standing.name if len(items) == limit else None
    return IntegrationPage(items=items, next=last)


@router.get("/integrations/{name}")
def show_integration(name: str, tx: Read) -> Detail:
    """One integration: how it stands, its last check, and whom it hurts."""
    return queries.detail(tx, name)


@router.get("/integrations/{name}/runs")
def list_runs(
    name: str, tx: Read, before: Text | None = None, limit: Limit = queries.PAGE
) -> RunPage:
    """The checks of an integration, newest first."""
    items = tuple(queries.runs(tx, name, before=before, limit=limit))
    return RunPage(items=items, next=items[-1].id if len(items) == limit else None)


@router.post("/integrations/{name}/check")
def check_integration(name: str, actor: Caller, request: Request, probing: Probing) -> Run:
    """Check an integration now: fetch what it says of itself, and send its contract tests."""
    run = checking.check(database(request), actor, name, prober=probing)
    assert run is not None, "only a check that waits for its time may be left out"
    return run


@router.post("/integrations/{name}/accept")
def accept_change(name: str, given: Acceptance, tx: Write) -> Standing:
    """Accept what an integration promises now, in the place of what it promised before."""
    return commands.accept(tx, name, given.document, reason=given.reason)


@router.post("/openapi/compare")
def compare_documents(documents: Documents, _: Read) -> Comparison:
    """What changed between two OpenAPI documents, judged for those who use the first."""
    changes = compare(checked(documents.before), checked(documents.after))
    return Comparison(level=worst(changes), changes=changes)
