"""The table of holds: what was set aside for which action, and what became of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Numeric,
    RowMapping,
    String,
    Table,
    bindparam,
    cast,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)

from opsroom.kit.db import Tx, Utc, metadata

from .model import Hold, HoldState, Unit
from .store import Exact, Place

holds = Table(
    "budget_holds",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("action", String, nullable=False),
    Column("turn", String, nullable=False),
    Column("budget_id", String, ForeignKey("budgets.id"), nullable=False),
    Column("unit", String, nullable=False),
    Column("since", Utc, nullable=False),
    Column("key", String, nullable=False),
    Column("amount", Exact, nullable=False),
    Column("state", String, nullable=False),
    Column("settled", Exact),
    Column("created_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Index("ix_budget_holds_action", "project", "action"),
    Index("ix_budget_holds_counter", "budget_id", "since", "key", "id"),
    Index(
        "ix_budget_holds_expiry",
        "expires_at",
        sqlite_where=text("state = 'held'"),
        postgresql_where=text("state = 'held'"),
    ),
)

_ADD_HOLDS = insert(holds)
_HOLDS = (
    select(holds)
    .where(holds.c.project == bindparam("project"), holds.c.action == bindparam("action"))
    .order_by(holds.c.id)
)
_HOLDS_LOCKED = _HOLDS.with_for_update()
_END_HOLDS = (
    update(holds)
    .where(holds.c.id == bindparam("b_id"))
    .values(state=bindparam("state"), settled=bindparam("settled"))
)


def add_holds(tx: Tx, made: Sequence[Hold], *, turn: str) -> None:
    rows = [_hold_row(one) | {"project": tx.project, "turn": turn} for one in made]
    tx.conn.execute(_ADD_HOLDS, rows)


def holds_of(tx: Tx, action: str, *, lock: bool = False) -> list[Hold]:
    """Every hold an action ever had, oldest first."""
    asked = {"project": tx.project, "action": action}
    rows = tx.conn.execute(_HOLDS_LOCKED if lock else _HOLDS, asked).mappings()
    return [_hold(row) for row in rows]


def overdue(
    tx: Tx, *, places: Collection[Place] | None = None, limit: int = 500
) -> list[tuple[str, Hold]]:
    """Holds whose time is up, each with its project, locked. What somebody else is settling at this moment is left
    out, so nobody is waited for.
    """
    wanted = select(holds).where(
        holds.c.state == HoldState.HELD.value, holds.c.expires_at <= tx.now
    )
    if places is not None:
        place = tuple_(holds.c.budget_id, holds.c.since, holds.c.key)
        wanted = wanted.where(place.in_(list(places)))
    wanted = wanted.order_by(holds.c.expires_at).limit(limit)
    rows = tx.conn.execute(wanted.with_for_update(skip_locked=True)).mappings()
    return [(row["project"], _hold(row)) for row in rows]


def anything_overdue(tx: Tx) -> bool:
    """Whether any hold's time is up, in any project."""
    wanted = select(holds.c.id).where(
        holds.c.state == HoldState.HELD.value, holds.c.expires_at <= tx.now
    )
    return tx.conn.execute(wanted.limit(1)).first() is not None


def end_holds(tx: Tx, ended: Sequence[Hold]) -> None:
    """Write what became of holds."""
    if not ended:
        return
    rows = [{"b_id": one.id, "state": one.state.value, "settled": one.settled} for one in ended]
    tx.conn.execute(_END_HOLDS, rows)


def extend_holds(tx: Tx, action: str, until: datetime) -> int:
    """Let the holds of an action last longer; how many there were."""
    done = tx.conn.execute(
        update(holds)
        .where(
            holds.c.project == tx.project,
            holds.c.action == action,
            holds.c.state == HoldState.HELD.value,
            holds.c.expires_at < until,
        )
        .values(expires_at=until)
    )
    return int(done.rowcount)


def tasks(tx: Tx, place: Place, *, limit: int) -> list[float]:
    """What each of the latest turns took from a counter; for looking at, not for counting."""
    budget_id, since, key = place
    total = func.sum(cast(cast(holds.c.settled, String), Numeric(30, 9)))
    wanted = (
        select(total)
        .where(
            holds.c.budget_id == budget_id,
            holds.c.since == since,
            holds.c.key == key,
            holds.c.state == HoldState.SETTLED.value,
            holds.c.turn != "",
        )
        .group_by(holds.c.turn)
        .order_by(func.max(holds.c.id).desc())
        .limit(limit)
    )
    return [float(one) for (one,) in tx.conn.execute(wanted)]


def _hold_row(one: Hold) -> dict[str, Any]:
    return {
        "id": one.id,
        "action": one.action,
        "budget_id": one.budget,
        "unit": one.unit.value,
        "since": one.since,
        "key": one.key,
        "amount": one.amount,
        "state": one.state.value,
        "settled": one.settled,
        "created_at": one.created_at,
        "expires_at": one.expires_at,
    }


def _hold(row: RowMapping) -> Hold:
    data = {k: v for k, v in row.items() if k not in {"project", "turn", "budget_id"}}
    data |= {"unit": Unit(row["unit"]), "state": HoldState(row["state"])}
    return Hold(budget=row["budget_id"], **data)
