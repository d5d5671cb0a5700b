"""Queues and tasks on both engines: blind, leased, settled once, taken away."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import QueuePool
from tests.annotation.world import (
    ADA,
    BEN,
    CAT,
    EVE,
    RIA,
    opened,
    person,
    report,
    say,
    settle,
    take,
    take_and_say,
    task,
)

from opsroom.annotation import (
    AlreadyLabelled,
    Asks,
    BadLabel,
    NotForYou,
    NothingSettled,
    QueueClosed,
    QueueNotFound,
    TaskMoved,
    TaskNotFound,
    TaskTaken,
    commands,
    exporting,
    queries,
    store,
)
from opsroom.annotation.exporting import Form
from opsroom.annotation.model import State
from opsroom.annotation.sampling import of_item
from opsroom.app.kinds import KINDS
from opsroom.datasets import Item
from opsroom.datasets import commands as dataset_commands
from opsroom.datasets import model as datasets_model
from opsroom.datasets import queries as datasets
from opsroom.journal import queries as journal
from opsroom.kit.canonical import digest
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Database
from opsroom.kit.reasons import ReasonMissing


def test_one_label_settles_what_nobody_else_has_to_look_at(db: Database) -> None:
    queue = opened(db, many=1, double=False)
    done = take_and_say(db, queue, BEN, "fail", reason="the order was never paid")
    assert (done.state, done.label) == (State.SETTLED, "fail")
    assert take(db, queue, CAT) is None
    with db.read(ADA) as tx:
        found = queries.settled(tx, done.id)
        (told,) = [one for one, _ in journal.entries(tx, event="annotation.settled")]
    assert found is not None
    assert (found.label, found.labels[0].by) == ("fail", "ben")
    assert told.subject == done.subject
    assert told.facts["queue"] == queue.id
    assert (told.facts["task"], told.facts["label"]) == (done.id, "fail")


def test_two_who_disagree_leave_it_to_a_third(db: Database) -> None:
    queue = opened(db, many=1, double=True)
    first = take_and_say(db, queue, BEN, "fail")
    assert first.state is State.LABELLED
    assert take(db, queue, BEN) is None
    assert take_and_say(db, queue, CAT, "pass").state is State.DISPUTED
    assert take(db, queue, BEN) is None
    assert take(db, queue, CAT) is None
    with pytest.raises(AlreadyLabelled):
        say(db, CAT, first, "fail")
    done = take_and_say(db, queue, RIA, "fail")
    assert (done.state, done.label, done.disputed) == (State.SETTLED, "fail", True)
    assert [(one.seat, one.by, one.label) for one in done.labels] == [
        (1, "ben", "fail"),
        (2, "cat", "pass"),
        (3, "ria", "fail"),
    ]


def test_a_label_is_not_told_to_anybody_while_it_is_blind(db: Database) -> None:
    queue = opened(db, many=2, double=True, labels=("sound", "unsound", "unclear"))
    take_and_say(db, queue, BEN, "unsound", reason="secretly wrong")
    take_and_say(db, queue, CAT, "unclear")
    found = report(db, queue, EVE)
    # A dispute counts in the rate; κ and the table wait, for they would tell the two labels.
    assert found.agreement is not None
    assert (found.agreement.pairs, found.agreement.agreed, found.agreement.open) == (1, 0, 1)
    assert found.agreement.kappa is None
    with db.read(EVE) as tx:
        entries = [
            one for one, _ in journal.entries(tx, limit=50) if one.event != "queue.opened"
        ]
        exported, _ = queries.export(tx, queue.id)
        views = [one for _, one in queries.tasks(tx, queue.id)]
    assert exported == []
    assert {one.event for one in entries} >= {"annotation.labelled", "annotation.disputed"}
    told = f"{entries} {views} {found.progress} {found.given} {found.agreement}"
    assert not any(word in told for word in ("unsound", "unclear", "secretly"))


def test_a_task_is_before_one_person_at_a_time(db: Database, clock: ManualClock) -> None:
    queue = opened(db, many=1, double=True)
    held = take(db, queue, BEN)
    assert held is not None
    again = take(db, queue, BEN)
    assert again is not None
    assert again.id == held.id
    assert take(db, queue, CAT) is None
    with pytest.raises(TaskTaken):
        say(db, CAT, held, "pass")
    clock.move(timedelta(minutes=15))
    late = take(db, queue, CAT)
    assert late is not None
    assert late.id == held.id
    with pytest.raises(TaskTaken):
        say(db, BEN, held, "pass", revision=held.revision)
    say(db, CAT, late, "pass", revision=late.revision)
    with pytest.raises(TaskMoved):
        say(db, BEN, held, "pass", revision=held.revision)
    assert take_and_say(db, queue, BEN, "pass").state is State.SETTLED


def test_what_one_skips_is_left_to_others(db: Database) -> None:
    queue = opened(db, many=2, double=False)
    held = take(db, queue, BEN)
    assert held is not None
    with db.write(BEN) as tx, pytest.raises(ReasonMissing):
        commands.skip(tx, queue.id, held.id, reason=" ")
    for _ in range(2):
        with db.write(BEN) as tx:
            commands.skip(tx, queue.id, held.id, reason="I know the customer")
    other = take(db, queue, BEN)
    assert other is not None
    assert other.id != held.id
    say(db, BEN, other, "pass")
    assert take(db, queue, BEN) is None
    found = take(db, queue, CAT)
    assert found is not None
    assert found.id == held.id
    assert report(db, queue).progress.skipped == 1
    with db.read(ADA) as tx:
        told = [one for one, _ in journal.entries(tx, event="annotation.skipped")]
    assert len(told) == 1


def test_disputes_come_first_then_what_waits_for_a_second(db: Database) -> None:
    queue = opened(db, many=4, double=True)
    first = take_and_say(db, queue, BEN, "pass")
    second = take_and_say(db, queue, CAT, "fail")
    assert first.id == second.id
    third = take_and_say(db, queue, BEN, "pass")
    order = [take_and_say(db, queue, RIA, "pass").id for _ in range(2)]
    assert order == [first.id, third.id]


def test_who_had_a_part_in_it_does_not_label_it(db: Database) -> None:
    queue = opened(db)
    with db.write(ADA) as tx:
        made = commands.add_task(tx, queue.id, task(1, barred=("ben",), double=False))
        same = commands.add_task(tx, queue.id, task(1, barred=("cat",)))
    assert made == same
    assert take(db, queue, BEN) is None
    with pytest.raises(NotForYou):
        say(db, BEN, made, "pass")
    assert take_and_say(db, queue, CAT, "pass").state is State.SETTLED


def test_only_what_is_asked_for_is_a_label(db: Database) -> None:
    queue = opened(db, many=1, double=True)
    with pytest.raises(BadLabel):
        take_and_say(db, queue, BEN, "PASS")
    free = opened(db, many=1, double=True, asks=Asks.ANSWER, labels=())
    with pytest.raises(BadLabel):
        take_and_say(db, free, BEN, "  ")
    take_and_say(db, free, BEN, " HS 8504.40 ")
    done = take_and_say(db, free, CAT, "hs  8504.40")
    assert (done.state, done.label) == (State.SETTLED, "HS 8504.40")
    found = report(db, free)
    assert found.agreement is not None
    assert (found.agreement.agreed, found.agreement.kappa, found.given) == (1, None, ())


def test_a_closed_queue_takes_nothing_more_and_keeps_what_it_has(db: Database) -> None:
    queue = opened(db, many=2, double=False)
    held = take(db, queue, CAT)
    assert held is not None
    done = take_and_say(db, queue, BEN, "pass")
    with db.write(ADA) as tx, pytest.raises(ReasonMissing):
        commands.close_queue(tx, queue.id, note="")
    with db.write(ADA) as tx:
        closed = commands.close_queue(tx, queue.id, note="enough")
    assert closed.state.value == "closed"
    with pytest.raises(QueueClosed):
        take(db, queue, RIA)
    with pytest.raises(QueueClosed):
        take(db, queue, CAT)
    with pytest.raises(QueueClosed):
        say(db, CAT, held, "pass")
    with db.write(ADA) as tx, pytest.raises(QueueClosed):
        commands.add_task(tx, queue.id, task(9))
    with db.read(ADA) as tx:
        assert [one.id for one, _ in queries.export(tx, queue.id)[0]] == [done.id]
        assert queries.queues(tx) == []
        assert [one.id for one in queries.queues(tx, everything=True)] == [queue.id]


def test_agreement_is_shown_with_its_intervals(db: Database) -> None:
    queue = opened(db, many=12, double=True)
    for _ in range(5):
        settle(db, queue, "pass", "pass")
    for _ in range(5):
        settle(db, queue, "fail", "fail")
    settle(db, queue, "fail", "pass", "pass")
    take_and_say(db, queue, BEN, "pass")
    take_and_say(db, queue, CAT, "fail")
    found = report(db, queue)
    agreed = found.agreement
    assert agreed is not None
    assert (agreed.pairs, agreed.agreed, agreed.open) == (12, 10, 1)
    assert agreed.interval.low < 10 / 12 < agreed.interval.high
    assert agreed.kappa is not None
    assert agreed.kappa.items == 11
    assert agreed.kappa.labels == ("fail", "pass")
    assert agreed.kappa.confusion == ((5, 1), (0, 5))
    assert {one.label: one.tally.hits for one in found.given} == {"pass": 6, "fail": 5}
    assert dict(found.progress.people) == {"ben": 12, "cat": 12, "ria": 1}


def test_settled_labels_become_items_that_judges_are_calibrated_on(db: Database) -> None:
    queue = opened(db)
    same = {"input": "hello", "output": "hi"}
    drafts = [
        task(1, double=False),
        task(2, double=False, **same),
        task(3, double=False, **same),
        task(4, double=False, input=""),
        task(5, double=True),
    ]
    with db.write(ADA) as tx:
        commands.add_tasks(tx, queue.id, drafts)
    with db.write(ADA) as tx, pytest.raises(NothingSettled):
        commands.as_dataset(tx, queue.id, "judged", kinds=KINDS)
    for _ in range(5):
        take_and_say(db, queue, BEN, "pass")
    with db.write(ADA) as tx:
        dataset_commands.put(tx, "judged", [Item(id="mine", input="x")], kinds=KINDS)
    for _ in range(2):
        with db.write(ADA) as tx:
            version, kept, left = commands.as_dataset(tx, queue.id, "judged", kinds=KINDS)
        assert (version.number, kept, left) == (2, 2, 2)
    with db.read(ADA) as tx:
        _, spec = datasets.dataset(tx, "judged@latest")
        own, one, _ = datasets.items(tx, spec)
    assert own.id == "mine"
    assert one.input == {
        "input": "may I have my money back, order 1?",
        "answer": "order 1 is refunded",
    }
    assert one.expected == "pass"
    assert one.metadata == {"domain": "refunds", "trace": f"{1:032x}"}


def test_who_reads_an_export_slowly_keeps_nobody_from_the_database(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "CHUNK", 2)
    queue = opened(db, many=5, double=False)
    for _ in range(5):
        take_and_say(db, queue, BEN, "pass")
    read = list[str]()
    for line in exporting.lines(db, ADA, queue.id, Form.JSONL):
        read.append(line)
        assert isinstance(db.engine.pool, QueuePool)
        assert db.engine.pool.checkedout() == 0
    assert len(read) == len(set(read)) == 5


def test_queues_in_a_list_are_counted_each_by_itself(db: Database) -> None:
    one, other, empty = opened(db, many=3, double=False), opened(db, many=2), opened(db)
    take_and_say(db, one, BEN, "pass")
    with db.write(ADA) as tx:
        commands.close_queue(tx, other.id, note="enough")
    with db.read(BEN) as tx:
        found = queries.lines(tx, queries.queues(tx, everything=True))
        assert [(line.tasks, line.settled, line.mine) for line in found] == [
            (0, 0, 0),
            (2, 0, 0),
            (3, 1, 2),
        ]
        assert [line.id for line in found] == [empty.id, other.id, one.id]
        assert queries.lines(tx, []) == []
        assert queries.count_mine(tx) == 2


def test_what_versions_are_tested_on_is_not_learnt_from(db: Database) -> None:
    queue = opened(db)
    drafts = [task(n, double=False) for n in range(24)]
    by_rule = {
        n
        for n, one in enumerate(drafts)
        if datasets_model.split_of(digest(one.input)) == datasets_model.TEST
    }
    assert by_rule
    free = [n for n in range(24) if n not in by_rule]
    kept_apart = Item(id="t", input=drafts[free[0]].input, expected="pass", split="test")
    beside = Item(id="b", input=drafts[free[1]].input, expected="x", split="test")
    with db.write(ADA) as tx:
        dataset_commands.put(tx, "exam", [kept_apart], kinds=KINDS)
        dataset_commands.put(tx, "lessons", [beside], kinds=KINDS)
        drafts[free[0]] = replace(of_item(kept_apart, "exam"), double=False)
        commands.add_tasks(tx, queue.id, drafts)
    for _ in drafts:
        take_and_say(db, queue, BEN, "pass")
    with db.write(ADA) as tx:
        _, kept, left = commands.as_dataset(tx, queue.id, "lessons", kinds=KINDS, split="train")
        assert (kept, left) == (24 - len(by_rule) - 2, len(by_rule) + 2)
        _, kept, left = commands.as_dataset(tx, queue.id, "judged", kinds=KINDS)
        assert (kept, left) == (24, 0), "to measure on, all of it"


def test_projects_do_not_see_each_other(db: Database) -> None:
    queue = opened(db, many=1, double=True)
    eve = person("eve", "admin", project="elsewhere")
    with db.read(ADA) as tx:
        ((_, view),) = queries.tasks(tx, queue.id)
    with db.read(eve) as tx:
        assert queries.queues(tx, everything=True) == []
        assert queries.count_mine(tx) == 0
        with pytest.raises(QueueNotFound):
            queries.report(tx, queue.id)
        with pytest.raises(TaskNotFound):
            queries.settled(tx, view.id)
    with db.write(eve) as tx, pytest.raises(QueueNotFound):
        commands.take_next(tx, queue.id)
    mine = opened(db)
    with db.write(BEN) as tx, pytest.raises(TaskNotFound):
        commands.label(tx, mine.id, view.id, "pass")
    with db.read(BEN) as tx:
        assert queries.count_mine(tx) == 1
