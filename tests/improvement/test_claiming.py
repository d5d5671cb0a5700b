"""One search is carried out by one, whoever else would like to, and what they die over ends it."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from threading import Barrier

import pytest
from tests.improvement.world import desk, finished, plan, started

from opsroom.app.kinds import KINDS
from opsroom.improvement import commands, queries, running
from opsroom.improvement.commands import LEASE, MOST_STUMBLES
from opsroom.improvement.errors import ImprovementClaimed, SearchStopped
from opsroom.improvement.material import Material
from opsroom.improvement.model import Improvement, Method, Spent, State
from opsroom.improvement.running import Driver, carry_out
from opsroom.improvement.workbench import Workbench
from opsroom.kit import faults
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.kit.durable import SHORTEST
from opsroom.models import Find
from opsroom.simulator.apprentice import Apprentices


class Met(Apprentices):
    """Models that nobody gets to before everybody came, so that two really are at it at once."""

    def __init__(self, both: Barrier) -> None:
        super().__init__()
        self._both = both

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Find]:
        if not self.asked:
            self._both.wait(30)
        async with super().opened() as find:
            yield find


def test_of_two_that_carry_a_search_out_at_once_one_does(db: Database, actor: Actor) -> None:
    desk(db, actor)
    found = started(db, actor, plan(max_examples=4))
    both = Barrier(2)
    models = Met(both)

    def once() -> Improvement | ImprovementClaimed:
        try:
            return carry_out(db, actor.project, found.id, models=models, kinds=KINDS)
        except ImprovementClaimed as claimed:
            both.wait(30)
            return claimed

    with ThreadPoolExecutor(2) as pool:
        ends = [one.result() for one in [pool.submit(once) for _ in range(2)]]
    (done,) = [one for one in ends if isinstance(one, Improvement)]
    assert [type(one) for one in ends if one is not done] == [ImprovementClaimed]
    assert (done.state, done.claim, done.claimed_until) == (State.FINISHED, "", None)
    assert done.spent.calls == len(models.asked)


def test_who_died_over_a_search_is_followed_when_the_claim_has_ended(
    db: Database, actor: Actor, clock: ManualClock
) -> None:
    desk(db, actor)
    found = started(db, actor, plan(max_examples=4))
    with db.write(actor) as tx:
        dead = commands.claim(tx, found.id)
    driver = Driver(db, Apprentices(), KINDS)
    assert driver.look(found.id) == SHORTEST  # the clock of the test stands still
    clock.move(LEASE / 2)
    with db.write(actor) as tx:
        commands.hold(tx, dead, Spent(calls=3))
    clock.move(LEASE / 2)
    with pytest.raises(ImprovementClaimed), db.write(actor) as tx:
        commands.claim(tx, found.id)
    clock.move(LEASE / 2 + timedelta(seconds=1))
    with db.write(actor) as tx:
        heir = commands.claim(tx, found.id)
    with pytest.raises(ImprovementClaimed), db.write(actor) as tx:
        commands.hold(tx, dead, Spent(calls=100))
    with db.write(actor) as tx:  # who comes back to life has spent what they have spent
        commands.let_go(tx, dead, Spent(calls=5))
    with db.write(actor) as tx:
        now = commands.hold(tx, heir, Spent(calls=1))
    assert (now.spent.calls, now.claim) == (9, heir.claim)
    with db.write(actor) as tx:
        commands.stop(tx, found.id)
    with pytest.raises(SearchStopped), db.write(actor) as tx:
        commands.hold(tx, heir, Spent())


def test_what_was_spent_before_a_crash_is_noted(sqlite_db: Database, actor: Actor) -> None:
    desk(sqlite_db, actor)
    found = started(sqlite_db, actor, plan(max_examples=4))
    models = Apprentices()

    def strike() -> None:
        raise KeyboardInterrupt

    faults.arm("measure.kept", strike)
    with pytest.raises(KeyboardInterrupt):
        finished(sqlite_db, actor, found, models)
    faults.disarm()
    with sqlite_db.read(actor) as tx:
        left = queries.improvement(tx, found.id)
    assert (left.spent.calls, left.claim) == (len(models.asked), "")
    done, _ = finished(sqlite_db, actor, found, models)
    assert done.spent.calls == len(models.asked)


def test_a_bug_is_not_met_for_ever(
    sqlite_db: Database, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk(sqlite_db, actor)
    found = started(sqlite_db, actor, plan())

    def broken(_bench: Workbench, _material: Material) -> None:
        raise ZeroDivisionError("somewhere deep")

    monkeypatch.setattr(running, "SEARCHES", {Method.EXAMPLES: broken})
    driver = Driver(sqlite_db, Apprentices(), KINDS)
    for _ in range(MOST_STUMBLES - 1):
        with pytest.raises(ZeroDivisionError):
            driver.look(found.id)
    driver.look(found.id)
    with sqlite_db.read(actor) as tx:
        failed = queries.improvement(tx, found.id)
    assert failed.state is State.FAILED
    assert "ZeroDivisionError: somewhere deep" in failed.reason
