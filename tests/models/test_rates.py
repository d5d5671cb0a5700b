"""Rates are what the price list says: worked out both ways, for every model there is."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot

from opsroom.models.rates import PriceFrom, rates

AT = datetime(2026, 11, 1, tzinfo=UTC)
TEXT_ONLY = {
    "input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "output_reasoning_mtok",
    "requests_kcount",
}  # fmt: skip
MODELS = [
    (provider.id, model)
    for provider in get_snapshot().providers
    for model in provider.models
    if {name for name, price in vars(model.get_prices(AT)).items() if price is not None}
    <= TEXT_ONLY
]


def at(prices: tuple[PriceFrom, ...] | list[PriceFrom], moment: datetime) -> PriceFrom:
    return [price for price in prices if price.since <= moment][-1]


@pytest.mark.parametrize("tokens", [1_000, 150_000, 250_000, 2_000_000])
def test_every_model_costs_the_same_both_ways(tokens: int) -> None:
    checked = 0
    cached, written, out, thought = tokens // 4, tokens // 10, 777, 55
    for provider, model in MODELS:
        price = at(list(rates(model.id, provider=provider)), AT)
        if not price.tiers or not model.is_match(model.id):
            continue
        named = vars(model.get_prices(AT))
        usage = Usage(
            input_tokens=tokens, cache_read_tokens=cached, cache_write_tokens=written,
            output_tokens=out,
            **({"output_reasoning_tokens": thought} if named.get("output_reasoning_mtok") else {}),
        )  # fmt: skip
        try:
            listed = model.get_prices(AT).calc_price(usage)["total_price"]
        except (ValueError, TypeError):
            continue
        tier = price.tiers[sum(tokens > above for above in price.above)]
        reasoning = thought if named.get("output_reasoning_mtok") else 0
        counts = (tokens - cached - written, cached, written, out - reasoning, reasoning, 1)
        ours = sum(
            (rate * count for rate, count in zip(tier.row, counts, strict=True)), Decimal(0)
        )
        if price.basis == f"{provider}/{model.id}":
            assert ours == listed, price.basis
            checked += 1
    assert checked > 500


def test_a_model_that_is_not_listed_says_so() -> None:
    (price,) = rates("nobodys")
    assert (price.tiers, price.basis) == ((), "no list price for 'nobodys'")


def test_a_framework_that_calls_itself_a_provider_is_passed_over() -> None:
    (price,) = rates("gpt-4o-mini", provider="microsoft.agent_framework")
    assert price.basis == "openai/gpt-4o-mini"


def test_a_price_that_changed_has_a_day() -> None:
    prices = list(rates("o3", provider="openai"))
    assert len(prices) > 1
    assert [price.since for price in prices] == sorted(price.since for price in prices)
    early, late = at(prices, datetime(2025, 5, 1, tzinfo=UTC)), at(prices, AT)
    assert early.tiers[0].input > late.tiers[0].input
