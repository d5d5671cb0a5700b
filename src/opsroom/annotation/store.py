"""The tables of annotation: queues, their tasks, and what people said of each."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    and_,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    text,
)

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, metadata, overwrite
from opsroom.kit.wire import adapter, plain

from .errors import QueueMoved, TaskMoved
from .model import (
    Asks,
    Drawn,
    Label,
    Queue,
    QueueState,
    Skip,
    Source,
    State,
    Task,
)

CHUNK = 200
# Spelt out, since an index over some rows is only used by who asks for the same in the same words.
_OPEN = text("state <> 'settled'")

queues = Table(
    "annotation_queues",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("secret", String, nullable=False),
    Column("name", String, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("asks", String, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("rubric", Text, nullable=False),
    Column("source", JSON, nullable=False),
    Column("second", Float, nullable=False),
    Column("target", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("made_by", String, nullable=False),
    Column("made_at", Utc, nullable=False),
    Column("closed_by", String, nullable=False),
    Column("closed_at", Utc),
    Column("note", Text, nullable=False),
    Column("last", JSON),
    Column("revision", Integer, nullable=False),
    Index("ix_annotation_queues_project_id", "project", "id"),
)

tasks = Table(
    "annotation_tasks",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("queue", String, nullable=False),
    Column("place", Integer, nullable=False),
    Column("subject", String, nullable=False),
    Column("input", Text, nullable=False),
    Column("output", Text, nullable=False),
    Column("context", Text, nullable=False),
    Column("domain", String, nullable=False),
    Column("trace", String, nullable=False),
    Column("double", Boolean, nullable=False),
    Column("added_at", Utc, nullable=False),
    Column("state", String, nullable=False),
    Column("disputed", Boolean, nullable=False),
    Column("held_by", String, nullable=False),
    Column("held_until", Utc),
    Column("label", Text),
    Column("settled_at", Utc),
    Column("revision", Integer, nullable=False),
    UniqueConstraint("queue", "subject"),
    Index("ix_annotation_tasks_queue_state_place", "queue", "state", "place"),
    Index("ix_annotation_tasks_queue_place", "queue", "place"),
    Index(
        "ix_annotation_tasks_open",
        "project",
        "queue",
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
)

# Two people never fill one seat, and nobody fills two: the database holds both.
labels = Table(
    "annotation_labels",
    metadata,
    Column("task", String, primary_key=True),
    Column("seat", Integer, primary_key=True),
    Column("by", String, nullable=False),
    Column("label", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Utc, nullable=False),
    UniqueConstraint("task", "by"),
)

# Whom a task is not offered to: who skipped it (`at`, why), and who was barred from it.
asides = Table(
    "annotation_asides",
    metadata,
    Column("task", String, primary_key=True),
    Column("by", String, primary_key=True),
    Column("barred", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Utc, nullable=False),
)

_FIRST = case(
    (tasks.c.state == State.DISPUTED.value, 0),
    (tasks.c.state == State.LABELLED.value, 1),
    else_=2,
)


def add_queue(tx: Tx, one: Queue, *, secret: str) -> None:
    tx.conn.execute(insert(queues).values(project=tx.project, secret=secret, **_queue_row(one)))


def save_queue(tx: Tx, one: Queue) -> Queue:
    """Write what `one` has become, unless somebody else got there first."""
    if not overwrite(
        tx,
        queues,
        one.id,
        revision=one.revision,
        values={**_queue_row(one), "revision": one.revision + 1},
    ):
        raise QueueMoved(one.id)
    found = queue(tx, one.id)
    assert found is not None
    return found


def queue(tx: Tx, queue_id: str, *, lock: bool = False) -> Queue | None:
    wanted = select(queues).where(queues.c.project == tx.project, queues.c.id == queue_id)
    if lock:
        wanted = wanted.with_for_update()
    row = tx.conn.execute(wanted).mappings().first()
    return None if row is None else _queue(row)


def secret_of(tx: Tx, queue_id: str) -> str:
    wanted = select(queues.c.secret).where(queues.c.id == queue_id)
    return str(tx.conn.execute(wanted).scalar_one())


def page(tx: Tx, *, everything: bool, before: str | None, limit: int) -> list[Queue]:
    wanted = select(queues).where(queues.c.project == tx.project)
    if not everything:
        wanted = wanted.where(queues.c.state == QueueState.OPEN.value)
    if before is not None:
        wanted = wanted.where(queues.c.id < before)
    rows = tx.conn.execute(wanted.order_by(queues.c.id.desc()).limit(limit)).mappings()
    return [_queue(row) for row in rows]


def size(tx: Tx, queue_id: str) -> int:
    """How many tasks a queue has; the next one stands at this place plus one."""
    wanted = select(func.count()).where(tasks.c.queue == queue_id)
    return int(tx.conn.execute(wanted).scalar_one())


def there(tx: Tx, queue_id: str, subjects: Collection[str]) -> set[str]:
    """Which of the subjects have a task in the queue."""
    wanted = list(subjects)
    found: set[str] = set()
    for start in range(0, len(wanted), CHUNK):
        rows = select(tasks.c.subject).where(
            tasks.c.queue == queue_id, tasks.c.subject.in_(wanted[start : start + CHUNK])
        )
        found |= set(tx.conn.execute(rows).scalars())
    return found


def add_task(tx: Tx, one: Task) -> None:
    tx.conn.execute(insert(tasks).values(project=tx.project, id=one.id, **_task_row(one)))
    if one.barred:
        tx.conn.execute(
            insert(asides),
            [
                {"task": one.id, "by": who, "barred": True, "reason": "", "at": tx.now}
                for who in one.barred
            ],
        )


def save_task(tx: Tx, one: Task, *, was: Task) -> Task:
    """Write what `was` has become, with a label that is new, unless somebody else got there
    first.
    """
    if not overwrite(
        tx,
        tasks,
        was.id,
        revision=was.revision,
        values={**_task_row(one), "revision": was.revision + 1},
    ):
        raise TaskMoved(was.id)
    for said in one.labels[len(was.labels) :]:
        tx.conn.execute(insert(labels).values(task=one.id, **_label_row(said)))
    found = task(tx, one.id)
    assert found is not None
    return found


def add_skip(tx: Tx, task_id: str, *, reason: str) -> bool:
    """Note that the person who asks skips a task; False where they did before."""
    mine = select(asides.c.task).where(asides.c.task == task_id, asides.c.by == tx.actor.name)
    if tx.conn.execute(mine).first() is not None:
        return False
    row = {"task": task_id, "by": tx.actor.name, "barred": False, "reason": reason}
    tx.conn.execute(insert(asides).values(at=tx.now, **row))
    return True


def task(tx: Tx, task_id: str, *, lock: bool = False) -> Task | None:
    wanted = select(tasks).where(tasks.c.project == tx.project, tasks.c.id == task_id)
    if lock:
        wanted = wanted.with_for_update()
    return next(iter(_tasks(tx, tx.conn.execute(wanted).mappings().all())), None)


def task_of(tx: Tx, queue_id: str, subject: str) -> Task | None:
    wanted = select(tasks).where(
        tasks.c.project == tx.project, tasks.c.queue == queue_id, tasks.c.subject == subject
    )
    return next(iter(_tasks(tx, tx.conn.execute(wanted).mappings().all())), None)


def held(tx: Tx, queue_id: str) -> Task | None:
    """The task that the person who asks has before them."""
    wanted = select(tasks).where(
        tasks.c.project == tx.project,
        tasks.c.queue == queue_id,
        tasks.c.held_by == tx.actor.name,
        tasks.c.held_until > tx.now,
    )
    rows = tx.conn.execute(wanted.order_by(tasks.c.place).limit(1)).mappings().all()
    return next(iter(_tasks(tx, rows)), None)


def next_free(tx: Tx, queue_id: str) -> Task | None:
    """The next task for the person who asks, locked; what somebody else is just taking is
    passed over.
    """
    wanted = select(tasks).where(tasks.c.queue == queue_id, *_for_me(tx))
    wanted = wanted.order_by(_FIRST, tasks.c.place).limit(1)
    wanted = wanted.with_for_update(skip_locked=True)
    return next(iter(_tasks(tx, tx.conn.execute(wanted).mappings().all())), None)


def waiting_for_me(tx: Tx, queue_ids: Sequence[str]) -> dict[str, int]:
    """How many tasks of each of these queues wait for the person who asks, where any do."""
    wanted = select(tasks.c.queue, func.count()).where(
        tasks.c.queue.in_(queue_ids), tasks.c.queue.in_(_open_queues(tx)), *_for_me(tx)
    )
    rows = tx.conn.execute(wanted.group_by(tasks.c.queue))
    return {row[0]: row[1] for row in rows}


def count_for_me(tx: Tx, *, most: int) -> int:
    """How many tasks wait for the person who asks in all open queues, up to `most`."""
    some = select(tasks.c.id).where(tasks.c.queue.in_(_open_queues(tx)), *_for_me(tx))
    counted = select(func.count()).select_from(some.limit(most).subquery())
    return int(tx.conn.execute(counted).scalar_one())


def task_page(
    tx: Tx, queue_id: str, *, states: Sequence[State], after: int, limit: int
) -> list[Task]:
    wanted = select(tasks).where(
        tasks.c.project == tx.project, tasks.c.queue == queue_id, tasks.c.place > after
    )
    if states:
        wanted = wanted.where(tasks.c.state.in_([one.value for one in states]))
    rows = tx.conn.execute(wanted.order_by(tasks.c.place).limit(limit)).mappings().all()
    return _tasks(tx, rows)


def settled(tx: Tx, queue_id: str) -> Iterator[Task]:
    """Every settled task, in its order, some at a time."""
    after = 0
    while found := task_page(tx, queue_id, states=[State.SETTLED], after=after, limit=CHUNK):
        yield from found
        after = found[-1].place


def counts(tx: Tx, queue_ids: Sequence[str]) -> dict[str, Counter[State]]:
    """How many tasks of each of these queues stand where."""
    wanted = select(tasks.c.queue, tasks.c.state, func.count()).where(
        tasks.c.project == tx.project, tasks.c.queue.in_(queue_ids)
    )
    found = {one: Counter[State]() for one in queue_ids}
    for queue_id, state, many in tx.conn.execute(wanted.group_by(tasks.c.queue, tasks.c.state)):
        found[queue_id][State(state)] = many
    return found


def held_count(tx: Tx, queue_id: str) -> int:
    wanted = select(func.count()).where(
        tasks.c.queue == queue_id,
        tasks.c.state != State.SETTLED.value,
        tasks.c.held_until > tx.now,
    )
    return int(tx.conn.execute(wanted).scalar_one())


def skipped_count(tx: Tx, queue_id: str) -> int:
    """How many tasks that are not settled somebody skipped."""
    wanted = (
        select(func.count(asides.c.task.distinct()))
        .join_from(asides, tasks, asides.c.task == tasks.c.id)
        .where(
            tasks.c.queue == queue_id,
            tasks.c.state != State.SETTLED.value,
            asides.c.barred.is_(False),
        )
    )
    return int(tx.conn.execute(wanted).scalar_one())


def by_label(tx: Tx, queue_id: str) -> dict[str, int]:
    """How many tasks were settled with each label."""
    wanted = select(tasks.c.label, func.count()).where(
        tasks.c.queue == queue_id, tasks.c.state == State.SETTLED.value
    )
    return {row[0]: row[1] for row in tx.conn.execute(wanted.group_by(tasks.c.label))}


def by_person(tx: Tx, queue_id: str, *, limit: int) -> list[tuple[str, int]]:
    """Who gave how many labels, the most first."""
    wanted = (
        select(labels.c.by, func.count().label("many"))
        .join_from(labels, tasks, labels.c.task == tasks.c.id)
        .where(tasks.c.queue == queue_id)
        .group_by(labels.c.by)
        .order_by(func.count().desc(), labels.c.by)
    )
    return [(row[0], row[1]) for row in tx.conn.execute(wanted.limit(limit))]


def seconded(tx: Tx, queue_id: str) -> tuple[int, int]:
    """How many tasks have the labels of two people, and of how many of those they differ."""
    wanted = (
        select(func.count(), func.count().filter(tasks.c.disputed.is_(True)))
        .join_from(tasks, labels, labels.c.task == tasks.c.id)
        .where(tasks.c.queue == queue_id, labels.c.seat == 2)
    )
    pairs, differ = tx.conn.execute(wanted).one()
    return int(pairs), int(differ)


def settled_pairs(tx: Tx, queue_id: str) -> list[tuple[str, str, int]]:
    """What first and second reviewers said of settled tasks, and how often."""
    first, second = labels.alias("first"), labels.alias("second")
    wanted = (
        select(first.c.label, second.c.label, func.count())
        .select_from(tasks)
        .join(first, and_(first.c.task == tasks.c.id, first.c.seat == 1))
        .join(second, and_(second.c.task == tasks.c.id, second.c.seat == 2))
        .where(tasks.c.queue == queue_id, tasks.c.state == State.SETTLED.value)
        .group_by(first.c.label, second.c.label)
        .order_by(first.c.label, second.c.label)
    )
    return [(row[0], row[1], row[2]) for row in tx.conn.execute(wanted)]


def _label_row(one: Label) -> dict[str, Any]:
    return {
        "seat": one.seat,
        "by": one.by,
        "label": one.label,
        "reason": one.reason,
        "at": one.at,
    }


def _open_queues(tx: Tx) -> Select[tuple[str]]:
    return select(queues.c.id).where(
        queues.c.project == tx.project, queues.c.state == QueueState.OPEN.value
    )


def _for_me(tx: Tx) -> list[ColumnElement[bool] | TextClause]:
    """What the person who asks could take: open, free, and nothing they had a part in."""
    me = tx.actor.name
    return [
        tasks.c.project == tx.project,
        _OPEN,
        or_(
            tasks.c.held_until.is_(None),
            tasks.c.held_until <= tx.now,
            tasks.c.held_by == me,
        ),
        ~exists().where(labels.c.task == tasks.c.id, labels.c.by == me),
        ~exists().where(asides.c.task == tasks.c.id, asides.c.by == me),
    ]


def _queue_row(one: Queue) -> dict[str, Any]:
    return {
        **{name: getattr(one, name) for name in Queue.__dataclass_fields__},
        "asks": one.asks.value,
        "labels": list(one.labels),
        "source": plain(one.source),
        "state": one.state.value,
        "last": None if one.last is None else plain(one.last),
    }


def _queue(row: RowMapping) -> Queue:
    values: dict[str, Any] = {name: row[name] for name in Queue.__dataclass_fields__}
    values["asks"] = Asks(row["asks"])
    values["labels"] = tuple(row["labels"])
    values["source"] = adapter(Source).validate_python(row["source"])
    values["state"] = QueueState(row["state"])
    values["last"] = row["last"] and adapter(Drawn).validate_python(row["last"])
    return Queue(**values)


_TASK = (
    "queue", "place", "subject", "context", "domain", "trace", "double", "added_at", "disputed",
    "held_by", "held_until", "label", "settled_at", "revision",
)  # fmt: skip


def _task_row(one: Task) -> dict[str, Any]:
    return {
        **{name: getattr(one, name) for name in _TASK},
        "input": canonical(one.input).decode(),
        "output": canonical(one.output).decode(),
        "state": one.state.value,
    }


def _tasks(tx: Tx, rows: Sequence[RowMapping]) -> list[Task]:
    """The tasks of these rows, with what people said of them."""
    ids = [row["id"] for row in rows]
    said: dict[str, list[Label]] = {}
    aside: dict[str, list[RowMapping]] = {}
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        wanted = select(labels).where(labels.c.task.in_(some)).order_by(labels.c.seat)
        for row in tx.conn.execute(wanted).mappings():
            said.setdefault(row["task"], []).append(_label(row))
        beside = (
            select(asides).where(asides.c.task.in_(some)).order_by(asides.c.at, asides.c.by)
        )
        for row in tx.conn.execute(beside).mappings():
            aside.setdefault(row["task"], []).append(row)
    return [_task(row, said.get(row["id"], []), aside.get(row["id"], [])) for row in rows]


def _task(row: RowMapping, said: Sequence[Label], aside: Sequence[RowMapping]) -> Task:
    values: dict[str, Any] = {name: row[name] for name in _TASK}
    return Task(
        id=row["id"],
        input=json.loads(row["input"]),
        output=json.loads(row["output"]),
        state=State(row["state"]),
        labels=tuple(said),
        barred=tuple(one["by"] for one in aside if one["barred"]),
        skips=tuple(
            Skip(by=one["by"], reason=one["reason"], at=one["at"])
            for one in aside
            if not one["barred"]
        ),
        **values,
    )


def _label(row: RowMapping) -> Label:
    at: datetime = row["at"]
    return Label(
        seat=row["seat"], by=row["by"], label=row["label"], reason=row["reason"], at=at
    )
