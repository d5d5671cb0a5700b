"""What may be asked of a scorecard, and what is refused before anything is measured."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from opsroom.registry.model import Criticality
from opsroom.selection.errors import BadScorecard
from opsroom.selection.model import (
    WEIGHTS,
    Ask,
    Aspect,
    Benchmark,
    Candidate,
    Dimension,
    Fact,
    Plan,
    Tier,
)

TIER = Tier(input=Decimal(2), output=Decimal(8))
PLAN = Plan(source="price list", tiers=(TIER,))
TWO = (Candidate(subject="clerk@1"), Candidate(subject="clerk@2"))


def test_the_weights_of_every_criticality_add_up() -> None:
    for criticality in Criticality:
        assert sum(WEIGHTS[criticality].values()) == pytest.approx(1)
        assert set(WEIGHTS[criticality]) == set(Dimension)


@pytest.mark.parametrize(
    "ask",
    [
        {"name": "No Name"},
        {"candidates": TWO[:1]},
        {"candidates": (TWO[0], TWO[0])},
        {"candidates": tuple(Candidate(subject=f"clerk@{n}") for n in range(9))},
        {"weights": {Dimension.FIT: -0.1}},
        {"weights": {Dimension.FIT: 0.0}},
        {"weights": {Dimension.FIT: float("nan")}},
        {"weights": {Dimension.COST: 1.0}},
        {"weights": {Dimension.LATENCY: 1.0}},
        {"cost_ceiling": Decimal(0)},
        {"latency_ceiling": float("inf")},
        {"volume": 0},
        {"cache_share": Decimal("1.1")},
        {"trials": 0},
    ],
)
def test_what_makes_no_sense_is_refused(ask: dict[str, Any]) -> None:
    with pytest.raises(BadScorecard):
        replace(Ask(name="pick", candidates=TWO), **ask).check()


@pytest.mark.parametrize(
    "stated",
    [
        {"benchmark": Benchmark(name="tau", value=87.0, source="paper")},
        {"benchmark": Benchmark(name="tau", value=0.87, source=" ")},
        {"facts": (Fact(aspect=Aspect.AUDIT, value="yes", source=""),)},
        {"facts": (Fact(aspect=Aspect.AUDIT, value="yes", source="a"),) * 2},
        {"plan": replace(PLAN, source="")},
        {"plan": replace(PLAN, tiers=())},
        {"plan": replace(PLAN, tiers=(replace(TIER, above=5),))},
        {"plan": replace(PLAN, tiers=(TIER, TIER))},
        {"plan": replace(PLAN, cached_input=Decimal(-1))},
        {"plan": replace(PLAN, per_task=Decimal("NaN"))},
        {"plan": replace(PLAN, monthly_minimum=Decimal(500))},
    ],
)
def test_nothing_is_stated_without_a_source_or_out_of_range(stated: dict[str, Any]) -> None:
    ask = Ask(name="pick", candidates=(replace(TWO[0], **stated), TWO[1]))
    with pytest.raises(BadScorecard):
        ask.check()


def test_a_minimum_is_fine_where_the_volume_is_stated() -> None:
    minimum = replace(TWO[0], plan=replace(PLAN, monthly_minimum=Decimal(500)))
    Ask(name="pick", candidates=(minimum, TWO[1]), volume=10_000).check()
