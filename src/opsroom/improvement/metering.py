"""What a search spends: counted before it is spent, so that a budget is a limit and no wish."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from opsroom.kit.canonical import canonical
from opsroom.kit.wire import plain
from opsroom.models import Find, Model, ModelRequest, Models, Output
from opsroom.models.rates import Rates, rates

from .errors import BudgetSpent
from .model import Budget, Spent

NOTHING = Decimal(0)
LIMITS = ("max_tokens", "max_completion_tokens")
AROUND = 16  # tokens that a format puts around a message, at most


class Meter:
    """The books of one search. `over` says why nothing may be spent any more, once that is so.

    `spent` includes what an earlier process noted, and `unnoted` is what nobody has noted yet.
    """

    def __init__(self, budget: Budget, spent: Spent) -> None:
        self.budget = budget
        self.spent = spent
        self.over = ""
        self._noted = spent
        self._reserved: list[Decimal] = []

    @property
    def unnoted(self) -> Spent:
        return self.spent.since(self._noted)

    def noted(self, spent: Spent) -> None:
        """Everything so far is written down, which makes so much in all."""
        self.spent = self._noted = spent

    def check(self, calls: int) -> None:
        """Raises `BudgetSpent` unless so many further calls fit."""
        left = self.budget.max_calls - self.spent.calls
        if self.over:
            raise BudgetSpent(self.over)
        if calls > left:
            raise BudgetSpent(f"{calls} more calls are needed, and {left} are left")

    def most(self, known: Decimal | None) -> Decimal | None:
        """What a call is reckoned at beforehand: what is known of it, and no less than the
        dearest one so far. None where nothing is known, or dollars are not limited.
        """
        if self.budget.max_usd is None:
            return None
        return max(
            (one for one in (known, self.spent.dearest) if one is not None), default=None
        )

    def waits(self, most: Decimal | None) -> bool:
        """Whether a call can only be made, or refused, when those under way have ended."""
        limit = self.budget.max_usd
        if limit is None or self.over or not self._reserved:
            return False
        return most is None or self.spent.usd + sum(self._reserved) + most > limit

    def begin(self, most: Decimal | None) -> Decimal:
        """Book one call that is about to be made, and say what it has to be ended with. Raises
        `BudgetSpent`.
        """
        if not self.over and self.spent.calls >= self.budget.max_calls:
            self.over = f"{self.budget.max_calls} calls were made"
        limit, reserved = self.budget.max_usd, most or NOTHING
        if not self.over and limit is not None:
            after = self.spent.usd + sum(self._reserved) + reserved
            if after > limit or self.spent.usd >= limit:
                self.over = (
                    f"{self.spent.usd:f} of {limit:f} USD are spent, and one more call may "
                    f"cost {reserved:f}"
                )
        if self.over:
            raise BudgetSpent(self.over)
        self._reserved.append(reserved)
        self.spent = replace(self.spent, calls=self.spent.calls + 1)
        return reserved

    def end(self, reserved: Decimal, output: Output | None) -> None:
        """Book what a call that was begun came to; None where it failed."""
        self._reserved.remove(reserved)
        if output is None:
            return
        if output.cost is None:
            self.spent = replace(self.spent, unpriced=self.spent.unpriced + 1)
            if self.budget.max_usd is not None:
                self.over = "a limit in USD was set, and what the model costs is not known"
            return
        self.spent = self.spent.plus(Spent(usd=output.cost, dearest=output.cost))


def known_cost(request: ModelRequest, price: Rates) -> Decimal:
    """What a call costs at most, in US dollars, as far as the request says: its answer counts
    where its length is limited. No tokeniser makes more tokens of a text than it has bytes.
    """
    parameters = request.parameters
    said = len(canonical(plain(request.messages))) + len(canonical(parameters))
    asked = said + AROUND * (len(request.messages) + 1)
    lengths = [parameters[one] for one in LIMITS if one in parameters]
    answered = [one for one in lengths if isinstance(one, int)]
    return (
        price.request
        + max(price.input, price.cache_write) * asked
        + max(price.output, price.reasoning) * max(answered, default=0)
    )


def listed(model: str, at: datetime) -> Rates | None:
    """The list price of a model then, in its dearest tier; None where the list has none."""
    held = [one for one in rates(model) if one.since <= at]
    return held[-1].tiers[-1] if held and held[-1].tiers else None


class MeteredModel:
    """A model whose calls are booked. Satisfies `opsroom.models.Model`."""

    def __init__(
        self, model: Model, meter: Meter, turn: asyncio.Condition, price: Rates | None
    ) -> None:
        self._model = model
        self._meter = meter
        self._turn = turn
        self._price = price

    async def complete(self, request: ModelRequest) -> Output:
        """Waits while what is under way may use up what is left of a limit in dollars; so one
        call alone says what the others may cost, where nothing else does.
        """
        known = None if self._price is None else known_cost(request, self._price)
        async with self._turn:
            await self._turn.wait_for(lambda: not self._meter.waits(self._meter.most(known)))
            reserved = self._meter.begin(self._meter.most(known))
        output = None
        try:
            output = await self._model.complete(request)
            return output
        finally:
            self._meter.end(reserved, output)
            async with self._turn:
                self._turn.notify_all()


class MeteredModels:
    """Models whose calls are booked. Satisfies `opsroom.models.Models`."""

    def __init__(self, models: Models, meter: Meter, at: datetime) -> None:
        self._models = models
        self._meter = meter
        self._at = at

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Find]:
        turn = asyncio.Condition()
        limited = self._meter.budget.max_usd is not None

        def find(name: str) -> Model:
            price = listed(name, self._at) if limited else None
            return MeteredModel(find_model(name), self._meter, turn, price)

        async with self._models.opened() as find_model:
            yield find
