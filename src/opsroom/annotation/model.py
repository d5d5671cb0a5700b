"""Review queues: what people are asked about what agents did, and what comes of it. No I/O.

    waiting → (labelled → (disputed →)) settled

A hash chooses which tasks a second person labels; two who disagree leave the task to a third.
Until a task is settled, nobody is shown a label of somebody else before they gave their own.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import JsonValue

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Actor
from opsroom.kit.wire import Wire

from .errors import (
    AlreadyLabelled,
    BadLabel,
    BadQueue,
    BadTask,
    NotAPerson,
    NotForYou,
    QueueClosed,
    TaskSettled,
    TaskTaken,
)

LEASE = timedelta(minutes=15)
LEAST_LABELS, MOST_LABELS = 2, 20
MOST_TASKS = 5_000
MOST_DRAWN = 500
MOST_TEXT = 20_000  # characters of what was asked, answered or given beside it
MOST_LABEL, MOST_NAME, MOST_RUBRIC, MOST_REASON = 40, 100, 10_000, 2_000
MOST_SUBJECT, MOST_BARRED = 300, 20
MOST_TOLD = 200  # characters of a label that the journal keeps
MOST_HOURS = 24 * 366
TRACE = "trace/"


class Asks(StrEnum):
    """What people are asked for: one of the labels, or the correct answer in their own words."""

    LABEL = "label"
    ANSWER = "answer"


class How(StrEnum):
    """How tasks get into a queue. All but `given` are drawn from traces of a window."""

    RANDOM = "random"
    UNCERTAIN = "uncertain"
    DRIFT = "drift"
    FAILED = "failed"
    GIVEN = "given"


class QueueState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class State(StrEnum):
    """Where a task stands: nobody has labelled it, a second person is awaited, two disagree
    and a third is awaited, or its label is known.
    """

    WAITING = "waiting"
    LABELLED = "labelled"
    DISPUTED = "disputed"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Wire):
    """Which traces a draw takes: those of the last `hours`, or since and until a moment, of an
    agent, and like `q` in the language of traces. `drift` names one drift; empty means all that
    are open. The same `seed` draws the same; without one, nobody can foresee what is drawn.
    """

    how: How = How.GIVEN
    agent: str = ""
    q: str = ""
    hours: int = 7 * 24
    since: datetime | None = None
    until: datetime | None = None
    drift: str = ""
    seed: str = ""

    def window(self, now: datetime) -> tuple[datetime, datetime]:
        until = now if self.until is None else self.until
        return self.since or until - timedelta(hours=self.hours), until


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDraft(Wire):
    """A queue that somebody asks for. `second` is the share of tasks that a second person
    labels too, `target` how many tasks a draw takes.
    """

    name: str
    purpose: str = ""
    asks: Asks = Asks.LABEL
    labels: tuple[str, ...] = ("pass", "fail")
    rubric: str = ""
    source: Source = field(default_factory=Source)
    second: float = 0.2
    target: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn(Wire):
    """What a draw came to: of `population` traces in its window it took `drawn`, of which
    `added` were new here; of those, `wordless` have no words kept of what was asked.
    """

    how: How
    since: datetime
    until: datetime
    population: int
    drawn: int
    added: int
    wordless: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue(Wire):
    """A review queue. `last` is its last draw."""

    id: str
    name: str
    purpose: str
    asks: Asks
    labels: tuple[str, ...]
    rubric: str
    source: Source
    second: float
    target: int
    state: QueueState
    made_by: str
    made_at: datetime
    closed_by: str = ""
    closed_at: datetime | None = None
    note: str = ""
    last: Drawn | None = None
    revision: int = 1

    @property
    def subject(self) -> str:
        return f"queue/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDraft(Wire):
    """One thing to label: what was asked, what came out, and what one has to know beside it.

    `domain` and `trace` go into the dataset with it. `double` says whether a second person
    labels it; None leaves that to the queue's share. `barred` had a part in it and may not.
    """

    subject: str
    input: JsonValue = None
    output: JsonValue = None
    context: str = ""
    domain: str = ""
    trace: str = ""
    double: bool | None = None
    barred: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(Wire):
    """What a person said. Seat 1 is the first reviewer, 2 the second, 3 who settles a dispute."""

    seat: int
    by: str
    label: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip(Wire):
    """Who would rather not label a task, and why."""

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task with everything that is known of it; people get `seen_by`. `held_by` has it
    before them until `held_until`; `label` is what was settled.
    """

    id: str
    queue: str
    place: int
    subject: str
    input: JsonValue
    output: JsonValue
    context: str
    domain: str
    trace: str
    double: bool
    added_at: datetime
    barred: tuple[str, ...] = ()
    state: State = State.WAITING
    labels: tuple[Label, ...] = ()
    skips: tuple[Skip, ...] = ()
    disputed: bool = False
    held_by: str = ""
    held_until: datetime | None = None
    label: str | None = None
    settled_at: datetime | None = None
    revision: int = 1

    def held(self, now: datetime) -> bool:
        return self.held_until is not None and self.held_until > now

    def label_of(self, who: str) -> Label | None:
        return next((one for one in self.labels if one.by == who), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView(Wire):
    """A task as one person may see it. To those who have not labelled it, one with a first
    label looks as if it had none. `mine` is the viewer's own label. `until` is how long they
    have it before them. An answer is given to what was shown by repeating its `revision`.
    """

    id: str
    queue: str
    subject: str
    input: JsonValue
    output: JsonValue
    context: str
    domain: str
    trace: str
    state: State
    labels: tuple[Label, ...] = ()
    skips: tuple[Skip, ...] = ()
    mine: str | None = None
    label: str | None = None
    until: datetime | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled(Wire):
    """What a task came to: its label, everything that was said, and whether two disagreed."""

    task: str
    queue: str
    subject: str
    label: str
    labels: tuple[Label, ...]
    disputed: bool
    settled_at: datetime


def seen_by(task: Task, who: str, now: datetime) -> TaskView:
    """The task as `who` may see it; blind until it is settled or they gave their own label."""
    mine = task.label_of(who)
    skipped = any(one.by == who for one in task.skips)
    open_ = task.state is State.SETTLED or mine is not None
    state = State.WAITING if task.state is State.LABELLED and not open_ else task.state
    return TaskView(
        id=task.id,
        queue=task.queue,
        subject=task.subject,
        input=task.input,
        output=task.output,
        context=task.context,
        domain=task.domain,
        trace=task.trace,
        state=state,
        labels=task.labels if open_ else (),
        skips=task.skips if open_ or skipped else (),
        mine=None if mine is None else mine.label,
        label=task.label,
        until=task.held_until if task.held_by == who and task.held(now) else None,
        revision=task.revision,
    )


def check_labels(queue: Queue, who: Actor) -> None:
    """Raise why `who` may label nothing in the queue, if so."""
    if not who.human:
        raise NotAPerson(who.name)
    if queue.state is QueueState.CLOSED:
        raise QueueClosed(queue.id)


def check_may(task: Task, queue: Queue, who: Actor, now: datetime) -> None:
    """Raise why `who` may not label the task now, if so."""
    check_labels(queue, who)
    if task.label_of(who.name) is not None:
        raise AlreadyLabelled(task.id)
    if task.state is State.SETTLED:
        raise TaskSettled(task.id)
    if who.name in task.barred:
        raise NotForYou(task.id, who.name)
    if task.held(now) and task.held_by != who.name:
        raise TaskTaken(task.id, task.held_by)


def taken(task: Task, who: str, *, until: datetime) -> Task:
    return replace(task, held_by=who, held_until=until)


def freed(task: Task) -> Task:
    return replace(task, held_by="", held_until=None)


def labelled(task: Task, asks: Asks, label: str, *, by: str, reason: str, at: datetime) -> Task:
    """The task after one more label. Where the third settles a dispute, their word counts."""
    said = Label(seat=len(task.labels) + 1, by=by, label=label, reason=reason, at=at)
    now = replace(freed(task), labels=(*task.labels, said))
    match task.state:
        case State.WAITING if task.double:
            return replace(now, state=State.LABELLED)
        case State.LABELLED if not same(asks, task.labels[0].label, label):
            return replace(now, state=State.DISPUTED, disputed=True)
        case State.LABELLED:
            label = task.labels[0].label
        case _:
            pass
    return replace(now, state=State.SETTLED, label=label, settled_at=at)


def same(asks: Asks, one: str, other: str) -> bool:
    """Whether two people said the same; answers may differ in case and in white space."""
    if asks is Asks.LABEL:
        return one == other
    return one.casefold().split() == other.casefold().split()


def chosen(secret: str, subject: str, share: float) -> bool:
    """Whether a second person labels the subject. Nobody can foresee or influence it, and
    sampling again says the same.
    """
    drawn = hashlib.sha256(f"{secret}\n{subject}".encode()).digest()
    return int.from_bytes(drawn[:7]) / 2**56 < share


def check_label(queue: Queue, label: str) -> str:
    """`label` as it is kept. Raises `BadLabel`."""
    if queue.asks is Asks.LABEL:
        return check_said(label, queue.labels)
    kept = label.strip()
    if not 0 < len(kept) <= MOST_TEXT:
        raise BadLabel(kept[:MOST_LABEL], f"an answer of 1 to {MOST_TEXT:,} characters")
    return kept


def check_said(label: str, known: Sequence[str]) -> str:
    """Raises `BadLabel`."""
    if label not in known:
        raise BadLabel(label[:MOST_LABEL], ", ".join(map(repr, known)))
    return label


def as_text(value: JsonValue) -> str:
    """An object of texts is read as its parts, anything else that is no text as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, dict) and all(isinstance(part, str) for part in value.values()):
        return "\n".join(f"{name}: {part}" for name, part in value.items())
    return canonical(value).decode()


def check_queue(draft: QueueDraft) -> None:
    """Raises `BadQueue`."""
    labels = draft.labels if draft.asks is Asks.LABEL else ()
    source = draft.source
    since, until = source.since, source.until
    rules = (
        (0 < len(draft.name.strip()) <= MOST_NAME, f"a name has 1 to {MOST_NAME} characters"),
        (
            len(draft.purpose) <= MOST_REASON,
            f"a purpose has at most {MOST_REASON:,} characters",
        ),
        (len(draft.rubric) <= MOST_RUBRIC, f"a rubric has at most {MOST_RUBRIC:,} characters"),
        (
            draft.asks is Asks.ANSWER or LEAST_LABELS <= len(labels) <= MOST_LABELS,
            f"a queue has {LEAST_LABELS} to {MOST_LABELS} labels",
        ),
        (len(set(labels)) == len(labels), "a label stands there twice"),
        (
            all(0 < len(one) <= MOST_LABEL and one == one.strip() for one in labels),
            f"a label has 1 to {MOST_LABEL} characters and no blank at its ends",
        ),
        (0 <= draft.second <= 1, "the share of a second reviewer lies between 0 and 1"),
        (1 <= draft.target <= MOST_DRAWN, f"a draw takes 1 to {MOST_DRAWN} tasks"),
        (1 <= source.hours <= MOST_HOURS, f"a window has 1 to {MOST_HOURS:,} hours"),
        (
            all(one is None or one.tzinfo is not None for one in (since, until)),
            "a moment needs a time zone",
        ),
    )
    for holds, why in rules:
        if not holds:
            raise BadQueue(why)
    if since is not None and until is not None and since >= until:
        raise BadQueue("the window ends before it begins")
    if any(len(one) > MOST_SUBJECT for one in (source.agent, source.drift, source.seed)):
        raise BadQueue(f"a word of the source has more than {MOST_SUBJECT} characters")


def check_task(draft: TaskDraft) -> None:
    """Raises `BadTask`, and `NotCanonical` for what has no canonical JSON form."""
    words = (draft.subject, draft.domain, draft.trace, *draft.barred)
    if not draft.subject.strip() or any(len(one) > MOST_SUBJECT for one in words):
        raise BadTask(
            draft.subject[:MOST_SUBJECT], f"a subject has 1 to {MOST_SUBJECT} characters"
        )
    if len(draft.barred) > MOST_BARRED:
        raise BadTask(draft.subject, f"at most {MOST_BARRED} people can be barred")
    for name, value in (
        ("input", draft.input),
        ("output", draft.output),
        ("context", draft.context),
    ):
        if len(canonical(value).decode()) > 2 * MOST_TEXT:
            raise BadTask(draft.subject, f"its {name} has more than {MOST_TEXT:,} characters")
