"""The tables of maturity: how levels moved, and when to look again."""

from sqlalchemy import Column, Integer, String, Table, delete, insert, select

from opsroom.kit.db import Tx, Utc, metadata

from .model import Past

levels = Table(
    "maturity_levels",
    metadata,
    Column("project", String, primary_key=True),
    Column("subject", String, primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("level", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
)

clocks = Table(
    "maturity_clocks",
    metadata,
    Column("project", String, primary_key=True),
    Column("next_at", Utc, nullable=False),
)


def history(tx: Tx, subject: str, *, limit: int) -> list[Past]:
    """Newest first."""
    wanted = select(levels).where(levels.c.project == tx.project, levels.c.subject == subject)
    rows = tx.conn.execute(wanted.order_by(levels.c.day.desc()).limit(limit))
    return [Past(subject=r.subject, day=r.day, level=r.level, digest=r.digest) for r in rows]


def put(tx: Tx, one: Past) -> None:
    """Keep this as what the day came to."""
    mine = (
        levels.c.project == tx.project,
        levels.c.subject == one.subject,
        levels.c.day == one.day,
    )
    tx.conn.execute(delete(levels).where(*mine))
    tx.conn.execute(
        insert(levels).values(
            project=tx.project,
            subject=one.subject,
            day=one.day,
            level=one.level,
            digest=one.digest,
        )
    )
