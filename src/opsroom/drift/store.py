"""The tables of drift: what was found, how each aspect stands, and when projects are due."""

from dataclasses import asdict
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
    func,
    insert,
    select,
    update,
)

from opsroom.kit.db import Tx, Utc, insert_missing, metadata, overwrite
from opsroom.kit.wire import adapter, plain

from .errors import DriftMoved
from .model import Aspect, Comparison, Drift, State, Watch

drifts = Table(
    "drifts",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("aspect", String, nullable=False),
    Column("state", String, nullable=False),
    Column("because", Text, nullable=False),
    Column("compared", JSON, nullable=False),
    Column("traces_before", JSON, nullable=False),
    Column("traces_now", JSON, nullable=False),
    Column("look", Integer, nullable=False),
    Column("allowed", Float, nullable=False),
    Column("began", Utc, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),
    Column("closed_at", Utc),
    Column("closed_by", String, nullable=False),
    Column("note", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Index("ix_drifts_project_state_id", "project", "state", "id"),
    Index("ix_drifts_project_id", "project", "id"),
)

watches = Table(
    "drift_watches",
    metadata,
    Column("project", String, primary_key=True),
    Column("agent", String, primary_key=True),
    Column("aspect", String, primary_key=True),
    Column("looks", Integer, nullable=False),
    Column("since", Utc),
    Column("looked_at", Utc),
    Column("reference", Integer, nullable=False),
    Column("current", Integer, nullable=False),
    Column("p", Float),
    Column("effect", Float),
)

clocks = Table(
    "drift_clocks",
    metadata,
    Column("project", String, primary_key=True),
    Column("next_at", Utc, nullable=False),
    Index("ix_drift_clocks_next", "next_at"),
)


def add(tx: Tx, one: Drift) -> None:
    tx.conn.execute(insert(drifts).values(project=tx.project, **_row(one)))


def save(tx: Tx, one: Drift) -> None:
    """Write what `one` has become, unless somebody else got there first."""
    if not overwrite(
        tx,
        drifts,
        one.id,
        revision=one.revision,
        values={**_row(one), "revision": one.revision + 1},
    ):
        raise DriftMoved(one.id)


def drift(tx: Tx, drift_id: str, *, lock: bool = False) -> Drift | None:
    wanted = select(drifts).where(drifts.c.project == tx.project, drifts.c.id == drift_id)
    if lock:
        wanted = wanted.with_for_update()
    row = tx.conn.execute(wanted).mappings().first()
    return None if row is None else _drift(row)


def open_of(tx: Tx, agent: str, *, lock: bool = False) -> dict[Aspect, Drift]:
    """The open drifts of an agent, by aspect."""
    wanted = select(drifts).where(
        drifts.c.project == tx.project,
        drifts.c.state == State.OPEN.value,
        drifts.c.agent == agent,
    )
    if lock:
        wanted = wanted.with_for_update()
    found = [_drift(row) for row in tx.conn.execute(wanted).mappings()]
    return {one.aspect: one for one in found}


def page(tx: Tx, *, everything: bool, before: str | None, limit: int) -> list[Drift]:
    wanted = select(drifts).where(drifts.c.project == tx.project)
    if not everything:
        wanted = wanted.where(drifts.c.state == State.OPEN.value)
    if before is not None:
        wanted = wanted.where(drifts.c.id < before)
    rows = tx.conn.execute(wanted.order_by(drifts.c.id.desc()).limit(limit)).mappings()
    return [_drift(row) for row in rows]


def count(tx: Tx, state: State) -> int:
    wanted = select(func.count()).where(
        drifts.c.project == tx.project, drifts.c.state == state.value
    )
    return int(tx.conn.execute(wanted).scalar_one())


def watches_of(tx: Tx, agent: str, *, lock: bool = False) -> dict[Aspect, Watch]:
    wanted = select(watches).where(watches.c.project == tx.project, watches.c.agent == agent)
    if lock:
        wanted = wanted.with_for_update()
    found = [_watch(row) for row in tx.conn.execute(wanted).mappings()]
    return {one.aspect: one for one in found}


def all_watches(tx: Tx, *, limit: int) -> list[Watch]:
    """How every aspect stands, by agent."""
    wanted = select(watches).where(watches.c.project == tx.project)
    wanted = wanted.order_by(watches.c.agent, watches.c.aspect).limit(limit)
    return [_watch(row) for row in tx.conn.execute(wanted).mappings()]


def add_watches(tx: Tx, agent: str) -> None:
    """See that every aspect of the agent has a row, which looks at it lock."""
    rows = [
        {
            "project": tx.project,
            "agent": agent,
            "aspect": aspect.value,
            "looks": 0,
            "reference": 0,
            "current": 0,
        }
        for aspect in Aspect
    ]
    insert_missing(tx, watches, rows)


def save_watch(tx: Tx, one: Watch) -> None:
    tx.conn.execute(
        update(watches)
        .where(
            watches.c.project == tx.project,
            watches.c.agent == one.agent,
            watches.c.aspect == one.aspect.value,
        )
        .values({**asdict(one), "aspect": one.aspect.value})
    )


def _row(one: Drift) -> dict[str, Any]:
    return {
        **{name: getattr(one, name) for name in Drift.__dataclass_fields__},
        "aspect": one.aspect.value,
        "state": one.state.value,
        "compared": plain(one.compared),
        "traces_before": list(one.traces_before),
        "traces_now": list(one.traces_now),
    }


def _drift(row: RowMapping) -> Drift:
    values: dict[str, Any] = {name: row[name] for name in Drift.__dataclass_fields__}
    values["aspect"] = Aspect(row["aspect"])
    values["state"] = State(row["state"])
    values["compared"] = adapter(Comparison).validate_python(row["compared"])
    values["traces_before"] = tuple(row["traces_before"])
    values["traces_now"] = tuple(row["traces_now"])
    return Drift(**values)


def _watch(row: RowMapping) -> Watch:
    values: dict[str, Any] = {name: row[name] for name in Watch.__dataclass_fields__}
    values["aspect"] = Aspect(row["aspect"])
    return Watch(**values)
