"""A release looks after itself: through its whole life, and through any crash.

The kills run life.py in a process of its own and end it the way a power cut would, at every
named place; afterwards the release has come out, and is recorded, as in a life without.
"""

import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.conftest import ROOT, START
from tests.keyring import KEYRING
from tests.releases import life, world

from opsroom.evals.gate import Outcome
from opsroom.journal import outbox, verify
from opsroom.journal import store as journal
from opsroom.kit.clock import FastClock, ManualClock
from opsroom.kit.db import Database, open_engine
from opsroom.kit.durable import Durable
from opsroom.kit.ids import TimeIds
from opsroom.releases import queries
from opsroom.releases.decide import replay
from opsroom.releases.model import State
from opsroom.releases.workflow import LOOP, Driver, reactions

KILLED = -9

# Each named place with the passages at which a life is ended there.
FAULTS = [
    *(("release.started", n) for n in (1,)),
    *(("release.decided", n) for n in (1, 3, 6)),
    *(("release.saved", n) for n in range(1, 7)),
    *(("release.recorded", n) for n in range(1, 7)),
    *(("release.gated", n) for n in (1,)),
    *(("gate.kept", n) for n in (1,)),
    *(("measure.kept", n) for n in (1,)),
    *(("label.moved", n) for n in (1,)),
    *(("release.label_moved", n) for n in (1,)),
    *(("release.observed", n) for n in (1, 5)),
    *(("tx.before_commit", n) for n in (2, 6, 12, 20, 30)),
    *(("tx.after_commit", n) for n in (1, 4, 8, 16, 30)),
    *(("durable.before_look", n) for n in (1, 4, 7)),
    *(("durable.after_look", n) for n in (1, 3, 5)),
    *(("outbox.before_cursor", n) for n in (1, 3)),
]
BAD_FAULTS = [
    ("release.decided", 4),
    ("release.saved", 5),
    ("release.recorded", 4),
    ("release.recorded", 5),
    ("release.observed", 5),
    ("tx.after_commit", 25),
    ("durable.after_look", 5),
]
# What happens to a release, whatever else happens.
LIVES = {
    "good": [
        ("draft", "gating", 0),
        ("gating", "shadowing", 0),
        ("shadowing", "in_review", 0),
        ("in_review", "canarying", 0),
        ("canarying", "canarying", 1),
        ("canarying", "promoted", 1),
    ],
    "bad": [
        ("draft", "gating", 0),
        ("gating", "shadowing", 0),
        ("shadowing", "in_review", 0),
        ("in_review", "canarying", 0),
        ("canarying", "rolled_back", 0),
    ],
}
MOVES = {
    "good": [(None, 1, "import"), (1, 2, "release")],
    "bad": [(None, 1, "import")],
}


def lived(url: str, fate: str, origin: float, fault: str = "") -> int:
    """Run a life to its end or to its fault; the exit code of its process."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    if fault:
        environment["OPSROOM_FAULT"] = fault
    done = subprocess.run(
        [sys.executable, "-m", "tests.releases.life", url, fate, str(origin)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode in {0, KILLED}, done.stderr
    return done.returncode


def check_life(url: str, fate: str) -> None:
    """The release came out as it must, once, and the record says so and verifies."""
    engine = open_engine(url)
    clock = ManualClock(START)
    db = Database(
        engine, clock=clock, ids=TimeIds(clock), on_commit=journal.append, keyring=KEYRING
    )
    try:
        with db.read(world.ADA) as tx:
            (release,) = queries.releases(tx)
            entries = journal.entries(tx, subject=release.subject, limit=1_000)
            moved = [
                (entry.facts["was"], entry.facts["to"], entry.facts["step"])
                for entry, _ in reversed(entries)
                if "was" in entry.facts
            ]
            verify(journal.chain(tx))
            for kept in queries.decisions(tx, release.id):
                assert replay(kept) == kept.decision
        assert moved == LIVES[fate]
        assert world.label_moves(db) == MOVES[fate]
    finally:
        engine.dispose()


def kill_and_check(url: str, fate: str, fault: str) -> None:
    origin = time.time()
    killed = lived(url, fate, origin, fault)
    assert killed == KILLED, f"{fault} was never passed"
    assert lived(url, fate, origin) == 0
    check_life(url, fate)


@pytest.mark.slow
def test_a_killed_release_comes_out_all_the_same(sqlite_url: str) -> None:
    kill_and_check(sqlite_url, "good", "release.label_moved:1")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "passage"), FAULTS)
def test_every_kill_of_a_good_release_on_sqlite(
    sqlite_url: str, name: str, passage: int
) -> None:
    kill_and_check(sqlite_url, "good", f"{name}:{passage}")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "passage"), BAD_FAULTS)
def test_every_kill_of_a_bad_release_on_sqlite(
    sqlite_url: str, name: str, passage: int
) -> None:
    kill_and_check(sqlite_url, "bad", f"{name}:{passage}")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "passage"), FAULTS)
def test_every_kill_of_a_good_release_on_postgresql(
    postgresql_url: str, name: str, passage: int
) -> None:
    kill_and_check(postgresql_url, "good", f"{name}:{passage}")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "passage"), BAD_FAULTS)
def test_every_kill_of_a_bad_release_on_postgresql(
    postgresql_url: str, name: str, passage: int
) -> None:
    kill_and_check(postgresql_url, "bad", f"{name}:{passage}")


def test_a_release_lives_its_life_by_itself(database_url: str) -> None:
    release = life.live(database_url, "good", time.time())
    assert release.state is State.PROMOTED
    check_life(database_url, "good")


def test_waiting_for_days_writes_next_to_nothing(sqlite_url: str) -> None:
    clock = FastClock(START, rate=200_000.0)
    engine = open_engine(sqlite_url)
    db = Database(
        engine, clock=clock, ids=TimeIds(clock), on_commit=journal.append, keyring=KEYRING
    )
    world.build(db, cases=2)
    durable = Durable(sqlite_url, loops={LOOP: Driver(db, world.MODELS).look})
    durable.launch()
    try:
        release = world.reach_shadow(db)
        outbox.pump(db, reactions(durable))
        waited_until = clock.now() + timedelta(days=5)
        while clock.now() < waited_until:
            world.shadow(db, release.id, [world.pair(f"p{clock.now()}")])
            outbox.pump(db, reactions(durable))
            time.sleep(0.02)
        assert durable.rows(LOOP, release.id) < 60
    finally:
        durable.close()
        engine.dispose()


@pytest.mark.parametrize(("number", "state"), [(2, State.GATING), (3, State.ABORTED)])
def test_the_gate_is_run_by_the_release(sqlite_db: Database, number: int, state: State) -> None:
    world.build(sqlite_db)
    release = world.start(sqlite_db, number=number)
    driver = Driver(sqlite_db, world.MODELS)
    assert driver.look(release.id) == 0.0
    with sqlite_db.read(world.ADA) as tx:
        found = queries.standing(tx, release.id)
    assert found.release.state is state
    assert found.evidence.gate is not None
    assert len(found.evidence.gate.digest) == 64
    if state is State.ABORTED:
        assert found.evidence.gate.outcome is Outcome.FAILED
        assert driver.look(release.id) is None


def test_a_gate_that_cannot_be_run_pauses(sqlite_db: Database) -> None:
    world.build(sqlite_db)
    unknown = replace(world.GATE, variant="temperature=7")
    release = world.start(sqlite_db, plan=replace(world.SMALL, gate=unknown))
    assert Driver(sqlite_db, world.MODELS).look(release.id) == 0.0
    with sqlite_db.read(world.ADA) as tx:
        found = queries.release(tx, release.id)
    assert found.state is State.PAUSED
    assert "could not be computed" in found.because
    assert "temperature=7" in found.because


def test_looking_after_nothing_ends(sqlite_db: Database) -> None:
    assert Driver(sqlite_db, world.MODELS).look("rel_nobody") is None


@pytest.mark.parametrize(("right", "state"), [(9, State.GATING), (7, State.ABORTED)])
def test_what_people_corrected_has_to_come_right(
    sqlite_db: Database, right: int, state: State
) -> None:
    world.build(sqlite_db)
    world.correct(sqlite_db, right)
    release = world.start(sqlite_db)
    assert release.plan.gate is not None
    assert release.plan.gate.regressions == ("dataset/corrections-clerk@1",)
    assert Driver(sqlite_db, world.MODELS).look(release.id) == 0.0
    with sqlite_db.read(world.ADA) as tx:
        found = queries.standing(tx, release.id)
    gate = found.evidence.gate
    assert found.release.state is state
    assert gate is not None
    assert len(gate.regressions) == 1
    assert gate.evidence not in {gate.digest, *gate.regressions}
    assert found.binding == release.binding(gate.evidence)


def test_what_people_corrected_may_be_left_out_for_all_to_see(sqlite_db: Database) -> None:
    world.build(sqlite_db)
    world.correct(sqlite_db, 0)
    without = replace(world.GATE, regressions=())
    release = world.start(sqlite_db, plan=replace(world.SMALL, gate=without))
    Driver(sqlite_db, world.MODELS).look(release.id)
    with sqlite_db.read(world.ADA) as tx:
        gate = queries.standing(tx, release.id).evidence.gate
    assert gate is not None
    assert (gate.outcome, gate.regressions) == (Outcome.PASSED, ())


def test_answers_to_corrections_that_nobody_recorded_stop_a_release(
    sqlite_db: Database,
) -> None:
    world.build(sqlite_db)
    world.correct(sqlite_db, None)
    release = world.start(sqlite_db)
    Driver(sqlite_db, world.MODELS).look(release.id)
    with sqlite_db.read(world.ADA) as tx:
        found = queries.standing(tx, release.id)
    assert found.release.state is State.PAUSED
    assert "corrections-clerk" in found.release.because
