"""The journal in the database: the canonical record, its hash, and columns derived from it.

Only the record is stored; what we search by is computed from it by the database itself, so
a column cannot say anything that the hash does not cover.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement

from opsroom.kit import shredding
from opsroom.kit.db import Event, Tx, metadata
from opsroom.kit.errors import OpsroomError

from .model import Entry, Head, link, read
from .personal import PERSONAL


class RecordField(ColumnElement[str]):
    """A text field of the canonical record, as a column expression: by its name, or by the
    names on the way to it.
    """

    inherit_cache = False  # what it says hangs on its path
    type = String()

    def __init__(self, *path: str) -> None:
        self.path = path


@compiles(RecordField, "sqlite")
def _sqlite_field(element: RecordField, _compiler: Any, **_: Any) -> str:
    return f"json_extract(record, '$.{'.'.join(element.path)}')"


@compiles(RecordField, "postgresql")
def _postgres_field(element: RecordField, _compiler: Any, **_: Any) -> str:
    *way, last = element.path
    within = "".join(f" -> '{name}'" for name in way)
    return f"((record::jsonb){within} ->> '{last}')"


PAGE = 10_000
_NONE: frozenset[str] = frozenset()
log = logging.getLogger(__name__)
DERIVED = ("project", "actor", "event", "subject")


def _derived(name: str) -> Column[Any]:
    return Column(name, String, Computed(RecordField(name), persisted=True))


journal = Table(
    "journal",
    metadata,
    Column(
        "seq",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("record", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    *(_derived(name) for name in DERIVED),
    Index("ix_journal_project_subject_seq", "project", "subject", "seq"),
    Index("ix_journal_project_event_seq", "project", "event", "seq"),
)

# The one row that every writer locks while it appends, which makes the numbers gapless and
# their order the order of the commits: a reader that saw number n will never miss n - 1.
head_table = Table(
    "journal_head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

cursors = Table(
    "journal_cursors",
    metadata,
    Column("reader", String, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)


# What every commit goes through is put together once; building a statement takes longer than
# running it.
_HEAD = select(head_table).where(head_table.c.id == 1)
_HEAD_LOCKED = _HEAD.with_for_update()
_APPEND = insert(journal)
_MOVE_HEAD = (
    update(head_table)
    .where(head_table.c.id == 1)
    .values(seq=bindparam("seq"), hash=bindparam("hash"))
)


def append(tx: Tx) -> None:
    """Write what the transaction recorded at the end of the chain. The last step of a commit."""
    if not tx.events:
        return
    sealed = [_sealed(tx, event) for event in tx.events]  # before anybody has to wait for us
    head = tx.conn.execute(_HEAD_LOCKED).one()
    seq, last = int(head.seq), str(head.hash)
    rows: list[dict[str, Any]] = []
    for event, facts in zip(tx.events, sealed, strict=True):
        seq += 1
        record = Entry(
            seq=seq,
            id=tx.ids.new("evt"),
            at=tx.now,
            project=event.actor.project,
            actor=event.actor.name,
            event=event.name,
            subject=event.subject,
            facts=facts,
        ).record()
        last = link(last, record)
        rows.append({"seq": seq, "record": record, "hash": last})
    tx.conn.execute(_APPEND, rows)
    tx.conn.execute(_MOVE_HEAD, {"seq": seq, "hash": last})


def _sealed(tx: Tx, event: Event) -> dict[str, Any]:
    if names := PERSONAL.get(event.name):
        now, tx.actor = tx.actor, event.actor  # one transaction may act in several projects
        try:
            return shredding.seal_fields(tx, event.subject, event.facts, names)
        finally:
            tx.actor = now
    return event.facts


def lock(tx: Tx) -> None:
    """Let nobody append before this transaction has ended."""
    tx.conn.execute(_HEAD_LOCKED).one()


def head(tx: Tx) -> Head:
    row = tx.conn.execute(_HEAD).one()
    return Head(seq=row.seq, hash=row.hash)


def chain(tx: Tx) -> Iterator[tuple[int, str, str]]:
    """The whole chain, oldest first, without holding it in memory."""
    columns = select(journal.c.seq, journal.c.record, journal.c.hash).order_by(journal.c.seq)
    done: int | None = None
    while True:
        page = columns if done is None else columns.where(journal.c.seq > done)
        result = tx.conn.execute(page.limit(PAGE))
        assert result.cursor is not None
        rows = result.cursor.fetchall()  # the driver's tuples take half the time of rows
        result.close()
        if not rows:
            return
        yield from rows
        done = rows[-1][0]


def first_with_other_columns(tx: Tx) -> int | None:
    """The first entry whose columns say something else than its record, if there is one.

    The database computes them; somebody who edits the file or the table can still lie.
    """
    lies = or_(*(journal.c[name].is_distinct_from(RecordField(name)) for name in DERIVED))
    return tx.conn.execute(select(func.min(journal.c.seq)).where(lies)).scalar()


def entries_after(tx: Tx, seq: int, *, limit: int) -> list[Entry]:
    """Entries of every project after `seq`, oldest first: what readers of the outbox see."""
    rows = select(journal.c.record).where(journal.c.seq > seq).order_by(journal.c.seq)
    return _read(tx, tx.conn.execute(rows.limit(limit)).scalars().all())


def entries(
    tx: Tx,
    *,
    subject: str | None = None,
    event: str | None = None,
    actor: str | None = None,
    agent: str | None = None,
    before: int | None = None,
    limit: int,
) -> list[tuple[Entry, str]]:
    """Entries of this project with their hashes, newest first."""
    wanted = select(journal.c.record, journal.c.hash).where(journal.c.project == tx.project)
    if subject is not None:
        wanted = wanted.where(journal.c.subject == subject)
    if event is not None:
        wanted = wanted.where(journal.c.event == event)
    if actor is not None:
        wanted = wanted.where(journal.c.actor == actor)
    if agent is not None:
        wanted = wanted.where(RecordField("facts", "agent") == agent)
    if before is not None:
        wanted = wanted.where(journal.c.seq < before)
    return _hashed(tx, wanted.order_by(journal.c.seq.desc()).limit(limit))


def _hashed(tx: Tx, wanted: Select[Any, Any]) -> list[tuple[Entry, str]]:
    rows = tx.conn.execute(wanted).all()
    found = _read(tx, [record for record, _ in rows])
    return [(entry, hash_) for entry, (_, hash_) in zip(found, rows, strict=True)]


def _read(tx: Tx, records: Sequence[str]) -> list[Entry]:
    """Entries with what was sealed in their facts as it was, unless it was shredded.

    Nobody reads less of the journal because one seal is broken: a sentence stands there then.
    """
    found = [read(record) for record in records]
    facts = shredding.opened(
        tx,
        [
            {
                name: one.facts[name]
                for name in PERSONAL.get(one.event, _NONE) & one.facts.keys()
            }
            for one in found
        ],
        places=[(one.project, one.subject) for one in found],
        broken=_unreadable,
    )
    return [
        replace(entry, facts={**entry.facts, **opened}) if opened else entry
        for entry, opened in zip(found, facts, strict=True)
    ]


def _unreadable(hash_: str, error: OpsroomError) -> str:
    log.error("a fact of the journal cannot be read: %s", error)
    return f"not readable ({error.code}); SHA-256 {hash_}"


def time_of(tx: Tx, seq: int) -> datetime | None:
    """When an entry was written, whichever project it is of."""
    record = tx.conn.execute(select(journal.c.record).where(journal.c.seq == seq)).scalar()
    return None if record is None else read(record).at


def _between(tx: Tx, after: int, until: int) -> ColumnElement[bool]:
    c = journal.c
    return and_(c.project == tx.project, c.seq > after, c.seq <= until)


def counts(tx: Tx, after: int, until: int, events: Collection[str]) -> dict[str, int]:
    wanted = select(journal.c.event, func.count().label("many")).where(
        _between(tx, after, until)
    )
    if events:
        wanted = wanted.where(journal.c.event.in_(sorted(events)))
    rows = tx.conn.execute(wanted.group_by(journal.c.event))
    return {row.event: row.many for row in rows}


def about(
    tx: Tx, events: Collection[str], after: int, until: int, limit: int
) -> list[tuple[Entry, str]]:
    wanted = (
        select(journal.c.record, journal.c.hash)
        .where(_between(tx, after, until), journal.c.event.in_(sorted(events)))
        .order_by(journal.c.seq.desc())
        .limit(limit)
    )
    return _hashed(tx, wanted)


def peek(tx: Tx, reader: str) -> int:
    """How far a reader has come, without waiting for it."""
    wanted = select(cursors.c.seq).where(cursors.c.reader == reader)
    return int(tx.conn.execute(wanted).scalar() or 0)


def cursor(tx: Tx, reader: str) -> int:
    """How far a reader has come; its row stays locked until the transaction ends."""
    start = {"reader": reader, "seq": 0}
    if tx.conn.dialect.name == "sqlite":
        tx.conn.execute(sqlite.insert(cursors).values(start).on_conflict_do_nothing())
    else:
        tx.conn.execute(postgresql.insert(cursors).values(start).on_conflict_do_nothing())
    wanted = select(cursors.c.seq).where(cursors.c.reader == reader).with_for_update()
    return int(tx.conn.execute(wanted).scalar_one())


def move_cursor(tx: Tx, reader: str, seq: int) -> None:
    tx.conn.execute(update(cursors).where(cursors.c.reader == reader).values(seq=seq))
