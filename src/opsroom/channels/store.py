"""The table of deliveries."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    func,
    insert,
    or_,
    select,
    update,
)

from opsroom.kit.db import Tx, Utc, metadata
from opsroom.kit.wire import adapter, plain

from .model import Delivery, Notice, State

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("notice", JSON, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Utc, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("settled_at", Utc),
    Column("said", Text, nullable=False),
    Index("ix_deliveries_channel_id", "project", "channel", "id"),
    Index("ix_deliveries_channel_next", "project", "channel", "state", "next_at"),
)


def add(tx: Tx, one: Delivery) -> None:
    tx.conn.execute(insert(deliveries).values(project=tx.project, **_row(one)))


def save(tx: Tx, one: Delivery, *, was: Delivery) -> bool:
    """Write what `was` has become, unless it was attempted again or settled meanwhile."""
    done = tx.conn.execute(
        update(deliveries)
        .where(
            deliveries.c.id == was.id,
            deliveries.c.state == was.state.value,
            deliveries.c.attempts == was.attempts,
        )
        .values(_row(one))
    )
    return done.rowcount == 1


def delivery(tx: Tx, channel: str, delivery_id: str) -> Delivery | None:
    wanted = _of(tx, channel).where(deliveries.c.id == delivery_id)
    row = tx.conn.execute(wanted.with_for_update()).mappings().first()
    return None if row is None else _delivery(row)


def page(tx: Tx, channel: str, *, before: str | None, limit: int) -> list[Delivery]:
    wanted = _of(tx, channel)
    if before is not None:
        wanted = wanted.where(deliveries.c.id < before)
    rows = tx.conn.execute(wanted.order_by(deliveries.c.id.desc()).limit(limit)).mappings()
    return [_delivery(row) for row in rows]


def due(tx: Tx, channel: str, *, limit: int) -> list[Delivery]:
    """What is pending and may be attempted, oldest first; locked."""
    wanted = _of(tx, channel).where(
        deliveries.c.state == State.PENDING.value, deliveries.c.next_at <= tx.now
    )
    wanted = wanted.order_by(deliveries.c.next_at, deliveries.c.id).limit(limit)
    rows = tx.conn.execute(wanted.with_for_update(skip_locked=True)).mappings()
    return [_delivery(row) for row in rows]


def next_at(tx: Tx, channel: str) -> datetime | None:
    """When the next attempt is due, if any is."""
    wanted = select(func.min(deliveries.c.next_at)).where(
        deliveries.c.project == tx.project,
        deliveries.c.channel == channel,
        deliveries.c.state == State.PENDING.value,
    )
    found: datetime | None = tx.conn.execute(wanted).scalar()
    return found


def _of(tx: Tx, channel: str) -> Any:
    return select(deliveries).where(
        deliveries.c.project == tx.project, deliveries.c.channel == channel
    )


def _row(one: Delivery) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in Delivery.__dataclass_fields__}
    return {**values, "notice": plain(one.notice), "state": one.state.value}


def _delivery(row: RowMapping) -> Delivery:
    values: dict[str, Any] = {name: row[name] for name in Delivery.__dataclass_fields__}
    values["notice"] = adapter(Notice).validate_python(row["notice"])
    values["state"] = State(row["state"])
    return Delivery(**values)


def unheard(tx: Tx, channels: Collection[str], since: datetime) -> dict[tuple[str, State], int]:
    """What is pending, and what was abandoned since, by channel."""
    of = deliveries.c
    pending = of.state == State.PENDING.value
    # By channel and state, so that nobody walks through all that was ever delivered.
    wanted = select(of.channel, of.state, func.count()).where(
        of.project == tx.project,
        of.channel.in_(channels),
        of.state.in_((State.PENDING.value, State.ABANDONED.value)),
        or_(pending, of.settled_at >= since),
    )
    found = tx.conn.execute(wanted.group_by(of.channel, of.state))
    return {(row[0], State(row[1])): row[2] for row in found}
