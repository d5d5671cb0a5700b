"""How integrations have done lately, in the database."""

from sqlalchemy import Column, Integer, String, Table, and_, delete, select, update

from opsroom.kit.db import Tx, Utc, insert_missing, metadata

from .trying import Circuit

circuits = Table(
    "action_circuits",
    metadata,
    Column("project", String, primary_key=True),
    Column("integration", String, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("breaks", Integer, nullable=False),
    Column("open_until", Utc),
)


def circuit(tx: Tx, integration: str, *, lock: bool = False) -> Circuit:
    """How an integration has done lately."""
    wanted = select(circuits.c.failures, circuits.c.breaks, circuits.c.open_until).where(
        circuits.c.project == tx.project, circuits.c.integration == integration
    )
    row = tx.conn.execute(wanted.with_for_update() if lock else wanted).mappings().first()
    return Circuit(**row) if row else Circuit()


def save(tx: Tx, integration: str, now: Circuit) -> None:
    place = and_(circuits.c.project == tx.project, circuits.c.integration == integration)
    if now == Circuit():
        tx.conn.execute(delete(circuits).where(place))
        return
    row = {"failures": now.failures, "breaks": now.breaks, "open_until": now.open_until}
    if tx.conn.execute(update(circuits).where(place).values(row)).rowcount == 0:
        insert_missing(
            tx, circuits, [{"project": tx.project, "integration": integration, **row}]
        )
