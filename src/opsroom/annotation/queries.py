"""Looking at queues and tasks. What people see of a task is `TaskView`, and blind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire

from . import agreeing, store
from .agreeing import Agreed, Given
from .errors import QueueNotFound, TaskNotFound
from .model import Asks, Queue, Settled, State, Task, TaskView, seen_by

PAGE = 50
MOST_COUNTED = 100
MOST_PEOPLE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Wire):
    """A queue in a list, or the sample of a release. `mine` counts what waits for whoever asks,
    up to a hundred.
    """

    id: str
    name: str
    kind: Literal["queue", "release"] = "queue"
    state: Literal["open", "closed"]
    tasks: int
    settled: int
    disputed: int
    mine: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Wire):
    """How many tasks stand where. `held` are before somebody now, `skipped` are open tasks
    that somebody left to others, `people` who gave how many labels.
    """

    tasks: int
    waiting: int
    labelled: int
    disputed: int
    settled: int
    held: int
    skipped: int
    people: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Wire):
    """A queue, how far it is, what was settled so far, and whether people agree. `mine` counts
    tasks that wait for whoever asks, up to a hundred.
    """

    queue: Queue
    progress: Progress
    given: tuple[Given, ...]
    agreement: Agreed | None
    mine: int


def queue(tx: Tx, queue_id: str) -> Queue:
    """Raises `QueueNotFound`."""
    found = store.queue(tx, queue_id)
    if found is None:
        raise QueueNotFound(queue_id)
    return found


def queues(
    tx: Tx, *, everything: bool = False, before: str | None = None, limit: int = PAGE
) -> list[Queue]:
    """Queues that are open, or all of them, newest first."""
    return store.page(tx, everything=everything, before=before, limit=limit)


def lines(tx: Tx, of: Sequence[Queue]) -> list[Line]:
    """How queues look in a list."""
    ids = [one.id for one in of]
    counted = store.counts(tx, ids)
    waiting = store.waiting_for_me(tx, ids) if _labels(tx) else {}
    return [
        Line(
            id=one.id,
            name=one.name,
            state=one.state.value,
            tasks=sum(counted[one.id].values()),
            settled=counted[one.id][State.SETTLED],
            disputed=counted[one.id][State.DISPUTED],
            mine=min(waiting.get(one.id, 0), MOST_COUNTED),
        )
        for one in of
    ]


def report(tx: Tx, queue_id: str) -> Report:
    """Raises `QueueNotFound`."""
    found = queue(tx, queue_id)
    counted = store.counts(tx, [queue_id])[queue_id]
    pairs, differ = store.seconded(tx, queue_id)
    labels = found.asks is Asks.LABEL
    return Report(
        queue=found,
        progress=_progress(tx, queue_id, counted),
        given=agreeing.given(store.by_label(tx, queue_id)) if labels else (),
        agreement=agreeing.agreed(
            pairs,
            differ,
            open_=counted.get(State.DISPUTED, 0),
            settled=store.settled_pairs(tx, queue_id) if labels else (),
        ),
        mine=mine(tx, queue_id),
    )


def mine(tx: Tx, queue_id: str) -> int:
    """How many tasks of a queue wait for the person who asks, up to a hundred."""
    waiting = store.waiting_for_me(tx, [queue_id]) if _labels(tx) else {}
    return min(waiting.get(queue_id, 0), MOST_COUNTED)


def count_mine(tx: Tx) -> int:
    """How many tasks wait for the person who asks in all queues, up to a hundred."""
    return store.count_for_me(tx, most=MOST_COUNTED) if _labels(tx) else 0


def task(tx: Tx, queue_id: str, task_id: str) -> TaskView:
    """One task, as the person who asks may see it. Raises `TaskNotFound`."""
    found = _task(tx, task_id)
    if found.queue != queue_id:
        raise TaskNotFound(task_id)
    return seen_by(found, tx.actor.name, tx.now)


def held(tx: Tx, queue_id: str) -> TaskView | None:
    """The task of a queue that the person who asks has before them."""
    found = store.held(tx, queue_id)
    return None if found is None else seen_by(found, tx.actor.name, tx.now)


def tasks(
    tx: Tx,
    queue_id: str,
    *,
    states: Sequence[State] = (),
    after: int = 0,
    limit: int = PAGE,
) -> list[tuple[int, TaskView]]:
    """Tasks of a queue in their order, with their places; go on with the last as `after`.

    Whether one is labelled already is not asked for alone: it would tell what is hidden.
    """
    queue(tx, queue_id)
    found = store.task_page(tx, queue_id, states=states, after=after, limit=limit)
    return [(one.place, seen_by(one, tx.actor.name, tx.now)) for one in found]


def settled(tx: Tx, task_id: str) -> Settled | None:
    """What a task came to; None while it is open. Raises `TaskNotFound`."""
    return _settled(_task(tx, task_id))


def export(
    tx: Tx, queue_id: str, *, after: int = 0
) -> tuple[list[tuple[TaskView, Settled]], int | None]:
    """Some of what is settled, in its order, with what it was about, and the `after` of the rest;
    None where there is no more. Raises `QueueNotFound`.
    """
    queue(tx, queue_id)
    found = store.task_page(
        tx, queue_id, states=[State.SETTLED], after=after, limit=store.CHUNK
    )
    settled = [(seen_by(one, tx.actor.name, tx.now), _settled(one)) for one in found]
    rows = [(view, done) for view, done in settled if done is not None]
    return rows, found[-1].place if len(found) == store.CHUNK else None


def _settled(one: Task) -> Settled | None:
    if one.label is None or one.settled_at is None:
        return None
    return Settled(
        task=one.id,
        queue=one.queue,
        subject=one.subject,
        label=one.label,
        labels=one.labels,
        disputed=one.disputed,
        settled_at=one.settled_at,
    )


def _task(tx: Tx, task_id: str) -> Task:
    found = store.task(tx, task_id)
    if found is None:
        raise TaskNotFound(task_id)
    return found


def _labels(tx: Tx) -> bool:
    return "review" in tx.actor.may and tx.actor.human


def _progress(tx: Tx, queue_id: str, counted: Mapping[State, int]) -> Progress:
    return Progress(
        tasks=sum(counted.values()),
        waiting=counted.get(State.WAITING, 0),
        labelled=counted.get(State.LABELLED, 0),
        disputed=counted.get(State.DISPUTED, 0),
        settled=counted.get(State.SETTLED, 0),
        held=store.held_count(tx, queue_id),
        skipped=store.skipped_count(tx, queue_id),
        people=tuple(store.by_person(tx, queue_id, limit=MOST_PEOPLE)),
    )
