"""A release in words and steps, whatever its state."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsroom.releases.evidence import Evidence, SampleCounts
from opsroom.releases.model import Because, Hold, Leg, Release, State
from opsroom.releases.plan import Plan, SamplePlan
from opsroom.releases.steps import Stopped, steps
from opsroom.releases.words import by_itself, moves, title

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RELEASE = Release(
    id="rel_1",
    kind="agent",
    name="clerk",
    number=2,
    digest="d2",
    baseline=1,
    baseline_digest="d1",
    author="ada",
    version_author="ada",
    plan=Plan(),
    created_at=NOW,
    entered_at=NOW,
)
LEGS = (
    Leg(number=1, step=0, weight=0.05, since=NOW),
    Leg(number=2, step=1, weight=0.25, since=NOW),
)


def way(release: Release, stopped: Stopped | None = None) -> str:
    """One letter for each step: done, now, next, held, failed or skipped."""
    found = steps(release, None, now=NOW, stopped=stopped)
    return "".join(
        {"skipped": "-", "next": "."}.get(step.state, step.state[0]) for step in found
    )


@pytest.mark.parametrize(
    ("release", "stopped", "expected"),
    [
        (replace(RELEASE, state=State.DRAFT), None, "-......"),
        (replace(RELEASE, state=State.SHADOWING), None, "-n....."),
        (replace(RELEASE, state=State.IN_REVIEW), None, "-dn...."),
        (replace(RELEASE, state=State.CANARYING, step=1, legs=LEGS), None, "-dddn.."),
        (replace(RELEASE, state=State.PROMOTED, legs=LEGS), None, "-dddddd"),
        (replace(RELEASE, state=State.SUPERSEDED, legs=LEGS), None, "-dddddd"),
        (replace(RELEASE, state=State.PAUSED, paused_from=State.SHADOWING), None, "-h....."),
        (
            replace(RELEASE, state=State.ROLLED_BACK, step=1, legs=LEGS),
            Stopped(kind="roll_back", state=State.CANARYING, step=1),
            "-dddf..",
        ),
        (
            replace(RELEASE, state=State.ROLLED_BACK, step=2, legs=LEGS),
            Stopped(kind="promote", state=State.CANARYING, step=2),
            "-dddddf",
        ),
        (
            replace(RELEASE, state=State.ABORTED),
            Stopped(kind="abort", state=State.IN_REVIEW, step=0),
            "-df....",
        ),
        (
            replace(RELEASE, state=State.ABORTED),
            Stopped(kind="advance", state=State.GATING, step=0),
            "-f.....",
        ),
    ],
)
def test_the_way_shows_where_a_release_is(
    release: Release, stopped: Stopped | None, expected: str
) -> None:
    assert way(release, stopped) == expected


def test_a_plan_without_a_sample_leaves_that_step_out() -> None:
    plan = replace(Plan(), sample=SamplePlan(size=0))
    assert way(replace(RELEASE, plan=plan, state=State.SHADOWING)) == "-n-...."


def test_notes_say_how_much_time_is_left() -> None:
    found = steps(
        replace(RELEASE, state=State.SHADOWING), Evidence(), now=NOW + timedelta(hours=45)
    )
    assert found[1].note.replace("\N{NO-BREAK SPACE}", " ") == "0 of 200 pairs, 3 h left"


@pytest.mark.parametrize("state", State)
def test_every_state_has_words_and_a_next(state: State) -> None:
    release = replace(RELEASE, state=state, legs=LEGS, step=1)
    word, _ = title(release)
    assert word
    evidence = Evidence(sample=SampleCounts(drawn=50))
    assert by_itself(release, Hold(code=Because.TIME, because="time"), evidence).endswith(".")


def test_what_is_undecided_says_what_would_decide_it() -> None:
    release = replace(RELEASE, state=State.CANARYING, step=2, legs=LEGS)
    waits = Hold(
        code=Because.UNDECIDED, because="success is undecided: about 400 more requests"
    )
    said = by_itself(release, waits, Evidence())
    assert "about 400 more requests" in said
    assert moves(release) == "clerk 1 → 2"
