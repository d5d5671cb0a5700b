"""Turns and actions over HTTP: how agents in any language act."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from opsroom.access.http import Caller, Read, Write, called, database
from opsroom.agents import queries as agents
from opsroom.grounding.model import Piece
from opsroom.kit.db import Actor, Database
from opsroom.kit.wire import Wire
from opsroom.policies.model import PolicySpec
from opsroom.web.waiting import until

from . import doors, executing, queries, turning, whatif
from .executing import Finding, Report
from .model import Action, AnyOutcome, Final, Outcome, Pending, Proposal, Running, State, Turn
from .ports import Executors
from .queries import ActionRecord, TurnRecord
from .turning import Serve, TurnDraft
from .whatif import WhatIf

router = APIRouter(prefix="/v1", tags=["actions"])
LONGEST_WAIT = 60.0
Limit = Annotated[int, Query(ge=1, le=500)]
Before = Annotated[str | None, Query(max_length=100)]
Name = Annotated[str | None, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts(Wire):
    """What was said, in order, and in whose voice."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(Wire):
    """How many pieces the turn holds now."""

    pieces: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Wire):
    plan: str
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending(Wire):
    final: Final
    result: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Wire):
    """The attempt that `execute` named, whose right to start is to be renewed."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPage(Wire):
    """Turns, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Turn, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionPage(Wire):
    """Actions, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Action, ...]
    next: str | None


@router.post("/turns", status_code=201)
def begin_turn(draft: TurnDraft, tx: Write, request: Request, response: Response) -> Turn:
    """Begin a turn: an agent handling one task, under the version that serves its subject."""
    called(request, tx, draft.agent)
    turn = turning.begin_turn(tx, draft, serve=cast("Serve", request.app.state.serve))
    if (ending := agents.ending(tx, turn.agent)) is not None:
        response.headers.update(ending.headers)
    return turn


@router.get("/turns")
def list_turns(
    tx: Read,
    agent: Name = None,
    session: Name = None,
    before: Before = None,
    limit: Limit = queries.PAGE,
) -> TurnPage:
    """Turns, newest first."""
    found = queries.turns(tx, agent=agent, session=session, before=before, limit=limit)
    return TurnPage(items=tuple(found), next=found[-1].id if len(found) == limit else None)


@router.get("/turns/{turn_id}")
def show_turn(turn_id: str, tx: Read) -> TurnRecord:
    """The decision record of a turn: what was said, planned, decided and done."""
    return queries.turn(tx, turn_id)


@router.post("/turns/{turn_id}/texts")
def hear(turn_id: str, said: Texts, tx: Write) -> Heard:
    """Add what was said: by the user, by a tool, by the model."""
    return Heard(pieces=turning.hear(tx, turn_id, said.pieces))


@router.post("/turns/{turn_id}/plan")
def plan(turn_id: str, said: Plan, tx: Write) -> Turn:
    """Put down what the agent means to do."""
    return turning.plan(tx, turn_id, said.plan, said.alternatives)


@router.post("/turns/{turn_id}/final")
def end_turn(turn_id: str, said: Ending, tx: Write) -> Turn:
    """Say how the turn ended."""
    return turning.end(tx, turn_id, said.final, said.result)


@router.post("/turns/{turn_id}/actions")
def propose(turn_id: str, proposal: Proposal, request: Request, actor: Caller) -> Outcome:
    """Propose an action, and hear what becomes of it."""
    return doors.propose(
        database(request), actor, turn_id, proposal, executors=_executors(request)
    )


@router.get("/actions")
def list_actions(
    tx: Read,
    turn: Name = None,
    agent: Name = None,
    tool: Name = None,
    state: State | None = None,
    before: Before = None,
    limit: Limit = queries.PAGE,
) -> ActionPage:
    """Actions, newest first."""
    found = queries.actions(
        tx, turn_id=turn, agent=agent, tool=tool, state=state, before=before, limit=limit
    )
    return ActionPage(items=tuple(found), next=found[-1].id if len(found) == limit else None)


@router.get("/actions/{action_id}")
async def show_outcome(
    action_id: str,
    request: Request,
    actor: Caller,
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT)] = 0,
) -> Outcome:
    """What stands for an action now; with `wait`, once that changes or the seconds are over.

    Waiting holds neither a transaction nor a thread.
    """
    return await until(
        request,
        lambda: _look(database(request), actor, action_id),
        settled=lambda found: (
            not isinstance(found, Running)
            and not (isinstance(found, Pending) and not found.granted)
        ),
        seconds=wait,
    )


@router.get("/actions/{action_id}/record")
def show_record(action_id: str, tx: Read) -> ActionRecord:
    """An action with everything it was judged by."""
    return queries.record(tx, action_id)


@router.post("/actions/{action_id}/begin")
def begin(action_id: str, request: Request, actor: Caller, held: Held | None = None) -> Outcome:
    """Take the right to carry an action out, or renew the one that an attempt was given."""
    return doors.begin(
        database(request),
        actor,
        action_id,
        attempt=held.attempt if held else None,
        executors=_executors(request),
    )


@router.post("/actions/{action_id}/outcome")
def report(action_id: str, said: Report, tx: Write) -> Outcome:
    """Report what came of an action; saying the same again changes nothing."""
    return executing.report(tx, action_id, said)


@router.post("/actions/{action_id}/reconcile")
def reconcile(action_id: str, found: Finding, tx: Write) -> Outcome:
    """Settle an action whose outcome nobody knew."""
    return executing.reconcile(tx, action_id, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation(Wire):
    """Policies to try on what was decided in the last `hours`: stored ones by reference, a
    draft, or none, which decides everything again as it was.
    """

    policies: tuple[str, ...] = ()
    draft: PolicySpec | None = None
    hours: Annotated[float, Field(gt=0, le=24 * 400)] = 24 * 7
    agent: str | None = None


@router.post("/policies/simulate")
def simulate(wanted: Simulation, tx: Read) -> WhatIf:
    """What other policies would have said of what agents did: the flipped verdicts."""
    named = whatif.policies_of(tx, wanted.policies)
    if wanted.draft is not None:
        named.append(("draft", wanted.draft))
    return whatif.simulate(
        tx,
        named or None,
        since=tx.now - timedelta(hours=wanted.hours),
        until=tx.now + timedelta(seconds=1),
        agent=wanted.agent,
    )


def _look(db: Database, actor: Actor, action_id: str) -> AnyOutcome:
    with db.read(actor) as tx:
        return queries.outcome(tx, action_id)


def _executors(request: Request) -> Executors:
    return cast("Executors", request.app.state.executors)
