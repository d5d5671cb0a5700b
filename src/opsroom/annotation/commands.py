"""What changes queues and tasks.

For other slices: `open_queue` makes a queue, `add_task` puts one thing before people, and
`queries.settled` says what it came to. The journal tells of it as `annotation.settled`, whose
subject is the task's, with the facts `queue`, `task` and `label` (of an answer in somebody's own
words its first 200 characters).
"""

from collections.abc import Sequence
from dataclasses import replace

from opsroom.datasets import Item, Lineage, distinct
from opsroom.datasets import commands as datasets
from opsroom.datasets import queries as dataset_queries
from opsroom.kit.db import Tx
from opsroom.kit.faults import boundary
from opsroom.kit.reasons import reason as given
from opsroom.registry import ArtifactNotFound, Kinds, Version, VersionNotFound
from opsroom.traces.parsing import parse

from . import store
from .errors import (
    NothingSettled,
    QueueClosed,
    QueueFull,
    QueueNotFound,
    TaskMoved,
    TaskNotFound,
)
from .heldout import held_out
from .model import (
    LEASE,
    MOST_REASON,
    MOST_TASKS,
    MOST_TOLD,
    TRACE,
    Asks,
    Drawn,
    Queue,
    QueueDraft,
    QueueState,
    State,
    Task,
    TaskDraft,
    check_label,
    check_labels,
    check_may,
    check_queue,
    check_task,
    chosen,
    freed,
    labelled,
    taken,
)


def open_queue(tx: Tx, draft: QueueDraft) -> Queue:
    """Open a queue that has no tasks yet. Raises `BadQueue` and `BadTraceFilter`."""
    check_queue(draft)
    parse(draft.source.q)
    one = Queue(
        id=tx.ids.new("que"),
        name=draft.name.strip(),
        purpose=draft.purpose.strip(),
        asks=draft.asks,
        labels=draft.labels if draft.asks is Asks.LABEL else (),
        rubric=draft.rubric.strip(),
        source=draft.source,
        second=draft.second,
        target=draft.target,
        state=QueueState.OPEN,
        made_by=tx.actor.person,
        made_at=tx.now,
    )
    store.add_queue(tx, one, secret=tx.ids.new("smp"))
    tx.record(
        "queue.opened",
        one.subject,
        name=one.name,
        asks=one.asks.value,
        labels=list(one.labels),
        how=one.source.how.value,
        second=one.second,
    )
    return one


def close_queue(tx: Tx, queue_id: str, *, note: str) -> Queue:
    """Take no more tasks and no more labels, saying why. What is settled stays.

    Raises `QueueNotFound`, `QueueClosed` and `ReasonMissing`.
    """
    was = _open(tx, queue_id)
    why = given(note, to="close a queue")[:MOST_REASON]
    now = replace(
        was, state=QueueState.CLOSED, closed_by=tx.actor.person, closed_at=tx.now, note=why
    )
    now = store.save_queue(tx, now)
    tx.record("queue.closed", was.subject, name=was.name, note=why)
    return now


def add_task(tx: Tx, queue_id: str, draft: TaskDraft) -> Task:
    """Put one thing before people. Safe to repeat: a subject has one task in a queue.

    Raises `QueueNotFound`, `QueueClosed`, `QueueFull` and `BadTask`.
    """
    add_tasks(tx, queue_id, [draft])
    found = store.task_of(tx, queue_id, draft.subject)
    assert found is not None
    return found


def add_tasks(tx: Tx, queue_id: str, drafts: Sequence[TaskDraft]) -> int:
    """Put things before people, in this order; how many of them were not there yet.

    Raises what `add_task` raises; then nothing is added.
    """
    queue = _open(tx, queue_id)
    added = _add(tx, queue, drafts)
    if added:
        tx.record("queue.filled", queue.subject, name=queue.name, added=added)
    return added


def take_in(tx: Tx, queue_id: str, drafts: Sequence[TaskDraft], drawn: Drawn) -> Drawn:
    """Add what a draw found and was not there yet, and note how the draw went."""
    queue = _open(tx, queue_id)
    drawn = replace(drawn, added=_add(tx, queue, drafts))
    store.save_queue(tx, replace(queue, last=drawn))
    tx.record(
        "queue.sampled",
        queue.subject,
        name=queue.name,
        how=drawn.how.value,
        population=drawn.population,
        drawn=drawn.drawn,
        added=drawn.added,
    )
    return drawn


def take_next(tx: Tx, queue_id: str) -> Task | None:
    """The task that the person has before them, else the next one they could label, which is
    theirs alone for a quarter of an hour; None where nothing waits for them.

    Disputes come first, then what waits for a second person. Raises `QueueNotFound`,
    `QueueClosed` and `NotAPerson`.
    """
    queue = _found(tx, queue_id)
    check_labels(queue, tx.actor)
    task = store.held(tx, queue_id) or store.next_free(tx, queue_id)
    return None if task is None else _take(tx, queue, task)


def take(tx: Tx, queue_id: str, task_id: str) -> Task:
    """This task, for the person alone. What they had before them is free again.

    Raises `TaskNotFound`, and whatever keeps them from labelling it.
    """
    queue = _found(tx, queue_id)
    task = _task(tx, queue_id, task_id)
    held = store.held(tx, queue_id)
    if held is not None and held.id != task_id:
        store.save_task(tx, freed(held), was=held)
    return _take(tx, queue, task)


def label(
    tx: Tx,
    queue_id: str,
    task_id: str,
    said: str,
    *,
    reason: str = "",
    revision: int | None = None,
) -> Task:
    """Say what the person makes of a task; only people do, and each of them once.

    With the `revision` that was shown, a task that changed meanwhile is a `TaskMoved`. Raises
    `TaskNotFound`, `BadLabel`, and whatever keeps the person from labelling it.
    """
    queue = _found(tx, queue_id)
    was = _task(tx, queue_id, task_id)
    check_may(was, queue, tx.actor, tx.now)
    if revision is not None and revision != was.revision:
        raise TaskMoved(task_id)
    kept = check_label(queue, said)
    now = labelled(
        was, queue.asks, kept, by=tx.actor.name, reason=reason.strip()[:MOST_REASON], at=tx.now
    )
    now = store.save_task(tx, now, was=was)
    boundary("annotation.labelled")
    # What was said is not told before it is settled: others may have the task before them.
    tx.record("annotation.labelled", was.subject, queue=queue_id, task=task_id)
    if now.state is State.DISPUTED:
        tx.record("annotation.disputed", was.subject, queue=queue_id, task=task_id)
    elif now.state is State.SETTLED:
        tx.record(
            "annotation.settled",
            was.subject,
            queue=queue_id,
            task=task_id,
            label=(now.label or "")[:MOST_TOLD],
            people=len(now.labels),
            disputed=now.disputed,
        )
    return now


def skip(tx: Tx, queue_id: str, task_id: str, *, reason: str) -> None:
    """Leave a task to others, saying why. It is not offered to the person again.

    Safe to repeat. Raises `ReasonMissing`, `TaskNotFound`, and whatever keeps the person from
    labelling it.
    """
    why = given(reason, to="skip a task")[:MOST_REASON]
    queue = _found(tx, queue_id)
    task = _task(tx, queue_id, task_id)
    check_may(task, queue, tx.actor, tx.now)
    if task.held_by == tx.actor.name:
        store.save_task(tx, freed(task), was=task)
    if store.add_skip(tx, task_id, reason=why):
        tx.record("annotation.skipped", task.subject, queue=queue_id, task=task_id)


def as_dataset(
    tx: Tx, queue_id: str, dataset: str, *, kinds: Kinds, split: str = "test", message: str = ""
) -> tuple[Version, int, int]:
    """Store the next version of a dataset, with the settled tasks behind the items it has; how
    many of the queue are in it, and how many were left out.

    An item asks `{"input": …, "answer": …}` and expects the settled label. Left out are tasks
    of which is not known what was asked, those that say the same as an earlier one, and, of what
    is learnt from, those whose question is held out (see `heldout`). Safe to repeat. Raises
    `QueueNotFound`, `NothingSettled`, and what the dataset refuses.
    """
    queue = _found(tx, queue_id)
    settled = list(store.settled(tx, queue_id))
    earlier = _items(tx, dataset)
    asked = [one for one in settled if one.input not in (None, "")]
    out = held_out(tx, asked, split, beside=earlier)
    made = [_item(one, split) for one in asked if one.id not in out]
    if not made:
        raise NothingSettled(queue_id)
    mine = {one.id for one in made}
    others = [one for one in earlier if one.id not in mine]
    items, _ = distinct([*others, *made])
    kept = sum(one.id in mine for one in items)
    version = datasets.put(
        tx,
        dataset,
        items,
        kinds=kinds,
        description=f"Labels of people from the review queue “{queue.name}”",
        message=message or f"{kept} settled labels of {queue.subject}",
        lineage=Lineage(source=queue.subject, made_by=tx.actor.name),
    )
    return version, kept, len(settled) - kept


def _item(task: Task, split: str) -> Item:
    return Item(
        id=task.id,
        input={"input": task.input, "answer": task.output},
        expected=task.label,
        split=split,
        metadata={"domain": task.domain, "trace": task.trace},
    )


def _items(tx: Tx, dataset: str) -> list[Item]:
    """The items of the latest version of a dataset; none where there is no such dataset."""
    try:
        _, spec = dataset_queries.dataset(tx, f"{dataset}@latest")
    except (ArtifactNotFound, VersionNotFound):
        return []
    return dataset_queries.items(tx, spec)


def _add(tx: Tx, queue: Queue, drafts: Sequence[TaskDraft]) -> int:
    for draft in drafts:
        check_task(draft)
    there = store.there(tx, queue.id, {one.subject for one in drafts})
    new = {one.subject: one for one in drafts if one.subject not in there}
    place = store.size(tx, queue.id)
    if place + len(new) > MOST_TASKS:
        raise QueueFull(queue.id, MOST_TASKS)
    secret = store.secret_of(tx, queue.id)
    for number, draft in enumerate(new.values(), start=place + 1):
        by_lot = chosen(secret, draft.subject, queue.second)
        store.add_task(
            tx,
            Task(
                id=tx.ids.new("tsk"),
                queue=queue.id,
                place=number,
                subject=draft.subject,
                input=draft.input,
                output=draft.output,
                context=draft.context,
                domain=draft.domain,
                trace=draft.trace or _trace_of(draft.subject),
                double=by_lot if draft.double is None else draft.double,
                barred=tuple(dict.fromkeys(draft.barred)),
                added_at=tx.now,
            ),
        )
    return len(new)


def _trace_of(subject: str) -> str:
    return subject.removeprefix(TRACE) if subject.startswith(TRACE) else ""


def _take(tx: Tx, queue: Queue, task: Task) -> Task:
    check_may(task, queue, tx.actor, tx.now)
    return store.save_task(
        tx, taken(task, tx.actor.name, until=tx.now + tx.lasting(LEASE)), was=task
    )


def _found(tx: Tx, queue_id: str) -> Queue:
    found = store.queue(tx, queue_id)
    if found is None:
        raise QueueNotFound(queue_id)
    return found


def _open(tx: Tx, queue_id: str) -> Queue:
    """A queue that takes tasks, which nobody else can change until the transaction ends."""
    found = store.queue(tx, queue_id, lock=True)
    if found is None:
        raise QueueNotFound(queue_id)
    if found.state is QueueState.CLOSED:
        raise QueueClosed(queue_id)
    return found


def _task(tx: Tx, queue_id: str, task_id: str) -> Task:
    found = store.task(tx, task_id, lock=True)
    if found is None or found.queue != queue_id:
        raise TaskNotFound(task_id)
    return found
