"""How an integration stands, as a table, and what holds for every history of calls."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.integrations.calls import Bucket, Health, health, one_call
from opsroom.integrations.differ import Change, Level
from opsroom.integrations.model import (
    Fault,
    Found,
    Outcome,
    Run,
    Standing,
    State,
    TestResult,
    decide,
    judge,
    unanswered,
)

NOW = datetime(2026, 11, 20, tzinfo=UTC)
QUIET = Health(calls=0, failures=0, faults={}, p50=None, p99=None)
BREAKS = Change(
    id="operation.removed",
    level=Level.BREAKING,
    operation="GET /a",
    path="",
    words="GET /a is gone",
)
PASSED = TestResult(name="t", request="GET /a", passed=True)
SHAPE = TestResult(
    name="t", request="GET /a", passed=False, fault=Fault.SHAPE, words="`total` is gone"
)
AWAY = TestResult(
    name="t", request="GET /a", passed=False, fault=Fault.UNREACHABLE, words="no connection"
)


def standing(**of: Any) -> Standing:
    return Standing(id="int_1", name="orders", since=NOW, next_at=NOW, **of)


def run(*tests: TestResult, changes: tuple[Change, ...] = (), **of: Any) -> Run:
    return judge(
        Found(tests=tests, **of),
        changes,
        run_id="chk_1",
        integration="orders",
        version=1,
        by="ops",
        now=NOW,
        document="d",
        fresh=bool(changes),
    )


def calls(n: int, failures: int = 0, p99: float = 0.1) -> Health:
    return Health(calls=n, failures=failures, faults={}, p50=p99, p99=p99)


@pytest.mark.parametrize(
    ("was", "last", "seen", "state", "words"),
    [
        (standing(), None, QUIET, State.UNCHECKED, "not been checked"),
        (standing(), run(PASSED), QUIET, State.HEALTHY, "as it promised"),
        (standing(), None, calls(30), State.HEALTHY, "as it promised"),
        (standing(failures=1), run(AWAY), QUIET, State.DEGRADED, "no connection"),
        (standing(), run(PASSED, AWAY), QUIET, State.DEGRADED, "t failed"),
        (standing(failures=2), run(AWAY), QUIET, State.BROKEN, "the last 2 checks failed"),
        (standing(), run(PASSED, SHAPE), QUIET, State.DRIFTED, "`total` is gone"),
        (
            standing(level=Level.BREAKING),
            run(PASSED, changes=(BREAKS,)),
            QUIET,
            State.DRIFTED,
            "GET /a is gone",
        ),
        (standing(level=Level.WARNING), run(PASSED), QUIET, State.HEALTHY, "as it promised"),
        (
            standing(failures=2, level=Level.BREAKING),
            run(AWAY),
            QUIET,
            State.BROKEN,
            "checks failed",
        ),
        (standing(), run(PASSED), calls(100, 10), State.DEGRADED, "90 of 100 calls"),
        (standing(), run(PASSED), calls(100, 60), State.BROKEN, "40 of 100 calls"),
        (standing(), run(PASSED), calls(5, 5), State.HEALTHY, "as it promised"),
        (standing(), run(PASSED), calls(100, p99=3.0), State.DEGRADED, "p99 3 s"),
    ],
)
def test_decide(
    was: Standing, last: Run | None, seen: Health, state: State, words: str
) -> None:
    verdict = decide(was, last, seen, slow=2.0)
    assert verdict.state is state
    assert words in verdict.because


@pytest.mark.parametrize(
    ("of", "outcome", "gone"),
    [
        (run(PASSED), Outcome.PASSED, False),
        (run(PASSED, changes=(BREAKS,)), Outcome.CHANGED, False),
        (run(SHAPE), Outcome.FAILED, False),
        (run(AWAY), Outcome.FAILED, True),
        (run(PASSED, AWAY), Outcome.FAILED, False),
        (run(fault=Fault.TIMEOUT, words="slow"), Outcome.FAILED, True),
        (run(), Outcome.PASSED, False),
    ],
)
def test_what_a_check_came_to(of: Run, outcome: Outcome, *, gone: bool) -> None:
    assert of.outcome is outcome
    assert unanswered(of) is gone


one = st.builds(
    one_call,
    failure=st.booleans(),
    seconds=st.one_of(st.none(), st.floats(0, 100)),
    fault=st.sampled_from(["", "timeout", "status"]),
)


@given(st.lists(one, max_size=60))
def test_counting_loses_nothing_and_percentiles_lie_in_what_was_seen(
    seen: list[Bucket],
) -> None:
    whole = health(seen)
    assert whole.calls == len(seen)
    assert whole.failures == sum(each.failures for each in seen)
    assert sum(whole.faults.values()) <= whole.failures
    if whole.p50 is not None:
        assert whole.p99 is not None
        assert 0 < whole.p50 <= whole.p99 <= 100 * 1.15


@given(st.lists(st.floats(0.001, 50), min_size=1, max_size=200))
def test_a_percentile_is_off_by_one_bucket_at_most(spans: list[float]) -> None:
    found = health(one_call(failure=False, seconds=span) for span in spans).p99
    exact = sorted(spans)[-(len(spans) // 100) - 1]
    assert found is not None
    assert exact / 1.001 <= found <= exact * 1.151
