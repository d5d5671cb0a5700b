"""What becomes of a task, and what nobody is shown of it. Pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.annotation.world import BEN, PROGRAM, person

from opsroom.annotation import BadQueue, BadTask, QueueDraft, Source, TaskDraft
from opsroom.annotation.agreeing import agreed, verdict
from opsroom.annotation.errors import (
    AlreadyLabelled,
    NotAPerson,
    NotForYou,
    QueueClosed,
    TaskSettled,
    TaskTaken,
)
from opsroom.annotation.model import (
    Asks,
    Queue,
    QueueState,
    Skip,
    State,
    Task,
    check_may,
    check_queue,
    check_task,
    chosen,
    labelled,
    same,
    seen_by,
    taken,
)
from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import plain

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PEOPLE = ("ben", "cat", "ria")
QUEUE = Queue(
    id="que_1",
    name="Refunds",
    purpose="",
    asks=Asks.LABEL,
    labels=("pass", "fail", "unclear"),
    rubric="",
    source=Source(),
    second=0.2,
    target=50,
    state=QueueState.OPEN,
    made_by="ada",
    made_at=NOW,
)


def fresh(**given: Any) -> Task:
    made = Task(
        id="tsk_1",
        queue="que_1",
        place=1,
        subject="trace/1",
        input="asked",
        output="answered",
        context="",
        domain="",
        trace="1",
        double=True,
        added_at=NOW,
    )
    return replace(made, **given)


def after(task: Task, *said: str) -> Task:
    for who, label in zip(PEOPLE, said, strict=False):
        task = labelled(task, Asks.LABEL, label, by=who, reason=f"because {label}", at=NOW)
    return task


@pytest.mark.parametrize(
    ("double", "said", "state", "label", "disputed"),
    [
        (False, ["fail"], State.SETTLED, "fail", False),
        (True, ["fail"], State.LABELLED, None, False),
        (True, ["fail", "fail"], State.SETTLED, "fail", False),
        (True, ["fail", "pass"], State.DISPUTED, None, True),
        (True, ["fail", "pass", "pass"], State.SETTLED, "pass", True),
        (True, ["fail", "pass", "unclear"], State.SETTLED, "unclear", True),
    ],
)
def test_a_task_goes_its_way(
    double: bool, said: list[str], state: State, label: str | None, disputed: bool
) -> None:
    found = after(fresh(double=double), *said)
    assert (found.state, found.label, found.disputed) == (state, label, disputed)
    assert [one.seat for one in found.labels] == list(range(1, len(said) + 1))


@given(
    said=st.lists(st.sampled_from(QUEUE.labels), max_size=3),
    double=st.booleans(),
    skipped=st.booleans(),
    viewer=st.sampled_from([*PEOPLE, "eve"]),
)
def test_nobody_sees_a_label_before_they_gave_their_own(
    said: list[str], double: bool, skipped: bool, viewer: str
) -> None:
    said = said if double else said[:1]
    task = fresh(
        double=double, skips=(Skip(by="ida", reason="it says fail", at=NOW),) * skipped
    )
    for who, label in zip(PEOPLE, said, strict=False):
        if task.state is State.SETTLED:
            break
        task = labelled(task, Asks.LABEL, label, by=who, reason=f"because {label}", at=NOW)
    view = seen_by(task, viewer, NOW)
    if task.state is State.SETTLED or task.label_of(viewer):
        assert view.labels == task.labels
        return
    told = str({k: v for k, v in plain(view).items() if k not in {"input", "output"}})
    assert not any(word in told for word in (*QUEUE.labels, *PEOPLE, "because", "ida"))
    # A first label that is there looks like none; a dispute is all that is told.
    assert view.state in {State.WAITING, State.DISPUTED}


@pytest.mark.parametrize(
    ("task", "queue", "who", "error"),
    [
        (fresh(), QUEUE, PROGRAM, NotAPerson),
        (fresh(), replace(QUEUE, state=QueueState.CLOSED), BEN, QueueClosed),
        (after(fresh(), "pass"), QUEUE, BEN, AlreadyLabelled),
        (after(fresh(double=False), "pass"), QUEUE, person("eve"), TaskSettled),
        (fresh(barred=("ben",)), QUEUE, BEN, NotForYou),
        (taken(fresh(), "cat", until=NOW + timedelta(minutes=1)), QUEUE, BEN, TaskTaken),
        (taken(fresh(), "cat", until=NOW), QUEUE, BEN, None),
        (taken(fresh(), "ben", until=NOW + timedelta(minutes=1)), QUEUE, BEN, None),
        (after(fresh(), "pass", "fail"), QUEUE, person("cat"), AlreadyLabelled),
        (after(fresh(), "pass", "fail"), QUEUE, person("ria"), None),
    ],
)
def test_who_may_label(
    task: Task, queue: Queue, who: Any, error: type[OpsroomError] | None
) -> None:
    if error is None:
        check_may(task, queue, who, NOW)
    else:
        with pytest.raises(error):
            check_may(task, queue, who, NOW)


@given(share=st.floats(0, 1), subject=st.text(), secret=st.text(min_size=1))
def test_a_hash_chooses_for_the_second_person(share: float, subject: str, secret: str) -> None:
    assert chosen(secret, subject, share) == chosen(secret, subject, share)
    assert chosen(secret, subject, 1.0)
    assert not chosen(secret, subject, 0.0)
    assert chosen(secret, subject, share) <= chosen(secret, subject, min(1.0, share * 2))


def test_the_share_comes_out() -> None:
    many = sum(chosen("smp_1", f"trace/{n}", 0.2) for n in range(5_000))
    assert 900 < many < 1_100


def test_answers_may_differ_in_case_and_white_space() -> None:
    assert same(Asks.ANSWER, "HS 8504.40", " hs  8504.40")
    assert not same(Asks.ANSWER, "HS 8504.40", "HS 8504.4")
    assert not same(Asks.LABEL, "pass", "Pass")


@pytest.mark.parametrize(
    "draft",
    [
        QueueDraft(name=" "),
        QueueDraft(name="x", labels=("pass",)),
        QueueDraft(name="x", labels=tuple(map(str, range(21)))),
        QueueDraft(name="x", labels=("pass", "pass")),
        QueueDraft(name="x", labels=("pass", " fail")),
        QueueDraft(name="x", second=1.1),
        QueueDraft(name="x", second=float("nan")),
        QueueDraft(name="x", target=0),
        QueueDraft(name="x", source=Source(hours=0)),
        QueueDraft(name="x", source=Source(since=NOW, until=NOW)),
        QueueDraft(name="x", source=Source(since=NOW.replace(tzinfo=None))),
    ],
)
def test_a_queue_that_cannot_be(draft: QueueDraft) -> None:
    with pytest.raises(BadQueue):
        check_queue(draft)


@pytest.mark.parametrize(
    "draft",
    [
        TaskDraft(subject=" "),
        TaskDraft(subject="x" * 301),
        TaskDraft(subject="x", input="y" * 50_000),
        TaskDraft(subject="x", barred=tuple(map(str, range(21)))),
    ],
)
def test_a_task_that_cannot_be(draft: TaskDraft) -> None:
    with pytest.raises(BadTask):
        check_task(draft)


@pytest.mark.parametrize(
    ("pairs", "word", "tone"),
    [
        ([], "no task has two labels yet", "muted"),
        ([("pass", "pass", 100), ("fail", "fail", 100)], "almost perfect agreement", "good"),
        (
            [("pass", "pass", 80), ("fail", "fail", 80), ("pass", "fail", 40)],
            "moderate agreement, or better",
            "info",
        ),
        (
            [("pass", "pass", 2), ("fail", "pass", 1)],
            "not shown to be more than chance",
            "warn",
        ),
        (
            [("pass", "pass", 50), ("fail", "fail", 50), ("pass", "fail", 90)],
            "agreement at best",
            "bad",
        ),
    ],
)
def test_agreement_is_said_by_what_its_interval_allows(
    pairs: list[tuple[str, str, int]], word: str, tone: str
) -> None:
    many = sum(times for _, _, times in pairs)
    differ = sum(times for one, other, times in pairs if one != other)
    found = agreed(many, differ, open_=0, settled=pairs)
    said, toned = verdict(found)
    assert word in said
    assert toned == tone
    if found and found.kappa:
        assert found.interval.low <= found.rate <= found.interval.high
        assert found.kappa.interval.low <= found.kappa.kappa <= found.kappa.interval.high
