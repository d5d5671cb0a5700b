"""Reserve, settle, release: what is booked where, and what goes on record."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.budgets.world import (
    DAY,
    LEASE,
    OPS,
    SPENDER,
    draft,
    reserve,
    set_budget,
    settle,
    usd,
)
from tests.conftest import START

from opsroom.budgets import (
    Budget,
    BudgetNotFound,
    HoldState,
    ImpossibleAmount,
    OverBudget,
    Scope,
    Spender,
    Standing,
    Unit,
    commands,
    queries,
)
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Database


def budget_of(window: timedelta | None) -> Budget:
    return Budget(
        id="bud_1",
        scope=Scope.AGENT,
        key="customs",
        unit=Unit.USD,
        hard=Decimal(10),
        window=window,
        created_at=START,
        created_by="olga",
    )


def standing(db: Database, place: int = 0) -> Standing:
    with db.read(OPS) as tx:
        return queries.standings(tx)[place]


def told(db: Database, event: str) -> list[dict[str, Any]]:
    with db.read(OPS) as tx:
        return [one.facts for one in journal.after(tx, 0) if one.event == event]


def left(db: Database, spender: Spender = SPENDER) -> dict[Unit, Decimal]:
    with db.read(OPS) as tx:
        return queries.remaining(tx, spender)


def test_reserve_and_settle(db: Database) -> None:
    set_budget(db, draft(10))
    (hold,) = reserve(db, "act_1", usd("4.5"))
    assert (hold.amount, hold.state) == (Decimal("4.5"), HoldState.HELD)
    assert left(db) == usd("5.5")
    (booked,) = settle(db, "act_1", usd("4.2"))
    assert (booked.state, booked.settled, booked.over) == (
        HoldState.SETTLED,
        Decimal("4.2"),
        Decimal(0),
    )
    now = standing(db)
    assert (now.held, now.settled, now.remaining, now.actions) == (
        Decimal(0),
        Decimal("4.2"),
        Decimal("5.8"),
        1,
    )


def test_settling_and_releasing_twice_change_nothing(db: Database) -> None:
    set_budget(db, draft(10))
    reserve(db, "act_1", usd(4))
    first = settle(db, "act_1", usd(3))
    assert settle(db, "act_1", usd(9)) == first
    with db.write(OPS) as tx:
        assert commands.release(tx, "act_1") == ()
    assert standing(db).settled == 3
    reserve(db, "act_2", usd(7))
    for freed in (1, 0):
        with db.write(OPS) as tx:
            assert len(commands.release(tx, "act_2")) == freed
    assert left(db) == usd(7)


def test_all_or_nothing_over_every_budget_that_matches(db: Database) -> None:
    set_budget(db, draft(100, scope=Scope.ORG, key="default"))
    set_budget(db, draft(2, scope=Scope.CONTRACT, key="contract/post", unit=Unit.CALLS))
    set_budget(db, draft(50, scope=Scope.TEAM, key="desk"))
    set_budget(db, draft(1, scope=Scope.AGENT, key="somebody-else"))
    both = {**usd(30), Unit.CALLS: Decimal(1)}
    assert len(reserve(db, "act_1", both)) == 3
    with pytest.raises(OverBudget) as refused:
        reserve(db, "act_2", both)
    assert refused.value.scope == "team"
    assert refused.value.remaining == "20"
    assert left(db) == {Unit.USD: Decimal(20), Unit.CALLS: Decimal(1)}


def test_a_refusal_leaves_the_transaction_good_and_is_told_once(db: Database) -> None:
    set_budget(db, draft(10))
    for number in range(3):
        with db.write(OPS) as tx:
            with pytest.raises(OverBudget):
                commands.reserve(
                    tx, SPENDER, usd(11), action=f"act_{number}", until=tx.now + LEASE
                )
            tx.record("action.denied", f"action/act_{number}")
    assert len(told(db, "action.denied")) == 3
    (refused,) = told(db, "budget.refused")
    assert (refused["wanted"], refused["held"], refused["key"]) == ("11", "0", "customs")


def test_nothing_costs_nothing_even_when_all_is_used_up(db: Database) -> None:
    set_budget(db, draft(0))
    (hold,) = reserve(db, "act_1", usd(0))
    assert hold.amount == 0
    assert reserve(db, "act_2", {})[0].amount == 0
    settle(db, "act_2", {})
    with pytest.raises(OverBudget):
        reserve(db, "act_3", usd("0.000000001"))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-1", "1e30"])
def test_impossible_amounts_hold_and_settle_nothing(db: Database, text: str) -> None:
    set_budget(db, draft(10))
    with pytest.raises(ImpossibleAmount):
        reserve(db, "act_1", usd(text))
    reserve(db, "act_1", usd(1))
    with pytest.raises(ImpossibleAmount):
        settle(db, "act_1", usd(text))
    assert standing(db).held == 1


def test_what_it_really_cost_is_booked_also_beyond_the_limit(db: Database) -> None:
    set_budget(db, draft(10))
    reserve(db, "act_1", usd(8))
    reserve(db, "act_2", usd(2))
    (booked,) = settle(db, "act_1", usd("9.5"))
    assert booked.over == Decimal("1.5")
    (fact,) = told(db, "budget.overshot")
    assert (fact["action"], fact["over"], fact["settled"]) == ("act_1", "1.5", "9.5")
    assert standing(db).remaining == Decimal("-1.5")
    with pytest.raises(OverBudget):
        reserve(db, "act_3", usd("0.01"))
    settle(db, "act_2", usd(0))
    assert left(db) == usd("0.5")


def test_units_that_were_not_estimated_are_booked_all_the_same(db: Database) -> None:
    set_budget(db, draft(1000, unit=Unit.TOKENS))
    set_budget(db, draft(10))
    reserve(db, "act_1", usd(1))
    settle(db, "act_1", {Unit.TOKENS: Decimal(600)})
    assert left(db) == {Unit.TOKENS: Decimal(400), Unit.USD: Decimal(9)}


def test_the_soft_limit_warns_once_in_a_window(db: Database, clock: ManualClock) -> None:
    set_budget(db, draft(10, soft="5", window=DAY))
    for number in range(4):
        reserve(db, f"act_{number}", usd(2))
        settle(db, f"act_{number}", usd(2))
    assert [one["held"] for one in told(db, "budget.soft_passed")] == ["2"]
    assert standing(db).soft_passed
    clock.move(DAY)
    assert not standing(db).soft_passed
    reserve(db, "act_9", usd(6))
    assert len(told(db, "budget.soft_passed")) == 2


def test_a_hold_that_nobody_settles_frees_itself(db: Database, clock: ManualClock) -> None:
    set_budget(db, draft(10))
    reserve(db, "act_1", usd(10))
    with pytest.raises(OverBudget):
        reserve(db, "act_2", usd(10))
    clock.move(LEASE)
    reserve(db, "act_2", usd(10))  # nobody had to tidy up before
    (gone,) = told(db, "budget.expired")
    assert (gone["action"], gone["amount"]) == ("act_1", "10")
    clock.move(LEASE)
    with db.write(OPS) as tx:
        assert commands.expire(tx) == 1
        assert commands.expire(tx) == 0
    assert left(db) == usd(10)


def test_the_clock_frees_holds_of_every_project(db: Database, clock: ManualClock) -> None:
    set_budget(db, draft(10))
    reserve(db, "act_1", usd(10))
    nowhere = replace(OPS, name="system:clock", project="")
    clock.move(LEASE)
    with db.read(nowhere) as tx:
        assert queries.overdue(tx)
    with db.write(nowhere) as tx:
        assert commands.expire(tx) == 1
    with db.read(nowhere) as tx:
        assert not queries.overdue(tx)
        (entry,) = (one for one in journal.after(tx, 0) if one.event == "budget.expired")
    assert (entry.project, entry.actor) == ("default", "system:clock")


def test_what_nobody_knows_the_outcome_of_stays_held(db: Database, clock: ManualClock) -> None:
    set_budget(db, draft(10))
    reserve(db, "act_1", usd(10))
    with db.write(OPS) as tx:
        assert commands.keep(tx, "act_1") == 1
    clock.move(timedelta(days=400))
    with db.write(OPS) as tx:
        assert commands.expire(tx) == 0
    with pytest.raises(OverBudget):
        reserve(db, "act_2", usd(1))
    with db.write(OPS) as tx:
        commands.release(tx, "act_1")
    assert left(db) == usd(10)


def test_what_comes_in_after_the_lease_is_spent_all_the_same(
    db: Database, clock: ManualClock
) -> None:
    set_budget(db, draft(10))
    reserve(db, "act_1", usd(7))
    clock.move(LEASE)
    reserve(db, "act_2", usd(10))
    (booked,) = settle(db, "act_1", usd(7))
    assert booked.state is HoldState.SETTLED
    now = standing(db)
    assert (now.held, now.settled) == (Decimal(10), Decimal(7))
    assert told(db, "budget.overshot")[0]["over"] == "7"


def test_a_second_attempt_has_a_hold_of_its_own(db: Database) -> None:
    set_budget(db, draft(10))
    reserve(db, "act_1", usd(7))
    with db.write(OPS) as tx:
        commands.release(tx, "act_1")
    reserve(db, "act_1", usd(8))
    settle(db, "act_1", usd(8))
    now = standing(db)
    assert (now.held, now.settled, now.actions) == (Decimal(0), Decimal(8), 1)


def test_a_late_settlement_is_booked_where_it_was_held(
    db: Database, clock: ManualClock
) -> None:
    set_budget(db, draft(10, window=DAY))
    clock.move(DAY - timedelta(seconds=1))
    reserve(db, "act_1", usd(9))
    clock.move(timedelta(seconds=1))
    assert left(db) == usd(10)
    reserve(db, "act_2", usd(10))
    settle(db, "act_1", usd(9))
    now = standing(db)
    assert (now.held, now.settled) == (Decimal(10), Decimal(0))
    clock.move(-timedelta(seconds=1))  # the clock is stepped back over the edge
    before = standing(db)
    assert (before.held, before.settled) == (Decimal(0), Decimal(9))
    with pytest.raises(OverBudget):
        reserve(db, "act_3", usd(2))


def test_each_turn_has_its_own_counter(db: Database) -> None:
    set_budget(db, draft(3, scope=Scope.TURN, key="*", unit=Unit.CALLS))
    one = {Unit.CALLS: Decimal(1)}
    for number in range(3):
        reserve(db, f"act_{number}", one)
    with pytest.raises(OverBudget) as refused:
        reserve(db, "act_3", one)
    assert refused.value.key == "trn_1"
    other = replace(SPENDER, turn="trn_2")
    reserve(db, "act_4", one, spender=other)
    assert left(db, other) == {Unit.CALLS: Decimal(2)}
    fullest = standing(db)
    assert (fullest.key, fullest.held) == ("trn_1", Decimal(3))


def test_setting_again_changes_limits_and_keeps_what_was_spent(db: Database) -> None:
    made = set_budget(db, draft(10))
    assert set_budget(db, draft(10)) == made
    reserve(db, "act_1", usd(8))
    changed = set_budget(db, draft(5, soft="4"))
    assert (changed.id, changed.revision, changed.hard) == (made.id, 2, Decimal(5))
    assert [one["before"] for one in told(db, "budget.set")] == [None, "10"]
    assert standing(db).remaining == -3
    assert left(db) == usd(0)
    with pytest.raises(OverBudget):
        reserve(db, "act_2", usd(1))


def test_a_removed_budget_counts_no_more_but_is_settled(db: Database) -> None:
    made = set_budget(db, draft(10))
    reserve(db, "act_1", usd(8))
    with db.write(OPS) as tx:
        commands.remove_budget(tx, made.id, reason="moved to the team")
    assert reserve(db, "act_2", usd(80)) == ()
    assert settle(db, "act_1", usd(8))[0].settled == 8
    with pytest.raises(BudgetNotFound), db.write(OPS) as tx:
        commands.remove_budget(tx, made.id)
    set_budget(db, draft(10))
    assert left(db) == usd(10)


def test_budgets_of_another_project_are_not_touched(db: Database) -> None:
    set_budget(db, draft(10))
    stranger = replace(OPS, project="other")
    with db.write(stranger) as tx:
        assert commands.reserve(tx, SPENDER, usd(99), action="act_1", until=tx.now) == ()
        assert queries.standings(tx) == []


def test_a_reservation_in_a_transaction_that_fails_never_was(db: Database) -> None:
    set_budget(db, draft(10))

    def fail() -> None:
        with db.write(OPS) as tx:
            commands.reserve(tx, SPENDER, usd(9), action="act_1", until=tx.now + LEASE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert left(db) == usd(10)


def test_plans_are_the_budgets_in_dollars_for_a_time_however_many_others_there_are(
    db: Database,
) -> None:
    with db.write(OPS) as tx:
        for number in range(120):
            commands.set_budget(tx, draft(9, key=f"a{number}", unit=Unit.CALLS, window=DAY))
        commands.set_budget(tx, draft(9))  # for ever
        commands.set_budget(tx, draft(70, window=DAY))
        gone = commands.set_budget(tx, draft(80, key="gone", window=DAY))
        commands.remove_budget(tx, gone.id)
    with db.read(OPS) as tx:
        assert [one.hard for one in queries.plans(tx)] == [70]
