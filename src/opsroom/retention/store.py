"""What a project decided about keeping, and its holds, in the database."""

from typing import Any

from sqlalchemy import Column, Index, RowMapping, String, Table, Text, insert, select, update

from opsroom.kit import choices
from opsroom.kit.db import Tx, Utc, metadata

from .model import Hold, Rules, Scope

MOST_HOLDS = 1000

settings = Table(
    "retention_settings",
    metadata,
    Column("project", String, primary_key=True),
    Column("settings", Text, nullable=False),
)
clocks = Table(
    "retention_clocks",
    metadata,
    Column("project", String, primary_key=True),
    Column("next_at", Utc, nullable=False),
)
holds = Table(
    "legal_holds",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("what", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("placed_by", String, nullable=False),
    Column("placed_at", Utc, nullable=False),
    Column("released_by", String, nullable=False),
    Column("released_at", Utc),
    Column("because", Text, nullable=False),
    Index("ix_legal_holds_project", "project", "released_at", "id"),
)


def rules(tx: Tx) -> Rules:
    return choices.load(tx, settings, Rules)


def set_rules(tx: Tx, new: Rules) -> None:
    choices.save(tx, settings, new)


def add(tx: Tx, hold: Hold) -> None:
    row = {name: getattr(hold, name) for name in Hold.__dataclass_fields__}
    tx.conn.execute(insert(holds).values({**row, "project": tx.project}))


def standing(tx: Tx) -> tuple[Hold, ...]:
    """The holds of this project that were not released, oldest first."""
    wanted = (
        select(holds)
        .where(holds.c.project == tx.project, holds.c.released_at.is_(None))
        .order_by(holds.c.id)
    )
    return tuple(_hold(row) for row in tx.conn.execute(wanted).mappings())


def release(tx: Tx, hold_id: str, *, because: str) -> bool:
    """Let a hold stand no more; False where it does not stand."""
    done = tx.conn.execute(
        update(holds)
        .where(
            holds.c.project == tx.project,
            holds.c.id == hold_id,
            holds.c.released_at.is_(None),
        )
        .values(released_at=tx.now, released_by=tx.actor.name, because=because)
    )
    return done.rowcount == 1


def anything_held(tx: Tx) -> bool:
    """Whether a hold stands in any project."""
    wanted = select(holds.c.id).where(holds.c.released_at.is_(None)).limit(1)
    return tx.conn.execute(wanted).first() is not None


def _hold(row: RowMapping) -> Hold:
    data: dict[str, Any] = {name: row[name] for name in Hold.__dataclass_fields__}
    data["scope"] = Scope(row["scope"])
    return Hold(**data)
