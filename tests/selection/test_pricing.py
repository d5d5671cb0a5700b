"""What a task costs at a volume: tiers, minimums, the cache, and what is not known."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.selection.model import Plan, Tier
from opsroom.selection.pricing import Bill, Load, Priced, bill, list_price, priced

NOW = datetime(2026, 11, 20, tzinfo=UTC)
MILLION = 1_000_000
FLAT = Plan(source="contract", tiers=(Tier(input=Decimal(2), output=Decimal(8)),))
TIERED = Plan(
    source="contract",
    tiers=(
        Tier(input=Decimal(2), output=Decimal(8)),
        Tier(above=10 * MILLION, input=Decimal(1), output=Decimal(4)),
    ),
)


def month(plan: Plan, volume: int, *, cached: str = "0") -> Bill:
    return bill(
        plan,
        input_tokens=Decimal(900),
        output_tokens=Decimal(100),
        volume=volume,
        cached=Decimal(cached),
    )


@pytest.mark.parametrize(
    ("plan", "volume", "cached", "monthly"),
    [
        (FLAT, 1_000, "0", "2.6"),  # 0.9 M × 2 + 0.1 M × 8
        (TIERED, 10_000, "0", "26"),  # 10 M tokens, all in the first tier
        (TIERED, 20_000, "0", "39"),  # the second 10 M at half the price
        (Plan(source="x", tiers=FLAT.tiers, cached_input=Decimal("0.5")), 1_000, "0.8", "1.52"),
        (Plan(source="x", tiers=FLAT.tiers), 1_000, "0.8", "2.6"),  # no price for the cache
        (Plan(source="x", tiers=FLAT.tiers, monthly_minimum=Decimal(100)), 1_000, "0", "100"),
        (Plan(source="x", tiers=FLAT.tiers, monthly_minimum=Decimal(1)), 1_000, "0", "2.6"),
        (Plan(source="x", tiers=FLAT.tiers, per_task=Decimal("0.01")), 1_000, "0", "12.6"),
    ],
)
def test_a_month(plan: Plan, volume: int, cached: str, monthly: str) -> None:
    found = month(plan, volume, cached=cached)
    assert found.monthly == Decimal(monthly)
    assert found.per_task == Decimal(monthly) / volume
    assert found.per_million == Decimal(monthly) / volume * 1_000


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(0, 10**6))
def test_more_never_costs_less_and_a_task_of_many_never_more(
    volume: int, more: int, minimum: int
) -> None:
    plan = Plan(source="x", tiers=TIERED.tiers, monthly_minimum=Decimal(minimum))
    few, many = month(plan, volume), month(plan, volume + more)
    assert many.monthly >= few.monthly >= minimum
    assert many.per_task <= few.per_task * (1 + Decimal("1e-20"))


def loads(cost: float | None, tokens: float | None = 1_000) -> list[Load]:
    return [
        Load(
            f"i{n}",
            None if cost is None else cost * (1 + n % 3),
            None if tokens is None else tokens * (1 + n % 3),
            None if tokens is None else 100,
        )
        for n in range(30)
    ]


def known(given: list[Load], plan: Plan | None = None, model: str | None = None) -> Priced:
    return priced(given, plan=plan, model=model, volume=10_000, cached=Decimal(0), at=NOW)


def test_a_stated_plan_comes_before_what_was_recorded() -> None:
    found = known(loads(0.5), FLAT).cost
    assert found.basis == "contract"
    assert found.per_task == Decimal("0.0048")  # 2,000 × 2 + 100 × 8 per million
    assert found.per_task is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.per_task < found.high
    assert found.monthly == 48


def test_recorded_costs_are_taken_as_they_are() -> None:
    found = known(loads(0.1))
    assert found.cost.per_task == Decimal("0.2")
    assert found.cost.monthly == 2_000
    assert found.by_item["i2"] == pytest.approx(0.3)
    assert "recorded" in found.cost.basis


def test_what_each_case_costs_adds_up_to_what_a_task_costs() -> None:
    minimum = Plan(source="rack", tiers=FLAT.tiers, monthly_minimum=Decimal(500))
    found = known(loads(None), minimum)
    assert found.cost.per_task == Decimal("0.05")
    assert sum(found.by_item.values()) / 30 == pytest.approx(0.05)
    free = Plan(
        source="rack",
        tiers=(Tier(input=Decimal(0), output=Decimal(0)),),
        monthly_minimum=Decimal(500),
    )
    assert set(known(loads(None), free).by_item.values()) == {0.05}


def test_a_recorded_zero_is_no_price() -> None:
    found = known(loads(0.0), model="ollama_chat/qwen2.5:7b").cost
    assert found.per_task is None
    assert "recorded as 0" in found.basis


def test_the_list_price_is_taken_where_nothing_else_is_known() -> None:
    found = known(loads(None), model="gpt-4.1").cost
    assert found.basis == "list price of openai/gpt-4.1"
    assert found.per_task == Decimal("0.0048")
    assert list_price("no-such-model", NOW) is None


def test_without_tokens_there_is_no_price_by_tokens() -> None:
    assert known(loads(None, None), FLAT).cost.per_task is None
    assert known([], FLAT).cost.per_task is None
