"""What is reported counts once, all of a batch or none of it, in the leg it belongs to."""

from dataclasses import replace

import pytest
from tests.releases import world
from tests.releases.conftest import Reach

from opsroom.journal import store as journal
from opsroom.kit import faults
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Database
from opsroom.releases import (
    BadObservation,
    JudgeIsAuthor,
    MetricNotWatched,
    NotAJudge,
    PairJudged,
    PairNotSampled,
    WrongState,
    commands,
    observing,
    queries,
    store,
)
from opsroom.releases.evidence import Evidence
from opsroom.releases.gathering import gather
from opsroom.releases.model import Arm, Because, Release, State, split
from opsroom.releases.observation import Observation, Observed, ShadowPair, place_in_sample


def known(db: Database, release_id: str) -> Evidence:
    with db.read(world.ADA) as tx:
        return gather(tx, queries.release(tx, release_id))


def report(db: Database, release_id: str, outcomes: list[Observation]) -> Observed:
    with db.write(world.AGENT) as tx:
        return observing.observe_canary(tx, release_id, outcomes)


def outcome(subject: str, *, fine: bool = True, leg: int | None = 1) -> Observation:
    return Observation(subject=subject, values=world.values(fine=fine), leg=leg)


def test_pairs_count_once(db: Database, shadowing: Reach) -> None:
    release = shadowing(db)
    pairs = [world.pair(f"p{n}", challenger=n != 3) for n in range(10)]
    assert world.shadow(db, release.id, pairs) == Observed(counted=10)
    again = [*pairs, world.pair("p10"), world.pair("p10", champion=False)]
    assert world.shadow(db, release.id, again) == Observed(counted=1, repeated=11)
    counts = known(db, release.id).shadow
    error = counts.metric("error")
    assert (counts.pairs, error.n, error.only_challenger, error.neither) == (11, 11, 1, 10)


def test_requests_count_once_in_their_arm(db: Database, canarying: Reach) -> None:
    release = canarying(db)
    subjects = [f"s{n}" for n in range(40)]
    outcomes = [outcome(one) for one in subjects]
    assert report(db, release.id, outcomes) == Observed(counted=40)
    assert report(db, release.id, outcomes) == Observed(repeated=40)
    (leg,) = known(db, release.id).legs
    mine = sum(split(release.id, one, 0.25) is Arm.CHALLENGER for one in subjects)
    assert (leg.champion.n, leg.challenger.n) == (40 - mine, mine)


def test_a_bad_line_spoils_its_batch_and_nothing_else(db: Database, canarying: Reach) -> None:
    release = canarying(db)
    for wrong in (
        {"success": 0.5},
        {"success": float("nan")},
        {"speed": 1.0},
    ):
        bad = Observation(subject="bad", values=wrong)
        with pytest.raises(BadObservation):
            report(db, release.id, [outcome("good"), bad])
    with pytest.raises(BadObservation):
        report(db, release.id, [outcome("")])
    with pytest.raises(BadObservation):
        report(db, release.id, [outcome(f"s{n}") for n in range(1_001)])
    assert known(db, release.id).legs[0].champion.n == 0


def test_a_crash_in_the_middle_of_a_batch_counts_nothing(
    db: Database, canarying: Reach
) -> None:
    release = canarying(db)
    faults.arm("release.observed", _strike)
    with pytest.raises(KeyboardInterrupt):
        report(db, release.id, [outcome("s1")])
    faults.disarm()
    assert report(db, release.id, [outcome("s1")]) == Observed(counted=1)


def test_a_late_outcome_counts_where_its_arm_was_drawn(
    sqlite_db: Database, clock: ManualClock, canarying: Reach
) -> None:
    release = canarying(sqlite_db)
    clock.move(release.plan.steps[0].min_duration)
    world.serve(sqlite_db, release.id, [f"s{n}" for n in range(200)])
    assert world.advance(sqlite_db, release.id) == "advance"
    report(sqlite_db, release.id, [outcome("late", leg=1), outcome("new", leg=2)])
    first, second = known(sqlite_db, release.id).legs
    assert first.champion.n + first.challenger.n == 201
    assert second.champion.n + second.challenger.n == 1


def test_whoever_else_answered_is_not_counted(sqlite_db: Database, canarying: Reach) -> None:
    release = canarying(sqlite_db)
    drawn = split(release.id, "s1", 0.25)
    other = Arm.CHAMPION if drawn is Arm.CHALLENGER else Arm.CHALLENGER
    found = report(
        sqlite_db,
        release.id,
        [
            replace(outcome("s1"), arm=other),
            replace(outcome("s2"), arm=split(release.id, "s2", 0.25)),
            outcome("s3", leg=9),
        ],
    )
    assert found == Observed(counted=1, ignored=2)


def test_after_the_canary_nothing_counts(sqlite_db: Database, canarying: Reach) -> None:
    release = canarying(sqlite_db)
    with sqlite_db.write(world.ADA) as tx:
        commands.roll_back(tx, release.id, reason="odd")
    assert report(sqlite_db, release.id, [outcome("s1")]) == Observed(ignored=1)
    assert world.shadow(sqlite_db, release.id, [world.pair("p")]) == Observed(ignored=1)


def test_a_broken_split_pauses_and_its_data_are_void(
    sqlite_db: Database, canarying: Reach
) -> None:
    release = canarying(sqlite_db)
    champions = [
        one for n in range(400) if split(release.id, one := f"s{n}", 0.25) is Arm.CHAMPION
    ]
    report(sqlite_db, release.id, [outcome(one) for one in champions])
    with sqlite_db.read(world.ADA) as tx:
        paused = queries.release(tx, release.id)
    assert (paused.state, paused.code) == (State.PAUSED, Because.SPLIT)
    with sqlite_db.write(world.ADA) as tx:
        commands.resume(tx, release.id, reason="the proxy is repaired")
    (fresh,) = known(sqlite_db, release.id).legs
    assert (fresh.leg, fresh.champion.n) == (2, 0)
    assert report(sqlite_db, release.id, [outcome("late", leg=1)]) == Observed(ignored=1)


def test_the_sample_is_random_and_complete(sqlite_db: Database, shadowing: Reach) -> None:
    release = shadowing(sqlite_db)
    pairs = [world.pair(f"p{n:03}") for n in range(300)]
    for start in range(0, 300, 30):
        world.shadow(sqlite_db, release.id, pairs[start : start + 30])
    with sqlite_db.read(world.BOB) as tx:
        assert queries.sample(tx, release.id) == [], "nobody sees it before the review"
        seed = store.seed_of(tx, release.id)
        drawn = store.sampled(tx, release)
    best = sorted(pairs, key=lambda one: place_in_sample(seed, one.key))[:5]
    assert [one.pair for one in drawn] == best


def test_who_may_judge(sqlite_db: Database, clock: ManualClock, shadowing: Reach) -> None:
    db = sqlite_db
    release = shadowing(db)
    with db.write(world.BOB) as tx, pytest.raises(WrongState):
        observing.judge_pair(tx, release.id, "p1", good=True, reason="")
    clock.move(release.plan.shadow.min_time)
    world.shadow(db, release.id, [world.pair(f"p{n}") for n in range(40)])
    assert world.advance(db, release.id) == "advance"
    with db.read(world.BOB) as tx:
        first, second, *_ = (one.pair.key for one in queries.sample(tx, release.id))
    with db.write(world.ADA) as tx, pytest.raises(JudgeIsAuthor):
        observing.judge_pair(tx, release.id, first, good=True, reason="mine")
    with db.write(world.AGENT) as tx, pytest.raises(NotAJudge):
        observing.judge_pair(tx, release.id, first, good=True, reason="beep")
    with db.write(world.BOB) as tx, pytest.raises(PairNotSampled):
        observing.judge_pair(tx, release.id, "p9999", good=True, reason="")
    for _ in range(2):
        with db.write(world.BOB) as tx:
            assert observing.judge_pair(tx, release.id, first, good=True, reason="").good
    with db.write(world.RITA) as tx, pytest.raises(PairJudged):
        observing.judge_pair(tx, release.id, first, good=False, reason="no")
    with db.write(world.RITA) as tx:
        assert not observing.judge_pair(tx, release.id, second, good=False, reason="no").good
    assert known(db, release.id).sample.judged == 2


def test_too_many_bad_answers_end_the_review(
    sqlite_db: Database, clock: ManualClock, shadowing: Reach
) -> None:
    release = shadowing(sqlite_db)
    clock.move(release.plan.shadow.min_time)
    world.shadow(sqlite_db, release.id, [world.pair(f"p{n}") for n in range(40)])
    world.advance(sqlite_db, release.id)
    with pytest.raises(WrongState):
        world.judge_all(sqlite_db, release.id, good=False)
    assert world.state(sqlite_db, release.id) is State.ABORTED


def test_the_workflow_is_told_once_that_something_is_due(
    sqlite_db: Database, clock: ManualClock, shadowing: Reach
) -> None:
    release = shadowing(sqlite_db)
    clock.move(release.plan.shadow.min_time)
    before = _told(sqlite_db, release)
    for turn in range(4):
        pairs = [world.pair(f"p{turn}-{n}") for n in range(20)]
        world.shadow(sqlite_db, release.id, pairs)
    assert _told(sqlite_db, release) == before + 1
    assert world.advance(sqlite_db, release.id) == "advance"
    world.judge_all(sqlite_db, release.id)
    assert _told(sqlite_db, release) == before + 2


def test_resolve_follows_the_release(
    db: Database, clock: ManualClock, shadowing: Reach
) -> None:
    release = shadowing(db)
    with db.read(world.AGENT) as tx:
        found = queries.resolve(tx, world.KIND, world.NAME, "s1")
    assert (found.number, found.arm, found.shadow) == (1, Arm.CHAMPION, "agent/clerk@2")
    assert (found.release_id, found.leg) == (release.id, None)
    clock.move(release.plan.shadow.min_time)
    world.shadow(db, release.id, [world.pair(f"p{n}") for n in range(40)])
    world.advance(db, release.id)
    with db.read(world.AGENT) as tx:
        assert queries.resolve(tx, world.KIND, world.NAME, "s1").release_id is None
    world.judge_all(db, release.id)
    world.advance(db, release.id)
    with db.read(world.AGENT) as tx:
        drawn = {
            name: queries.resolve(tx, world.KIND, world.NAME, name)
            for name in (f"s{n}" for n in range(60))
        }
    for name, one in drawn.items():
        assert one.arm is split(release.id, name, 0.25)
        assert one.number == (2 if one.arm is Arm.CHALLENGER else 1)
        assert (one.release_id, one.leg) == (release.id, 1)
        assert one.digest == (
            release.digest if one.arm is Arm.CHALLENGER else release.baseline_digest
        )


def test_the_series_narrows(sqlite_db: Database, canarying: Reach) -> None:
    release = canarying(sqlite_db)
    for turn in range(6):
        subjects = [f"s{turn}-{n}" for n in range(40)]
        world.serve(sqlite_db, release.id, subjects)
    with sqlite_db.read(world.ADA) as tx:
        points = queries.series(tx, release.id, "success")
        with pytest.raises(MetricNotWatched):
            queries.series(tx, release.id, "speed")
    assert len(points) >= 4
    numbers = [one.n for one in points]
    assert numbers == sorted(set(numbers))
    widths = [
        one.high - one.low for one in points if one.high is not None and one.low is not None
    ]
    assert widths[-1] < widths[0]


def test_a_pair_without_content_still_counts(sqlite_db: Database, shadowing: Reach) -> None:
    release = shadowing(sqlite_db)
    bare = ShadowPair(key="p", champion={"success": 1}, challenger={"success": 1, "error": 0})
    assert world.shadow(sqlite_db, release.id, [bare]) == Observed(counted=1)
    error = known(sqlite_db, release.id).shadow.metric("error")
    assert (error.n, error.missing_champion, error.missing_challenger) == (0, 1, 0)


def test_values_that_never_come_pause_the_shadow_run(
    sqlite_db: Database, shadowing: Reach
) -> None:
    release = shadowing(sqlite_db)
    silent = [replace(world.pair(f"p{n}"), challenger={"success": 1.0}) for n in range(20)]
    world.shadow(sqlite_db, release.id, silent)
    with sqlite_db.read(world.ADA) as tx:
        paused = queries.release(tx, release.id)
    assert (paused.state, paused.code) == (State.PAUSED, Because.MISSING_DATA)
    with sqlite_db.write(world.ADA) as tx:
        commands.resume(tx, release.id, reason="it reports errors now")
    assert known(sqlite_db, release.id).shadow.pairs == 0


def _strike() -> None:
    raise KeyboardInterrupt


def _told(db: Database, release: Release) -> int:
    with db.read(world.ADA) as tx:
        found = journal.entries(tx, subject=release.subject, event="release.due", limit=100)
        return len(found)
