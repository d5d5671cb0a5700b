"""Drift over HTTP: what moved, by how much, looking now, and accepting the new normal."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.wire import Wire
from opsroom.traces.telemetry import Traces

from . import commands, looking, queries
from .model import Drift, Watch

router = APIRouter(prefix="/v1/drift", tags=["drift"])
Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftPage(Wire):
    """Drifts, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Drift, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watches(Wire):
    """How every aspect of every agent stood at its last look."""

    items: tuple[Watch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent(Wire):
    """Which agent to look at."""

    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked(Wire):
    """The drifts of the agent that are open after the look."""

    items: tuple[Drift, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance(Wire):
    """Why what is seen now is the new normal; it goes into the journal."""

    note: str


@router.get("")
def list_drifts(
    tx: Read, *, everything: bool = False, before: Text | None = None, limit: Limit = 50
) -> DriftPage:
    """Drifts that are open; with `everything`, those that settled or were accepted as well."""
    items = tuple(queries.drifts(tx, everything=everything, before=before, limit=limit))
    return DriftPage(items=items, next=items[-1].id if len(items) == limit else None)


@router.get("/watches")
def list_watches(tx: Read) -> Watches:
    """How every aspect of every agent stood at its last look, drift or not."""
    return Watches(items=tuple(queries.watches(tx)))


@router.post("/look")
def look(request: Request, actor: Caller, given: Agent) -> Looked:
    """Look at an agent now. Every look uses up some of the chance of a false alarm."""
    found = looking.look_at(database(request), _traces(request), actor, given.agent)
    return Looked(items=found)


@router.get("/{drift_id}")
def show_drift(drift_id: str, tx: Read) -> Drift:
    """One drift: what moved and by how much, and the traces that show it."""
    return queries.drift(tx, drift_id)


@router.post("/{drift_id}/accept")
def accept_drift(drift_id: str, given: Acceptance, tx: Write) -> Drift:
    """Call what is seen now the new normal."""
    return commands.accept(tx, drift_id, note=given.note)


def _traces(request: Request) -> Traces:
    return cast("Traces", request.app.state.traces)
