"""Recorded answers in the database, found by who answered what."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Column, Integer, String, Table, Text, func, select

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, insert_missing, metadata
from opsroom.kit.wire import adapter, plain

from .errors import RecordingConflict
from .model import Output
from .replay import Recording, RecordingKey

CHUNK = 500

recordings = Table(
    "recordings",
    metadata,
    Column("project", String, primary_key=True),
    Column("subject", String(64), primary_key=True),
    Column("item", String(64), primary_key=True),
    Column("variant", String, primary_key=True),
    Column("trial", Integer, primary_key=True),
    Column("output", Text, nullable=False),
)


def add(tx: Tx, new: Sequence[Recording]) -> int:
    """Keep recorded answers; return how many were not there yet.

    Raises `RecordingConflict` where another answer is already kept under the same key.
    """
    added = keep_first(tx, new)
    if added < len(new):
        for one in new:
            if _kept(tx, one.key) != _text(one.output):
                raise RecordingConflict(*one.key)
    return added


def keep_first(tx: Tx, new: Sequence[Recording]) -> int:
    """Keep answers whose key is free, and leave the others as they are; return how many."""
    rows = [
        {**one.key._asdict(), "project": tx.project, "output": _text(one.output)} for one in new
    ]
    return insert_missing(tx, recordings, rows)


def of_subject(
    tx: Tx, subject: str, items: Iterable[str], variant: str = ""
) -> dict[RecordingKey, Output]:
    """What one version answered to these items under one variant, every trial of it."""
    wanted = list(items)
    found: dict[RecordingKey, Output] = {}
    shape = adapter(Output)
    for start in range(0, len(wanted), CHUNK):
        rows = tx.conn.execute(
            select(recordings.c.item, recordings.c.trial, recordings.c.output).where(
                recordings.c.project == tx.project,
                recordings.c.subject == subject,
                recordings.c.variant == variant,
                recordings.c.item.in_(wanted[start : start + CHUNK]),
            )
        )
        for item, trial, output in rows:
            key = RecordingKey(subject, item, variant, trial)
            found[key] = shape.validate_json(output)
    return found


def variants(tx: Tx, subject: str) -> dict[str, int]:
    """Under which variants a version's answers are recorded, and how many each time."""
    rows = tx.conn.execute(
        select(recordings.c.variant, func.count())
        .where(recordings.c.project == tx.project, recordings.c.subject == subject)
        .group_by(recordings.c.variant)
        .order_by(recordings.c.variant)
    )
    return {variant: count for variant, count in rows}  # noqa: C416  # rows are not pairs to dict


def _text(output: Output) -> str:
    return canonical(plain(output)).decode()


def _kept(tx: Tx, key: RecordingKey) -> str | None:
    wanted = select(recordings.c.output).where(
        recordings.c.project == tx.project,
        recordings.c.subject == key.subject,
        recordings.c.item == key.item,
        recordings.c.variant == key.variant,
        recordings.c.trial == key.trial,
    )
    return tx.conn.execute(wanted).scalar()
