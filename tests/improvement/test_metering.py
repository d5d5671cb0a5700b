"""A budget is a limit: counted before a call is made, whatever goes on at the same time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.improvement.errors import BudgetSpent
from opsroom.improvement.metering import Meter, MeteredModels
from opsroom.improvement.model import Budget, Spent
from opsroom.models import Find, Model, ModelRequest, Output

REQUEST = ModelRequest(messages=(), subject="s", item="i")


@dataclass
class Costly:
    """A model that costs this and takes a moment."""

    costs: list[Decimal | None]
    asked: list[ModelRequest] = field(default_factory=list)
    fails: bool = False

    async def complete(self, request: ModelRequest) -> Output:
        self.asked.append(request)
        number = len(self.asked) - 1
        await asyncio.sleep(0)
        if self.fails:
            raise RuntimeError
        return Output(text="x", cost=self.costs[number % len(self.costs)])

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Find]:
        yield self._named

    def _named(self, name: str) -> Model:
        return self


def ask(model: Costly, budget: Budget, times: int) -> tuple[Meter, int]:
    """Ask at once so many times; the books, and how many were turned away."""
    meter = Meter(budget, Spent())

    async def everything() -> int:
        async with MeteredModels(model, meter).opened() as find:
            one = find("m")
            done = await asyncio.gather(
                *(one.complete(REQUEST) for _ in range(times)), return_exceptions=True
            )
        return sum(isinstance(each, BudgetSpent) for each in done)

    return meter, asyncio.run(everything())


def test_no_call_is_made_beyond_the_budget() -> None:
    model = Costly([Decimal("0.1")])
    meter, turned_away = ask(model, Budget(max_calls=7), 20)
    assert (len(model.asked), meter.spent.calls, turned_away) == (7, 7, 13)
    assert meter.spent.usd == Decimal("0.7")
    assert "7 calls were made" in meter.over
    with pytest.raises(BudgetSpent):
        meter.check(1)


@given(
    cost=st.decimals("0.01", "1", places=2),
    limit=st.decimals("0.01", "5", places=2),
    times=st.integers(1, 40),
)
def test_calls_at_once_do_not_overspend(cost: Decimal, limit: Decimal, times: int) -> None:
    model = Costly([cost])
    meter, _ = ask(model, Budget(max_calls=1000, max_usd=limit), times)
    # The first call alone may be dearer than all that is allowed: nobody knew what it costs.
    assert meter.spent.usd <= max(limit, cost)
    if cost * times <= limit:
        assert len(model.asked) == times


def test_a_limit_in_dollars_needs_prices() -> None:
    model = Costly([None])
    meter, turned_away = ask(model, Budget(max_calls=100, max_usd=Decimal(1)), 10)
    assert (len(model.asked), turned_away) == (1, 9)
    assert "not known" in meter.over
    meter, turned_away = ask(Costly([None]), Budget(max_calls=100), 10)
    assert (meter.spent.unpriced, turned_away) == (10, 0)


def test_a_call_that_fails_was_made() -> None:
    model = Costly([None], fails=True)
    meter, turned_away = ask(model, Budget(max_calls=5), 8)
    assert (meter.spent.calls, turned_away) == (5, 3)
    assert meter.spent.usd == 0
