"""When occasions are due, and what counts as kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.cadence.errors import BadCadence, BadDate, Unanswered
from opsroom.cadence.model import (
    Answer,
    Kind,
    Move,
    Occasion,
    Rule,
    Settings,
    State,
    Verdict,
    check_answers,
    check_move,
    check_settings,
    due_of,
    period_of,
    streak,
)

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
MOMENTS = st.integers(0, 7_300 * 24).map(lambda hours: NOW + timedelta(hours=hours))
MONTHS = st.sampled_from([1, 2, 3, 4, 6, 12])
ONE = Occasion(
    id="occ_1", kind=Kind.PROMPT_AUDIT, subject="prompt/triage", period="2026-11", because="",
    owner="ana", state=State.OPEN, due_at=NOW, first_due=NOW, opened_at=NOW, remind_at=NOW,
)  # fmt: skip
ASKED = replace(ONE, questions=("relevance",))


def closed(due: datetime, at: datetime | None) -> Occasion:
    state = State.MISSED if at is None else State.CLOSED
    return replace(ONE, first_due=due, due_at=due, closed_at=at, state=state)


def moved(at: datetime, after: datetime) -> Occasion:
    move = Move(before=NOW, after=after, at=at, by="ana", because="ill")
    return replace(ONE, due_at=after, moves=(move,), state=State.CLOSED)


@given(now=MOMENTS, months=MONTHS)
def test_a_period_holds_its_moment_and_begins_with_the_year(now: datetime, months: int) -> None:
    period = period_of(now, months)
    assert period.begins <= now
    assert period_of(period.begins, months) == period
    assert (period.begins.month - 1) % months == 0
    following = period.begins + timedelta(days=32 * months)
    assert period_of(following, months).key != period.key


@given(now=MOMENTS, months=MONTHS, days=st.integers(1, 28))
def test_what_comes_up_always_leaves_time(now: datetime, months: int, days: int) -> None:
    rule = Rule(every_months=months, within_days=days)
    due = due_of(period_of(now, months), rule, now=now)
    assert due - now >= timedelta(days=min(days, 7)) - timedelta(seconds=1)


def test_moving_what_has_passed_does_not_make_it_kept() -> None:
    later = NOW + timedelta(days=7)
    in_time = moved(NOW - timedelta(days=1), later)
    late = moved(NOW + timedelta(days=1), later)
    at = NOW + timedelta(days=3)
    assert replace(in_time, closed_at=at).kept
    assert not replace(late, closed_at=at).kept


def test_a_streak_ends_with_what_is_late_missed_or_overdue() -> None:
    days = [NOW - timedelta(days=30 * n) for n in range(4)]
    kept = [closed(day, day) for day in days]
    assert streak(Kind.PROMPT_AUDIT, kept, now=NOW).streak == 4
    late = [*kept[:2], closed(days[2], days[2] + timedelta(days=1)), kept[3]]
    assert streak(Kind.PROMPT_AUDIT, late, now=NOW).streak == 2
    missed = [closed(days[0], None), *kept[1:]]
    found = streak(Kind.PROMPT_AUDIT, missed, now=NOW)
    assert (found.streak, found.kept, found.ended) == (0, 3, 4)
    waiting = [ONE, *kept]
    assert streak(Kind.PROMPT_AUDIT, waiting, now=NOW).streak == 4
    assert streak(Kind.PROMPT_AUDIT, waiting, now=NOW + timedelta(hours=1)).streak == 0
    dropped = [replace(ONE, state=State.CANCELLED), *kept]
    assert streak(Kind.PROMPT_AUDIT, dropped, now=NOW).streak == 4


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"relevance": Answer(verdict=Verdict.ACT)},
        {"relevance": Answer(verdict=Verdict.HOLDS), "colour": Answer(verdict=Verdict.HOLDS)},
    ],
)
def test_every_question_is_answered_and_what_is_to_do_has_a_reason(
    answers: dict[str, Answer],
) -> None:
    with pytest.raises(Unanswered):
        check_answers(ASKED, answers)
    check_answers(ASKED, {"relevance": Answer(verdict=Verdict.ACT, because="it is stale")})


@pytest.mark.parametrize("days", [-1, 0, 91])
def test_a_new_date_lies_ahead_and_near(days: int) -> None:
    with pytest.raises(BadDate):
        check_move(ONE, NOW + timedelta(days=days), now=NOW - timedelta(hours=1) * (days > 90))


@pytest.mark.parametrize(
    "rule", [Rule(every_months=5), Rule(within_days=0), Rule(within_days=29)]
)
def test_settings_that_fit_no_year_are_refused(rule: Rule) -> None:
    with pytest.raises(BadCadence):
        check_settings(Settings(prompt_audit=rule))
    check_settings(Settings())
