"""Actions in the database, and what is counted over them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from sqlalchemy import (
    Column,
    Float,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    case,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from opsroom.kit import shredding
from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, metadata
from opsroom.kit.ids import earliest
from opsroom.kit.wire import adapter, plain
from opsroom.policies.model import PolicyRequest, Reason, Verdict

from . import key_store
from .errors import ActionMoved
from .model import Action, Enforcement, Refusal, State

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
    Column("payload", String(64), nullable=False, server_default=""),
    Index("ix_actions_project_id", "project", "id"),
    Index("ix_actions_project_agent_id", "project", "agent", "id"),
    Index("ix_actions_project_state_id", "project", "state", "id"),
    Index("ix_actions_turn", "turn", "id"),
    Index("ix_actions_moved", "project", "agent", "tool", "proposed_at", "state", "amount"),
    Index("ix_actions_lease", "state", "lease_until"),
)

_SPENDS = (
    State.RESERVED.value,
    State.EXECUTING.value,
    State.SUCCEEDED.value,
    State.UNKNOWN.value,
    State.VERIFIED.value,
)
_SPENT = or_(
    actions.c.state.in_(_SPENDS),
    and_(
        actions.c.state == State.RECONCILED.value,
        actions.c.enforcement == Enforcement.EXECUTED.value,
    ),
)

# What every action goes through is put together once; building a statement takes longer than
# running it.
_ADD = insert(actions)
_ONE = select(actions).where(
    actions.c.project == bindparam("project"), actions.c.id == bindparam("id")
)
_ONE_LOCKED = _ONE.with_for_update()


@cache
def _save(names: frozenset[str]) -> Update:
    return (
        update(actions)
        .where(actions.c.id == bindparam("of"), actions.c.revision == bindparam("at"))
        .values({name: bindparam(name) for name in names})
    )


_OF_TURN = (
    select(
        case((and_(actions.c.tool == bindparam("tool"), _SPENT), actions.c.amount)).label(
            "moved"
        ),
        func.count(),
        func.sum(case((actions.c.payload == bindparam("payload"), 1), else_=0)),
    )
    .where(actions.c.turn == bindparam("turn"), actions.c.id != bindparam("beside"))
    .group_by("moved")
)
_OF_DAY = (
    select(
        case((_SPENT, actions.c.amount)).label("moved"),
        func.count(),
        func.sum(case((actions.c.proposed_at > bindparam("hour", type_=Utc), 1), else_=0)),
    )
    .where(
        actions.c.project == bindparam("project"),
        actions.c.agent == bindparam("agent"),
        actions.c.tool == bindparam("tool"),
        actions.c.proposed_at > bindparam("day", type_=Utc),
        actions.c.id != bindparam("beside"),
    )
    .group_by("moved")
)


def add(
    tx: Tx, action: Action, *, request: PolicyRequest | None, binding: dict[str, Any],
    amount: Decimal | None,
) -> None:  # fmt: skip
    row = _row(action) | {
        "project": tx.project,
        "request": "" if request is None else json.dumps(plain(request), ensure_ascii=False),
        "binding": json.dumps(binding),
        "amount": _text(amount),
    }
    tx.conn.execute(_ADD, _sealed(tx, row))
    key_store.free(tx, action)


def save(
    tx: Tx, action: Action, *, was: Action, amount: Decimal | Literal["same"] | None = "same"
) -> Action:
    """Write `action` over `was`, unless somebody else got there first. A key that stands for
    nothing any more is free for the next call.
    """
    row = _row(action) | {"revision": was.revision + 1}
    known = shredding.seal_changed(tx, f"turn/{was.turn}", row, _PAYLOADS, was=_row(was))
    if amount != "same":
        known["amount"] = _text(amount)
    done = tx.conn.execute(_save(frozenset(known)), known | {"of": was.id, "at": was.revision})
    if done.rowcount == 0:
        raise ActionMoved(was.id)
    key_store.free(tx, action)
    return _action(row)


def action(tx: Tx, action_id: str, *, lock: bool = False) -> Action | None:
    asked = {"project": tx.project, "id": action_id}
    row = tx.conn.execute(_ONE_LOCKED if lock else _ONE, asked).mappings().first()
    return _opened(tx, [row])[0] if row else None


def decided(tx: Tx, action_id: str) -> tuple[PolicyRequest | None, dict[str, Any]]:
    """The request as it was decided, and what its approval is bound to."""
    row = (
        tx.conn.execute(
            select(actions.c.request, actions.c.binding).where(
                actions.c.project == tx.project, actions.c.id == action_id
            )
        )
        .mappings()
        .one()
    )
    (found,) = shredding.opened(tx, [row], _PAYLOADS, left=_LEFT)
    text = found["request"]
    request = adapter(PolicyRequest).validate_json(text) if text else None
    return request, json.loads(found["binding"])


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
        (actions.c.environment, tx.actor.environment or None),
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
    return _opened(tx, rows.all())


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
    return _opened(tx, tx.conn.execute(wanted).mappings().all())


def any_lapsed(tx: Tx) -> bool:
    wanted = select(actions.c.id).where(
        actions.c.state.in_(_LEASED), actions.c.lease_until < tx.now
    )
    return tx.conn.execute(wanted.limit(1)).first() is not None


def project_of(tx: Tx, action_id: str) -> str | None:
    wanted = select(actions.c.project).where(actions.c.id == action_id)
    return tx.conn.execute(wanted).scalar()


def turns_of(tx: Tx, action_ids: Sequence[str]) -> dict[str, str]:
    """The turn of each action that is known; some hundreds of them at a time."""
    wanted = select(actions.c.id, actions.c.turn).where(
        actions.c.project == tx.project, actions.c.id.in_(action_ids)
    )
    return {row.id: row.turn for row in tx.conn.execute(wanted)}


def counts(
    tx: Tx, *, turn_id: str, agent: str, tool: str, payload: str, beside: str
) -> tuple[int, int, int, Decimal, Decimal]:
    """Calls in the turn, the same calls in it, calls of the tool in the last hour, and the US
    dollars that this turn and the agent's last day moved with it; `beside` is not counted.
    """
    asked = {
        "project": tx.project,
        "turn": turn_id,
        "agent": agent,
        "tool": tool,
        "payload": payload,
        "beside": beside,
        "hour": tx.now - timedelta(hours=1),
        "day": tx.now - timedelta(days=1),
    }
    turn = tx.conn.execute(_OF_TURN, asked).all()
    day = tx.conn.execute(_OF_DAY, asked).all()
    return (
        sum(times for _, times, _ in turn),
        sum(times for _, _, times in turn),
        sum(times for _, _, times in day),
        _total(turn),
        _total(day),
    )


def requests(
    tx: Tx, *, since: datetime, until: datetime, agent: str | None = None, chunk: int = 1000
) -> Iterator[Sequence[dict[str, Any]]]:
    """Decided actions of a stretch of time, oldest first, in chunks: id, agent, tool, request,
    verdict, the digest of the policies that gave it, manifest, turn and when. What was shredded
    cannot be decided again, and is left out.
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
            actions.c.proposed_at,
        ).where(
            actions.c.project == tx.project,
            actions.c.proposed_at >= since,
            actions.c.proposed_at < until,
            actions.c.verdict.is_not(None),
            actions.c.id > after,
        )
        if agent is not None:
            wanted = wanted.where(actions.c.agent == agent)
        rows = tx.conn.execute(wanted.order_by(actions.c.id).limit(chunk)).mappings().all()
        if not rows:
            return
        opened = shredding.opened(tx, rows, _PAYLOADS, left=_LEFT)
        yield [row for row in opened if row["request"]]
        after = rows[-1]["id"]


# States that end by themselves when their time is up.
_LEASED = (State.RESERVED.value, State.EXECUTING.value)


def _total(rows: Sequence[Any]) -> Decimal:
    """The sum of amounts, each with how often it occurs."""
    return sum((Decimal(amount) * times for amount, times, _ in rows if amount), Decimal(0))


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")


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
        "cost": _text(one.cost),
    }


_BESIDE = frozenset({"project", "request", "binding", "amount"})
# What people's data may stand in; it is sealed by the key of the turn.
_PAYLOADS = frozenset({"arguments", "result", "error", "because", "request"})
_LEFT: dict[str, shredding.Left] = {
    "arguments": lambda hash_: json.dumps(shredding.remains(hash_)),
    "result": lambda hash_: json.dumps(shredding.remains(hash_)),
    "request": lambda _: "",
}


def _sealed(tx: Tx, row: dict[str, Any]) -> dict[str, Any]:
    return shredding.seal_fields(tx, f"turn/{row['turn']}", row, _PAYLOADS)


def _opened(tx: Tx, rows: Sequence[RowMapping]) -> list[Action]:
    return [_action(row) for row in shredding.opened(tx, rows, _PAYLOADS, left=_LEFT)]


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


def proposed(
    tx: Tx, windows: Sequence[tuple[datetime, datetime]]
) -> list[tuple[str, int, dict[str, Any]]]:
    """What was proposed in each window of time: agent, place of the window, counts and sums.

    Windows are found by the moment that identifiers begin with, which every index has.
    """
    inside = [
        and_(actions.c.id >= earliest("act", since), actions.c.id < earliest("act", until))
        for since, until in windows
    ]
    window = case(*((within, place) for place, within in enumerate(inside))).label("window")
    malformed = case((actions.c.refused_by == Refusal.CONTRACT.value, 1), else_=0)
    wanted = (
        select(
            actions.c.agent,
            window,
            func.count().label("actions"),
            func.sum(malformed).label("malformed"),
            func.count(actions.c.confidence).label("rated"),
            func.coalesce(func.sum(actions.c.confidence), 0.0).label("confidence"),
            func.coalesce(func.sum(actions.c.confidence * actions.c.confidence), 0.0).label(
                "squares"
            ),
        )
        .where(actions.c.project == tx.project, or_(*inside))
        .group_by(actions.c.agent, window)
    )
    return [
        (row["agent"], row["window"], {name: row[name] for name in _COUNTED})
        for row in tx.conn.execute(wanted).mappings()
    ]


_COUNTED = ("actions", "malformed", "rated", "confidence", "squares")


def decided_how(
    tx: Tx, since: datetime, until: datetime, *, agent: str, limit: int
) -> list[dict[str, Any]]:
    """How what was proposed in this time was decided, by agent and contract, the most first."""
    asked = actions.c.approval.is_not(None)
    stopped = actions.c.state.in_((State.DENIED.value, State.DEFERRED.value))
    waits = actions.c.state.in_((State.PROPOSED.value, State.AWAITING_APPROVAL.value))
    refused = actions.c.state == State.DENIED.value
    open_ = actions.c.state.in_(
        (State.PROPOSED.value, State.DEFERRED.value, State.RECOMMENDED.value)
    )
    counted = {
        "asked": asked,
        "granted": and_(asked, not_(stopped), not_(waits)),
        "stopped": and_(asked, stopped),
        "alone": and_(not_(asked), not_(refused), not_(open_)),
        "refused": and_(not_(asked), refused),
    }
    many = func.count().label("actions")
    by = (actions.c.agent, actions.c.contract)
    wanted = select(
        *by,
        many,
        *(func.sum(case((one, 1), else_=0)).label(name) for name, one in counted.items()),
    ).where(
        actions.c.project == tx.project,
        actions.c.id >= earliest("act", since),
        actions.c.id < earliest("act", until),
    )
    if agent:
        wanted = wanted.where(actions.c.agent == agent)
    rows = tx.conn.execute(wanted.group_by(*by).order_by(many.desc(), *by).limit(limit))
    return [dict(row) for row in rows.mappings()]


def standing(tx: Tx, since: datetime) -> list[tuple[str, str, str | None, str, int]]:
    """Where what was proposed since stands: agent, environment, enforcement, state, count."""
    by = (actions.c.agent, actions.c.environment, actions.c.enforcement, actions.c.state)
    wanted = select(*by, func.count()).where(
        actions.c.project == tx.project, actions.c.id >= earliest("act", since)
    )
    return [
        (row[0], row[1], row[2], row[3], row[4])
        for row in tx.conn.execute(wanted.group_by(*by))
    ]
