"""Sunsets over HTTP: proposing, approving, watching, ending, calling off; and who lingers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from opsroom.access.http import Caller, Read, Write, database
from opsroom.access.uses import Uses
from opsroom.kit.db import Actor, Database
from opsroom.kit.wire import Wire
from opsroom.registry import Kinds
from opsroom.traces.telemetry import Traces

from . import commands, looking, queries, reviewing, watching
from .model import Decision, Observed, Sunset, SunsetDraft
from .queries import Standing
from .zombies import Finding

router = APIRouter(prefix="/v1", tags=["sunset"])
Limit = Annotated[int, Query(ge=1, le=500)]
Text = Annotated[str | None, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SunsetPage(Wire):
    """Sunsets, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Sunset, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZombiePage(Wire):
    """Findings, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Finding, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature(Wire):
    """A person's yes to exactly what `binding` names: `binding` of what was shown."""

    binding: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why(Wire):
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked(Wire):
    """How many agents were looked at, and how many findings stand after that."""

    agents: int
    findings: int


@router.get("/sunsets")
def list_sunsets(
    tx: Read,
    agent: Text = None,
    everything: bool = False,
    before: Text = None,
    limit: Limit = queries.PAGE,
) -> SunsetPage:
    """Sunsets under way, or all of them, newest first."""
    found = queries.sunsets(tx, agent=agent, everything=everything, before=before, limit=limit)
    return SunsetPage(items=tuple(found), next=found[-1].id if len(found) == limit else None)


@router.post("/sunsets", status_code=201)
def propose_sunset(draft: SunsetDraft, tx: Write) -> Sunset:
    """Propose that an agent ends; somebody else has to approve it."""
    return commands.propose(tx, draft)


@router.get("/sunsets/{sunset_id}")
def show_sunset(sunset_id: str, tx: Read) -> Standing:
    """Where a sunset stands, by its id or by the name of its agent."""
    return queries.standing(tx, sunset_id)


@router.post("/sunsets/{sunset_id}/approve")
def approve_sunset(sunset_id: str, given: Signature, tx: Write) -> Sunset:
    """Let it begin, exactly as it was shown. Only a person who did not propose it may."""
    one = queries.sunset(tx, sunset_id)
    return commands.approve(tx, one.id, binding=given.binding, reason=given.reason)


@router.post("/sunsets/{sunset_id}/look")
def look_at_sunset(sunset_id: str, request: Request, actor: Caller) -> Standing:
    """Look now who calls the agent, and take the next step if one is due."""
    look_at(request, actor, sunset_id)
    with database(request).read(actor) as tx:
        return queries.standing(tx, sunset_id)


@router.post("/sunsets/{sunset_id}/decommission")
def decommission(sunset_id: str, given: Signature, request: Request, actor: Caller) -> Sunset:
    """Sign the end of an agent that nobody calls. There is no way back from here."""
    return signed(request, actor, sunset_id, binding=given.binding, reason=given.reason)


@router.post("/sunsets/{sunset_id}/reinstate")
def reinstate(sunset_id: str, why: Why, tx: Write) -> Sunset:
    """Call it off: the agent serves everybody again."""
    return commands.reinstate(tx, queries.sunset(tx, sunset_id).id, reason=why.reason)


@router.get("/sunsets/{sunset_id}/export", response_class=StreamingResponse)
def export(sunset_id: str, request: Request, actor: Caller) -> StreamingResponse:
    """What the agent held when it ended, as JSON lines."""
    return exported(request, actor, sunset_id)


@router.get("/zombies")
def list_zombies(
    tx: Read,
    agent: Text = None,
    everything: bool = False,
    before: Text = None,
    limit: Limit = reviewing.PAGE,
) -> ZombiePage:
    """Agents that linger, and why; or all that was ever found."""
    found = reviewing.findings(
        tx, agent=agent, everything=everything, before=before, limit=limit
    )
    return ZombiePage(items=tuple(found), next=found[-1].id if len(found) == limit else None)


@router.post("/zombies/look")
def look_for_zombies(request: Request, actor: Caller) -> Looked:
    """Look at every agent now."""
    return looked(request, actor)


def look_at(request: Request, actor: Actor, named: str) -> Decision:
    """See who calls the agent of a sunset, and take the next step if one is due."""
    db = database(request)
    one, seen = _observed(request, db, actor, named)
    kinds = cast("Kinds", request.app.state.kinds)
    with db.write(commands.clockwork(actor)) as tx:
        return commands.advance(tx, one.id, seen, kinds=kinds)


def signed(request: Request, actor: Actor, named: str, *, binding: str, reason: str) -> Sunset:
    """Prove that nobody calls, and let the acting person sign the end."""
    db = database(request)
    one, seen = _observed(request, db, actor, named)
    with db.write(actor) as tx:
        return commands.decommission(tx, one.id, seen, binding=binding, reason=reason)


def looked(request: Request, actor: Actor) -> Looked:
    """Look at every agent of the project of `actor` now."""
    db = database(request)
    cast("Uses", request.app.state.uses).keep(db)
    agents = looking.look_around(
        db, cast("Traces", request.app.state.traces), commands.clockwork(actor)
    )
    with db.read(actor) as tx:
        return Looked(agents=agents, findings=sum(map(len, reviewing.flagged(tx).values())))


def exported(request: Request, actor: Actor, named: str) -> StreamingResponse:
    """The file that an agent left, as a download."""
    db = database(request)
    with db.read(actor) as tx:
        one = queries.exported(tx, named)
    name = f"{one.agent}-{one.id}.jsonl"
    return StreamingResponse(
        _lines(db, actor, one.id),
        media_type="application/jsonl",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _lines(db: Database, actor: Actor, sunset_id: str) -> Iterator[str]:
    with db.read(actor) as tx:
        yield from queries.export(tx, sunset_id)


def _observed(
    request: Request, db: Database, actor: Actor, named: str
) -> tuple[Sunset, Observed]:
    cast("Uses", request.app.state.uses).keep(db)
    with db.read(actor) as tx:
        one = queries.sunset(tx, named)
    telemetry = cast("Traces", request.app.state.traces)
    return one, watching.observe(db, telemetry, actor, one.id)
