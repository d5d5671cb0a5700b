"""Tools that are in quarantine, and which turn a conversation over MCP belongs to."""

import json
from typing import Any

from sqlalchemy import Column, Index, RowMapping, String, Table, Text, delete, insert, select
from sqlalchemy.exc import IntegrityError

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, metadata
from opsroom.kit.wire import adapter, plain

from .model import Quarantined, SeenTool

quarantined_tools = Table(
    "quarantined_tools",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("contract", String, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("tool", String, nullable=False),
    Column("url", Text, nullable=False),
    Column("face", String(64), nullable=False),
    Column("approved", Text, nullable=False),
    Column("seen", Text),
    Column("seen_at", Utc, nullable=False),
    Index("uq_quarantined_tools_face", "project", "digest", "face", unique=True),
)

mcp_turns = Table(
    "mcp_turns",
    metadata,
    Column("project", String, primary_key=True),
    Column("agent", String, primary_key=True),
    Column("session", String, primary_key=True),
    Column("turn", String, nullable=False),
    Column("began_at", Utc, nullable=False),
)


def add(tx: Tx, one: Quarantined) -> bool:
    """Note a face; False when it was noted before."""
    values = {name: getattr(one, name) for name in Quarantined.__dataclass_fields__}
    values |= {
        "project": tx.project,
        "approved": _text(one.approved),
        "seen": None if one.seen is None else _text(one.seen),
    }
    try:
        with tx.conn.begin_nested():
            tx.conn.execute(insert(quarantined_tools).values(values))
    except IntegrityError:
        return False
    return True


def noted(tx: Tx, digest: str, face: str) -> bool:
    wanted = select(quarantined_tools.c.id).where(
        quarantined_tools.c.project == tx.project,
        quarantined_tools.c.digest == digest,
        quarantined_tools.c.face == face,
    )
    return tx.conn.execute(wanted).first() is not None


def one(tx: Tx, quarantine_id: str) -> Quarantined | None:
    wanted = select(quarantined_tools).where(
        quarantined_tools.c.project == tx.project, quarantined_tools.c.id == quarantine_id
    )
    row = tx.conn.execute(wanted).mappings().first()
    return _quarantined(row) if row else None


def page(tx: Tx, *, before: str | None, limit: int) -> list[Quarantined]:
    """What was quarantined, newest first."""
    wanted = select(quarantined_tools).where(quarantined_tools.c.project == tx.project)
    if before is not None:
        wanted = wanted.where(quarantined_tools.c.id < before)
    rows = tx.conn.execute(wanted.order_by(quarantined_tools.c.id.desc()).limit(limit))
    return [_quarantined(row) for row in rows.mappings()]


def turn_of(tx: Tx, agent: str, session: str) -> str | None:
    wanted = select(mcp_turns.c.turn).where(*_mine(tx, agent, session))
    return tx.conn.execute(wanted).scalar()


def bind_turn(tx: Tx, agent: str, session: str, turn: str) -> str:
    """Say which turn a conversation is; the one that is bound already, if somebody was faster."""
    values = {"project": tx.project, "agent": agent, "session": session}
    try:
        with tx.conn.begin_nested():
            tx.conn.execute(insert(mcp_turns).values(**values, turn=turn, began_at=tx.now))
    except IntegrityError:
        return turn_of(tx, agent, session) or turn
    return turn


def unbind_turn(tx: Tx, agent: str, session: str) -> None:
    tx.conn.execute(delete(mcp_turns).where(*_mine(tx, agent, session)))


def _mine(tx: Tx, agent: str, session: str) -> tuple[Any, ...]:
    return (
        mcp_turns.c.project == tx.project,
        mcp_turns.c.agent == agent,
        mcp_turns.c.session == session,
    )


def _text(tool: SeenTool) -> str:
    return canonical(plain(tool)).decode()


def _quarantined(row: RowMapping) -> Quarantined:
    data: dict[str, Any] = {n: row[n] for n in Quarantined.__dataclass_fields__}
    for name in ("approved", "seen"):
        if data[name] is not None:
            data[name] = adapter(SeenTool).validate_python(json.loads(data[name]))
    return Quarantined(**data)
