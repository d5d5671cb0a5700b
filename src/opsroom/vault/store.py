"""The table of secrets: what may be known of them, and what only the master key opens."""

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from opsroom.kit.db import Tx, Utc, metadata
from opsroom.kit.shredding import sealer

from .model import StoredSecret

secrets = Table(
    "secrets",
    metadata,
    Column("project", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("places", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("set_by", String, nullable=False),
    Column("set_at", Utc, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("last_used_at", Utc),
    Column("revision", Integer, nullable=False),
)
KNOWN = [one for one in secrets.c if one.name not in {"project", "sealed"}]
MINUTE = timedelta(minutes=1)


def secret(tx: Tx, name: str) -> StoredSecret | None:
    row = tx.conn.execute(select(*KNOWN).where(*_named(tx, name))).mappings().first()
    return None if row is None else _secret(row)


def page(tx: Tx, *, after: str, limit: int) -> list[StoredSecret]:
    wanted = select(*KNOWN).where(secrets.c.project == tx.project, secrets.c.name > after)
    rows = tx.conn.execute(wanted.order_by(secrets.c.name).limit(limit)).mappings()
    return [_secret(row) for row in rows]


def count(tx: Tx) -> int:
    wanted = select(func.count()).where(secrets.c.project == tx.project)
    return tx.conn.execute(wanted).scalar_one()


def save(tx: Tx, now: StoredSecret, sealed: str, *, was: StoredSecret | None) -> bool:
    """Write `now` in place of `was`; False where somebody else changed that meanwhile."""
    row = {**_row(now), "sealed": sealed}
    if was is None:
        tx.conn.execute(insert(secrets).values(project=tx.project, **row))
        return True
    over = update(secrets).where(*_named(tx, now.name), secrets.c.revision == was.revision)
    return tx.conn.execute(over.values(row)).rowcount == 1


def remove(tx: Tx, name: str) -> bool:
    return tx.conn.execute(delete(secrets).where(*_named(tx, name))).rowcount == 1


def sealed(tx: Tx, name: str) -> tuple[StoredSecret, str] | None:
    """A secret with what only the master key opens."""
    wanted = select(*KNOWN, secrets.c.sealed).where(*_named(tx, name))
    row = tx.conn.execute(wanted).mappings().first()
    return None if row is None else (_secret(row), row["sealed"])


def sealed_by(tx: Tx) -> set[str]:
    """The ids of the master keys that secrets of any project were sealed by."""
    return set(tx.conn.execute(select(sealer(secrets.c.sealed)).distinct()).scalars())


def used(tx: Tx, name: str, *, at: datetime) -> None:
    """Note a use, unless one of the last minute is noted."""
    old = or_(secrets.c.last_used_at.is_(None), secrets.c.last_used_at <= at - MINUTE)
    tx.conn.execute(update(secrets).where(*_named(tx, name), old).values(last_used_at=at))


def _named(tx: Tx, name: str) -> tuple[ColumnElement[bool], ...]:
    return (secrets.c.project == tx.project, secrets.c.name == name)


def _row(one: StoredSecret) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in StoredSecret.__dataclass_fields__}
    return {**values, "places": json.dumps(one.places)}


def _secret(row: RowMapping) -> StoredSecret:
    values: dict[str, Any] = {name: row[name] for name in StoredSecret.__dataclass_fields__}
    values["places"] = tuple(json.loads(row["places"]))
    return StoredSecret(**values)
