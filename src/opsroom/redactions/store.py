"""The table of counts: one row for each project, day, door and rule."""

from collections.abc import Mapping

from sqlalchemy import BigInteger, Column, String, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from opsroom.kit.db import Tx, metadata

from .model import Redacted

redactions = Table(
    "redactions",
    metadata,
    Column("project", String, primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("door", String, primary_key=True),
    Column("rule", String, primary_key=True),
    Column("count", BigInteger, nullable=False),
)


def add(tx: Tx, counts: Mapping[tuple[str, str, str], int]) -> None:
    """Add counts by project, door and rule to those of today."""
    if not counts:
        return
    day = tx.now.date().isoformat()
    rows = [
        {"project": project, "day": day, "door": door, "rule": rule, "count": count}
        for (project, door, rule), count in sorted(counts.items())  # so nobody waits in a ring
    ]
    build = postgresql.insert if tx.conn.dialect.name == "postgresql" else sqlite.insert
    new = build(redactions)
    over = new.on_conflict_do_update(
        index_elements=["project", "day", "door", "rule"],
        set_={"count": redactions.c.count + new.excluded.count},
    )
    tx.conn.execute(over, rows)


def since(tx: Tx, day: str) -> list[Redacted]:
    """Counts of the project from a day on, most first."""
    of = redactions.c
    total = func.sum(of.count)
    wanted = (
        select(of.door, of.rule, total, func.min(of.day), func.max(of.day))
        .where(of.project == tx.project, of.day >= day)
        .group_by(of.door, of.rule)
        .order_by(total.desc(), of.door, of.rule)
        .limit(1_000)
    )
    return [
        Redacted(door=row[0], rule=row[1], count=int(row[2]), first=row[3], last=row[4])
        for row in tx.conn.execute(wanted)
    ]
