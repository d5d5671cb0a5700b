"""What slices hear of each other: everything, in order, through any crash."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from opsroom.journal import Entry, queries, store
from opsroom.journal.outbox import BATCH, Reaction, pump
from opsroom.kit import faults
from opsroom.kit.db import Actor, Database, Tx


def write(db: Database, actor: Actor, *events: str) -> None:
    for event in events:
        with db.write(actor) as tx:
            tx.record(event, "prompt/a")


def noting(name: str, heard: list[int], *events: str) -> Reaction:
    def react(_tx: Tx, entry: Entry) -> None:
        heard.append(entry.seq)

    return Reaction(name=name, events=frozenset(events), react=react)


def test_each_reaction_hears_what_it_asked_for_once_and_in_order(
    db: Database, actor: Actor
) -> None:
    write(db, actor, "a.done", "b.done", "a.done")
    a: list[int] = []
    both: list[int] = []
    reactions = [noting("a", a, "a.done"), noting("both", both, "a.done", "b.done")]
    assert pump(db, reactions) == 5
    assert pump(db, reactions) == 0
    write(db, actor, "b.done")
    assert pump(db, reactions) == 1
    assert a == [1, 3]
    assert both == [1, 2, 3, 4]


def test_a_backlog_of_several_batches_is_handed_over_whole(db: Database, actor: Actor) -> None:
    with db.write(actor) as tx:
        for _ in range(2 * BATCH + 5):
            tx.record("a.done", "prompt/a")
    heard: list[int] = []
    assert pump(db, [noting("a", heard, "a.done")]) == 2 * BATCH + 5
    assert heard == list(range(1, 2 * BATCH + 6))


def test_what_a_reaction_records_reaches_the_others_and_names_it(
    db: Database, actor: Actor
) -> None:
    def answer(tx: Tx, entry: Entry) -> None:
        tx.record("a.answered", entry.subject)

    heard: list[int] = []
    reactions = [
        Reaction(name="answers", events=frozenset({"a.done"}), react=answer),
        noting("listens", heard, "a.answered"),
    ]
    write(db, actor, "a.done")
    pump(db, reactions)
    assert heard == [2]
    with db.read(actor) as tx:
        assert queries.entries(tx)[0][0].actor == "system:answers"
        assert queries.entries(tx)[0][0].project == actor.project


def test_a_reaction_that_fails_holds_up_only_itself(db: Database, actor: Actor) -> None:
    broken = [True]

    def fail(tx: Tx, entry: Entry) -> None:
        tx.record("fails.half_done", entry.subject)
        if broken[0]:
            raise ZeroDivisionError

    heard: list[int] = []
    reactions = [
        Reaction(name="fails", events=frozenset({"a.done"}), react=fail),
        Reaction(name="fails too", events=frozenset({"a.done"}), react=fail),
        noting("works", heard, "a.done"),
    ]
    write(db, actor, "a.done")
    for _ in range(2):
        with pytest.raises(ExceptionGroup):
            pump(db, reactions)
    with pytest.raises(ZeroDivisionError):
        pump(db, reactions[:1])
    assert heard == [1]
    with db.read(actor) as tx:
        assert queries.entries(tx, event="fails.half_done") == []
    broken[0] = False
    assert pump(db, reactions) == 2
    assert heard == [1]


def test_two_processes_hand_each_entry_over_once(db: Database, actor: Actor) -> None:
    write(db, actor, *["a.done"] * 40)

    def count(tx: Tx, entry: Entry) -> None:
        tx.record("a.counted", entry.subject)

    reaction = Reaction(name="counts", events=frozenset({"a.done"}), react=count)
    with ThreadPoolExecutor(4) as pool:
        handed = sum(pool.map(lambda _: pump(db, [reaction]), range(8)))
    assert handed == 40
    with db.read(actor) as tx:
        assert len(queries.entries(tx, event="a.counted")) == 40
        queries.verify(tx)


@pytest.mark.parametrize(
    "point", ["outbox.before_cursor", "tx.before_commit", "tx.after_commit"]
)
def test_a_kill_loses_nothing_and_repeats_nothing_in_the_database(
    db: Database, actor: Actor, point: str
) -> None:
    write(db, actor, *["a.done"] * 3)

    def count(tx: Tx, entry: Entry) -> None:
        tx.record("a.counted", entry.subject)

    reaction = Reaction(name="counts", events=frozenset({"a.done"}), react=count)
    _in_killed_child(db, point, lambda: pump(db, [reaction]))
    pump(db, [reaction])
    with db.read(actor) as tx:
        assert len(queries.entries(tx, event="a.counted")) == 3
        assert store.peek(tx, "counts") == 6
        queries.verify(tx)


def _in_killed_child(db: Database, point: str, work: Callable[[], object]) -> None:
    db.engine.dispose()
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        faults.arm(point, lambda: os.kill(os.getpid(), signal.SIGKILL))
        try:
            work()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    with db.engine.connect() as conn:
        assert conn.execute(text("SELECT 1")).scalar() == 1
