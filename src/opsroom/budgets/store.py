"""The tables of budgets: limits, counters, and what was spent when.

A counter is one row per budget, key and window. A reservation locks the counters it takes
from and nothing else, always in the same order, so nobody waits for each other in a circle.
Amounts are kept as text: no database rounds them.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    TypeDecorator,
    and_,
    bindparam,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)

from opsroom.kit.db import Tx, Utc, insert_missing, metadata

from .model import EACH, Budget, Counter, Scope, Unit


class Exact(TypeDecorator[Decimal]):
    """A decimal to its last place on every engine; SQLite would make it a float."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else Decimal(value)


budgets = Table(
    "budgets",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("key", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("window", Integer, nullable=False),  # seconds; 0 is for ever
    Column("hard", Exact, nullable=False),
    Column("soft", Exact),
    Column("created_at", Utc, nullable=False),
    Column("created_by", String, nullable=False),
    Column("removed_at", Utc),
    Column("revision", Integer, nullable=False),
    Index("ix_budgets_project", "project", "id"),
    Index(
        "uq_budgets_present",
        "project",
        "scope",
        "key",
        "unit",
        "window",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
)

counters = Table(
    "budget_counters",
    metadata,
    Column("budget_id", String, ForeignKey("budgets.id"), primary_key=True),
    Column("since", Utc, primary_key=True),
    Column("key", String, primary_key=True),
    Column("held", Exact, nullable=False),
    Column("settled", Exact, nullable=False),
    Column("actions", Integer, nullable=False),
    # What was told once in this window, and is not told again.
    Column("warned", Boolean, nullable=False),
    Column("refused", Boolean, nullable=False),
)

spending = Table(
    "budget_spending",
    metadata,
    Column("budget_id", String, ForeignKey("budgets.id"), primary_key=True),
    Column("since", Utc, primary_key=True),
    Column("key", String, primary_key=True),
    Column("at", Utc, primary_key=True),
    Column("amount", Exact, nullable=False),
    Column("actions", Integer, nullable=False),
)

Place = tuple[str, datetime, str]
_COUNTS = ("held", "settled", "actions", "warned", "refused")
_STRETCH = ("budget_id", "since", "key", "at")

# What every action of every agent goes through is put together once; building a statement
# takes longer than running it.
_MATCHING = (
    select(budgets)
    .where(
        budgets.c.project == bindparam("project"),
        budgets.c.removed_at.is_(None),
        or_(
            *(
                and_(
                    budgets.c.scope == scope.value,
                    budgets.c.key.in_(
                        (bindparam(f"{scope.value}_key"), bindparam(f"{scope.value}_each"))
                    ),
                )
                for scope in Scope
            )
        ),
    )
    .order_by(budgets.c.id)
)
_MATCHING_LOCKED = _MATCHING.with_for_update(read=True)
_ANYTHING = (
    select(budgets.c.id)
    .where(budgets.c.project == bindparam("project"), budgets.c.removed_at.is_(None))
    .limit(1)
)
_BY_ID = select(budgets).where(budgets.c.id.in_(bindparam("ids", expanding=True)))
_COUNTERS = (
    select(counters)
    .where(
        tuple_(counters.c.budget_id, counters.c.since, counters.c.key).in_(
            bindparam("places", expanding=True)
        )
    )
    .order_by(counters.c.budget_id, counters.c.since, counters.c.key)
)
_COUNTERS_LOCKED = _COUNTERS.with_for_update()
_WRITE = (
    update(counters)
    .where(
        counters.c.budget_id == bindparam("b_id"),
        counters.c.since == bindparam("b_since"),
        counters.c.key == bindparam("b_key"),
    )
    .values({name: bindparam(name) for name in _COUNTS})
)
_SPENT = select(spending).where(
    tuple_(*(spending.c[name] for name in _STRETCH)).in_(bindparam("places", expanding=True))
)
_ADD_SPENDING = insert(spending)
_MORE_SPENDING = (
    update(spending)
    .where(*(spending.c[name] == bindparam(f"b_{name}") for name in _STRETCH))
    .values(amount=bindparam("amount"), actions=spending.c.actions + 1)
)


def add(tx: Tx, budget: Budget) -> None:
    tx.conn.execute(
        insert(budgets).values(project=tx.project, removed_at=None, **_budget_row(budget))
    )


def save(tx: Tx, budget: Budget) -> None:
    row = _budget_row(budget)
    tx.conn.execute(update(budgets).where(budgets.c.id == budget.id).values(row))


def remove(tx: Tx, budget_id: str) -> None:
    tx.conn.execute(update(budgets).where(budgets.c.id == budget_id).values(removed_at=tx.now))


def same(tx: Tx, scope: Scope, key: str, unit: Unit, window: timedelta | None) -> Budget | None:
    """The present budget for all of these, locked against reservations until we are done."""
    wanted = select(budgets).where(
        budgets.c.project == tx.project,
        budgets.c.removed_at.is_(None),
        budgets.c.scope == scope.value,
        budgets.c.key == key,
        budgets.c.unit == unit.value,
        budgets.c.window == _seconds(window),
    )
    row = tx.conn.execute(wanted.with_for_update()).mappings().first()
    return _budget(row) if row else None


def budget(tx: Tx, budget_id: str, *, lock: bool = False) -> Budget | None:
    """A present budget of this project."""
    wanted = select(budgets).where(
        budgets.c.project == tx.project,
        budgets.c.id == budget_id,
        budgets.c.removed_at.is_(None),
    )
    row = tx.conn.execute(wanted.with_for_update() if lock else wanted).mappings().first()
    return _budget(row) if row else None


def page(tx: Tx, *, scope: Scope | None, key: str, after: str, limit: int) -> list[Budget]:
    """The present budgets of this project, oldest first."""
    wanted = select(budgets).where(
        budgets.c.project == tx.project, budgets.c.removed_at.is_(None), budgets.c.id > after
    )
    if scope is not None:
        wanted = wanted.where(budgets.c.scope == scope.value)
    if key:
        wanted = wanted.where(budgets.c.key == key)
    rows = tx.conn.execute(wanted.order_by(budgets.c.id).limit(limit)).mappings()
    return [_budget(row) for row in rows]


def timed(tx: Tx, unit: Unit, *, limit: int) -> list[Budget]:
    """The present budgets of this project for a stretch of time, in one unit."""
    wanted = select(budgets).where(
        budgets.c.project == tx.project,
        budgets.c.removed_at.is_(None),
        budgets.c.unit == unit.value,
        budgets.c.window > 0,
    )
    rows = tx.conn.execute(wanted.order_by(budgets.c.id).limit(limit)).mappings()
    return [_budget(row) for row in rows]


def matching(tx: Tx, keys: Mapping[Scope, str], *, lock: bool = False) -> list[Budget]:
    """The budgets that somebody with these keys spends. With `lock` none of them is changed or
    removed before the transaction ends; others may spend them at the same time.
    """
    asked = {"project": tx.project}
    for scope in Scope:
        key = keys.get(scope, "")
        asked |= {f"{scope.value}_key": key, f"{scope.value}_each": EACH if key else ""}
    rows = tx.conn.execute(_MATCHING_LOCKED if lock else _MATCHING, asked).mappings()
    return [_budget(row) for row in rows]


def anything(tx: Tx) -> bool:
    """Whether any budget counts something in this project."""
    return tx.conn.execute(_ANYTHING, {"project": tx.project}).first() is not None


def by_id(tx: Tx, ids: Collection[str]) -> dict[str, Budget]:
    """Budgets by id, also those that were removed."""
    rows = tx.conn.execute(_BY_ID, {"ids": list(ids)}).mappings()
    return {row["id"]: _budget(row) for row in rows}


def locked(tx: Tx, places: Collection[Place]) -> dict[Place, Counter]:
    """The counters at these places, locked; those that are not there yet are made."""
    wanted = sorted(set(places))
    found = _counters(tx, wanted, lock=True)
    if missing := [place for place in wanted if place not in found]:
        insert_missing(tx, counters, [_counter_row(_fresh(place)) for place in missing])
        found = _counters(tx, wanted, lock=True)
    return found


def counted(tx: Tx, places: Collection[Place]) -> dict[Place, Counter]:
    """The counters at these places as they stand; where nothing was counted yet, zero."""
    return {place: _fresh(place) for place in places} | _counters(tx, sorted(places))


def latest_counters(
    tx: Tx, budget_id: str, since: datetime, *, before: str = "", limit: int
) -> list[Counter]:
    """The counters of a budget in one window by key, the last key first (ids sort by time)."""
    wanted = select(counters).where(
        counters.c.budget_id == budget_id, counters.c.since == since
    )
    if before:
        wanted = wanted.where(counters.c.key < before)
    rows = tx.conn.execute(wanted.order_by(counters.c.key.desc()).limit(limit)).mappings()
    return [_counter(row) for row in rows]


def write(tx: Tx, changed: Sequence[Counter]) -> None:
    """Write counters that are locked."""
    if not changed:
        return
    rows = [
        {"b_id": one.budget, "b_since": one.since, "b_key": one.key}
        | {name: getattr(one, name) for name in _COUNTS}
        for one in changed
    ]
    tx.conn.execute(_WRITE, rows)


def add_spending(tx: Tx, spent: Mapping[tuple[str, datetime, str, datetime], Decimal]) -> None:
    """Add to what was spent in each stretch of time; the counters above it are locked."""
    wanted = sorted(spent)
    rows = tx.conn.execute(_SPENT, {"places": wanted}).mappings()
    known = {
        (row["budget_id"], row["since"], row["key"], row["at"]): row["amount"] for row in rows
    }
    fresh = [
        dict(zip(_STRETCH, one, strict=True)) | {"amount": spent[one], "actions": 1}
        for one in wanted
        if one not in known
    ]
    if fresh:
        tx.conn.execute(_ADD_SPENDING, fresh)
    if known:
        more = [
            {f"b_{name}": value for name, value in zip(_STRETCH, one, strict=True)}
            | {"amount": amount + spent[one]}
            for one, amount in known.items()
        ]
        tx.conn.execute(_MORE_SPENDING, more)


def spent(
    tx: Tx, place: Place, *, after: datetime | None = None, limit: int = 2_000
) -> list[tuple[datetime, Decimal]]:
    """What was spent from a counter, stretch by stretch, oldest first."""
    budget_id, since, key = place
    wanted = select(spending.c.at, spending.c.amount).where(
        spending.c.budget_id == budget_id, spending.c.since == since, spending.c.key == key
    )
    if after is not None:
        wanted = wanted.where(spending.c.at >= after)
    rows = tx.conn.execute(wanted.order_by(spending.c.at.desc()).limit(limit))
    return [(at, amount) for at, amount in rows][::-1]


def _counters(tx: Tx, places: Sequence[Place], *, lock: bool = False) -> dict[Place, Counter]:
    if not places:
        return {}
    asked = {"places": list(places)}
    rows = tx.conn.execute(_COUNTERS_LOCKED if lock else _COUNTERS, asked).mappings()
    return {one.place: one for one in map(_counter, rows)}


def _fresh(place: Place) -> Counter:
    budget_id, since, key = place
    return Counter(budget=budget_id, since=since, key=key)


def _counter_row(one: Counter) -> dict[str, Any]:
    return {"budget_id": one.budget, "since": one.since, "key": one.key} | {
        name: getattr(one, name) for name in _COUNTS
    }


def _counter(row: RowMapping) -> Counter:
    data = {name: row[name] for name in ("since", "key", *_COUNTS)}
    return Counter(budget=row["budget_id"], **data)


def _budget_row(one: Budget) -> dict[str, Any]:
    return {
        "id": one.id,
        "scope": one.scope.value,
        "key": one.key,
        "unit": one.unit.value,
        "window": _seconds(one.window),
        "hard": one.hard,
        "soft": one.soft,
        "created_at": one.created_at,
        "created_by": one.created_by,
        "revision": one.revision,
    }


def _budget(row: RowMapping) -> Budget:
    data = {k: v for k, v in row.items() if k not in {"project", "removed_at"}}
    data |= {
        "scope": Scope(row["scope"]),
        "unit": Unit(row["unit"]),
        "window": timedelta(seconds=row["window"]) if row["window"] else None,
    }
    return Budget(**data)


def _seconds(window: timedelta | None) -> int:
    return 0 if window is None else int(window.total_seconds())
