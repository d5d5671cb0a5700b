"""Autonomy over HTTP: the ladder, narrowing, widening, and the kill switch."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Query

from opsroom.access.http import Read, Write
from opsroom.kit.wire import Wire

from . import commands, queries
from .model import Envelope, Grant, Level, Switch, Widening, WideningDraft, WideningState
from .queries import AgentLevel, Ladder

router = APIRouter(prefix="/v1", tags=["autonomy"])
Limit = Annotated[int, Query(ge=1, le=500)]
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelPage(Wire):
    """Agents by name. `next` is what to pass as `after` for the page after this one."""

    items: tuple[AgentLevel, ...]
    all_stopped: Switch | None
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WideningView(Wire):
    """A widening, with the digest that an approval of it is bound to."""

    widening: Widening
    binding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WideningPage(Wire):
    """Newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[WideningView, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing(Wire):
    """Without an envelope, the one that is there stays."""

    scope: str
    level: Level
    reason: str
    environment: str = "production"
    envelope: Envelope | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WideningAnswer(Wire):
    """`binding` is the digest of what was shown; an answer to anything else is refused."""

    binding: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Wire):
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KillSwitch(Wire):
    """`agent` is a name, or `*` for all."""

    agent: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(Wire):
    """Why an agent is stopped now; None when it may act. `changed` says whether this call
    changed anything.
    """

    agent: str
    because: str | None
    changed: bool = field(default=False)


@router.get("/autonomy")
def list_autonomy(
    tx: Read,
    environment: Text = queries.PRODUCTION,
    after: Text = "",
    limit: Limit = queries.PAGE,
) -> LevelPage:
    """Every agent with its grants and its kill switch."""
    found = queries.agents(tx, environment=environment, after=after, limit=limit)
    return LevelPage(
        items=tuple(found),
        all_stopped=queries.switch_of_all(tx),
        next=found[-1].agent if len(found) == limit else None,
    )


@router.get("/autonomy/{agent}")
def show_autonomy(agent: str, tx: Read, environment: Text = queries.PRODUCTION) -> Ladder:
    """What one agent may do alone, what it has earned, and what is missing for more."""
    return queries.ladder(tx, agent, environment=environment)


@router.post("/autonomy/{agent}/narrow")
def narrow_autonomy(agent: str, wanted: Narrowing, tx: Write) -> Grant:
    """Let an agent do less, at once."""
    return commands.narrow(
        tx,
        agent,
        wanted.scope,
        wanted.level,
        environment=wanted.environment,
        envelope=wanted.envelope,
        reason=wanted.reason,
    )


@router.get("/widenings")
def list_widenings(
    tx: Read,
    agent: Text = "",
    state: WideningState | None = None,
    before: Text = "",
    limit: Limit = queries.PAGE,
) -> WideningPage:
    """What was asked for, newest first."""
    found = queries.widenings(tx, agent=agent, state=state, before=before, limit=limit)
    return WideningPage(
        items=tuple(_view(one) for one in found),
        next=found[-1].id if len(found) == limit else None,
    )


@router.post("/widenings", status_code=201)
def propose_widening(draft: WideningDraft, tx: Write) -> WideningView:
    """Ask for more freedom for an agent. Nothing changes until a person approves."""
    return _view(commands.propose_widening(tx, draft))


@router.get("/widenings/{widening_id}")
def show_widening(widening_id: str, tx: Read) -> WideningView:
    return _view(queries.widening(tx, widening_id))


@router.post("/widenings/{widening_id}/approve")
def approve_widening(widening_id: str, said: WideningAnswer, tx: Write) -> Grant:
    """Approve a widening exactly as it was shown. Only people do, and not who asked."""
    return commands.widen(tx, widening_id, binding=said.binding, reason=said.reason)


@router.post("/widenings/{widening_id}/decline")
def decline_widening(widening_id: str, said: Refusal, tx: Write) -> WideningView:
    """Answer no."""
    return _view(commands.decline(tx, widening_id, reason=said.reason))


@router.post("/kill-switch")
def turn_on_kill_switch(wanted: KillSwitch, tx: Write) -> Stopped:
    """Stop an agent, or all. What is under way ends within two seconds."""
    changed = commands.kill(tx, wanted.agent, wanted.reason)
    return Stopped(
        agent=wanted.agent, because=queries.stopped(tx, wanted.agent), changed=changed
    )


@router.post("/kill-switch/revive")
def turn_off_kill_switch(wanted: KillSwitch, tx: Write) -> Stopped:
    """Let an agent act again, as far as its grants go; only a person does that for all."""
    changed = commands.revive(tx, wanted.agent, wanted.reason)
    return Stopped(
        agent=wanted.agent, because=queries.stopped(tx, wanted.agent), changed=changed
    )


def _view(one: Widening) -> WideningView:
    return WideningView(widening=one, binding=one.binding)
