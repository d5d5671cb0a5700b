"""What it costs: week against week, and against the budgets."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.alerts.test_counting import spend
from tests.api import Api
from tests.pages import Site, holds
from tests.telemetry import KEEP, MOST, QUICK, Room, no_own_price, shared

from opsroom.budgets.model import Budget, Scope, Unit
from opsroom.kit.clock import ManualClock
from opsroom.overview.costs import Costs, costs, plan
from opsroom.traces.telemetry import Traces

NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def budget(hard: int, window: timedelta | None = 7 * DAY, **rest: Any) -> Budget:
    given = {"scope": Scope.AGENT, "key": "clerk", "unit": Unit.USD, **rest}
    return Budget(
        id="bud_1",
        hard=Decimal(hard),
        window=window,
        created_at=NOW,
        created_by="ana",
        **given,
    )


@pytest.mark.parametrize(
    ("budgets", "planned"),
    [
        ([], None),
        ([budget(70)], 70),
        ([budget(10, DAY)], 70),
        ([budget(70), budget(20, DAY)], 70),  # the tighter one of a key
        ([budget(70), budget(30, key="desk")], 100),
        ([budget(70), budget(500, scope=Scope.ORG, key="default")], 500),
        ([budget(70), budget(5, key="*")], 70),
    ],
)
def test_the_plan_is_what_budgets_say(budgets: list[Budget], planned: int | None) -> None:
    found = plan(budgets)
    assert (found and found.usd) == planned


def test_only_what_the_plan_covers_is_held_against_it() -> None:
    cost = Costs(
        week=Decimal(90), before=Decimal(0), days=(), agents=(),
        each={"clerk": Decimal(30), "desk": Decimal(60)},
    )  # fmt: skip

    def used(*budgets: Budget) -> tuple[object, object]:
        found = plan(budgets, cost.each)
        assert found is not None
        return found.usd, cost.used(found)

    team, org = (budget(50, scope=one, key="x") for one in (Scope.TEAM, Scope.ORG))
    assert used(budget(70)) == (70, 30)
    assert used(budget(70), team) == (70, 30)
    assert used(budget(40, key="*")) == (80, 90)
    assert used(budget(40, key="*"), budget(10)) == (50, 90)
    assert used(team) == (50, None)
    assert used(budget(70), team, org) == (50, 90)


def test_weeks_and_days_are_told_apart(clock: ManualClock, room: Room) -> None:
    clock.move(NOW - clock.now())
    for day in range(1, 15):
        spend(room, 60 if day <= 7 else 40, ago=timedelta(days=day, hours=-1))
    room.settle()
    found = costs(room.traces, room.project, now=NOW)
    assert found.week == pytest.approx(Decimal("1.47"))
    assert found.before == pytest.approx(Decimal("0.98"))
    assert found.change == pytest.approx(Decimal("0.5"))
    assert found.risen
    assert [round(one, 2) for one in found.days] == [0.14] * 7 + [0.21] * 7
    assert [agent for agent, _ in found.agents] == ["clerk"]
    assert costs(room.traces, "elsewhere", now=NOW) == Costs(
        week=Decimal(0), before=Decimal(0), days=(0.0,) * 14, agents=()
    )


@pytest.mark.browser
def test_the_first_page_says_what_it_costs(page: Page, shown: Site, base: str) -> None:
    api: Api = shown.api
    was = api.app.state.traces
    traces = Traces(
        shared, clock=api.db.clock, own=no_own_price, keep=KEEP, most=MOST, bounds=QUICK
    )
    api.app.state.traces = traces
    room = Room(traces, api.db.clock, project="default")
    try:
        for day in (1, 2, 9):
            spend(room, 30, ago=timedelta(days=day, hours=-1))
        room.settle()
        read = shown.read("/")
        assert "The last seven days" in read
        assert "no budget in dollars says so" in read
        holds(page, shown, base, "/")
    finally:
        api.app.state.traces = was
        traces.close()
