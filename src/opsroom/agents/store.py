"""The agents that are being ended, and how far each is."""

from sqlalchemy import Column, Integer, String, Table, bindparam, delete, insert, select

from opsroom.kit.db import Tx, Utc, metadata

from .model import Ending

endings = Table(
    "agent_endings",
    metadata,
    Column("project", String, primary_key=True),
    Column("agent", String, primary_key=True),
    Column("share", Integer, nullable=False),
    Column("successor", String, nullable=False),
    Column("sunset", String, nullable=False),
    Column("since", Utc, nullable=False),
    Column("ends", Utc, nullable=False),
)

# Every turn asks this; it is put together once.
_ENDING = select(endings).where(
    endings.c.project == bindparam("project"), endings.c.agent == bindparam("agent")
)


def ending(tx: Tx, agent: str) -> Ending | None:
    found = tx.conn.execute(_ENDING, {"project": tx.project, "agent": agent}).mappings().first()
    if found is None:
        return None
    return Ending(**{name: found[name] for name in Ending.__dataclass_fields__})


def put(tx: Tx, one: Ending) -> None:
    """Let it end like that from now on."""
    remove(tx, one.agent)
    values = {name: getattr(one, name) for name in Ending.__dataclass_fields__}
    tx.conn.execute(insert(endings).values(project=tx.project, **values))


def remove(tx: Tx, agent: str) -> None:
    mine = (endings.c.project == tx.project, endings.c.agent == agent)
    tx.conn.execute(delete(endings).where(*mine))
