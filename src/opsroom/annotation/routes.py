"""Review queues over HTTP: open, fill, label, look, take away.

An id that begins with `rel_` is the random shadow sample of that release: it is labelled here
like any queue, and shown with the release.
"""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.wire import Wire
from opsroom.registry.routes import KnownKinds
from opsroom.traces.telemetry import Traces

from . import commands, exporting, queries, samples, sampling
from .errors import BadTask
from .exporting import Form
from .model import MOST_DRAWN, Drawn, Queue, QueueDraft, State, TaskDraft, TaskView, seen_by
from .queries import Line, Report

router = APIRouter(prefix="/v1/queues", tags=["annotation"])
Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str, Query(max_length=200)]
MOST = MOST_DRAWN


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage(Wire):
    """Queues, newest first, and before them the samples of releases that are in review. `next`
    is what to pass as `before` for the page after this one.
    """

    items: tuple[Line, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage(Wire):
    """Tasks in their order. `next` is what to pass as `after` for the page after this one."""

    items: tuple[TaskView, ...]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Size(Wire):
    """How many traces a draw takes; the queue's target unless said."""

    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTasks(Wire):
    """What to put before people: tasks as they are, traces by their ids, or the items of a
    version of a dataset, of one split or of all. Tasks and traces up to 500 at once.
    """

    tasks: tuple[TaskDraft, ...] = ()
    traces: tuple[str, ...] = ()
    dataset: str = ""
    split: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Added(Wire):
    """How many tasks were not there yet."""

    added: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Next(Wire):
    """What the person has before them now; None where nothing waits for them."""

    task: TaskView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Wire):
    """What a person makes of a task. With `revision`, only of the task as it was shown."""

    task: str
    label: str
    reason: str = ""
    revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped(Wire):
    """Why a person leaves a task to others."""

    task: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing(Wire):
    """Why a queue is closed; it goes into the journal."""

    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDataset(Wire):
    """Where settled labels become items: behind those the dataset has."""

    dataset: str
    split: str = "test"
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored(Wire):
    """The version that has the labels, how many of them, and how many were left out."""

    version: str
    items: int
    left_out: int


@router.get("")
def list_queues(
    tx: Read, *, everything: bool = False, before: Text | None = None, limit: Limit = 50
) -> QueuePage:
    """Queues that are open; with `everything`, the closed ones as well."""
    found = queries.queues(tx, everything=everything, before=before, limit=limit)
    lines = queries.lines(tx, found)
    first = samples.lines(tx) if before is None else []
    more = found[-1].id if len(found) == limit else None
    return QueuePage(items=(*first, *lines), next=more)


@router.post("", status_code=201)
def open_queue(draft: QueueDraft, tx: Write) -> Queue:
    """Open a queue: what is asked, how it is sampled, how often a second person is."""
    return commands.open_queue(tx, draft)


@router.get("/{queue_id}")
def show_queue(queue_id: str, tx: Read) -> Report:
    """How far a queue is, what was settled, and whether people agree."""
    return queries.report(tx, queue_id)


@router.post("/{queue_id}/sample")
def sample(request: Request, actor: Caller, queue_id: str, wanted: Size) -> Drawn:
    """Draw from traces as the queue says, and add what is not in it yet."""
    return sampling.sample(
        database(request), _traces(request), actor, queue_id, size=wanted.size
    )


@router.get("/{queue_id}/tasks")
def list_tasks(
    queue_id: str,
    tx: Read,
    *,
    disputed: bool = False,
    settled: bool = False,
    after: int = 0,
    limit: Limit = 50,
) -> TaskPage:
    """Tasks in their order, as whoever asks may see them: all, or the disputed or settled."""
    states = [State.DISPUTED] * disputed + [State.SETTLED] * settled
    found = queries.tasks(tx, queue_id, states=states, after=after, limit=limit)
    return TaskPage(
        items=tuple(one for _, one in found),
        next=found[-1][0] if len(found) == limit else None,
    )


@router.post("/{queue_id}/tasks")
def add_tasks(request: Request, actor: Caller, queue_id: str, new: NewTasks) -> Added:
    """Put things before people; a subject has one task in a queue."""
    for name, many in (("tasks", len(new.tasks)), ("traces", len(new.traces))):
        if many > MOST:
            raise BadTask(name, f"there are {many:,}, and {MOST} are the most at once")
    added = 0
    db = database(request)
    if new.traces:
        added += sampling.add_traces(db, _traces(request), actor, queue_id, new.traces)
    with db.write(actor) as tx:
        if new.dataset:
            added += sampling.add_items(tx, queue_id, new.dataset, split=new.split)
        added += commands.add_tasks(tx, queue_id, new.tasks)
    return Added(added=added)


@router.get("/{queue_id}/tasks/{task_id}")
def show_task(queue_id: str, task_id: str, tx: Read) -> TaskView:
    """One task, as whoever asks may see it."""
    return queries.task(tx, queue_id, task_id)


@router.post("/{queue_id}/next")
def take_next(queue_id: str, tx: Write) -> Next:
    """Take the next task, for a quarter of an hour; the one you have, if you have one."""
    if samples.is_sample(queue_id):
        return Next(task=samples.next_task(tx, queue_id))
    found = commands.take_next(tx, queue_id)
    return Next(task=None if found is None else seen_by(found, tx.actor.name, tx.now))


@router.post("/{queue_id}/label")
def label(queue_id: str, said: Said, tx: Write) -> TaskView:
    """Say what you make of a task. Nobody is shown it before they have said so themselves."""
    if samples.is_sample(queue_id):
        return samples.label(tx, queue_id, said.task, said.label, reason=said.reason)
    found = commands.label(
        tx, queue_id, said.task, said.label, reason=said.reason, revision=said.revision
    )
    return seen_by(found, tx.actor.name, tx.now)


@router.post("/{queue_id}/skip", status_code=204)
def skip(queue_id: str, skipped: Skipped, tx: Write) -> None:
    """Leave a task to others; it is not offered to you again."""
    commands.skip(tx, queue_id, skipped.task, reason=skipped.reason)


@router.get("/{queue_id}/export")
def export(
    request: Request, actor: Caller, queue_id: str, form: Form = Form.JSONL
) -> StreamingResponse:
    """Everything that is settled, as JSON lines or as a table."""
    db = database(request)
    with db.read(actor) as tx:
        queries.queue(tx, queue_id)
    return StreamingResponse(
        exporting.lines(db, actor, queue_id, form),
        media_type=form.media,
        headers={"Content-Disposition": f'attachment; filename="{queue_id}.{form.value}"'},
    )


@router.post("/{queue_id}/dataset")
def store_dataset(queue_id: str, new: NewDataset, tx: Write, known: KnownKinds) -> Stored:
    """Store the settled labels as items of a dataset, to measure or to calibrate judges on."""
    version, items, left_out = commands.as_dataset(
        tx, queue_id, new.dataset, kinds=known, split=new.split, message=new.message
    )
    return Stored(version=version.ref, items=items, left_out=left_out)


@router.post("/{queue_id}/close")
def close_queue(queue_id: str, closing: Closing, tx: Write) -> Queue:
    """Take no more tasks and no more labels."""
    return commands.close_queue(tx, queue_id, note=closing.note)


def _traces(request: Request) -> Traces:
    return cast("Traces", request.app.state.traces)
