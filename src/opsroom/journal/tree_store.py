"""What is kept of the tree and of its checkpoints: the only SQL about them.

Hashes of the tree are kept from blocks of 256 records upwards, so they take a few bytes an
entry; they are derived, and nothing believes them that a signature does not hold.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    delete,
    func,
    select,
)

from opsroom.kit.db import Tx, Utc, insert_missing, metadata

from .model import GENESIS, Entry, Head, read
from .store import journal
from .tree import BLOCK_LEVEL

KEPT = 1000  # checkpoints; a later one holds everything that an earlier one held

nodes = Table(
    "journal_tree",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
)

checkpoints = Table(
    "journal_checkpoints",
    metadata,
    Column(
        "size",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("at", Utc, nullable=False),
    Column("note", Text, nullable=False),
)


def rows(tx: Tx, start: int, end: int) -> list[tuple[int, str, str]]:
    """The rows of the chain after the first `start`, up to number `end`."""
    wanted = (
        select(journal.c.seq, journal.c.record, journal.c.hash)
        .where(journal.c.seq > start, journal.c.seq <= end)
        .order_by(journal.c.seq)
    )
    return [(seq, record, hash_) for seq, record, hash_ in tx.conn.execute(wanted)]


def head_at(tx: Tx, seq: int) -> Head:
    """The head that the chain had at this number; of one that is missing, none that fits."""
    if seq == 0:
        return Head()
    found = tx.conn.execute(select(journal.c.hash).where(journal.c.seq == seq)).scalar()
    return Head(seq=seq, hash=found or GENESIS)


def entry(tx: Tx, seq: int) -> tuple[Entry, str] | None:
    """An entry of this project, and its record."""
    wanted = select(journal.c.record).where(
        journal.c.seq == seq, journal.c.project == tx.project
    )
    record = tx.conn.execute(wanted).scalar()
    return None if record is None else (read(record), record)


def newest(tx: Tx, project: str, event: str) -> Entry | None:
    """The newest entry about `event` in a project, whichever one asks."""
    wanted = (
        select(journal.c.record)
        .where(journal.c.project == project, journal.c.event == event)
        .order_by(journal.c.seq.desc())
        .limit(1)
    )
    record = tx.conn.execute(wanted).scalar()
    return None if record is None else read(record)


def blocks(tx: Tx) -> int:
    """How many blocks of the journal are in the tree."""
    wanted = select(func.max(nodes.c.number)).where(nodes.c.level == BLOCK_LEVEL)
    last = tx.conn.execute(wanted).scalar()
    return 0 if last is None else int(last) + 1


def node(tx: Tx, level: int, number: int) -> bytes | None:
    wanted = select(nodes.c.hash).where(nodes.c.level == level, nodes.c.number == number)
    found = tx.conn.execute(wanted).scalar()
    return None if found is None else bytes.fromhex(found)


def keep_nodes(tx: Tx, found: Sequence[tuple[int, int, bytes]]) -> None:
    values: list[dict[str, Any]] = [
        {"level": level, "number": number, "hash": hash_.hex()}
        for level, number, hash_ in found
    ]
    insert_missing(tx, nodes, values)


def last_checkpoint(tx: Tx) -> tuple[datetime, str] | None:
    """When the newest checkpoint was made, and its note."""
    wanted = select(checkpoints.c.at, checkpoints.c.note).order_by(checkpoints.c.size.desc())
    row = tx.conn.execute(wanted.limit(1)).first()
    return None if row is None else (row.at, row.note)


def keep_checkpoint(tx: Tx, size: int, note: str) -> None:
    """Keep a checkpoint, and no more than the newest thousand."""
    insert_missing(tx, checkpoints, [{"size": size, "at": tx.now, "note": note}])
    kept = select(checkpoints.c.size).order_by(checkpoints.c.size.desc())
    oldest = tx.conn.execute(kept.offset(KEPT - 1).limit(1)).scalar()
    if oldest is not None:
        tx.conn.execute(delete(checkpoints).where(checkpoints.c.size < oldest))


def forget_checkpoints(tx: Tx) -> None:
    """Begin anew, with another key."""
    tx.conn.execute(delete(checkpoints))
