"""Whatever people, programs and the clock do, in whatever order: what must always hold."""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.conftest import START
from tests.keyring import KEYRING
from tests.releases import world

from opsroom.journal import store as journal
from opsroom.journal import verify
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, open_engine
from opsroom.kit.errors import OpsroomError
from opsroom.kit.ids import seeded_ids
from opsroom.releases import commands, queries
from opsroom.releases.decide import replay
from opsroom.releases.model import FINAL, Arm, Release, State

ALLOWED = {
    State.DRAFT: {State.GATING},
    State.GATING: {State.SHADOWING, State.PAUSED, State.ABORTED},
    State.SHADOWING: {State.IN_REVIEW, State.PAUSED, State.ABORTED},
    State.IN_REVIEW: {State.CANARYING, State.PAUSED, State.ABORTED},
    State.CANARYING: {
        State.CANARYING,
        State.PROMOTED,
        State.PAUSED,
        State.ROLLED_BACK,
    },
    State.PAUSED: {
        State.GATING,
        State.SHADOWING,
        State.IN_REVIEW,
        State.CANARYING,
        State.ABORTED,
        State.ROLLED_BACK,
    },
    State.PROMOTED: {State.SUPERSEDED, State.ROLLED_BACK},
}


reached: set[State] = set()


class Operation(RuleBasedStateMachine):
    """One artifact and its releases, steered by anybody at any time."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="opsroom-machine-")
        path = Path(self.folder) / "opsroom.db"
        shutil.copyfile(self.template, path)
        self.clock = ManualClock(START)
        self.engine = open_engine(f"sqlite:///{path}")
        self.db = Database(
            self.engine,
            clock=self.clock,
            ids=seeded_ids(self.clock, 7),
            on_commit=journal.append,
            keyring=KEYRING,
        )
        world.build(self.db, cases=2)
        self.seen: dict[str, Release] = {}
        self.counter = 0

    def teardown(self) -> None:
        self.engine.dispose()
        shutil.rmtree(self.folder)

    def newest(self) -> Release | None:
        with self.db.read(world.ADA) as tx:
            found = queries.releases(tx)
        return found[0] if found else None

    def attempt(self, change: Callable[[str], object]) -> None:
        """Do it, or be told in so many words why not."""
        release = self.newest()
        if release is not None:
            with suppress(OpsroomError):
                change(release.id)

    def fresh(self, count: int) -> list[str]:
        self.counter += count
        return [f"k{n}" for n in range(self.counter - count, self.counter)]

    @rule(number=st.sampled_from([1, 2, 3]))
    def start(self, number: int) -> None:
        with suppress(OpsroomError):
            world.start(self.db, number=number)

    @rule(times=st.integers(1, 9))
    def proceed(self, times: int) -> None:
        """What people and traffic usually do next, so that releases get somewhere."""
        for _ in range(times):
            release = self.newest()
            if release is None:
                return
            match release.state:
                case State.GATING:
                    self.gate()
                    self.approve(world.BOB)
                case State.SHADOWING:
                    self.wait(48)
                    self.shadow(good=True)
                case State.IN_REVIEW:
                    self.judge()
                case State.CANARYING:
                    self.wait(6)
                    self.serve(broken=False)
                case State.PAUSED:
                    self.steer("resume")
                case _:
                    self.start(2 if world.label(self.db) != 2 else 3)
            self.look()

    @rule()
    def gate(self) -> None:
        self.attempt(lambda one: world.gated(self.db, one))

    @rule(by=st.sampled_from([world.ADA, world.BOB, world.RITA]))
    def approve(self, by: Actor) -> None:
        self.attempt(lambda one: world.approve(self.db, one, by=by))

    @rule(hours=st.sampled_from([1, 6, 48]))
    def wait(self, hours: int) -> None:
        self.clock.move(timedelta(hours=hours))

    @rule()
    def look(self) -> None:
        self.attempt(lambda one: world.advance(self.db, one))

    @rule(good=st.sampled_from([True, True, True, False]))
    def shadow(self, good: bool) -> None:  # drawn by hypothesis
        pairs = [world.pair(key, challenger=good) for key in self.fresh(40)]
        self.attempt(lambda one: world.shadow(self.db, one, pairs))

    @rule()
    def judge(self) -> None:
        self.attempt(lambda one: world.judge_all(self.db, one))

    @rule(broken=st.sampled_from([False, False, True]))
    def serve(self, broken: bool) -> None:  # drawn by hypothesis
        subjects = self.fresh(150)
        self.attempt(lambda one: world.serve(self.db, one, subjects, broken=broken))

    @rule(verb=st.sampled_from(["pause", "resume", "abort", "roll_back"]))
    def steer(self, verb: str) -> None:
        def change(release_id: str) -> None:
            with self.db.write(world.ADA) as tx:
                getattr(commands, verb)(tx, release_id, reason="because")

        self.attempt(change)

    @rule()
    def alarm(self) -> None:
        def change(release_id: str) -> None:
            with self.db.write(world.AGENT) as tx:
                commands.report_security_event(tx, release_id, key="e", what="leak")

        if self.counter % 5 == 0:  # now and then
            self.attempt(change)

    @precondition(lambda self: self.newest() is not None)
    @invariant()
    def transitions_are_allowed(self) -> None:
        with self.db.read(world.ADA) as tx:
            for now in queries.releases(tx):
                entries = journal.entries(tx, subject=now.subject, limit=500)
                before = self.seen.get(now.id)
                moved = [
                    (State(entry.facts["was"]), State(entry.facts["to"]))
                    for entry, _ in reversed(entries)
                    if "was" in entry.facts
                ]
                for was, to in moved:
                    assert to in ALLOWED[was], f"{was} → {to}"
                if before is not None and before.state in FINAL:
                    assert now == before, "what is over is over"
                self.seen[now.id] = now
                reached.add(now.state)

    @invariant()
    def one_at_a_time_and_somebody_serves(self) -> None:
        with self.db.read(world.ADA) as tx:
            found = queries.releases(tx)
            assert sum(one.active for one in found) <= 1
            promoted = [one for one in found if one.state is State.PROMOTED]
            assert len(promoted) <= 1
            served = queries.resolve(tx, world.KIND, world.NAME, "somebody")
            label = world.label(self.db)
            if promoted:
                assert label == promoted[0].number
            if served.arm is Arm.CHAMPION:
                assert served.number == label
            else:
                live = next(one for one in found if one.active)
                assert live.state is State.CANARYING
                assert served.number == live.number

    @invariant()
    def nobody_is_promoted_unproven(self) -> None:
        with self.db.read(world.ADA) as tx:
            for one in queries.releases(tx):
                kept = queries.decisions(tx, one.id)
                for record in kept:
                    assert replay(record) == record.decision
                if one.state is State.PROMOTED:
                    evidence = kept[0].evidence
                    assert evidence.gate is not None
                    assert evidence.shadow.pairs >= 40
                    assert evidence.sample.judged == evidence.sample.drawn == 5
            verify(journal.chain(tx))


def _check(template: Path, examples: int, steps: int) -> None:
    Operation.template = template
    reached.clear()
    run_state_machine_as_test(
        Operation,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_what_must_always_hold(sqlite_template: Path) -> None:
    _check(sqlite_template, examples=6, steps=12)


@pytest.mark.slow
def test_what_must_always_hold_for_long(sqlite_template: Path) -> None:
    everywhere, seen = set(State) - {State.DRAFT}, set[State]()
    for _ in range(3):  # chance may leave a rare state out
        _check(sqlite_template, examples=60, steps=40)
        seen |= reached
        if seen == everywhere:
            break
    assert seen == everywhere, "the machine went everywhere"
