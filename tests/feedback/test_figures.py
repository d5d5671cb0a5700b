"""Figures are what they say they are, with intervals that hold."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import START
from tests.feedback.world import SYSTEM, give, hire

from opsroom.actions.queries import Ran
from opsroom.evidence import Moments
from opsroom.feedback import queries
from opsroom.feedback.figures import Phase, lift, phase_of, quantile, satisfaction, share, work
from opsroom.feedback.model import Source
from opsroom.feedback.pages import verdict_of
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Database
from opsroom.simulator.paying import NAME


def row(use_case: str, agent: str, version: str, yes: int, n: int) -> dict[str, object]:
    return {
        "use_case": use_case, "agent": agent, "version": version, "voices": n,
        "helpful_n": n, "helpful_yes": yes, "accurate_n": 0, "accurate_yes": 0,
        "complete_n": 0, "complete_yes": 0,
    }  # fmt: skip


ROWS = [row("pay", "a", "a@1", 39, 50), row("quote", "a", "a@2", 1, 5)]


def test_satisfaction_has_exact_intervals() -> None:
    pay, quote = satisfaction(ROWS)
    assert [(one.use_case, one.voices) for one in (pay, quote)] == [("pay", 50), ("quote", 5)]
    assert (pay.helpful.tally.hits, pay.helpful.tally.n) == (39, 50)
    assert pay.helpful.interval is not None
    # Clopper and Pearson of 39 in 50, as R's binom.test says.
    low, high = pay.helpful.interval.low, pay.helpful.interval.high
    assert (round(low, 4), round(high, 4)) == (0.6404, 0.8847)
    assert pay.accurate.interval is None
    assert satisfaction([]) == ()


@settings(deadline=None)  # the first example loads scipy
@given(st.integers(20, 400), st.sampled_from([0.5, 0.9]), st.integers(0, 10_000))
def test_a_quantile_lies_in_its_interval(n: int, q: float, seed: int) -> None:
    values = sorted(np.random.default_rng(seed).exponential(size=n).tolist())
    found = quantile(values, q)
    if found.interval is not None:
        assert found.interval.low <= found.seconds <= found.interval.high


def test_the_interval_of_a_quantile_covers_what_it_says() -> None:
    """Of 2,000 samples of 100 exponential times, as many as they say hold the truth."""
    draw = np.random.default_rng(7)
    for q in (0.5, 0.9):
        truth, held = -np.log(1 - q), 0
        for _ in range(2_000):
            found = quantile(sorted(draw.exponential(size=100).tolist()), q)
            assert found.interval is not None
            held += found.interval.low <= truth <= found.interval.high
        assert held / 2_000 > 0.94
    assert quantile([1.0, 2.0], 0.5).interval is None


def test_a_lift_is_called_one_only_where_its_interval_says_so() -> None:
    def moments(mean: float, n: int = 400) -> Moments:
        return Moments(n=n, mean=mean, variance=1.0)

    higher = lift("a", "csat", "", ("a@1", "a@2"), moments(3.0), moments(3.5))
    assert (higher.verdict, higher.difference) == ("higher", 0.5)
    assert lift("a", "csat", "", ("a@1", "a@2"), moments(3.5), moments(3.0)).verdict == "lower"
    vague = lift("a", "csat", "", ("a@1", "a@2"), moments(3.0), moments(3.01))
    assert vague.verdict == "undecided"
    few = lift("a", "csat", "", ("a@1", "a@2"), moments(3.0, n=1), moments(9.0, n=1))
    assert (few.verdict, few.interval) == ("undecided", None)


def test_lifts_from_the_table_are_those_of_the_numbers(
    db: Database, clock: ManualClock
) -> None:
    hire(db)
    draw = np.random.default_rng(3)
    said = {1: draw.normal(1_000_000, 2, 40), 2: draw.normal(1_000_003, 2, 60)}
    for number, values in said.items():
        for place, value in enumerate(values):
            give(
                db,
                f"trace/{number}-{place}",
                source=Source.BUSINESS,
                kpi="margin",
                unit="EUR",
                value=Decimal(str(round(float(value), 6))),
                version=f"{NAME}@{number}",
                known_at=clock.now() + timedelta(minutes=place),
            )
    give(db, "trace/x", source=Source.BUSINESS, kpi="margin", unit="h", value=Decimal(3))
    with db.read(SYSTEM) as tx:
        (found,) = queries.figures(tx).lifts
    assert (found.agent, found.before, found.after) == (NAME, f"{NAME}@1", f"{NAME}@2")
    assert found.before_moments.variance == pytest.approx(np.var(said[1], ddof=1), rel=1e-3)
    assert found.after_moments.n == 60
    assert found.difference == pytest.approx(said[2].mean() - said[1].mean(), abs=1e-3)
    assert found.verdict == "higher"
    assert found.interval is not None
    assert found.interval.low < found.difference < found.interval.high


def ran(release: str | None, arm: str, minutes: int = 0) -> Ran:
    at = START + timedelta(minutes=minutes)
    return Ran("trn", "a", "agent/a@1", release, arm, "", "done", at, at)


@pytest.mark.parametrize(
    ("turn", "phase"),
    [
        (ran(None, "champion"), Phase.PROMOTED),
        (ran("rel_1", "champion"), Phase.SHADOW),
        (ran("rel_1", "champion", 60), Phase.BESIDE),
        (ran("rel_1", "challenger", 60), Phase.CANARY),
        (ran("rel_2", "champion", 60), Phase.SHADOW),
    ],
)
def test_phase_of(turn: Ran, phase: Phase) -> None:
    assert phase_of(turn, {"rel_1": START + timedelta(minutes=30), "rel_2": None}) is phase


def test_nobody_worked() -> None:
    assert work([], set(), {}, cut=False).interventions == ()
    assert share(0, 0).rate is None


@pytest.mark.parametrize(
    ("yes", "n", "says"),
    [
        (0, 0, "no user has said anything yet"),
        (2, 3, "too few have spoken to say"),
        (90, 100, "most users are helped"),
        (20, 100, "1 use case helps less than half"),
    ],
)
def test_the_verdict_goes_no_further_than_the_interval(
    sqlite_db: Database, yes: int, n: int, says: str
) -> None:
    for number in range(n):
        give(
            sqlite_db, f"trace/{number}", helpful=number < yes, by=f"u{number}", use_case="pay"
        )
    with sqlite_db.read(SYSTEM) as tx:
        assert verdict_of(queries.figures(tx))[0] == says
