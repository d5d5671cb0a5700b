"""C8: many at once, in several processes, and some of them killed: never more than the limit."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from tests.budgets import spending
from tests.budgets.world import OPS, draft, set_budget
from tests.conftest import ROOT
from tests.keyring import KEYRING
from tests.patience import PATIENCE

from opsroom.budgets import HoldState, Standing, commands, hold_store, queries
from opsroom.journal import queries as journal
from opsroom.journal import store as journal_store
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Database, open_engine
from opsroom.kit.ids import TimeIds

KILLED = -9
# Every place between the first lock and the answer, with the passages at which a process ends.
FAULTS = [
    *(("budget.counted", n) for n in (1, 4)),
    *(("budget.reserved", n) for n in (1, 4)),
    *(("budget.booked", n) for n in (1, 3)),
    *(("budget.settled", n) for n in (1, 3)),
    *(("tx.before_commit", n) for n in (1, 2, 7, 8)),
    *(("tx.after_commit", n) for n in (1, 2, 7, 8)),
]


@contextmanager
def spenders(
    url: str, number: int, threads: int, each: int, cost: str, what: str, faults: list[str]
) -> Iterator[list[subprocess.Popen[str]]]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    arguments = [str(threads), str(each), cost, what]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.budgets.spending", url, f"p{place}", *arguments],
            cwd=ROOT,
            env=environment | ({"OPSROOM_FAULT": faults[place]} if faults else {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for place in range(number)
    ]
    try:
        yield running
    finally:
        for one in running:
            one.kill()
            one.communicate()


def run(
    url: str, number: int, threads: int, each: int, cost: str, what: str, faults: list[str]
) -> list[tuple[int, str]]:
    """Exit code and answer of each of `number` processes that spend at the same time."""
    with spenders(url, number, threads, each, cost, what, faults) as running:
        said = [one.communicate(timeout=300) for one in running]
        for one, (_, complaint) in zip(running, said, strict=True):
            assert one.returncode in {0, KILLED}, complaint
        return [
            (one.returncode, answer) for one, (answer, _) in zip(running, said, strict=True)
        ]


@contextmanager
def opened(url: str) -> Iterator[tuple[Database, ManualClock]]:
    clock = ManualClock(datetime.now(UTC))
    engine = open_engine(url)
    db = Database(
        engine, clock=clock, ids=TimeIds(clock), on_commit=journal_store.append, keyring=KEYRING
    )
    try:
        yield db, clock
    finally:
        engine.dispose()


def standing(db: Database) -> Standing:
    with db.read(OPS) as tx:
        (found,) = queries.standings(tx)
        return found


def check_books(db: Database) -> None:
    """The counter says what the holds say, within the limit; and the record verifies."""
    found = standing(db)
    assert found.held + found.settled <= found.budget.hard
    with db.read(OPS) as tx, closing(tx.conn.execute(hold_store.holds.select())) as rows:
        every = [(row.state, row.amount, row.settled) for row in rows]
        held = sum((a for state, a, _ in every if state == HoldState.HELD), Decimal(0))
        spent = sum((s for *_, s in every if s is not None), Decimal(0))
        assert (found.held, found.settled) == (held, spent)
        journal.verify(tx)


def test_a_thousand_at_once_on_a_budget_for_a_hundred(database_url: str) -> None:
    with opened(database_url) as (db, _):
        set_budget(db, draft(100))
        ended = run(database_url, 5, 10, 20, "1", "hold", [])
        assert sum(int(answer) for _, answer in ended) == 100
        found = standing(db)
        assert (found.held, found.settled, found.remaining) == (
            Decimal(100),
            Decimal(0),
            Decimal(0),
        )
        check_books(db)


@pytest.mark.slow
def test_a_thousand_at_once_that_also_settle(database_url: str) -> None:
    with opened(database_url) as (db, _):
        set_budget(db, draft(100))
        ended = run(database_url, 5, 10, 20, "1", "settle", [])
        assert sum(int(answer) for _, answer in ended) == 100
        found = standing(db)
        assert (found.held, found.settled, found.actions) == (Decimal(0), Decimal(100), 100)
        check_books(db)


@pytest.mark.slow
def test_killed_anywhere_nothing_is_overspent_and_all_is_free_again(database_url: str) -> None:
    """Four processes at a time, each killed at another place, until every place was had."""
    with opened(database_url) as (db, clock):
        set_budget(db, draft(10, soft="8"))
        for place in range(0, len(FAULTS), 4):
            faults = [f"{name}:{number}" for name, number in FAULTS[place : place + 4]]
            ended = run(database_url, 4, 2, 8, "0.05", "settle", faults)
            assert [code for code, _ in ended] == [KILLED] * 4
            check_books(db)
        before = standing(db)
        assert before.settled > 0
        assert before.held > 0
        clock.move(spending.LEASE + timedelta(minutes=5))
        with db.write(OPS) as tx:
            freed = commands.expire(tx)
        after = standing(db)
        assert freed == before.held / Decimal("0.05")
        assert (after.held, after.settled) == (Decimal(0), before.settled)
        check_books(db)


@pytest.mark.slow
def test_killed_without_warning_while_they_spend(database_url: str) -> None:
    with opened(database_url) as (db, clock):
        set_budget(db, draft(7))
        with spenders(database_url, 3, 4, 200, "0.01", "settle", []) as running:
            while standing(db).settled < 1:
                assert all(one.poll() is None for one in running)
            for one in running:
                one.kill()
                one.wait()
        check_books(db)
        clock.move(spending.LEASE + timedelta(minutes=5))
        until = time.monotonic() + PATIENCE  # PostgreSQL finds out later that nobody listens
        while standing(db).held and time.monotonic() < until:
            with db.write(OPS) as tx:
                commands.expire(tx)
        assert standing(db).held == 0
        check_books(db)
