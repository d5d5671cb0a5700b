"""What a budget can be, and how long an action may take."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.budgets.world import DAY, SPENDER, draft

from opsroom.budgets import BrokenBudget, ImpossibleAmount, Scope, Unit, deadline
from opsroom.budgets.model import BudgetDraft, amount_of, checked

NOW = datetime(2026, 11, 20, 13, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "-0.01", "1e13"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ImpossibleAmount):
        amount_of(Unit.USD, Decimal(text))


@given(st.decimals(min_value=0, max_value=10**12, allow_nan=False))
def test_an_amount_is_never_made_smaller(value: Decimal) -> None:
    kept = amount_of(Unit.USD, value)
    assert value <= kept < value + Decimal("1e-9")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (draft(5, soft="6"), "soft limit"),
        (draft(5, window=timedelta(seconds=5)), "one minute"),
        (draft(5, window=timedelta(days=500)), "400 days"),
        (draft(5, window=timedelta(minutes=1, milliseconds=5)), "whole seconds"),
        (draft(5, key=""), "a key is"),
        (draft(5, key="a b"), "a key is"),
        (draft(5, scope=Scope.ORG, key="elsewhere"), "the organisation here"),
        (draft(5, scope=Scope.CONTRACT, key="post"), "contract/NAME"),
        (draft(5, scope=Scope.CONTRACT, key="contract/post@3"), "without a version"),
    ],
)
def test_a_budget_that_cannot_be(wrong: BudgetDraft, why: str) -> None:
    with pytest.raises(BrokenBudget, match=why):
        checked(wrong, org="default")


@pytest.mark.parametrize("scope", Scope)
def test_each_of_every_scope_and_nothing_at_all_are_fine(scope: Scope) -> None:
    assert checked(draft(0, scope=scope, key="*"), org="default").hard == 0


def test_a_version_of_a_contract_spends_the_budget_of_the_contract() -> None:
    keys = SPENDER.keys("default")
    assert keys[Scope.CONTRACT] == "contract/post"
    assert keys[Scope.ORG] == "default"
    assert Scope.TEAM not in replace(SPENDER, team="").keys("default")


def test_windows_begin_where_people_expect_them() -> None:
    from tests.budgets.test_commands import budget_of

    assert budget_of(DAY).since(NOW) == datetime(2026, 11, 20, tzinfo=UTC)
    assert budget_of(7 * DAY).since(NOW).weekday() == 0
    assert budget_of(timedelta(hours=1)).since(NOW) == NOW.replace(minute=0)


@pytest.mark.parametrize(
    ("turn", "seconds", "ends"),
    [
        (None, None, NOW + MINUTE),
        (NOW + timedelta(seconds=9), None, NOW + timedelta(seconds=9)),
        (NOW + timedelta(hours=9), Decimal("2.5"), NOW + timedelta(seconds=2.5)),
        (NOW + timedelta(hours=9), Decimal(10) ** 12, NOW + MINUTE),
        (NOW, None, None),
        (NOW - MINUTE, Decimal(5), None),
        (None, Decimal(0), None),
    ],
)
def test_the_nearest_end_is_the_deadline(
    turn: datetime | None, seconds: Decimal | None, ends: datetime | None
) -> None:
    assert deadline(NOW, timeout=MINUTE, turn=turn, seconds=seconds) == ends
