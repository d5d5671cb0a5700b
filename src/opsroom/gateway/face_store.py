"""The faces that models showed: what they called themselves, and when that was seen first."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, RowMapping, String, Table, func, select

from opsroom.kit.db import Tx, Utc, insert_missing, metadata

ENDPOINT, MODEL, FACE = 300, 200, 100  # characters that are kept

served_models = Table(
    "served_models",
    metadata,
    Column("project", String, primary_key=True),
    Column("endpoint", String(ENDPOINT), primary_key=True),
    Column("model", String(MODEL), primary_key=True),
    Column("served", String(FACE), primary_key=True),
    Column("fingerprint", String(FACE), primary_key=True),
    Column("route", String, nullable=False),
    Column("first_at", Utc, nullable=False),
)
_NEWEST = (served_models.c.first_at.desc(), served_models.c.served, served_models.c.fingerprint)


def add(
    tx: Tx, *, endpoint: str, model: str, served: str, fingerprint: str, route: str
) -> bool:
    """Note a face; False when it was noted before."""
    row = {
        "project": tx.project,
        "endpoint": endpoint[:ENDPOINT],
        "model": model[:MODEL],
        "served": served[:FACE],
        "fingerprint": fingerprint[:FACE],
        "route": route,
        "first_at": tx.now,
    }
    return insert_missing(tx, served_models, [row]) == 1


def latest(tx: Tx, endpoint: str, model: str) -> RowMapping | None:
    """The face of a model that was seen first last."""
    wanted = select(served_models).where(*_of(tx, endpoint, model)).order_by(*_NEWEST).limit(1)
    return tx.conn.execute(wanted).mappings().first()


def count(tx: Tx, endpoint: str, model: str) -> int:
    wanted = select(func.count()).select_from(served_models).where(*_of(tx, endpoint, model))
    return int(tx.conn.execute(wanted).scalar() or 0)


def newest(tx: Tx, *, models: Collection[str] | None, limit: int) -> list[RowMapping]:
    """Faces, newest first; of these models, or of all."""
    wanted = select(served_models).where(served_models.c.project == tx.project)
    if models is not None:
        wanted = wanted.where(served_models.c.model.in_(sorted(models)))
    return list(tx.conn.execute(wanted.order_by(*_NEWEST).limit(limit)).mappings())


def _of(tx: Tx, endpoint: str, model: str) -> tuple[Any, ...]:
    return (
        served_models.c.project == tx.project,
        served_models.c.endpoint == endpoint[:ENDPOINT],
        served_models.c.model == model[:MODEL],
    )
