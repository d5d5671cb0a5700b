"""The tables of reports: schedules, copies of what was sent, and when to look again."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
)

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, metadata, overwrite
from opsroom.kit.wire import plain

from .model import Answer, Copy, Every, Schedule

schedules = Table(
    "report_schedules",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("report", String, nullable=False),
    Column("every", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("created_by", String, nullable=False),
    Column("next_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("said", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Index("ix_report_schedules_due", "project", "next_at"),
)

copies_ = Table(
    "report_copies",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("report", String, nullable=False),
    Column("schedule", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("delivery", String, nullable=False),
    Column("since", Utc, nullable=False),
    Column("until", Utc, nullable=False),
    Column("made_at", Utc, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("project", "schedule", "until", name="uq_report_copies_once"),
    Index("ix_report_copies_project", "project", "id"),
)

clocks = Table(
    "report_clocks",
    metadata,
    Column("project", String, primary_key=True),
    Column("next_at", Utc, nullable=False),
)

_COPY = [copies_.c[one.name] for one in fields(Copy)]


def add(tx: Tx, one: Schedule) -> None:
    tx.conn.execute(insert(schedules).values(project=tx.project, **_row(one)))


def save(tx: Tx, now: Schedule, *, was: Schedule) -> bool:
    """Write `now` over `was`; False where somebody else got there first."""
    values = _row(now) | {"revision": was.revision + 1}
    mine = (schedules.c.project == tx.project, schedules.c.ended_at.is_(None))
    return overwrite(tx, schedules, was.id, *mine, revision=was.revision, values=values)


def schedule(tx: Tx, schedule_id: str) -> Schedule | None:
    wanted = select(schedules).where(
        schedules.c.project == tx.project, schedules.c.id == schedule_id
    )
    row = tx.conn.execute(wanted).mappings().first()
    return _schedule(row) if row else None


def live(tx: Tx) -> list[Schedule]:
    """Those at work, oldest first; there are few."""
    wanted = select(schedules).where(
        schedules.c.project == tx.project, schedules.c.ended_at.is_(None)
    )
    return [
        _schedule(row) for row in tx.conn.execute(wanted.order_by(schedules.c.id)).mappings()
    ]


def due(tx: Tx) -> list[Schedule]:
    """Those at work whose time has come, the longest due first."""
    wanted = select(schedules).where(
        schedules.c.project == tx.project,
        schedules.c.ended_at.is_(None),
        schedules.c.next_at <= tx.now,
    )
    rows = tx.conn.execute(wanted.order_by(schedules.c.next_at, schedules.c.id)).mappings()
    return [_schedule(row) for row in rows]


def add_copy(tx: Tx, one: Copy, answer: Answer) -> None:
    body = canonical(plain(answer)).decode()
    tx.conn.execute(insert(copies_).values(project=tx.project, body=body, **asdict(one)))


def copies(tx: Tx, *, report: str, before: str | None, limit: int) -> list[Copy]:
    wanted = select(*_COPY).where(copies_.c.project == tx.project)
    if report:
        wanted = wanted.where(copies_.c.report == report)
    if before is not None:
        wanted = wanted.where(copies_.c.id < before)
    rows = tx.conn.execute(wanted.order_by(copies_.c.id.desc()).limit(limit)).mappings()
    return [Copy(**row) for row in rows]


def copy(tx: Tx, copy_id: str) -> tuple[Copy, str] | None:
    wanted = select(*_COPY, copies_.c.body).where(
        copies_.c.project == tx.project, copies_.c.id == copy_id
    )
    row = tx.conn.execute(wanted).mappings().first()
    if row is None:
        return None
    found: dict[str, Any] = dict(row)
    body = found.pop("body")
    return Copy(**found), body


def forget(tx: Tx, *, before: datetime, most: int) -> int:
    """Remove copies that are older than that, or beyond so many; how many there were."""
    mine = copies_.c.project == tx.project
    oldest = (
        select(copies_.c.id).where(mine).order_by(copies_.c.id.desc()).offset(most - 1).limit(1)
    )
    kept_from = tx.conn.execute(oldest).scalar()
    gone = tx.conn.execute(delete(copies_).where(mine, copies_.c.made_at < before)).rowcount
    if kept_from is not None:
        gone += tx.conn.execute(delete(copies_).where(mine, copies_.c.id < kept_from)).rowcount
    return int(gone)


def _row(one: Schedule) -> dict[str, Any]:
    return asdict(one) | {"every": one.every.value}


def _schedule(row: RowMapping) -> Schedule:
    data: dict[str, Any] = {name: value for name, value in row.items() if name != "project"}
    data["every"] = Every(data["every"])
    return Schedule(**data)
