"""How each project wants its telemetry kept. (Telemetry itself is in another store.)"""

from sqlalchemy import Column, Integer, String, Table, Text, insert, select, update

from opsroom.kit.db import Raced, Tx, metadata
from opsroom.kit.wire import adapter

from .model import Keeping

keepings = Table(
    "trace_keepings",
    metadata,
    Column("project", String, primary_key=True),
    Column("keeping", Text, nullable=False),
    Column("revision", Integer, nullable=False),
)


def keeping(tx: Tx, *, project: str = "") -> Keeping | None:
    """What the project decided; None where it never did."""
    kept = tx.conn.execute(
        select(keepings.c.keeping).where(keepings.c.project == (project or tx.project))
    ).scalar()
    return None if kept is None else adapter(Keeping).validate_json(kept)


def revision(tx: Tx) -> int:
    """The number of the project's last decision; 0 where there is none. Cheap."""
    found = tx.conn.execute(
        select(keepings.c.revision).where(keepings.c.project == tx.project)
    ).scalar()
    return found or 0


def save(tx: Tx, now: Keeping) -> None:
    """Write `now` over the revision before it. Raises `Raced` where somebody was faster."""
    told = adapter(Keeping).dump_json(now).decode()
    if now.revision == 1:
        tx.conn.execute(insert(keepings).values(project=tx.project, keeping=told, revision=1))
        return
    done = tx.conn.execute(
        update(keepings)
        .where(keepings.c.project == tx.project, keepings.c.revision == now.revision - 1)
        .values(keeping=told, revision=now.revision)
    )
    if done.rowcount == 0:
        raise Raced
