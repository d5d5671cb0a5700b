"""The life of a run, and what a result says about a metric."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from opsroom.evals.errors import RunMoved
from opsroom.evals.model import (
    FINAL,
    EvalRun,
    Metric,
    Result,
    RunState,
    Score,
    Totals,
    number,
    unknown,
    yes_or_no,
)
from opsroom.kit.wire import adapter, plain

NOW = datetime(2026, 11, 20, tzinfo=UTC)
RUN = EvalRun(
    id="run_1",
    subject="s" * 64,
    subject_name="triage@2",
    dataset="d" * 64,
    dataset_name="tickets@1",
    evaluators="e" * 64,
    metrics=(Metric(name="equals"),),
    created_at=NOW,
)


def test_a_run_starts_and_ends_once() -> None:
    running = RUN.start(now=NOW)
    assert (running.state, running.started_at) == (RunState.RUNNING, NOW)
    later = NOW + timedelta(hours=1)
    done = running.finish(RunState.SUCCESSFUL, totals=Totals(answered=3), now=later)
    assert (done.state, done.finished_at, done.totals.answered) == ("successful", later, 3)
    assert adapter(EvalRun).validate_python(plain(done)) == done


def test_an_interrupted_run_is_taken_up_again() -> None:
    again = RUN.start(now=NOW).start(now=NOW + timedelta(hours=1))
    assert (again.state, again.started_at) == (RunState.RUNNING, NOW)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_finished_run_never_changes(state: RunState) -> None:
    finished = replace(RUN, state=state)
    with pytest.raises(RunMoved, match=f"is {state.value} and cannot become running"):
        finished.start(now=NOW)
    with pytest.raises(RunMoved):
        finished.finish(RunState.ERROR, totals=Totals(), now=NOW)


def test_only_what_runs_can_end_and_only_in_a_final_state() -> None:
    with pytest.raises(RunMoved):
        RUN.finish(RunState.SUCCESSFUL, totals=Totals(), now=NOW)
    with pytest.raises(RunMoved):
        RUN.start(now=NOW).finish(RunState.PENDING, totals=Totals(), now=NOW)


def test_a_result_gives_its_values_and_no_value_for_what_is_missing() -> None:
    result = Result(
        run_id="run_1",
        item="h",
        item_id="i",
        scores={"good": yes_or_no(True), "ratio": number(0.5), "odd": unknown("no idea")},
        latency=1.5,
        cost=Decimal("0.25"),
        input_tokens=7,
    )
    known = {
        name: result.value(name)
        for name in ("good", "ratio", "latency", "cost", "input-tokens")
    }
    assert known == {"good": 1, "ratio": 0.5, "latency": 1.5, "cost": 0.25, "input-tokens": 7}
    for name in ("odd", "output-tokens", "never-measured"):
        assert result.value(name) is None
    failed = replace(result, error="timeout")
    assert all(failed.value(name) is None for name in known)
    assert adapter(Result).validate_python(plain(result)) == result


def test_an_error_is_neither_pass_nor_fail() -> None:
    assert unknown("why") == Score(value=None, passed=None, reason="why", error=True)
    assert len(unknown("x" * 9999).reason) == 500
