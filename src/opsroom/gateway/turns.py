"""Which turn a call over MCP belongs to, and putting the call before the gate."""

import asyncio

from opsroom.actions import doors, turning
from opsroom.actions.errors import TurnNotFound
from opsroom.actions.model import Final, Proposal
from opsroom.actions.ports import Executors
from opsroom.actions.turning import Serve, TurnDraft
from opsroom.grounding.model import Piece, Voice
from opsroom.kit.db import Database, Tx
from opsroom.kit.wire import plain

from . import store
from .model import SESSION_LIMIT
from .visiting import Act, Acted, Call, Visit

OURS = "trn_"


def gate(db: Database, *, serve: Serve, executors: Executors) -> Act:
    """What puts a call before the gate: finds or begins its turn, and proposes the action."""

    async def act(visit: Visit, call: Call) -> Acted:
        return await asyncio.to_thread(_act, db, visit, call, serve, executors)

    return act


def leave(tx: Tx, agent: str, session: str, *, environment: str) -> None:
    """End the turn of a conversation, if it was one; ending it twice changes nothing."""
    bound = _there(environment, session)
    turn = store.turn_of(tx, agent, bound) if session else None
    if turn is not None:
        store.unbind_turn(tx, agent, bound)
        if turning.get(tx, turn).final is None:
            turning.end(tx, turn, Final.DONE)


def _act(db: Database, visit: Visit, call: Call, serve: Serve, executors: Executors) -> Acted:
    turn = _known(db, visit, call)
    if turn is None or call.meta.user:
        with db.write(visit.actor) as tx:
            turn = turn or _begun(tx, visit, call, serve)
            said = [Piece(voice=Voice.USER, text=text) for text in call.meta.user]
            if said:
                turning.hear(tx, turn, said)
    proposal = Proposal(
        tool=call.tool,
        arguments=dict(call.arguments),
        key=call.meta.key,
        confidence=call.meta.confidence,
    )
    outcome = doors.propose(db, visit.actor, turn, proposal, executors=executors)
    return Acted(turn=turn, outcome=plain(outcome))


def _known(db: Database, visit: Visit, call: Call) -> str | None:
    """The turn that the caller names, or that the conversation already is; never one of another
    environment. Raises `TurnNotFound`.
    """
    if call.meta.turn.startswith(OURS):
        with db.read(visit.actor) as tx:
            if turning.get(tx, call.meta.turn).environment != visit.environment:
                raise TurnNotFound(call.meta.turn)
        return call.meta.turn
    name = _name(visit, call)
    if not name:
        return None
    with db.read(visit.actor) as tx:
        return store.turn_of(tx, visit.agent, _there(visit.environment, name))


def _begun(tx: Tx, visit: Visit, call: Call, serve: Serve) -> str:
    name, meta = _name(visit, call), call.meta
    draft = TurnDraft(
        agent=visit.agent,
        intent=meta.intent or (meta.user[0] if meta.user else f"call {call.tool} over MCP"),
        subject=meta.subject,
        session=name,
        human=meta.human,
        environment=visit.environment,
    )
    turn = turning.begin_turn(tx, draft, serve=serve).id
    if not name:
        return turn
    return store.bind_turn(tx, visit.agent, _there(visit.environment, name), turn)


def _name(visit: Visit, call: Call) -> str:
    return (call.meta.turn or visit.session)[:SESSION_LIMIT]


def _there(environment: str, name: str) -> str:
    """What a conversation is bound under: the same name in two environments is two turns."""
    return f"{environment} {name}"
