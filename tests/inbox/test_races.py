"""Many people and many processes at once: one answer, one use, nothing lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from tests.inbox.world import AGENT, BEN, RIA, asked, draft, look, person, say, use

from opsroom.inbox import Consumed, Request, Say, State, commands, queries
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.kit.errors import Conflict, OpsroomError

AT_ONCE = 8
GRACE = timedelta(seconds=5)


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


def told(db: Database, event: str) -> int:
    with db.read(BEN) as tx:
        return len(journal.entries(tx, event=event))


def test_of_many_who_answer_at_once_one_does(db: Database) -> None:
    request = asked(db)
    outcomes = together(
        lambda n: say(
            db,
            person(f"p{n}", "reviewer"),
            request,
            Say.REJECT if n % 2 else Say.APPROVE,
            reason="because",
        )
    )
    assert sum(isinstance(one, Request) for one in outcomes) == 1
    assert all(isinstance(one, Conflict) for one in outcomes if not isinstance(one, Request))
    assert told(db, "inbox.approved") + told(db, "inbox.rejected") == 1


def test_an_approval_is_used_once_whoever_comes(db: Database, clock: ManualClock) -> None:
    request = asked(db)
    say(db, BEN, request)
    clock.move(GRACE)
    outcomes = together(lambda _: use(db, request))
    assert sum(isinstance(one, Consumed) for one in outcomes) == 1
    assert told(db, "inbox.consumed") == 1


def test_taking_back_and_using_at_once_is_one_of_both(db: Database, clock: ManualClock) -> None:
    """At the very end of the grace only one of them can be right."""
    for number in range(4):
        request = asked(db, subject=f"action/act_{number}")
        say(db, BEN, request)
        clock.move(GRACE if number % 2 else timedelta(seconds=4))

        def act(n: int, request: Request = request) -> object:
            if n % 2:
                return use(db, request)
            with db.write(BEN) as tx:
                return commands.undo(tx, request.id)

        outcomes = together(act)
        assert sum(not isinstance(one, OpsroomError) for one in outcomes) == 1
        expected = State.CONSUMED if number % 2 else State.PENDING
        assert look(db, request).state is expected


def test_quorums_that_fill_at_once_are_full_once(db: Database, clock: ManualClock) -> None:
    request = asked(db, quorum=3)
    outcomes = together(lambda n: say(db, person(f"p{n}", "reviewer"), request))
    assert sum(isinstance(one, Request) for one in outcomes) == 3
    assert look(db, request).state is State.APPROVED
    assert told(db, "inbox.approved") == 1
    clock.move(GRACE)
    assert len(use(db, request).by) == 3


def test_several_clocks_tick_once(db: Database, clock: ManualClock) -> None:
    for number in range(6):
        asked(db, subject=f"action/act_{number}", why=f"reason {'abcdef'[number]}")
    clock.move(timedelta(hours=8))

    def tick(_: int) -> object:
        with db.write(Actor("system", "", human=False)) as tx:
            return commands.expire(tx)

    outcomes = together(tick, 4)
    counts = [one for one in outcomes if isinstance(one, int)]
    assert sum(counts) == 6
    assert told(db, "inbox.expired") == 6


def test_answering_and_expiring_at_once_is_one_of_both(
    db: Database, clock: ManualClock
) -> None:
    request = asked(db)
    clock.move(timedelta(hours=8) - timedelta(microseconds=1))

    def act(n: int) -> object:
        if n == 0:
            clock.move(timedelta(microseconds=1))
        if n % 2:
            return say(db, RIA, request)
        with db.write(Actor("system", "", human=False)) as tx:
            return commands.expire(tx)

    together(act)
    assert look(db, request).state in {State.APPROVED, State.EXPIRED}
    assert told(db, "inbox.approved") + told(db, "inbox.expired") <= 2
    clock.move(timedelta(hours=1))
    with db.write(Actor("system", "", human=False)) as tx:
        commands.expire(tx)
    assert look(db, request).state is State.EXPIRED


def test_what_many_agents_ask_at_once_is_all_there(db: Database) -> None:
    def ask(number: int) -> object:
        with db.write(AGENT) as tx:
            return commands.ask(tx, draft(now=tx.now, subject=f"action/act_{number}"))

    outcomes = together(ask)
    assert all(isinstance(one, Request) for one in outcomes)
    with db.read(BEN) as tx:
        entries = queries.waiting(tx)
        assert sum(1 + one.more for one in entries) == AT_ONCE
