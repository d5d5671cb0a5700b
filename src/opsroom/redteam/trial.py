"""Putting one proposal to the gate as it stands now, in a transaction that is taken back.

The gate decides for real: contract, key, switch, policy, autonomy, budget. What it wrote while
deciding (turn, holds, requests, journal) is undone, and no executor is ever called, because one
is called only for what was committed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text

from opsroom.actions import executing, proposing, turning
from opsroom.actions.errors import KeyReused
from opsroom.actions.executing import Report
from opsroom.actions.model import (
    AnyOutcome,
    Denied,
    Execute,
    Proposal,
    Refusal,
    Running,
)
from opsroom.actions.turning import Serving, TurnDraft
from opsroom.grounding.model import Piece
from opsroom.kit.db import Actor, Database, DatabaseUnavailable, Raced, Tx, alone
from opsroom.kit.wire import Wire

BECAUSE = 300
TRIES = 5
# Half of what PostgreSQL waits before it ends somebody who waits in a circle.
YIELD = text("SET LOCAL lock_timeout = '500ms'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What went before in a case: something said, or an action that was let through, with what
    it is taken to have answered.
    """

    said: Piece | None = None
    done: Proposal | None = None
    result: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(Wire):
    """What the gate said of one proposal. `alone`: it would have happened, and nobody asked."""

    item: str
    tool: str
    kind: str
    alone: bool
    refused_by: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Whose version acts, where, and for whom."""

    agent: str
    number: int
    environment: str
    human: str


@contextmanager
def taken_back(db: Database, actor: Actor) -> Iterator[Tx]:
    """A transaction in which everything can be done and of which nothing stays.

    It takes in one what work takes in many, in no order that anybody keeps: so there is one of
    them at a time, and it gives way to work (as `DatabaseUnavailable`) before that has to.
    """
    with db.write(actor) as tx:
        alone(tx, [f"redteam.trial {tx.project}"])
        if tx.conn.dialect.name == "postgresql":
            tx.conn.execute(YIELD)
        with tx.undone():
            yield tx


def acting(actor: Actor, agent: str) -> Actor:
    """`actor` as the program of an agent, which is who proposes."""
    return replace(actor, agent=agent, human=False, owner=actor.person)


def decide(
    db: Database,
    actor: Actor,
    stage: Stage,
    past: Sequence[Past],
    proposal: Proposal,
    *,
    item: str,
) -> Decided:
    """What the gate says of `proposal` after all that went before in this case.

    Raises what beginning a turn raises, `AgentRetired` among it.
    """
    for _ in range(TRIES - 1):
        with suppress(Raced, DatabaseUnavailable):
            return _tried(db, actor, stage, past, proposal, item=item)
    return _tried(db, actor, stage, past, proposal, item=item)


def _tried(
    db: Database,
    actor: Actor,
    stage: Stage,
    past: Sequence[Past],
    proposal: Proposal,
    *,
    item: str,
) -> Decided:
    with taken_back(db, acting(actor, stage.agent)) as tx:
        turn = _begun(tx, stage, past)
        try:
            outcome = proposing.propose(tx, turn, proposal)
        except KeyReused as error:
            return Decided(
                item=item,
                tool=proposal.tool[:200],
                kind="refused",
                alone=False,
                because=str(error),
            )
        return _decided(outcome, proposal, item)


def _begun(tx: Tx, stage: Stage, past: Sequence[Past]) -> str:
    """A turn in which everything has happened that went before."""
    draft = TurnDraft(
        agent=stage.agent,
        intent="rehearsal",
        environment=stage.environment,
        human=stage.human,
    )

    def serve(tx: Tx, agent: str, subject: str, environment: str) -> Serving:
        del tx, agent, subject, environment
        return Serving(number=stage.number)

    turn = turning.begin_turn(tx, draft, serve=serve)
    for one in past:
        if one.said is not None:
            turning.hear(tx, turn.id, [one.said])
        if one.done is not None:
            _repeat(tx, turn.id, one.done, one.result)
    return turn.id


def _repeat(tx: Tx, turn_id: str, proposal: Proposal, result: Any) -> None:
    outcome = proposing.propose(tx, turn_id, proposal)
    if isinstance(outcome, Running):
        executing.start(tx, outcome.id, servable=lambda _kind: True)
    if isinstance(outcome, Running | Execute):
        executing.report(tx, outcome.id, Report(state="succeeded", result=result))


def _decided(outcome: AnyOutcome, proposal: Proposal, item: str) -> Decided:
    refused = outcome.refused_by if isinstance(outcome, Denied) else None
    return Decided(
        item=item,
        tool=proposal.tool[:200],
        kind=outcome.kind,
        alone=isinstance(outcome, Execute | Running),
        refused_by=refused.value if isinstance(refused, Refusal) else "",
        because=str(getattr(outcome, "because", ""))[:BECAUSE],
    )
