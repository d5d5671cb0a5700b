"""The planned looks: exact, within their alpha, and nearly as good as a single test."""

from itertools import product
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.releases.samples import leg

from opsroom.releases.looks import Coins, Look, crossed, done, look_due
from opsroom.releases.plan import Plan

WEIGHTS = st.sampled_from([0.05, 0.25, 0.5])


def chance_of_crossing(
    parts: list[float], coins: list[tuple[float, int]], alpha: float
) -> float:
    """The chance, under the null, that any of the looks crosses: every path, one by one."""
    total = 0.0
    for counts in product(*(range(n + 1) for _, n in coins)):
        chance = 1.0
        for (weight, n), k in zip(coins, counts, strict=True):
            chance *= comb(n, k) * weight**k * (1 - weight) ** (n - k)
        if crossed(_looks(parts, coins, counts), alpha):
            total += chance
    return total


def _looks(
    parts: list[float], coins: list[tuple[float, int]], counts: tuple[int, ...]
) -> list[Look]:
    looks: list[Look] = []
    failures: dict[float, int] = {}
    mine = 0
    for part, (weight, n), k in zip(parts, coins, counts, strict=True):
        failures[weight] = failures.get(weight, 0) + n
        mine += k
        seen: Coins = tuple(failures.items())
        looks.append(Look(part, seen, mine))
    return looks


@settings(max_examples=40)
@given(
    st.lists(st.tuples(WEIGHTS, st.integers(0, 6)), min_size=1, max_size=4),
    st.lists(st.floats(0.05, 2.5), min_size=4, max_size=4),
    st.sampled_from([0.05, 0.2, 0.5]),
)
def test_a_fair_candidate_is_rarely_stopped(
    coins: list[tuple[float, int]], parts: list[float], alpha: float
) -> None:
    assert chance_of_crossing(sorted(parts)[: len(coins)], coins, alpha) <= alpha + 1e-12


def test_most_of_alpha_is_spent_by_the_planned_end() -> None:
    parts, coins = [0.5, 1.0], [(0.5, 40), (0.5, 40)]
    assert 0.025 < chance_of_crossing(parts, coins, 0.05) <= 0.045


def test_a_boundary_that_was_crossed_stays_crossed() -> None:
    bad = Look(0.5, ((0.25, 40),), 30)
    assert crossed([bad], 0.05)
    assert crossed([bad, Look(1.0, ((0.25, 400),), 100)], 0.05)


def test_nothing_is_seen_in_nothing() -> None:
    assert not crossed([], 0.05)
    assert not crossed([Look(1.0, (), 0)], 0.05)
    assert not crossed([Look(1.0, ((0.5, 0),), 0)], 0.05)


def test_far_beyond_the_plan_there_is_nothing_left_to_spend() -> None:
    assert not crossed([Look(9.0, ((0.5, 40),), 40)], 0.05)


@pytest.mark.parametrize(("weight", "n"), [(0.05, 200_000), (0.5, 20_000)])
def test_large_counts_are_no_trouble(weight: float, n: int) -> None:
    fair = round(n * weight)
    spread = (n * weight * (1 - weight)) ** 0.5
    assert not crossed([Look(1.0, ((weight, n),), fair)], 0.05)
    assert crossed([Look(1.0, ((weight, n),), round(fair + 2.5 * spread))], 0.05)


def test_how_much_is_done_depends_on_requests_alone() -> None:
    plan = Plan()
    fine = (leg(1, 0.05, (9_500, 0), (500, 0)),)
    awful = (leg(1, 0.05, (9_500, 0), (500, 500)),)
    assert done(plan, fine) == done(plan, awful) == pytest.approx(475 / (570 + 450 + 400))
    assert done(plan, ()) == 0
    assert look_due(plan, (), fine)
    assert not look_due(plan, fine, awful)
