"""A budget is a limit: counted before a call is made, whatever goes on at the same time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.improvement.errors import BudgetSpent
from opsroom.improvement.metering import Meter, MeteredModels, known_cost, listed
from opsroom.improvement.model import Budget, Spent
from opsroom.models import Find, Message, Model, ModelRequest, Output

NOW = datetime(2026, 1, 5, tzinfo=UTC)
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


def ask(
    model: Costly,
    budget: Budget,
    times: int,
    *,
    spent: Spent = Spent(),  # noqa: B008  # it is frozen
    name: str = "m",
    request: ModelRequest = REQUEST,
) -> tuple[Meter, int]:
    """Ask at once so many times; the books, and how many were turned away."""
    meter = Meter(budget, spent)

    async def everything() -> int:
        async with MeteredModels(model, meter, NOW).opened() as find:
            one = find(name)
            done = await asyncio.gather(
                *(one.complete(request) for _ in range(times)), return_exceptions=True
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


def test_a_limit_in_dollars_holds_at_every_resumption() -> None:
    model = Costly([Decimal("0.3")])
    budget = Budget(max_calls=100, max_usd=Decimal(1))
    meter, _ = ask(model, budget, 10)
    assert (meter.spent.usd, len(model.asked)) == (Decimal("0.9"), 3)
    for _ in range(5):
        meter, turned_away = ask(model, budget, 4, spent=meter.spent)
        assert turned_away == 4
    assert len(model.asked) == 3
    one_call, _ = ask(model, budget, 4, spent=Spent(usd=Decimal(1)))
    assert one_call.spent.calls == 0


def test_the_first_call_is_not_made_where_the_list_says_that_it_may_cost_too_much() -> None:
    cheap = Costly([Decimal("0.001")])
    budget = Budget(max_calls=100, max_usd=Decimal("0.01"))
    long = replace(
        REQUEST,
        messages=(Message(role="user", content="x" * 100),),
        parameters={"max_tokens": 10_000},
    )
    short = replace(long, parameters={"max_tokens": 10})
    price = listed("gpt-4o", NOW)
    assert price is not None
    assert known_cost(long, price) > Decimal("0.01") > known_cost(short, price)
    meter, turned_away = ask(cheap, budget, 3, name="gpt-4o", request=long)
    assert (cheap.asked, turned_away) == ([], 3)
    assert "may cost" in meter.over
    meter, turned_away = ask(cheap, budget, 3, name="gpt-4o", request=short)
    assert (len(cheap.asked), turned_away) == (3, 0)
    assert listed("nobody-knows-this-one", NOW) is None


@given(content=st.text(max_size=50), limit=st.integers(1, 1000))
def test_what_is_known_of_a_call_grows_with_what_may_come(content: str, limit: int) -> None:
    price = listed("gpt-4o", NOW)
    assert price is not None
    asked = replace(REQUEST, messages=(Message(role="user", content=content),))
    limited = replace(asked, parameters={"max_tokens": limit})
    assert known_cost(asked, price) >= price.input * len(content.encode())
    assert known_cost(limited, price) >= known_cost(asked, price) + price.output * limit


def test_what_was_noted_is_not_noted_again() -> None:
    model = Costly([Decimal("0.1")])
    meter, _ = ask(model, Budget(max_calls=5), 2, spent=Spent(calls=1, usd=Decimal(3)))
    assert (meter.unnoted.calls, meter.unnoted.usd) == (2, Decimal("0.2"))
    total = meter.spent.plus(Spent(calls=7))
    meter.noted(total)
    assert (meter.spent, meter.unnoted.calls) == (total, 0)
    with pytest.raises(BudgetSpent):
        meter.check(1)
