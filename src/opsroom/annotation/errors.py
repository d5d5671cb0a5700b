from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Forbidden, Invalid, NotFound


@dataclass(eq=False)
class QueueNotFound(NotFound):
    code = "queue_not_found"
    text = "there is no review queue {0.queue_id!r} in this project"
    hint = "list what there is with `opsroom queue list --all`"
    queue_id: str


@dataclass(eq=False)
class TaskNotFound(NotFound):
    code = "task_not_found"
    text = "there is no task {0.task_id!r} in this queue"
    hint = "take the next one with `opsroom queue next QUEUE`"
    task_id: str


@dataclass(eq=False)
class BadQueue(Invalid):
    code = "bad_queue"
    text = "this review queue cannot be made: {0.why}"
    hint = "docs/how-to/annotation.md shows what a queue needs"
    why: str


@dataclass(eq=False)
class BadTask(Invalid):
    code = "bad_task"
    text = "{0.subject!r} cannot be labelled: {0.why}"
    hint = "nothing was added; correct it and add it again"
    subject: str
    why: str


@dataclass(eq=False)
class BadLabel(Invalid):
    code = "bad_label"
    text = "this queue does not take {0.label!r} as a label"
    hint = "it takes {0.known}"
    label: str
    known: str


@dataclass(eq=False)
class QueueFull(Conflict):
    code = "queue_full"
    text = "queue {0.queue_id!r} would have more than {0.most} tasks"
    hint = "close it and open another one"
    queue_id: str
    most: int


@dataclass(eq=False)
class QueueMoved(Conflict):
    code = "queue_moved"
    text = "queue {0.queue_id!r} was changed by someone else"
    hint = "look at the queue again and repeat the command"
    queue_id: str


@dataclass(eq=False)
class QueueClosed(Conflict):
    code = "queue_closed"
    text = "queue {0.queue_id!r} is closed"
    hint = "what was settled can still be exported; for more, open another queue"
    queue_id: str


@dataclass(eq=False)
class NothingToDraw(Conflict):
    code = "nothing_to_draw"
    text = "queue {0.queue_id!r} takes the tasks it is given, and draws none"
    hint = "add tasks with `opsroom queue add`, or open a queue with a way to sample"
    queue_id: str


@dataclass(eq=False)
class NothingSettled(Conflict):
    code = "nothing_settled"
    text = "no task of queue {0.queue_id!r} can become an item yet"
    hint = "a task becomes one once its label is settled, and what was asked is known"
    queue_id: str


@dataclass(eq=False)
class TaskMoved(Conflict):
    code = "task_moved"
    text = "task {0.task_id!r} is no longer what was shown"
    hint = "take the next one; somebody else has labelled it, or has it before them"
    task_id: str


@dataclass(eq=False)
class TaskTaken(Conflict):
    code = "task_taken"
    text = "{0.by!r} has task {0.task_id!r} before them"
    hint = "take the next one; this one is free again when their time is over"
    task_id: str
    by: str


@dataclass(eq=False)
class TaskSettled(Conflict):
    code = "task_settled"
    text = "task {0.task_id!r} is settled"
    hint = "take the next one"
    task_id: str


@dataclass(eq=False)
class AlreadyLabelled(Conflict):
    code = "already_labelled"
    text = "you have labelled task {0.task_id!r}"
    hint = "a second opinion is somebody else's; take the next one"
    task_id: str


@dataclass(eq=False)
class NotForYou(Forbidden):
    code = "task_not_for_you"
    text = "task {0.task_id!r} is for somebody else to label: {0.who!r} had a part in it"
    hint = "take the next one"
    task_id: str
    who: str


@dataclass(eq=False)
class NotAPerson(Forbidden):
    code = "labeller_is_a_program"
    text = "{0.who!r} is a program; only people label"
    hint = "log in as yourself (`opsroom login`), or label on the page"
    who: str
