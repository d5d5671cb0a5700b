"""How many items it takes, checked against the rule that really decides."""

from collections.abc import Callable

import numpy as np
import pytest

from opsroom.evidence import NothingToCompare, OutOfRange, Pairs, Verdict
from opsroom.evidence.paired import compare_binary
from opsroom.evidence.power import (
    paired_power,
    pairs_needed,
    pairs_needed_mean,
    per_arm_needed,
    per_arm_power,
    provable_margin,
)

PASSES = {Verdict.BETTER, Verdict.NOT_WORSE}


def passed(n: int, discordant: float, difference: float, margin: float, runs: int) -> float:
    """How often candidates of that quality pass the real comparison."""
    rng = np.random.default_rng(n)
    shares = [(discordant - difference) / 2, (discordant + difference) / 2, 1 - discordant]
    seen, times = np.unique(rng.multinomial(n, shares, size=runs), axis=0, return_counts=True)
    wanted = PASSES if margin else {Verdict.BETTER}
    passes = [
        compare_binary(
            Pairs(both=int(same), only_a=int(a), only_b=int(b), neither=0), margin=margin
        ).verdict
        in wanted
        for a, b, same in seen
    ]
    return float((np.array(passes) * times).sum() / runs)


@pytest.mark.parametrize(
    ("discordant", "difference", "margin"),
    [
        (0.1, 0.0, 0.05),
        (0.05, 0.0, 0.03),
        (0.1, 0.05, 0.0),
        (0.25, 0.1, 0.0),
        (0.3, 0.02, 0.05),
    ],
)
def test_the_required_pairs_reach_the_stated_power(
    discordant: float, difference: float, margin: float
) -> None:
    n = pairs_needed(discordant=discordant, difference=difference, margin=margin, power=0.8)
    told = paired_power(n, discordant=discordant, difference=difference, margin=margin)
    assert 0.8 <= told <= 0.83
    assert passed(n, discordant, difference, margin, 4_000) == pytest.approx(told, abs=0.025)
    fewer = paired_power(
        int(0.9 * n), discordant=discordant, difference=difference, margin=margin
    )
    assert fewer < 0.8


@pytest.mark.parametrize(
    ("n", "difference", "low", "high"),
    [(500, 0.0, 0.95, 0.98), (200, 0.0, 0.67, 0.74), (500, -0.06, 0.0, 0.01)],
)
def test_field_notes_on_non_inferiority(
    n: int, difference: float, low: float, high: float
) -> None:
    """One-sided 5 % at five points, 10 % discordant: 97 % at n = 500, 72 % at 200."""
    told = paired_power(n, discordant=0.1, difference=difference, margin=0.05, level=0.9)
    assert low <= told <= high


def test_identical_outcomes_pass_a_margin_of_two_points_from_189_pairs_on() -> None:
    assert paired_power(188, discordant=0.0, margin=0.02) == 0.0
    assert paired_power(189, discordant=0.0, margin=0.02) == 1.0


def test_what_a_run_was_able_to_show() -> None:
    assert provable_margin(200, discordant=0.05) == pytest.approx(0.051, abs=0.002)
    assert provable_margin(68, discordant=0.05) > 0.09
    assert provable_margin(2_000, discordant=0.1) < provable_margin(500, discordant=0.1)


def test_power_grows_with_pairs_and_margin() -> None:
    by_n = [paired_power(n, discordant=0.1, margin=0.05) for n in (100, 200, 400, 800, 20_000)]
    assert by_n == sorted(by_n)
    by_margin = [paired_power(300, discordant=0.1, margin=m) for m in (0.01, 0.03, 0.05, 0.1)]
    assert by_margin == sorted(by_margin)


@pytest.mark.parametrize(
    ("baseline", "difference", "margin"), [(0.9, 0.0, 0.05), (0.5, 0.1, 0.0), (0.85, 0.0, 0.03)]
)
def test_the_required_arms_reach_the_stated_power(
    baseline: float, difference: float, margin: float
) -> None:
    n = per_arm_needed(baseline=baseline, difference=difference, margin=margin)
    assert per_arm_power(n, baseline=baseline, difference=difference, margin=margin) >= 0.8
    rng = np.random.default_rng(n)
    a = rng.binomial(n, baseline, 20_000) / n
    b = rng.binomial(n, baseline + difference, 20_000) / n
    low = b - a - 1.96 * np.sqrt((a * (1 - a) + b * (1 - b)) / n)
    assert (low > -margin).mean() == pytest.approx(0.8, abs=0.025)


def test_pairs_for_a_mean() -> None:
    n = pairs_needed_mean(deviation=2.0, margin=0.5)
    assert n == 126
    rng = np.random.default_rng(1)
    gains = rng.normal(0, 2, size=(20_000, n))
    low = gains.mean(axis=1) - 1.96 * gains.std(axis=1, ddof=1) / np.sqrt(n)
    assert (low > -0.5).mean() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: pairs_needed(discordant=0.1), OutOfRange),
        (lambda: pairs_needed(discordant=0.1, difference=-0.05, margin=0.05), OutOfRange),
        (lambda: pairs_needed(discordant=0.1, difference=0.2), OutOfRange),
        (lambda: pairs_needed(discordant=1.0, margin=0.1), OutOfRange),
        (lambda: pairs_needed(discordant=0.1, margin=1.0), OutOfRange),
        (lambda: pairs_needed(discordant=0.1, margin=0.1, power=1.0), OutOfRange),
        (lambda: pairs_needed(discordant=0.5, margin=0.0001), OutOfRange),
        (lambda: paired_power(0, discordant=0.1, margin=0.1), NothingToCompare),
        (lambda: per_arm_needed(baseline=0.99, difference=0.02), OutOfRange),
        (lambda: pairs_needed_mean(deviation=0.0, margin=1.0), OutOfRange),
    ],
)
def test_impossible_plans_are_refused(
    call: Callable[[], object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        call()
