"""The table of scorecards: each under its digest, numbered within its name."""

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
    func,
    select,
)

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, insert_missing, metadata
from opsroom.kit.wire import adapter, plain

from .model import Kept, Scorecard

scorecards = Table(
    "scorecards",
    metadata,
    Column("project", String, primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("card", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Column("by", String, nullable=False),
    UniqueConstraint("project", "name", "number", name="uq_scorecards_number"),
    Index("ix_scorecards_id", "project", "id"),
)


def add(tx: Tx, card: Scorecard) -> bool:
    """Keep a scorecard as the next version of its name; False where somebody was faster."""
    latest = tx.conn.execute(
        select(func.max(scorecards.c.number)).where(
            scorecards.c.project == tx.project, scorecards.c.name == card.ask.name
        )
    ).scalar()
    row = {
        "project": tx.project,
        "digest": card.digest,
        "id": tx.ids.new("scd"),
        "name": card.ask.name,
        "number": (latest or 0) + 1,
        "card": canonical(plain(card)).decode(),
        "at": tx.now,
        "by": tx.actor.name,
    }
    return insert_missing(tx, scorecards, [row]) == 1


def by_digest(tx: Tx, digest: str) -> Kept | None:
    return _one(tx, scorecards.c.digest == digest)


def by_number(tx: Tx, name: str, number: int | None) -> Kept | None:
    """A version of a name; without a number, the latest."""
    wanted = scorecards.c.name == name
    return _one(tx, wanted if number is None else wanted & (scorecards.c.number == number))


def page(tx: Tx, *, before: str | None, limit: int) -> list[tuple[str, Kept]]:
    """Scorecards, newest first, each with the id that comes `before` those after it."""
    wanted = select(scorecards).where(scorecards.c.project == tx.project)
    if before is not None:
        wanted = wanted.where(scorecards.c.id < before)
    rows = tx.conn.execute(wanted.order_by(scorecards.c.id.desc()).limit(limit)).mappings()
    return [(row["id"], _kept(row)) for row in rows]


def _one(tx: Tx, condition: Any) -> Kept | None:
    wanted = select(scorecards).where(scorecards.c.project == tx.project, condition)
    newest = wanted.order_by(scorecards.c.number.desc()).limit(1)
    row = tx.conn.execute(newest).mappings().first()
    return None if row is None else _kept(row)


def _kept(row: RowMapping) -> Kept:
    values = {name: row[name] for name in ("digest", "name", "number", "at", "by")}
    return Kept(**values, card=adapter(Scorecard).validate_json(row["card"]))
