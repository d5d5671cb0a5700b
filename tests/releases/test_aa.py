"""The figures that releases are judged by, on fewer releases than `make bench` runs."""

import pytest
from benchmarks.aa_releases import AA, DOUBLED, Scenario, simulate, summary

RELEASES = 300


@pytest.mark.slow
@pytest.mark.parametrize("scenario", AA, ids=lambda one: one.name)
def test_a_candidate_that_is_no_worse_is_rarely_stopped(scenario: Scenario) -> None:
    found = summary(scenario, simulate(scenario, RELEASES))
    assert float(str(found["low"])) <= 0.05


@pytest.mark.slow
def test_a_doubled_error_rate_is_caught_by_the_default_plan() -> None:
    found = summary(DOUBLED[0], simulate(DOUBLED[0], RELEASES))
    assert float(str(found["high"])) >= 0.95
    assert float(str(found["stopped"])) >= 0.93


def test_one_simulated_release_of_each_kind() -> None:
    assert simulate(AA[0], 3, workers=1) == simulate(AA[0], 3, workers=1)
    assert any(one.how == "stopped" for one in simulate(DOUBLED[0], 5, workers=1))
