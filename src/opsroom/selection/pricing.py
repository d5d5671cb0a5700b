"""What a task costs at an expected volume: tiers, minimums, the cache. Pure, and in decimals.

Prices come from a plan that somebody states, from what recorded answers cost, or from the list
price of the model, in this order. What is not known stays unknown: a recorded zero is no price.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import numpy as np

from opsroom.evidence.numeric import bca
from opsroom.models.rates import rates

from .model import LEVEL, Cost, Plan, Tier

MILLION = Decimal(1_000_000)
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Load:
    """What one task took; None means not known. Tokens are means over trials."""

    item: str
    cost: float | None
    input: float | None
    output: float | None


@dataclass(frozen=True, slots=True)
class Priced:
    """The cost of a task, and of each case that it was worked out from, by item."""

    cost: Cost
    by_item: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A month: US dollars, and what that is for a task and for a million tokens."""

    monthly: Decimal
    per_task: Decimal
    per_million: Decimal | None


def bill(
    plan: Plan, *, input_tokens: Decimal, output_tokens: Decimal, volume: int, cached: Decimal
) -> Bill:
    """What `volume` tasks of that size cost in a month.

    Tiers are graduated by all tokens of the month, each filled with input and output in the
    proportion of a task. The minimum is paid where the tokens come to less.
    """
    tokens = (input_tokens + output_tokens) * volume
    inputs = input_tokens / (input_tokens + output_tokens) if tokens else NOTHING
    due = plan.per_task * volume
    ends = [*(tier.above for tier in plan.tiers[1:]), None]
    for tier, end in zip(plan.tiers, ends, strict=True):
        reached = tokens if end is None else min(tokens, Decimal(end))
        held = max(NOTHING, reached - tier.above)
        due += (
            held / MILLION * (inputs * _fresh(plan, tier, cached) + (1 - inputs) * tier.output)
        )
    monthly = max(due, plan.monthly_minimum)
    return Bill(
        monthly=monthly,
        per_task=monthly / volume,
        per_million=monthly / tokens * MILLION if tokens else None,
    )


def priced(
    loads: Sequence[Load],
    *,
    plan: Plan | None,
    model: str | None,
    volume: int | None,
    cached: Decimal,
    at: datetime,
) -> Priced:
    """What a task costs, from what the cases took. Raises nothing: it may not be known."""
    if plan is not None:
        return _by_plan(loads, plan, volume, cached)
    known = [(one.item, one.cost) for one in loads if one.cost is not None]
    if loads and len(known) == len(loads) and sum(cost for _, cost in known) > 0:
        return _as_recorded(loads, dict(known), volume)
    found = list_price(model, at) if model else None
    if found is None:
        zero = bool(known) and sum(cost for _, cost in known) == 0
        why = (
            "recorded as 0, which is no price" if zero else "no cost was recorded of every case"
        )
        listed = f"{model!r} has no list price" if model else "its model is not known"
        return Priced(Cost(basis=f"{why}, and {listed}"), {})
    return _by_plan(loads, found, volume, cached)


def list_price(model: str, at: datetime) -> Plan | None:
    """The list price of a model on a day, as a plan; None where it has none by
    tokens alone.

    Of a price that rises with the length of the context it is the first tier.
    """
    now = [one for one in rates(model) if one.since <= at][-1]
    if not now.tiers or now.tiers[0].request:
        return None  # how many requests a task takes is not recorded
    first = now.tiers[0]
    longer = f", up to {now.above[0]:,} tokens of context" if now.above else ""
    return Plan(
        source=f"list price of {now.basis}{longer}",
        tiers=(Tier(input=first.input * MILLION, output=first.output * MILLION),),
        cached_input=first.cache_read * MILLION,
    )


def _by_plan(loads: Sequence[Load], plan: Plan, volume: int | None, cached: Decimal) -> Priced:
    sized = [
        (one.item, one.input, one.output)
        for one in loads
        if one.input is not None and one.output is not None
    ]
    if not loads or len(sized) < len(loads):
        return Priced(
            Cost(basis=f"{plan.source}; not every case says how many tokens it took"), {}
        )
    tasks = volume or 1
    first = plan.tiers[0]
    fresh = _fresh(plan, first, cached)
    weights = {
        item: float(fresh) * taken + float(first.output) * given for item, taken, given in sized
    }
    mean_in = Decimal(repr(float(np.mean([taken for _, taken, _ in sized]))))
    mean_out = Decimal(repr(float(np.mean([given for _, _, given in sized]))))

    def at(scale: float) -> Bill:
        by = Decimal(repr(scale))
        return bill(
            plan, input_tokens=mean_in * by, output_tokens=mean_out * by, volume=tasks,
            cached=cached,
        )  # fmt: skip

    low, high = _spread(list(weights.values()))
    now = at(1.0)
    mean = sum(weights.values()) / len(weights)
    share = float(now.per_task) / mean if mean else 0.0
    cost = Cost(
        per_task=_round(now.per_task),
        low=_round(at(low).per_task),
        high=_round(at(high).per_task),
        per_million=None if now.per_million is None else _round(now.per_million),
        monthly=_round(now.monthly) if volume else None,
        basis=plan.source,
    )
    even = float(now.per_task)
    return Priced(cost, {item: share * one if mean else even for item, one in weights.items()})


def _as_recorded(loads: Sequence[Load], costs: dict[str, float], volume: int | None) -> Priced:
    mean = sum(costs.values()) / len(costs)
    low, high = _spread(list(costs.values()))
    tokens = [
        one.input + one.output
        for one in loads
        if one.input is not None and one.output is not None
    ]
    cost = Cost(
        per_task=_money(mean),
        low=_money(mean * low),
        high=_money(mean * high),
        per_million=_money(mean * len(loads) / sum(tokens) * 1e6)
        if len(tokens) == len(loads) and sum(tokens) > 0
        else None,
        monthly=_round(_money(mean) * volume) if volume else None,
        basis="what the recorded answers cost",
    )
    return Priced(cost, costs)


def _fresh(plan: Plan, tier: Tier, cached: Decimal) -> Decimal:
    """A million input tokens of a tier, a share of them read from the cache."""
    read = tier.input if plan.cached_input is None else min(plan.cached_input, tier.input)
    return (1 - cached) * tier.input + cached * read


def _spread(values: Sequence[float]) -> tuple[float, float]:
    """The interval of the mean, as parts of the mean."""
    mean = float(np.mean(values))
    if len(values) < 2 or mean == 0:
        return 1.0, 1.0
    interval = bca(np.asarray(values), level=LEVEL)
    return max(0.0, interval.low / mean), interval.high / mean


def _money(amount: float) -> Decimal:
    return _round(Decimal(repr(float(amount))))


def _round(amount: Decimal) -> Decimal:
    """To a hundredth of a millionth of a dollar, so that equal evidence has one digest."""
    return amount.quantize(Decimal("1e-8")).normalize() + NOTHING
