"""The tables of sunsets: how far each is, and what agents held when they ended."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    insert,
    select,
)

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, metadata, overwrite
from opsroom.kit.wire import adapter, plain

from .errors import SunsetMoved
from .model import State, Sunset

# `live` is the agent while its sunset is not over, and the id of the sunset afterwards: so an
# agent has one at a time, whoever proposes at the same moment.
sunsets = Table(
    "sunsets",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("state", String, nullable=False),
    Column("live", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    UniqueConstraint("project", "live"),
    Index("ix_sunsets_project_agent", "project", "agent", "id"),
)

exports = Table(
    "sunset_exports",
    metadata,
    Column("sunset", String, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("body", Text, nullable=False),
    Column("at", Utc, nullable=False),
)


def add(tx: Tx, one: Sunset) -> None:
    tx.conn.execute(insert(sunsets).values(project=tx.project, **_row(one)))


def save(tx: Tx, one: Sunset) -> Sunset:
    """Write what `one` has become, unless somebody else got there first."""
    mine = sunsets.c.project == tx.project
    row = _row(one) | {"revision": one.revision + 1}
    if not overwrite(tx, sunsets, one.id, mine, revision=one.revision, values=row):
        raise SunsetMoved(one.id)
    found = sunset(tx, one.id)
    assert found is not None, "what was just written is there"
    return found


def sunset(tx: Tx, sunset_id: str, *, lock: bool = False) -> Sunset | None:
    wanted = select(sunsets).where(sunsets.c.project == tx.project, sunsets.c.id == sunset_id)
    if lock:
        wanted = wanted.with_for_update()
    row = tx.conn.execute(wanted).mappings().first()
    return None if row is None else _sunset(row)


def live_of(tx: Tx, agent: str) -> Sunset | None:
    """The sunset that an agent is in."""
    wanted = select(sunsets).where(sunsets.c.project == tx.project, sunsets.c.live == agent)
    row = tx.conn.execute(wanted).mappings().first()
    return None if row is None else _sunset(row)


def last_of(tx: Tx, agent: str) -> Sunset | None:
    """The newest sunset of an agent, also one that is over."""
    wanted = select(sunsets).where(sunsets.c.project == tx.project, sunsets.c.agent == agent)
    row = tx.conn.execute(wanted.order_by(sunsets.c.id.desc()).limit(1)).mappings().first()
    return None if row is None else _sunset(row)


def project_of(tx: Tx, sunset_id: str) -> str | None:
    """Where a sunset lives, for work that starts from its id alone."""
    wanted = select(sunsets.c.project).where(sunsets.c.id == sunset_id)
    return tx.conn.execute(wanted).scalar()


def page(
    tx: Tx, *, agent: str | None, everything: bool, before: str | None, limit: int
) -> list[Sunset]:
    wanted = select(sunsets).where(sunsets.c.project == tx.project)
    if agent is not None:
        wanted = wanted.where(sunsets.c.agent == agent)
    if not everything:
        wanted = wanted.where(
            sunsets.c.state.not_in((State.ARCHIVED.value, State.REINSTATED.value))
        )
    if before is not None:
        wanted = wanted.where(sunsets.c.id < before)
    rows = tx.conn.execute(wanted.order_by(sunsets.c.id.desc()).limit(limit)).mappings()
    return [_sunset(row) for row in rows]


def ending(tx: Tx, *, limit: int) -> dict[str, State]:
    """The agents that are in a sunset or came to its end, the latest first, and in which state."""
    wanted = select(sunsets.c.agent, sunsets.c.state).where(
        sunsets.c.project == tx.project, sunsets.c.state != State.REINSTATED.value
    )
    rows = tx.conn.execute(wanted.order_by(sunsets.c.id.desc()).limit(limit))
    return {row.agent: State(row.state) for row in rows}


def add_export(tx: Tx, sunset_id: str, seq: int, lines: Sequence[str]) -> None:
    tx.conn.execute(
        insert(exports).values(sunset=sunset_id, seq=seq, body="".join(lines), at=tx.now)
    )


def export(tx: Tx, sunset_id: str) -> Iterator[str]:
    """What was exported, part by part."""
    seq = 0
    while True:
        wanted = select(exports.c.body).where(
            exports.c.sunset == sunset_id, exports.c.seq == seq
        )
        body = tx.conn.execute(wanted).scalar()
        if body is None:
            return
        yield body
        seq += 1


def _row(one: Sunset) -> dict[str, Any]:
    return {
        "id": one.id,
        "agent": one.agent,
        "state": one.state.value,
        "live": one.id if one.over else one.agent,
        "body": canonical(plain(one)).decode(),
        "revision": one.revision,
    }


def _sunset(row: Any) -> Sunset:
    return replace(adapter(Sunset).validate_json(row["body"]), revision=row["revision"])
