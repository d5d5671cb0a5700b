"""Which models providers really served, and noticing when that becomes another one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from opsroom.gateway import face_store
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire

from .breakers import Line

MOST_KNOWN = 100  # faces of one model; whoever changes with every call is told no further


@dataclass(frozen=True, slots=True, kw_only=True)
class Face(Wire):
    """What a model called itself and its build (either may be empty) when it was asked for as
    `model`, and when, through which route, that was seen first.
    """

    model: str
    endpoint: str
    served: str
    fingerprint: str
    route: str
    first_at: datetime


def note(tx: Tx, line: Line, served: str, fingerprint: str, *, route: str) -> bool:
    """Note who served. A face that was not seen before is on record as `gateway.model_changed`,
    but for the first one of all; True then.
    """
    served, fingerprint = _clean(served), _clean(fingerprint)
    before = face_store.latest(tx, line.endpoint, line.model)
    if before is not None and face_store.count(tx, line.endpoint, line.model) >= MOST_KNOWN:
        return False
    new = face_store.add(
        tx,
        endpoint=line.endpoint,
        model=line.model,
        served=served,
        fingerprint=fingerprint,
        route=route,
    )
    if not new or before is None:
        return False
    tx.record(
        "gateway.model_changed",
        route,
        model=line.model,
        endpoint=line.endpoint,
        served=served,
        fingerprint=fingerprint,
        before_served=before["served"],
        before_fingerprint=before["fingerprint"],
        what="another build" if served == before["served"] else "another model",
    )
    return True


def faces(tx: Tx, *, models: Collection[str] | None = None, limit: int = 200) -> list[Face]:
    """What was seen, newest first; of these models, or of all."""
    return [_face(row) for row in face_store.newest(tx, models=models, limit=limit)]


def _clean(text: str) -> str:
    """A name as it can be kept: providers may send anything."""
    return "".join(char for char in text if char.isprintable())[: face_store.FACE]


def _face(row: RowMapping) -> Face:
    return Face(**{name: row[name] for name in Face.__dataclass_fields__})
