"""What a search spends: counted before it is spent, so that a budget is a limit and no wish."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

from opsroom.models import Find, Model, ModelRequest, Models, Output

from .errors import BudgetSpent
from .model import Budget, Spent


class Meter:
    """The books of one search. `over` says why nothing may be spent any more, once that is so."""

    def __init__(self, budget: Budget, spent: Spent) -> None:
        self.budget = budget
        self.spent = spent
        self.over = ""
        self._under_way = 0
        self._dearest: Decimal | None = None

    @property
    def blind(self) -> bool:
        """Whether there is a limit in dollars, and no call has said yet what one costs."""
        return self.budget.max_usd is not None and self._dearest is None

    def check(self, calls: int) -> None:
        """Raises `BudgetSpent` unless so many further calls fit."""
        left = self.budget.max_calls - self.spent.calls
        if self.over:
            raise BudgetSpent(self.over)
        if calls > left:
            raise BudgetSpent(f"{calls} more calls are needed, and {left} are left")

    def begin(self) -> None:
        """Book one call that is about to be made. Raises `BudgetSpent`."""
        if not self.over and self.spent.calls >= self.budget.max_calls:
            self.over = f"{self.budget.max_calls} calls were made"
        limit = self.budget.max_usd
        if not self.over and limit is not None and self._dearest is not None:
            reserved = self._dearest * (self._under_way + 1)
            if self.spent.usd + reserved > limit:
                self.over = f"{self.spent.usd:f} of {limit:f} USD are spent"
        if self.over:
            raise BudgetSpent(self.over)
        self._under_way += 1
        self.spent = replace(self.spent, calls=self.spent.calls + 1)

    def end(self, output: Output | None) -> None:
        """Book what a call that was begun came to; None where it failed."""
        self._under_way -= 1
        if output is None:
            return
        if output.cost is None:
            self.spent = replace(self.spent, unpriced=self.spent.unpriced + 1)
            if self.budget.max_usd is not None:
                self.over = "a limit in USD was set, and what the model costs is not known"
            return
        self._dearest = max(self._dearest or Decimal(0), output.cost)
        self.spent = replace(self.spent, usd=self.spent.usd + output.cost)


class MeteredModel:
    """A model whose calls are booked. Satisfies `opsroom.models.Model`."""

    def __init__(self, model: Model, meter: Meter, first: asyncio.Lock) -> None:
        self._model = model
        self._meter = meter
        self._first = first

    async def complete(self, request: ModelRequest) -> Output:
        if self._meter.blind:
            async with self._first:  # one call alone says what the others may cost
                if self._meter.blind:
                    return await self._booked(request)
        return await self._booked(request)

    async def _booked(self, request: ModelRequest) -> Output:
        self._meter.begin()
        try:
            output = await self._model.complete(request)
        except BaseException:
            self._meter.end(None)
            raise
        self._meter.end(output)
        return output


class MeteredModels:
    """Models whose calls are booked. Satisfies `opsroom.models.Models`."""

    def __init__(self, models: Models, meter: Meter) -> None:
        self._models = models
        self._meter = meter

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Find]:
        first = asyncio.Lock()
        async with self._models.opened() as find:
            yield lambda name: MeteredModel(find(name), self._meter, first)
