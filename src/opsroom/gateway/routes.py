"""The MCP door over HTTP, and the tools in quarantine."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opsroom.access.commands import check_acts_for
from opsroom.access.http import Read, Write, called
from opsroom.agents import queries as agents
from opsroom.integrations.differ import Change
from opsroom.kit.wire import Wire
from opsroom.registry import environments
from opsroom.registry.diff import Span
from opsroom.registry.model import PRODUCTION

from . import queries, turns
from .model import Quarantined
from .visiting import Answers, Visit, session_of

router = APIRouter(tags=["gateway"])


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinePage(Wire):
    """Tools in quarantine, newest first. `next` is what to pass as `before` for the page after."""

    items: tuple[Quarantined, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference(Wire):
    """A tool in quarantine: what changed, how bad each change is, and all of it word by word."""

    quarantined: Quarantined
    changes: tuple[Change, ...]
    spans: tuple[Span, ...]


@router.post("/mcp/{agent}")
def speak_mcp(
    agent: str, request: Request, tx: Read, environment: str = PRODUCTION
) -> Response:
    """The Model Context Protocol (streamable HTTP): the tools of one agent's contracts, each
    call through the gate. docs/how-to/mcp.md tells what goes into `_meta`.
    """
    check_acts_for(tx.actor, agent)
    environments.check_within(tx, environment)
    called(request, tx, agent)
    agents.admit(tx, agent, None)  # a conversation has no subject yet; its turn has
    visit = Visit(
        actor=tx.actor,
        agent=agent,
        environment=environment,
        manifest=agents.manifest(tx, agent, environment),
        session=session_of(request),
    )
    return cast("Answers", request.app.state.mcp_door).answer(visit)


@router.delete("/mcp/{agent}", status_code=204)
def end_session(agent: str, request: Request, tx: Write, environment: str = PRODUCTION) -> None:
    """End a conversation of an older MCP client, and the turn that it was."""
    check_acts_for(tx.actor, agent)
    environments.check_within(tx, environment)
    turns.leave(tx, agent, session_of(request), environment=environment)


@router.get("/v1/gateway/quarantine")
def list_quarantined(
    tx: Read,
    before: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = queries.PAGE,
) -> QuarantinePage:
    """Tools of MCP servers that were seen to differ from what was approved."""
    items = tuple(queries.quarantined(tx, before=before, limit=limit))
    return QuarantinePage(items=items, next=items[-1].id if len(items) == limit else None)


@router.get("/v1/gateway/quarantine/{quarantine_id}")
def show_quarantined(quarantine_id: str, tx: Read) -> Difference:
    """One of them, and what changed."""
    found = queries.one(tx, quarantine_id)
    return Difference(
        quarantined=found, changes=queries.changes(found), spans=queries.difference(found)
    )
