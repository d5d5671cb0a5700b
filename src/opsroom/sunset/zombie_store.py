"""The tables of agents that linger: what was found, and when projects are due."""

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
    func,
    insert,
    select,
)

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, metadata, overwrite
from opsroom.kit.wire import adapter, plain

from .errors import SunsetMoved
from .zombies import LIVE, Finding, Zombie

# `live` is agent and kind while the finding stands, and its id afterwards.
zombies = Table(
    "zombies",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("live", String, nullable=False),
    Column("closed_at", Utc),
    Column("body", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    UniqueConstraint("project", "live"),
    Index("ix_zombies_project_agent", "project", "agent", "id"),
    Index("ix_zombies_project_state", "project", "state", "id"),
)

clocks = Table(
    "zombie_clocks",
    metadata,
    Column("project", String, primary_key=True),
    Column("next_at", Utc, nullable=False),
    Index("ix_zombie_clocks_next", "next_at"),
)


def add(tx: Tx, one: Finding) -> None:
    tx.conn.execute(insert(zombies).values(project=tx.project, **_row(one)))


def save(tx: Tx, one: Finding) -> Finding:
    """Write what `one` has become, unless somebody else got there first."""
    row = _row(one) | {"revision": one.revision + 1}
    mine = zombies.c.project == tx.project
    if not overwrite(tx, zombies, one.id, mine, revision=one.revision, values=row):
        raise SunsetMoved(one.id)
    return replace(one, revision=one.revision + 1)


def finding(tx: Tx, zombie_id: str, *, lock: bool = False) -> Finding | None:
    wanted = select(zombies).where(zombies.c.project == tx.project, zombies.c.id == zombie_id)
    if lock:
        wanted = wanted.with_for_update()
    row = tx.conn.execute(wanted).mappings().first()
    return None if row is None else _finding(row)


def newest_of(tx: Tx, agent: str) -> dict[Zombie, Finding]:
    """The newest finding of each kind about an agent."""
    newest = (
        select(func.max(zombies.c.id))
        .where(zombies.c.project == tx.project, zombies.c.agent == agent)
        .group_by(zombies.c.kind)
    )
    rows = tx.conn.execute(select(zombies).where(zombies.c.id.in_(newest))).mappings()
    return {one.kind: one for one in map(_finding, rows)}


def live_of(tx: Tx, agent: str) -> list[Finding]:
    wanted = select(zombies).where(
        zombies.c.project == tx.project,
        zombies.c.agent == agent,
        zombies.c.state.in_([state.value for state in LIVE]),
    )
    rows = tx.conn.execute(wanted.order_by(zombies.c.id)).mappings()
    return [_finding(row) for row in rows]


def page(
    tx: Tx, *, agent: str | None, everything: bool, before: str | None, limit: int
) -> list[Finding]:
    wanted = select(zombies).where(zombies.c.project == tx.project)
    if agent is not None:
        wanted = wanted.where(zombies.c.agent == agent)
    if not everything:
        wanted = wanted.where(zombies.c.state.in_([state.value for state in LIVE]))
    if before is not None:
        wanted = wanted.where(zombies.c.id < before)
    rows = tx.conn.execute(wanted.order_by(zombies.c.id.desc()).limit(limit)).mappings()
    return [_finding(row) for row in rows]


def live_kinds(tx: Tx, *, limit: int) -> list[tuple[str, str]]:
    """Agent and kind of every finding that stands."""
    wanted = select(zombies.c.agent, zombies.c.kind).where(
        zombies.c.project == tx.project,
        zombies.c.state.in_([state.value for state in LIVE]),
    )
    found = tx.conn.execute(wanted.order_by(zombies.c.agent, zombies.c.kind).limit(limit))
    return [(row.agent, row.kind) for row in found]


def _row(one: Finding) -> dict[str, Any]:
    return {
        "id": one.id,
        "agent": one.agent,
        "kind": one.kind.value,
        "state": one.state.value,
        "live": f"{one.agent} {one.kind.value}" if one.state in LIVE else one.id,
        "closed_at": one.closed_at,
        "body": canonical(plain(one)).decode(),
        "revision": one.revision,
    }


def _finding(row: Any) -> Finding:
    return replace(adapter(Finding).validate_json(row["body"]), revision=row["revision"])
