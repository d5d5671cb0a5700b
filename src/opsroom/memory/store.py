"""Memories in the database, and the marks by which those like a given text are found.

Comparing a text with a hundred thousand others takes a second. So a memory that has an end
is filed under a few marks of its text, and a text is compared only with the latest memories
under each of its own marks: a bounded number of index reads, however many there are.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, metadata
from opsroom.kit.wire import plain

from .model import TERMS, Candidate, Memory, filed_under, keys, normal, words_of

LATEST = 100  # memories that are looked at under each mark

_Seq = BigInteger().with_variant(Integer, "sqlite")

memories = Table(
    "memories",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("id", String, nullable=False),
    Column("project", String, nullable=False),
    Column("action", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("contract", String, nullable=False),
    Column("manifest", String(64), nullable=False),
    Column("source", String, nullable=False),
    Column("context", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("alternatives", JSON, nullable=False),
    Column("chosen", JSON, nullable=False),
    Column("outcome", String, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("correction", JSON(none_as_null=True)),
    Column("decided_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("forgotten_at", Utc),
    Index("uq_memories_id", "id", unique=True),
    Index("uq_memories_action", "project", "action", unique=True),
    Index("ix_memories_agent", "project", "agent", "id"),
)

memory_marks = Table(
    "memory_marks",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("memory", _Seq, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

_ADD = {
    "sqlite": sqlite.insert(memories).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(memories).on_conflict_do_nothing(),
}
_COMPARED = ("seq", "words", "contract", "outcome", "correction", "source")
_FIELDS = tuple(Memory.__dataclass_fields__)


def _latest(number: int) -> Any:
    one = select(memory_marks.c.key, memory_marks.c.memory)
    one = one.where(memory_marks.c.key == bindparam(f"key{number}", type_=BigInteger))
    newest = one.order_by(memory_marks.c.memory.desc()).limit(LATEST).subquery(f"m{number}")
    return select(newest.c.key, newest.c.memory)


_LATEST_OF_EACH = union_all(*map(_latest, range(TERMS)))


def add(tx: Tx, memory: Memory) -> None:
    """Keep a memory; a second one of the same action changes nothing."""
    values = {name: getattr(memory, name) for name in _FIELDS}
    values |= {
        "project": tx.project,
        "words": words_of(normal(memory.context)),
        "alternatives": _json(list(memory.alternatives)),
        "chosen": _json(dict(memory.chosen)),
    }
    tx.conn.execute(_ADD[tx.conn.dialect.name], values)


def of_action(tx: Tx, action: str) -> tuple[int, Memory] | None:
    """The memory of an action, and its place."""
    return _one(tx, memories.c.action == action)


def memory(tx: Tx, memory_id: str) -> tuple[int, Memory] | None:
    return _one(tx, memories.c.id == memory_id)


def save(tx: Tx, seq: int, now: Memory, *, was: Memory) -> None:
    """Write `now` over `was` and file it where it belongs by its end and its trust."""
    names = ("outcome", "verified", "ended_at", "forgotten_at", "context")
    values: dict[str, Any] = {name: getattr(now, name) for name in names}
    values |= {
        "words": words_of(normal(now.context)),
        "alternatives": _json(list(now.alternatives)),
        "chosen": _json(dict(now.chosen)),
        "correction": None if now.correction is None else _json(dict(now.correction)),
    }
    tx.conn.execute(update(memories).where(memories.c.seq == seq).values(values))
    before, after = _keys(tx, was), _keys(tx, now)
    if gone := before - after:
        mine = memory_marks.c.key.in_(gone)
        tx.conn.execute(delete(memory_marks).where(mine, memory_marks.c.memory == seq))
    if new := after - before:
        tx.conn.execute(insert(memory_marks), [{"key": one, "memory": seq} for one in new])


def page(tx: Tx, *, agent: str, before: str | None, limit: int) -> list[Memory]:
    """Memories of an agent, newest first."""
    wanted = select(memories).where(memories.c.project == tx.project, memories.c.agent == agent)
    if before is not None:
        wanted = wanted.where(memories.c.id < before)
    rows = tx.conn.execute(wanted.order_by(memories.c.id.desc()).limit(limit)).mappings()
    return [_memory(row) for row in rows]


def marked(tx: Tx, wanted: Sequence[int]) -> dict[int, list[int]]:
    """Under each key the places of the latest memories, at most `LATEST` of them."""
    given = {f"key{n}": key for n, key in enumerate((*wanted, *[-1] * TERMS)[:TERMS])}
    found: dict[int, list[int]] = {}
    for row in tx.conn.execute(_LATEST_OF_EACH, given).mappings():
        found.setdefault(row["key"], []).append(row["memory"])
    return found


def head(tx: Tx) -> int:
    return tx.conn.execute(select(func.max(memories.c.seq))).scalar() or 0


def candidates(tx: Tx, seqs: Sequence[int], agent: str) -> list[Candidate]:
    """What is compared of memories of this agent."""
    columns = [memories.c[name] for name in (*_COMPARED, "project", "agent")]
    rows = tx.conn.execute(select(*columns).where(memories.c.seq.in_(seqs)))
    # Compared here: as a condition it has SQLite walk through all that the agent remembers.
    return [
        Candidate(**dict(zip(_COMPARED, row[:-2], strict=True)))
        for row in rows
        if (row.project, row.agent) == (tx.project, agent)
    ]


def by_place(tx: Tx, seqs: Sequence[int]) -> dict[int, Memory]:
    rows = tx.conn.execute(select(memories).where(memories.c.seq.in_(seqs))).mappings()
    return {row["seq"]: _memory(row) for row in rows}


def _one(tx: Tx, condition: Any) -> tuple[int, Memory] | None:
    wanted = select(memories).where(memories.c.project == tx.project, condition)
    row = tx.conn.execute(wanted).mappings().first()
    return (row["seq"], _memory(row)) if row else None


def _keys(tx: Tx, memory: Memory) -> set[int]:
    """Under what a memory is filed; nothing before it has an end, or once it is forgotten."""
    if not memory.outcome or memory.forgotten_at is not None:
        return set()
    text = normal(memory.context)
    return {
        key
        for contract in (filed_under(memory.contract), "")
        for key in keys(tx.project, memory.agent, contract, text, trusted=memory.trusted)
    }


def _json(data: Any) -> Any:
    """Plain data, checked to have a canonical form, as every database can hold it."""
    return json.loads(canonical(plain(data)))


def _memory(row: RowMapping | Mapping[str, Any]) -> Memory:
    data: dict[str, Any] = {name: row[name] for name in _FIELDS}
    data["alternatives"] = tuple(row["alternatives"])
    return Memory(**data)
