"""What was settled, to take away: as JSON lines or as a table. Open tasks are not in it."""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from opsroom.kit import csvwriting
from opsroom.kit.db import Actor, Database
from opsroom.kit.wire import plain

from . import queries
from .model import Settled, TaskView, as_text

COLUMNS = (
    "task", "subject", "trace", "domain", "input", "output", "context", "label", "disputed",
    "settled_at", "first", "first_by", "second", "second_by", "third", "third_by",
)  # fmt: skip
SEATS = ("first", "second", "third")


class Form(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"

    @property
    def media(self) -> str:
        return "application/jsonl" if self is Form.JSONL else "text/csv; charset=utf-8"


def lines(db: Database, actor: Actor, queue_id: str, form: Form) -> Iterator[str]:
    """Line by line, each with its end; in short transactions, so that whoever reads slowly keeps
    nobody from the database. Raises `QueueNotFound`.
    """
    found = settled(db, actor, queue_id)
    if form is Form.JSONL:
        for view, done in found:
            yield json.dumps(_row(view, done), ensure_ascii=False) + "\n"
        return
    yield from csvwriting.lines([COLUMNS])
    flat = (_flat(view, done) for view, done in found)
    yield from csvwriting.lines([row[name] for name in COLUMNS] for row in flat)


def settled(db: Database, actor: Actor, queue_id: str) -> Iterator[tuple[TaskView, Settled]]:
    """Everything that is settled, with what it was about; a transaction for each part of it.

    Raises `QueueNotFound`.
    """
    after: int | None = 0
    while after is not None:
        with db.read(actor) as tx:
            found, after = queries.export(tx, queue_id, after=after)
        yield from found


def _row(view: TaskView, settled: Settled) -> dict[str, Any]:
    about: dict[str, Any] = plain(view)
    kept = {name: about[name] for name in ("trace", "domain", "input", "output", "context")}
    return {**plain(settled), **kept}


def _flat(view: TaskView, settled: Settled) -> dict[str, str]:
    row = dict.fromkeys(COLUMNS, "") | {
        "task": settled.task,
        "subject": settled.subject,
        "trace": view.trace,
        "domain": view.domain,
        "input": as_text(view.input),
        "output": as_text(view.output),
        "context": view.context,
        "label": settled.label,
        "disputed": "yes" if settled.disputed else "no",
        "settled_at": settled.settled_at.isoformat(),
    }
    for said in settled.labels:
        seat = SEATS[said.seat - 1]
        row |= {seat: said.label, f"{seat}_by": said.by}
    return row
