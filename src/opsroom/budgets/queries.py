"""Looking at budgets: what is left, how it went, and when it will be used up."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire

from . import hold_store, store
from .errors import BudgetNotFound
from .forecasting import Forecast, Tasks, forecast, step, tasks
from .model import EACH, NOTHING, Budget, Counter, Hold, Scope, Spender, Standing, Unit

PAGE = 50
OF_EACH = 100
TASKS = 500
MOST_PLANS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent(Wire):
    """What was spent in the stretch of time that begins at `at`."""

    at: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook(Wire):
    """Where a budget stands, how it came there, and what to expect. `others` are the further
    keys of a budget for each of its scope, the latest first.
    """

    standing: Standing
    others: tuple[Standing, ...]
    spent: tuple[Spent, ...]
    stretch: float  # seconds
    forecast: Forecast | None
    tasks: Tasks | None


def remaining(tx: Tx, spender: Spender) -> dict[Unit, Decimal]:
    """The least that is left for `spender`, by unit; a unit without a budget is not in it."""
    keys = spender.keys(tx.project)
    found = store.matching(tx, keys)
    if not found:
        return {}
    places = {
        one.id: (one.id, one.since(tx.now), keys[one.scope] if one.key == EACH else one.key)
        for one in found
    }
    counters = store.counted(tx, places.values())
    left: dict[Unit, Decimal] = {}
    for one in found:
        rest = max(one.hard - counters[places[one.id]].taken, NOTHING)
        left[one.unit] = min(left.get(one.unit, rest), rest)
    return left


def standings(
    tx: Tx,
    *,
    scope: Scope | None = None,
    key: str = "",
    after: str = "",
    limit: int = PAGE,
) -> list[Standing]:
    """Every budget as it stands, oldest first. One for each of its scope is shown by the key
    that has spent most, of the latest hundred.
    """
    found = store.page(tx, scope=scope, key=key, after=after, limit=limit)
    places = {one.id: (one.id, one.since(tx.now), one.key) for one in found if one.key != EACH}
    counters = store.counted(tx, places.values()) if places else {}
    return [
        _standing(one, counters[places[one.id]])
        if one.id in places
        else _of_each(tx, one, limit=OF_EACH)[0]
        for one in found
    ]


def plans(tx: Tx) -> list[Budget]:
    """The budgets in US dollars for a stretch of time; of the first ten thousand."""
    return store.timed(tx, Unit.USD, limit=MOST_PLANS)


def outlook(tx: Tx, budget_id: str, *, key: str = "") -> Outlook:
    """One budget in full; of one for each of its scope, the fullest or the one with `key`."""
    budget = store.budget(tx, budget_id)
    if budget is None:
        raise BudgetNotFound(budget_id)
    if budget.key == EACH and not key:
        standing, *others = _of_each(tx, budget, limit=OF_EACH)
        place = (budget.id, budget.since(tx.now), standing.key)
    else:
        place = (budget.id, budget.since(tx.now), key or budget.key)
        standing, others = (
            _standing(budget, store.counted(tx, [place])[place]),
            list[Standing](),
        )
    spent = store.spent(tx, place)
    return Outlook(
        standing=standing,
        others=tuple(others[:20]),
        spent=tuple(Spent(at=at, amount=amount) for at, amount in spent),
        stretch=step(budget).total_seconds(),
        forecast=forecast(standing, spent, now=tx.now),
        tasks=tasks(hold_store.tasks(tx, place, limit=TASKS)),
    )


def overdue(tx: Tx) -> bool:
    """Whether any hold's time is up, in any project."""
    return hold_store.anything_overdue(tx)


def holds(tx: Tx, action: str) -> list[Hold]:
    """Every hold an action ever had, oldest first."""
    return hold_store.holds_of(tx, action)


def _of_each(tx: Tx, budget: Budget, *, limit: int) -> list[Standing]:
    """The latest keys of a budget for each of its scope, the fullest first; never empty."""
    since = budget.since(tx.now)
    latest = store.latest_counters(tx, budget.id, since, limit=limit)
    if not latest:
        return [_standing(budget, Counter(budget=budget.id, key=EACH, since=since))]
    latest.sort(key=lambda one: one.taken, reverse=True)
    return [_standing(budget, one) for one in latest]


def _standing(budget: Budget, counter: Counter) -> Standing:
    return Standing(
        budget=budget,
        key=counter.key,
        held=counter.held,
        settled=counter.settled,
        since=None if budget.window is None else counter.since,
        actions=counter.actions,
    )


def anything(tx: Tx) -> bool:
    """Whether this project has a budget at all."""
    return store.anything(tx)


def counted(tx: Tx, spender: Spender) -> frozenset[Unit]:
    """In which units budgets count what this spender spends; empty where none does."""
    return frozenset(one.unit for one in store.matching(tx, spender.keys(tx.project)))
