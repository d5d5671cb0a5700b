"""The environments of a project, and who they are in."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from opsroom.kit.db import Tx, Utc, metadata

from .model import Criticality, Environment

environments = Table(
    "environments",
    metadata,
    Column("project", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("reviewed", Boolean, nullable=False),
    Column("criticality", String, nullable=False),
    Column("movers", JSON, nullable=False),
    Column("after", String, nullable=False),
    Column("note", Text, nullable=False),
    Column("changed_at", Utc, nullable=False),
    Column("changed_by", String, nullable=False),
)


def kept(tx: Tx) -> list[Environment]:
    """Those that this project set, in their order."""
    mine = select(environments).where(environments.c.project == tx.project)
    order = (environments.c.position, environments.c.name)
    return [_environment(row) for row in tx.conn.execute(mine.order_by(*order)).mappings()]


def one(tx: Tx, name: str) -> Environment | None:
    mine = select(environments).where(*_named(tx, name))
    row = tx.conn.execute(mine).mappings().first()
    return _environment(row) if row else None


def keep(tx: Tx, new: Environment) -> None:
    values = {each: getattr(new, each) for each in Environment.__dataclass_fields__}
    values |= {"criticality": new.criticality.value, "movers": list(new.movers)}
    done = tx.conn.execute(update(environments).where(*_named(tx, new.name)).values(**values))
    if not done.rowcount:
        tx.conn.execute(insert(environments).values(project=tx.project, **values))


def drop(tx: Tx, name: str) -> None:
    tx.conn.execute(delete(environments).where(*_named(tx, name)))


def _named(tx: Tx, name: str) -> tuple[ColumnElement[bool], ...]:
    return environments.c.project == tx.project, environments.c.name == name


def _environment(row: RowMapping) -> Environment:
    known = {each: row[each] for each in Environment.__dataclass_fields__}
    known |= {"criticality": Criticality(row["criticality"]), "movers": tuple(row["movers"])}
    return Environment(**known)
