"""Turns and what was said in them, in the database."""

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
)

from opsroom.grounding.model import Piece, Voice
from opsroom.kit import shredding
from opsroom.kit.db import Tx, Utc, metadata, overwrite
from opsroom.kit.ids import earliest

from .errors import ActionMoved
from .model import Final, Turn

turns = Table(
    "turns",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("version", String, nullable=False),
    Column("manifest", String(64), nullable=False),
    Column("environment", String, nullable=False),
    Column("intent", Text, nullable=False),
    Column("subject", String, nullable=False),
    Column("session", String, nullable=False),
    Column("human", String, nullable=False),
    Column("release", String),
    Column("arm", String, nullable=False),
    Column("trace", String, nullable=False),
    Column("plan", Text, nullable=False),
    Column("alternatives", JSON, nullable=False),
    Column("final", String),
    Column("result", Text, nullable=False),
    Column("started_at", Utc, nullable=False),
    Column("deadline", Utc),
    Column("ended_at", Utc),
    Column("revision", Integer, nullable=False),
    Index("ix_turns_project_id", "project", "id"),
    Index("ix_turns_project_agent_id", "project", "agent", "id"),
    Index("ix_turns_project_session", "project", "session", "id"),
    Index("ix_turns_project_ended", "project", "ended_at"),
    Index("ix_turns_project_trace", "project", "trace", "id"),
    Index("ix_turns_project_human", "project", "human", "id"),
    Index("ix_turns_project_subject", "project", "subject", "id"),
)

turn_texts = Table(
    "turn_texts",
    metadata,
    Column("turn", String, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("voice", String, nullable=False),
    Column("tool", String, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Utc, nullable=False),
)

# What every action goes through is put together once; building a statement takes longer than
# running it.
_TURN = select(turns).where(
    turns.c.project == bindparam("project"), turns.c.id == bindparam("id")
)
_TURN_LOCKED = _TURN.with_for_update()
_LAST_TEXT = select(func.coalesce(func.max(turn_texts.c.seq), 0)).where(
    turn_texts.c.turn == bindparam("turn")
)
_ADD_TEXTS = insert(turn_texts)
_TEXTS = (
    select(turn_texts)
    .where(turn_texts.c.turn == bindparam("turn"), turn_texts.c.seq > bindparam("after"))
    .order_by(turn_texts.c.seq)
)


def add_turn(tx: Tx, turn: Turn) -> None:
    row = _sealed(tx, turn.id, _turn_row(turn))
    tx.conn.execute(insert(turns).values(project=tx.project, **row))


def save_turn(tx: Tx, turn: Turn, *, was: Turn) -> Turn:
    """Write `turn` over `was`, unless somebody else got there first."""
    row = _turn_row(turn) | {"revision": was.revision + 1}
    sealed = shredding.seal_changed(tx, f"turn/{was.id}", row, _SAID, was=_turn_row(was))
    if not overwrite(tx, turns, was.id, revision=was.revision, values=sealed):
        raise ActionMoved(was.id)
    return _turn(row)


def turn(tx: Tx, turn_id: str, *, lock: bool = False) -> Turn | None:
    asked = {"project": tx.project, "id": turn_id}
    row = tx.conn.execute(_TURN_LOCKED if lock else _TURN, asked).mappings().first()
    return _opened(tx, [row])[0] if row else None


def turn_page(
    tx: Tx, *, agent: str | None, session: str | None, before: str | None, limit: int
) -> list[Turn]:
    wanted = select(turns).where(turns.c.project == tx.project)
    if tx.actor.environment:
        wanted = wanted.where(turns.c.environment == tx.actor.environment)
    if agent is not None:
        wanted = wanted.where(turns.c.agent == agent)
    if session is not None:
        wanted = wanted.where(turns.c.session == session)
    if before is not None:
        wanted = wanted.where(turns.c.id < before)
    rows = tx.conn.execute(wanted.order_by(turns.c.id.desc()).limit(limit)).mappings()
    return _opened(tx, rows.all())


def turn_of_trace(tx: Tx, trace: str) -> Turn | None:
    """The last turn of a trace."""
    wanted = select(turns).where(turns.c.project == tx.project, turns.c.trace == trace)
    row = tx.conn.execute(wanted.order_by(turns.c.id.desc()).limit(1)).mappings().first()
    return _opened(tx, [row])[0] if row else None


def ran(tx: Tx, since: datetime, *, limit: int) -> list[tuple[Any, ...]]:
    """The newest turns that began since: what they were and how long they took."""
    columns = [turns.c[name] for name in _RAN]
    wanted = select(*columns).where(
        turns.c.project == tx.project, turns.c.id >= earliest("trn", since)
    )
    rows = tx.conn.execute(wanted.order_by(turns.c.id.desc()).limit(limit))
    return [tuple(row) for row in rows]


_RAN = (
    "id", "agent", "version", "release", "arm", "trace", "final", "started_at", "ended_at",
)  # fmt: skip


def ended(
    tx: Tx, windows: Sequence[tuple[datetime, datetime]]
) -> list[tuple[str, int, str, int]]:
    """How many turns ended in each window of time, which includes its beginning: agent, place
    of the window, final state, count.
    """
    inside = [
        and_(turns.c.ended_at >= since, turns.c.ended_at < until) for since, until in windows
    ]
    window = case(*((within, place) for place, within in enumerate(inside))).label("window")
    wanted = (
        select(turns.c.agent, window, turns.c.final, func.count())
        .where(turns.c.project == tx.project, turns.c.final.is_not(None), or_(*inside))
        .group_by(turns.c.agent, window, turns.c.final)
    )
    return [(row[0], row[1], row[2], row[3]) for row in tx.conn.execute(wanted)]


def traces_ended_as(
    tx: Tx, finals: Sequence[str], *, since: datetime, until: datetime, limit: int
) -> list[str]:
    """The traces of turns that ended like that in this time, the latest first."""
    wanted = select(turns.c.trace).where(
        turns.c.project == tx.project,
        turns.c.ended_at >= since,
        turns.c.ended_at < until,
        turns.c.final.in_(finals),
        turns.c.trace != "",
    )
    rows = tx.conn.execute(wanted.order_by(turns.c.ended_at.desc()).limit(limit))
    return list(rows.scalars())


def finals(
    tx: Tx, since: datetime, until: datetime | None = None
) -> list[tuple[str, str, str, str, int]]:
    """How turns have ended since (until): agent, version, environment, final state, count."""
    by = (turns.c.agent, turns.c.version, turns.c.environment, turns.c.final)
    wanted = select(*by, func.count()).where(
        turns.c.project == tx.project, turns.c.final.is_not(None), turns.c.ended_at >= since
    )
    if until is not None:
        wanted = wanted.where(turns.c.ended_at < until)
    return [
        (row[0], row[1], row[2], row[3], row[4])
        for row in tx.conn.execute(wanted.group_by(*by))
    ]


def add_texts(tx: Tx, turn_id: str, pieces: Sequence[Piece]) -> int:
    """Put pieces at the end of a turn whose row is locked; how many there are now."""
    seq = int(tx.conn.execute(_LAST_TEXT, {"turn": turn_id}).scalar_one())
    rows = [
        {
            "turn": turn_id,
            "seq": seq + number,
            "voice": piece.voice.value,
            "tool": piece.tool,
            "arguments": json.dumps(dict(piece.arguments), ensure_ascii=False),
            "text": piece.text,
            "at": tx.now,
        }
        for number, piece in enumerate(pieces, start=1)
    ]
    if rows:
        tx.conn.execute(_ADD_TEXTS, [_sealed(tx, turn_id, row) for row in rows])
    return seq + len(rows)


def texts(tx: Tx, turn_id: str, *, after: int = 0) -> list[tuple[int, Piece]]:
    """What was said in a turn, in order."""
    found = tx.conn.execute(_TEXTS, {"turn": turn_id, "after": after}).mappings().all()
    rows = shredding.opened(tx, found, _SAID, left=_LEFT)
    return [
        (
            row["seq"],
            Piece(
                voice=Voice(row["voice"]),
                text=row["text"],
                tool=row["tool"],
                arguments=json.loads(row["arguments"]),
            ),
        )
        for row in rows
    ]


# What people's data may stand in; it is sealed by the key of the turn.
_SAID = frozenset({"intent", "plan", "alternatives", "result", "arguments", "text"})
_LEFT: dict[str, shredding.Left] = {
    "alternatives": lambda _: [],
    "arguments": lambda hash_: json.dumps(shredding.remains(hash_)),
}


def _sealed(tx: Tx, turn_id: str, row: dict[str, Any]) -> dict[str, Any]:
    return shredding.seal_fields(tx, f"turn/{turn_id}", row, _SAID)


def _opened(tx: Tx, rows: Sequence[RowMapping]) -> list[Turn]:
    return [_turn(row) for row in shredding.opened(tx, rows, _SAID, left=_LEFT)]


def _turn_row(one: Turn) -> dict[str, Any]:
    row = {item.name: getattr(one, item.name) for item in fields(Turn)}
    return row | {
        "alternatives": list(one.alternatives),
        "final": None if one.final is None else one.final.value,
    }


def _turn(row: RowMapping | dict[str, Any]) -> Turn:
    data: dict[str, Any] = {name: value for name, value in row.items() if name != "project"}
    data["alternatives"] = tuple(data["alternatives"])
    data["final"] = data["final"] and Final(data["final"])
    return Turn(**data)
