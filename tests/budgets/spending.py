"""Reserves from one budget as fast as it can, in a process that may be killed at any moment.

    python -m tests.budgets.spending DATABASE_URL NAME THREADS EACH COST settle|hold

Each action reserves in one transaction and, with `settle`, settles in the next. It prints
how many reservations passed. `OPSROOM_FAULT` names the place where it is to be killed.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

from tests.budgets.world import reserve, settle, usd
from tests.keyring import KEYRING

from opsroom.budgets import OverBudget
from opsroom.journal import store as journal_store
from opsroom.kit.clock import SystemClock
from opsroom.kit.db import Database, open_engine
from opsroom.kit.errors import Unavailable
from opsroom.kit.faults import arm_from_environment
from opsroom.kit.ids import TimeIds

LEASE = timedelta(hours=1)


def spend(db: Database, action: str, cost: str, *, then_settle: bool) -> int:
    """Nothing was done where a database is too busy to answer, so it is asked again."""
    while True:
        try:
            reserve(db, action, usd(cost), lease=LEASE)
        except OverBudget:
            return 0
        except Unavailable:
            continue
        break
    while then_settle:
        with suppress(Unavailable):
            settle(db, action, usd(cost))
            break
    return 1


def main(url: str, name: str, threads: int, each: int, cost: str, what: str) -> int:
    clock = SystemClock()
    engine = open_engine(url)
    db = Database(
        engine, clock=clock, ids=TimeIds(clock), on_commit=journal_store.append, keyring=KEYRING
    )
    arm_from_environment()

    def work(thread: int) -> int:
        return sum(
            spend(db, f"act_{name}_{thread}_{number}", cost, then_settle=what == "settle")
            for number in range(each)
        )

    with ThreadPoolExecutor(threads) as pool:
        passed = sum(pool.map(work, range(threads)))
    engine.dispose()
    return passed


if __name__ == "__main__":
    url, name, threads, each, cost, what = sys.argv[1:]
    sys.stdout.write(str(main(url, name, int(threads), int(each), cost, what)))
