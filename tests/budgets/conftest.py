"""A day on which money was spent, for the tests of pages."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.api import api, sqlite_api
from tests.browser import browser, page
from tests.budgets.world import OPS, draft, reserve, set_budget, settle, usd
from tests.pages import Site, base, day, shown
from tests.pages import site as bare_site

from opsroom.budgets import Scope, Spender, Unit
from opsroom.kit.clock import ManualClock

__all__ = ["OPS", "api", "bare_site", "base", "browser", "day", "page", "shown", "sqlite_api"]
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def budgets(shown: Site) -> dict[str, str]:
    """Budgets in every state, by name: their ids."""
    db, clock = shown.api.db, shown.api.db.clock
    assert isinstance(clock, ManualClock)
    clock.move(DAY - (clock.now() - clock.now().replace(hour=0, minute=0, second=0)))
    wanted = {
        "burning": draft(40, soft="30", key="customs-classifier", window=DAY),
        "quiet": draft(500, scope=Scope.TEAM, key="freight", window=7 * DAY),
        "out": draft(2, scope=Scope.CONTRACT, key="contract/post-invoice", unit=Unit.CALLS),
        "turns": draft(9, soft="5", scope=Scope.TURN, key="*", unit=Unit.CALLS),
        "fresh": draft(60_000, scope=Scope.ORG, key="default", unit=Unit.TOKENS),
    }
    made = {name: set_budget(db, one).id for name, one in wanted.items()}
    amounts = ("0.42", "1.1", "0.08", "2.6", "0.35", "0.9", "0.51")
    for number in range(36):
        spender = Spender(
            agent="customs-classifier",
            turn=f"trn_{number // 3:04}",
            contract="contract/post-invoice@2" if number in {3, 9} else "",
            team="freight",
        )
        cost = usd(amounts[number % len(amounts)]) | {Unit.CALLS: Decimal(1)}
        reserve(db, f"act_{number}", cost, spender=spender, lease=DAY)
        if number % 9:
            settle(db, f"act_{number}", cost)
        clock.move(timedelta(minutes=19))
    return made
