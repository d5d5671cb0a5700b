"""How agents are judged, in the database."""

from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, metadata
from opsroom.kit.wire import adapter, plain

from .errors import ScoringMoved
from .model import Scoring

scorings = Table(
    "scorings",
    metadata,
    Column("project", String, primary_key=True),
    Column("agent", String, primary_key=True),
    Column("body", Text, nullable=False),
    Column("next_at", Utc),  # None: nothing is judged
    Column("revision", Integer, nullable=False),
    Index("ix_scorings_next", "next_at"),
)


def scoring(tx: Tx, agent: str) -> Scoring | None:
    wanted = select(scorings.c.body).where(*_of(tx, agent))
    body = tx.conn.execute(wanted).scalar()
    return None if body is None else adapter(Scoring).validate_json(body)


def save(tx: Tx, now: Scoring, *, next_at: datetime | None) -> Scoring:
    """Write the next revision over `now`, unless somebody else got there first."""
    next_ = adapter(Scoring).validate_python(plain(now) | {"revision": now.revision + 1})
    row = {
        "body": canonical(plain(next_)).decode(),
        "next_at": next_at,
        "revision": next_.revision,
    }
    if now.revision == 0:
        tx.conn.execute(insert(scorings).values(project=tx.project, agent=now.agent, **row))
        return next_
    done = tx.conn.execute(
        update(scorings)
        .where(*_of(tx, now.agent), scorings.c.revision == now.revision)
        .values(row)
    )
    if done.rowcount == 0:
        raise ScoringMoved(now.agent)
    return next_


def due(tx: Tx) -> tuple[str, str] | None:
    """Project and agent of what is longest due, of every project."""
    wanted = select(scorings.c.project, scorings.c.agent).where(scorings.c.next_at <= tx.now)
    row = tx.conn.execute(wanted.order_by(scorings.c.next_at).limit(1)).first()
    return None if row is None else (row.project, row.agent)


def claim(tx: Tx, agent: str, *, until: datetime) -> bool:
    """Take an agent on until then; False where somebody else was faster."""
    done = tx.conn.execute(
        update(scorings)
        .where(*_of(tx, agent), scorings.c.next_at <= tx.now)
        .values(next_at=until)
    )
    return done.rowcount == 1


def _of(tx: Tx, agent: str) -> tuple[ColumnElement[bool], ...]:
    return (scorings.c.project == tx.project, scorings.c.agent == agent)
