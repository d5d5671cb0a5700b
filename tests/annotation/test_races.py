"""Many people at once: nobody gets what somebody else has, and no seat is filled twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep

from tests.annotation.world import ADA, opened, person, report, take, take_and_say, task

from opsroom.annotation import commands
from opsroom.annotation.model import Task
from opsroom.journal import queries as journal
from opsroom.kit.db import Database
from opsroom.kit.errors import Conflict, OpsroomError

AT_ONCE = 6


def together(run: Callable[[int], object], count: int = AT_ONCE) -> list[object]:
    """Run it so many times, all starting together; errors of ours are outcomes."""
    ready = Barrier(count)

    def one(number: int) -> object:
        ready.wait()
        try:
            return run(number)
        except OpsroomError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_people_who_ask_at_once_get_different_tasks(db: Database) -> None:
    queue = opened(db, many=AT_ONCE, double=True)
    found = together(lambda n: take(db, queue, person(f"p{n}")))
    tasks = [one for one in found if isinstance(one, Task)]
    assert len(tasks) == len({one.id for one in tasks}) == AT_ONCE


def test_one_label_of_many_fills_a_seat(db: Database) -> None:
    queue = opened(db, many=1, double=False)
    held = take(db, queue, person("p0"))
    assert held is not None

    def say(_: int) -> Task:
        with db.write(person("p0")) as tx:
            return commands.label(tx, queue.id, held.id, "pass", revision=held.revision)

    found = together(say)
    assert sum(isinstance(one, Task) for one in found) == 1
    assert all(isinstance(one, Conflict) for one in found if not isinstance(one, Task))
    with db.read(ADA) as tx:
        assert len(journal.entries(tx, event="annotation.settled")) == 1


def test_a_whole_queue_is_worked_off_side_by_side(db: Database) -> None:
    queue = opened(db, many=9, double=True)

    def work(number: int) -> int:
        who, done = person(f"p{number}"), 0
        for _ in range(2_000):
            try:
                if take(db, queue, who) is None:
                    if report(db, queue).progress.settled == 9:
                        break
                    sleep(0.005)  # somebody else holds what is left
                    continue
                take_and_say(db, queue, who, "pass" if (number + done) % 3 else "fail")
                done += 1
            except Conflict:
                continue
        return done

    together(work, 4)
    progress = report(db, queue).progress
    assert progress.settled == progress.tasks == 9
    assert sum(many for _, many in progress.people) >= 18


def test_the_same_things_added_at_once_are_there_once(db: Database) -> None:
    queue = opened(db)

    def add(_: int) -> int:
        with db.write(ADA) as tx:
            return commands.add_tasks(tx, queue.id, [task(n) for n in range(5)])

    found = together(add)
    assert sum(one for one in found if isinstance(one, int)) == 5
    assert report(db, queue).progress.tasks == 5
