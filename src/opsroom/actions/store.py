"""Turns, what was said in them, actions and their keys in the database."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Float,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

from opsroom.grounding.model import Piece, Voice
from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, insert_missing, metadata
from opsroom.kit.wire import adapter, plain
from opsroom.policies.model import PolicyRequest, Reason, Verdict

from .errors import ActionMoved
from .model import Action, Enforcement, Final, Refusal, State, Turn
from .trying import Circuit

KEPT = timedelta(days=30)  # how long a key stands for the call it was first used for

turns = Table(
    "turns",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("version", String, nullable=False),
    Column("manifest", String(64), nullable=False),
    Column("environment", String, nullable=False),
    Column("intent", Text, nullable=False),
    Column("subject", String, nullable=False),
    Column("session", String, nullable=False),
    Column("human", String, nullable=False),
    Column("release", String),
    Column("arm", String, nullable=False),
    Column("trace", String, nullable=False),
    Column("plan", Text, nullable=False),
    Column("alternatives", JSON, nullable=False),
    Column("final", String),
    Column("result", Text, nullable=False),
    Column("started_at", Utc, nullable=False),
    Column("deadline", Utc),
    Column("ended_at", Utc),
    Column("revision", Integer, nullable=False),
    Index("ix_turns_project_id", "project", "id"),
    Index("ix_turns_project_agent_id", "project", "agent", "id"),
    Index("ix_turns_project_session", "project", "session", "id"),
)

turn_texts = Table(
    "turn_texts",
    metadata,
    Column("turn", String, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("voice", String, nullable=False),
    Column("tool", String, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Utc, nullable=False),
)

actions = Table(
    "actions",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("turn", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("manifest", String(64), nullable=False),
    Column("environment", String, nullable=False),
    Column("tool", String, nullable=False),
    Column("contract", String, nullable=False),
    Column("contract_digest", String, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("key", String, nullable=False),
    Column("policy", String, nullable=False),
    Column("verdict", String),
    Column("reasons", Text, nullable=False),
    Column("enforcement", String),
    Column("refused_by", String),
    Column("because", Text, nullable=False),
    Column("level", String, nullable=False),
    Column("confidence", Float),
    Column("approval", String),
    Column("state", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("lease_until", Utc),
    Column("result", Text),
    Column("error", Text, nullable=False),
    Column("cost", String),
    Column("amount", String),
    Column("proposed_at", Utc, nullable=False),
    Column("decided_at", Utc),
    Column("ended_at", Utc),
    Column("revision", Integer, nullable=False),
    # The request exactly as it was decided, so that it can be decided again.
    Column("request", Text, nullable=False),
    # Everything that makes up the digest of an approval beside the columns.
    Column("binding", Text, nullable=False),
    Index("ix_actions_project_id", "project", "id"),
    Index("ix_actions_project_agent_id", "project", "agent", "id"),
    Index("ix_actions_project_state_id", "project", "state", "id"),
    Index("ix_actions_turn", "turn", "id"),
    Index("ix_actions_tool", "project", "agent", "tool", "proposed_at"),
    Index("ix_actions_lease", "state", "lease_until"),
)

keys = Table(
    "action_keys",
    metadata,
    Column("project", String, primary_key=True),
    Column("agent", String, primary_key=True),
    Column("tool", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("action", String, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("expires_at", Utc, nullable=False),
)


circuits = Table(
    "action_circuits",
    metadata,
    Column("project", String, primary_key=True),
    Column("integration", String, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("breaks", Integer, nullable=False),
    Column("open_until", Utc),
)


def add_turn(tx: Tx, turn: Turn) -> None:
    tx.conn.execute(insert(turns).values(project=tx.project, **_turn_row(turn)))


def save_turn(tx: Tx, turn: Turn, *, was: Turn) -> Turn:
    """Write `turn` over `was`, unless somebody else got there first."""
    row = _turn_row(turn) | {"revision": was.revision + 1}
    done = tx.conn.execute(
        update(turns).where(turns.c.id == was.id, turns.c.revision == was.revision).values(row)
    )
    if done.rowcount == 0:
        raise ActionMoved(was.id)
    return _turn(row)


def turn(tx: Tx, turn_id: str, *, lock: bool = False) -> Turn | None:
    wanted = select(turns).where(turns.c.project == tx.project, turns.c.id == turn_id)
    row = tx.conn.execute(wanted.with_for_update() if lock else wanted).mappings().first()
    return _turn(row) if row else None


def turn_page(
    tx: Tx, *, agent: str | None, session: str | None, before: str | None, limit: int
) -> list[Turn]:
    wanted = select(turns).where(turns.c.project == tx.project)
    if agent is not None:
        wanted = wanted.where(turns.c.agent == agent)
    if session is not None:
        wanted = wanted.where(turns.c.session == session)
    if before is not None:
        wanted = wanted.where(turns.c.id < before)
    rows = tx.conn.execute(wanted.order_by(turns.c.id.desc()).limit(limit)).mappings()
    return [_turn(row) for row in rows]


def add_texts(tx: Tx, turn_id: str, pieces: Sequence[Piece]) -> int:
    """Put pieces at the end of a turn whose row is locked; how many there are now."""
    last = select(func.coalesce(func.max(turn_texts.c.seq), 0)).where(
        turn_texts.c.turn == turn_id
    )
    seq = int(tx.conn.execute(last).scalar_one())
    rows = [
        {
            "turn": turn_id,
            "seq": seq + number,
            "voice": piece.voice.value,
            "tool": piece.tool,
            "arguments": json.dumps(dict(piece.arguments), ensure_ascii=False),
            "text": piece.text,
            "at": tx.now,
        }
        for number, piece in enumerate(pieces, start=1)
    ]
    if rows:
        tx.conn.execute(insert(turn_texts), rows)
    return seq + len(rows)


def texts(tx: Tx, turn_id: str, *, after: int = 0) -> list[tuple[int, Piece]]:
    """What was said in a turn, in order."""
    wanted = select(turn_texts).where(turn_texts.c.turn == turn_id, turn_texts.c.seq > after)
    rows = tx.conn.execute(wanted.order_by(turn_texts.c.seq)).mappings()
    return [
        (
            row["seq"],
            Piece(
                voice=Voice(row["voice"]),
                text=row["text"],
                tool=row["tool"],
                arguments=json.loads(row["arguments"]),
            ),
        )
        for row in rows
    ]


def add(
    tx: Tx, action: Action, *, request: PolicyRequest | None, binding: dict[str, Any],
    amount: Decimal | None,
) -> None:  # fmt: skip
    tx.conn.execute(
        insert(actions).values(
            project=tx.project,
            request="" if request is None else json.dumps(plain(request), ensure_ascii=False),
            binding=json.dumps(binding),
            amount=None if amount is None else format(amount, "f"),
            **_row(action),
        )
    )


def save(
    tx: Tx, action: Action, *, was: Action, request: PolicyRequest | None = None
) -> Action:
    """Write `action` over `was`, unless somebody else got there first."""
    row = _row(action) | {"revision": was.revision + 1}
    if request is not None:
        row["request"] = json.dumps(plain(request), ensure_ascii=False)
    done = tx.conn.execute(
        update(actions)
        .where(actions.c.id == was.id, actions.c.revision == was.revision)
        .values(row)
    )
    if done.rowcount == 0:
        raise ActionMoved(was.id)
    return _action(row)


def action(tx: Tx, action_id: str, *, lock: bool = False) -> Action | None:
    wanted = select(actions).where(actions.c.project == tx.project, actions.c.id == action_id)
    row = tx.conn.execute(wanted.with_for_update() if lock else wanted).mappings().first()
    return _action(row) if row else None


def decided(tx: Tx, action_id: str) -> tuple[PolicyRequest | None, dict[str, Any]]:
    """The request as it was decided, and what its approval is bound to."""
    row = tx.conn.execute(
        select(actions.c.request, actions.c.binding).where(
            actions.c.project == tx.project, actions.c.id == action_id
        )
    ).one()
    request = adapter(PolicyRequest).validate_json(row.request) if row.request else None
    return request, json.loads(row.binding)


def page(
    tx: Tx,
    *,
    turn_id: str | None = None,
    agent: str | None = None,
    tool: str | None = None,
    state: State | None = None,
    before: str | None = None,
    limit: int,
) -> list[Action]:
    """Actions, newest first."""
    wanted = select(actions).where(actions.c.project == tx.project)
    for column, value in (
        (actions.c.turn, turn_id),
        (actions.c.agent, agent),
        (actions.c.tool, tool),
        (actions.c.state, state and state.value),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    if before is not None:
        wanted = wanted.where(actions.c.id < before)
    rows = tx.conn.execute(wanted.order_by(actions.c.id.desc()).limit(limit)).mappings()
    return [_action(row) for row in rows]


def lapsed(tx: Tx, *, limit: int = 200) -> list[Action]:
    """What was being carried out, of every project, and should have been reported by now."""
    wanted = (
        select(actions)
        .where(
            actions.c.state.in_(_LEASED),
            actions.c.lease_until < tx.now,
        )
        .order_by(actions.c.lease_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_action(row) for row in tx.conn.execute(wanted).mappings()]


def any_lapsed(tx: Tx) -> bool:
    wanted = select(actions.c.id).where(
        actions.c.state.in_(_LEASED), actions.c.lease_until < tx.now
    )
    return tx.conn.execute(wanted.limit(1)).first() is not None


def project_of(tx: Tx, action_id: str) -> str | None:
    wanted = select(actions.c.project).where(actions.c.id == action_id)
    return tx.conn.execute(wanted).scalar()


def counts(
    tx: Tx, *, turn_id: str, agent: str, tool: str, digest: str
) -> tuple[int, int, int, Decimal, Decimal]:
    """Calls in the turn, the same calls in it, calls of the tool in the last hour, and the US
    dollars that this turn and the agent's last day moved with it.
    """
    mine = select(actions.c.digest, actions.c.tool, actions.c.amount, actions.c.state).where(
        actions.c.turn == turn_id
    )
    rows = tx.conn.execute(mine).all()
    done = [one for one in rows if one.tool == tool and one.state in _SPENT]
    day = select(actions.c.amount, actions.c.proposed_at, actions.c.state).where(
        actions.c.project == tx.project,
        actions.c.agent == agent,
        actions.c.tool == tool,
        actions.c.proposed_at > tx.now - timedelta(days=1),
    )
    lately = tx.conn.execute(day).all()
    hour = tx.now - timedelta(hours=1)
    return (
        len(rows),
        sum(one.digest == digest for one in rows),
        sum(one.proposed_at > hour for one in lately),
        _total(done),
        _total([one for one in lately if one.state in _SPENT]),
    )


def key_holder(
    tx: Tx, *, agent: str, tool: str, key: str, action_id: str, digest: str
) -> tuple[str, str]:
    """The action and digest that a key stands for, after trying to take it for `action_id`.

    The row stays locked, so of two who use a key at once one sees the other's.
    """
    place = and_(
        keys.c.project == tx.project,
        keys.c.agent == agent,
        keys.c.tool == tool,
        keys.c.key == key,
    )
    tx.conn.execute(delete(keys).where(place, keys.c.expires_at <= tx.now))
    row = {
        "project": tx.project,
        "agent": agent,
        "tool": tool,
        "key": key,
        "action": action_id,
        "digest": digest,
        "expires_at": tx.now + KEPT,
    }
    wanted = select(keys.c.action, keys.c.digest).where(place).with_for_update()
    while True:
        insert_missing(tx, keys, [row])
        # Between the two, whoever held the key may have given it back.
        if (found := tx.conn.execute(wanted).first()) is not None:
            return found.action, found.digest


def free_key(tx: Tx, action_id: str, *, agent: str, tool: str, key: str) -> None:
    """Give a key back that stands for something that did not happen."""
    tx.conn.execute(
        delete(keys).where(
            keys.c.project == tx.project,
            keys.c.agent == agent,
            keys.c.tool == tool,
            keys.c.key == key,
            keys.c.action == action_id,
        )
    )


def circuit(tx: Tx, integration: str, *, lock: bool = False) -> Circuit:
    """How an integration has done lately."""
    wanted = select(circuits.c.failures, circuits.c.breaks, circuits.c.open_until).where(
        circuits.c.project == tx.project, circuits.c.integration == integration
    )
    row = tx.conn.execute(wanted.with_for_update() if lock else wanted).mappings().first()
    return Circuit(**row) if row else Circuit()


def save_circuit(tx: Tx, integration: str, now: Circuit) -> None:
    place = and_(circuits.c.project == tx.project, circuits.c.integration == integration)
    if now == Circuit():
        tx.conn.execute(delete(circuits).where(place))
        return
    row = {"failures": now.failures, "breaks": now.breaks, "open_until": now.open_until}
    if tx.conn.execute(update(circuits).where(place).values(row)).rowcount == 0:
        insert_missing(
            tx, circuits, [{"project": tx.project, "integration": integration, **row}]
        )


def requests(
    tx: Tx, *, since: datetime, until: datetime, agent: str | None = None, chunk: int = 1000
) -> Iterator[Sequence[Any]]:
    """Decided actions of a stretch of time, oldest first, in chunks: id, agent, tool, request,
    verdict, the digest of the policies that gave it, manifest and turn.
    """
    after = ""
    while True:
        wanted = select(
            actions.c.id,
            actions.c.agent,
            actions.c.tool,
            actions.c.request,
            actions.c.verdict,
            actions.c.policy,
            actions.c.manifest,
            actions.c.turn,
        ).where(
            actions.c.project == tx.project,
            actions.c.proposed_at >= since,
            actions.c.proposed_at < until,
            actions.c.verdict.is_not(None),
            actions.c.id > after,
        )
        if agent is not None:
            wanted = wanted.where(actions.c.agent == agent)
        rows = [*tx.conn.execute(wanted.order_by(actions.c.id).limit(chunk))]
        if not rows:
            return
        yield rows
        after = rows[-1].id


# States that end by themselves when their time is up.
_LEASED = (State.RESERVED.value, State.EXECUTING.value)
_SPENT = frozenset(
    {
        State.RESERVED.value,
        State.EXECUTING.value,
        State.SUCCEEDED.value,
        State.UNKNOWN.value,
        State.RECONCILED.value,
        State.VERIFIED.value,
    }
)


def _total(rows: Sequence[Any]) -> Decimal:
    return sum((Decimal(one.amount) for one in rows if one.amount), Decimal(0))


def _turn_row(one: Turn) -> dict[str, Any]:
    row = {item.name: getattr(one, item.name) for item in fields(Turn)}
    return row | {
        "alternatives": list(one.alternatives),
        "final": None if one.final is None else one.final.value,
    }


def _turn(row: RowMapping | dict[str, Any]) -> Turn:
    data: dict[str, Any] = {name: value for name, value in row.items() if name != "project"}
    data["alternatives"] = tuple(data["alternatives"])
    data["final"] = data["final"] and Final(data["final"])
    return Turn(**data)


def _row(one: Action) -> dict[str, Any]:
    row = {item.name: getattr(one, item.name) for item in fields(Action)}
    return row | {
        "arguments": canonical(one.arguments).decode(),
        "reasons": json.dumps([plain(reason) for reason in one.reasons]),
        "result": None if one.result is None else json.dumps(one.result),
        "verdict": one.verdict and one.verdict.value,
        "enforcement": one.enforcement and one.enforcement.value,
        "refused_by": one.refused_by and one.refused_by.value,
        "state": one.state.value,
        "cost": None if one.cost is None else format(one.cost, "f"),
    }


_BESIDE = frozenset({"project", "request", "binding", "amount"})


def _action(row: RowMapping | dict[str, Any]) -> Action:
    data: dict[str, Any] = {name: value for name, value in row.items() if name not in _BESIDE}
    data |= {
        "arguments": json.loads(data["arguments"]),
        "reasons": tuple(
            adapter(Reason).validate_python(one) for one in json.loads(data["reasons"])
        ),
        "result": data["result"] and json.loads(data["result"]),
        "verdict": data["verdict"] and Verdict(data["verdict"]),
        "enforcement": data["enforcement"] and Enforcement(data["enforcement"]),
        "refused_by": data["refused_by"] and Refusal(data["refused_by"]),
        "state": State(data["state"]),
        "cost": data["cost"] and Decimal(data["cost"]),
    }
    return Action(**data)
