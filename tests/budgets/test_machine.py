"""Budgets against a model of them small enough to be believed."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from tests.budgets.world import OPS, draft, set_budget
from tests.conftest import START

from opsroom.budgets import OverBudget, Scope, Spender, Unit, commands, queries, store
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Database

HOUR = timedelta(hours=1)
LEASE = timedelta(minutes=20)
AMOUNTS = st.decimals(min_value=0, max_value=6, places=2)
SPENDERS = [
    Spender(agent=agent, turn=turn, team="desk")
    for agent in ("a", "b")
    for turn in ("t1", "t2")
]
Place = tuple[str, int, str]


@dataclass
class Held:
    place: Place
    amount: Decimal
    until: int
    state: str = "held"


@dataclass
class Books:
    """One cell per budget, window and key; sums are taken over holds each time."""

    hards: dict[str, Decimal] = field(default_factory=dict)
    holds: dict[str, list[Held]] = field(default_factory=dict)
    settled: dict[Place, Decimal] = field(default_factory=dict)
    granted: dict[Place, Decimal] = field(default_factory=dict)

    def held(self, place: Place) -> Decimal:
        every = (one for held in self.holds.values() for one in held)
        mine = (one for one in every if one.place == place and one.state == "held")
        return sum((one.amount for one in mine), Decimal(0))

    def taken(self, place: Place) -> Decimal:
        return self.held(place) + self.settled.get(place, Decimal(0))


class Spending(RuleBasedStateMachine):
    """Budgets for the team (for ever), each agent (by the hour) and each turn (for ever)."""

    db: Database
    clock: ManualClock

    @initialize(hards=st.tuples(AMOUNTS, AMOUNTS, AMOUNTS))
    def open(self, hards: tuple[Decimal, ...]) -> None:
        # Every run begins at the same minute of the hour: where windows end decides what passes,
        # and with it what there is to draw from.
        self.clock.move(START - self.clock.now())
        with self.db.write(OPS) as tx:
            for one in queries.standings(tx):
                commands.remove_budget(tx, one.budget.id)
        wanted = [
            draft(str(hards[0] * 3), scope=Scope.TEAM, key="desk"),
            draft(str(hards[1]), scope=Scope.AGENT, key="*", window=HOUR),
            draft(str(hards[2]), scope=Scope.TURN, key="*"),
        ]
        self.budgets = [set_budget(self.db, one) for one in wanted]
        self.books = Books(hards={one.id: one.hard for one in self.budgets})
        self.now = 0
        self.count = 0
        self.prefix = self.budgets[0].id

    def places(self, spender: Spender) -> list[Place]:
        team, agent, turn = (one.id for one in self.budgets)
        window = int(self.budgets[1].since(self.clock.now()).timestamp())
        return [(team, 0, "desk"), (agent, window, spender.agent), (turn, 0, spender.turn)]

    def let_expire(self, places: list[Place] | None = None) -> None:
        for held in self.books.holds.values():
            for one in held:
                due = one.state == "held" and one.until <= self.now
                if due and (places is None or one.place in places):
                    one.state = "expired"

    @rule(spender=st.sampled_from(SPENDERS), amount=AMOUNTS)
    def reserve(self, spender: Spender, amount: Decimal) -> None:
        action = f"act_{self.prefix}_{self.count}"
        self.count += 1
        places = self.places(spender)

        def full() -> list[Place]:
            return [
                one
                for one in places
                if self.books.taken(one) + amount > self.books.hards[one[0]]
            ]

        if amount and (tight := full()):
            self.let_expire(tight)
        passes = not amount or not full()
        with self.db.write(OPS) as tx:
            try:
                commands.reserve(
                    tx, spender, {Unit.USD: amount}, action=action, until=tx.now + LEASE
                )
                passed = True
            except OverBudget:
                passed = False
        assert passed == passes
        if passed:
            until = self.now + int(LEASE.total_seconds())
            self.books.holds[action] = [Held(one, amount, until) for one in places]

    @rule(data=st.data(), cost=AMOUNTS)
    def settle(self, data: st.DataObject, cost: Decimal) -> None:
        if not self.books.holds:
            return
        action = data.draw(st.sampled_from(sorted(self.books.holds)))
        with self.db.write(OPS) as tx:
            commands.settle(tx, action, {Unit.USD: cost})
        for one in self.books.holds[action]:
            if one.state != "settled":
                one.state = "settled"
                self.books.settled[one.place] = (
                    self.books.settled.get(one.place, Decimal(0)) + cost
                )

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if not self.books.holds:
            return
        action = data.draw(st.sampled_from(sorted(self.books.holds)))
        with self.db.write(OPS) as tx:
            commands.release(tx, action)
        for one in self.books.holds[action]:
            one.state = "released" if one.state == "held" else one.state

    @rule(minutes=st.integers(-45, 90))
    def step_the_clock(self, minutes: int) -> None:
        self.clock.move(timedelta(minutes=minutes))
        self.now += minutes * 60

    @rule()
    def expire(self) -> None:
        with self.db.write(OPS) as tx:
            commands.expire(tx)
        self.let_expire()

    @invariant()
    def the_counters_say_what_the_model_says(self) -> None:
        if not hasattr(self, "books"):
            return
        with self.db.read(OPS) as tx:
            for spender in SPENDERS:
                for place, budget in zip(self.places(spender), self.budgets, strict=True):
                    at = (budget.id, budget.since(tx.now), place[2])
                    counter = store.counted(tx, [at])[at]
                    assert counter.held == self.books.held(place)
                    assert counter.settled == self.books.settled.get(place, Decimal(0))
                    assert counter.held >= 0


def _run(db: Database, clock: ManualClock, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        type("Machine", (Spending,), {"db": db, "clock": clock}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            # A database is too slow to shrink on; the seed that is printed repeats the run.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )


def test_budgets_are_their_model(sqlite_db: Database, clock: ManualClock) -> None:
    _run(sqlite_db, clock, examples=20, steps=25)


@pytest.mark.slow
def test_budgets_are_their_model_at_length(db: Database, clock: ManualClock) -> None:
    _run(db, clock, examples=60, steps=40)
