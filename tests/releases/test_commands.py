"""Releases on a database: what each command does, who may, and what is left behind."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from tests.releases import world

from opsroom.app.kinds import KINDS
from opsroom.approvals import Answer, ApproverIsRequester, NotAPerson
from opsroom.evals.gate import Outcome
from opsroom.journal import outbox, verify
from opsroom.journal import store as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.kit.durable import Durable
from opsroom.registry import Criticality, Ref, checklists, proposals
from opsroom.registry import commands as registry
from opsroom.registry import queries as registry_queries
from opsroom.registry.checklist import ITEMS, Answered, ReviewSettings
from opsroom.releases import (
    AlreadyServing,
    BadPlan,
    NoChampion,
    NothingToApprove,
    ReleaseNotFound,
    ReleaseRunning,
    WrongState,
    commands,
    queries,
)
from opsroom.releases.decide import replay
from opsroom.releases.model import Because, Draft, State
from opsroom.releases.workflow import LOOP, reactions


@pytest.fixture
def there(db: Database) -> Database:
    """The world on both engines."""
    world.build(db, cases=2)
    return db


@pytest.fixture
def here(sqlite_db: Database) -> Database:
    """The world where the engine does not matter."""
    world.build(sqlite_db, cases=2)
    return sqlite_db


def events(db: Database, release_id: str) -> list[str]:
    with db.read(world.ADA) as tx:
        found = journal.entries(tx, subject=f"release/{release_id}", limit=1_000)
        return [entry.event for entry, _ in reversed(found)]


def test_a_good_candidate_goes_all_the_way(there: Database, clock: ManualClock) -> None:
    release = world.reach_canary(there, clock)
    assert world.label(there) == 1
    world.through(there, clock, release)
    assert world.state(there, release.id) is State.PROMOTED
    assert world.label_moves(there) == [(None, 1, "import"), (1, 2, "release")]
    assert [one for one in events(there, release.id) if one != "release.due"] == [
        "release.started",
        "release.advanced",
        "release.gated",
        "approval.given",
        "approval.consumed",
        "release.advanced",
        "release.advanced",
        *["release.pair_judged"] * 5,
        "release.advanced",
        "release.advanced",
        "release.promoted",
    ]
    with there.read(world.ADA) as tx:
        verify(journal.chain(tx))


def test_every_decision_replays(here: Database, clock: ManualClock) -> None:
    release = world.reach_canary(here, clock)
    world.through(here, clock, release)
    with here.read(world.ADA) as tx:
        kept = queries.decisions(tx, release.id)
    assert [one.decision.kind for one in reversed(kept)].count("advance") == 5
    assert kept[0].decision.kind == "promote"
    assert len({one.id for one in kept}) == len(kept)
    assert [one.release.revision for one in kept] == sorted(
        (one.release.revision for one in kept), reverse=True
    )
    for one in kept:
        assert replay(one) == one.decision


def test_what_stops_a_release_does_so_with_the_evidence_for_it(
    there: Database, clock: ManualClock
) -> None:
    release = world.reach_canary(there, clock)
    world.serve(there, release.id, [f"s{n}" for n in range(200)], broken=True)
    assert world.state(there, release.id) is State.ROLLED_BACK
    assert world.label_moves(there) == [(None, 1, "import")]
    with there.read(world.ADA) as tx:
        newest = journal.entries(tx, subject=release.subject, limit=1)[0][0]
        assert (newest.event, newest.actor) == ("release.rolled_back", commands.SYSTEM)
        assert newest.facts["code"] == "worse"
        found = queries.resolve(tx, world.KIND, world.NAME, "anybody")
    assert (found.number, found.release_id) == (1, None)


def test_advancing_what_has_to_wait_changes_nothing(here: Database, clock: ManualClock) -> None:
    release = world.reach_canary(here, clock)
    world.advance(here, release.id)
    with here.read(world.ADA) as tx:
        before = (queries.release(tx, release.id), journal.head(tx))
        decided = len(queries.decisions(tx, release.id))
    for _ in range(5):
        assert world.advance(here, release.id) == "hold"
    with here.read(world.ADA) as tx:
        assert (queries.release(tx, release.id), journal.head(tx)) == before
        assert len(queries.decisions(tx, release.id)) == decided


def test_one_release_at_a_time(there: Database) -> None:
    first = world.start(there)
    with pytest.raises(ReleaseRunning) as caught:
        world.start(there, number=3)
    assert caught.value.release_id == first.id
    with there.write(world.ADA) as tx:
        commands.abort(tx, first.id, reason="changed my mind")
    world.start(there, number=3)


def test_what_cannot_be_released(here: Database) -> None:
    with pytest.raises(AlreadyServing):
        world.start(here, number=1)
    with pytest.raises(BadPlan, match="needs a gate"):
        world.start(here, plan=world.BARE)
    with here.write(world.ADA) as tx, pytest.raises(NoChampion):
        commands.start(tx, Draft(version="agent/clerk@2", environment="staging"), kinds=KINDS)


def test_an_autonomous_agent_skips_nothing(sqlite_db: Database) -> None:
    db = sqlite_db
    world.build(db, Criticality.AUTONOMOUS, cases=2)
    unsampled = replace(world.SMALL, sample=replace(world.SMALL.sample, size=0))
    with pytest.raises(BadPlan, match="sample"):
        world.start(db, plan=unsampled)
    release = world.start(db)
    world.gated(db, release.id)
    world.approve(db, release.id)
    assert world.advance(db, release.id) == "hold"
    world.approve(db, release.id, by=world.RITA)
    assert world.advance(db, release.id) == "advance"


class Woken:
    """Stands where durable loops are woken, and counts."""

    def __init__(self) -> None:
        self.by: list[tuple[str, str]] = []

    def signal(self, loop: str, key: str, *, about: str) -> None:
        self.by.append((loop, key))


def test_a_release_waits_for_the_checklist_of_its_version(sqlite_db: Database) -> None:
    db = sqlite_db
    world.build(db, Criticality.AUTONOMOUS, cases=2)
    with db.write(world.ADA) as tx:
        tx.actor = Actor("system", "default", human=False)
        checklists.set_settings(tx, ReviewSettings(checklist=(Criticality.AUTONOMOUS,)))
    release = world.start(db)
    world.gated(db, release.id)
    for who in (world.BOB, world.RITA):
        world.approve(db, release.id, by=who)
    assert world.advance(db, release.id) == "hold"
    for holds, then in ((False, "hold"), (True, "advance")):
        with db.write(world.ADA) as tx:
            ref = Ref(world.KIND, world.NAME, "2")
            made = proposals.propose(tx, ref, label="production", kinds=KINDS)
        said = [
            Answered(item=one, holds=holds, because="ten names were tried") for one in ITEMS
        ]
        with db.write(world.BOB) as tx:
            checklists.answer(tx, made.id, said, binding=made.binding)
        with db.write(world.ADA) as tx:
            proposals.withdraw(tx, made.id, reason="a release brings it")
        assert world.advance(db, release.id) == then
    woken = Woken()
    told = reactions(cast("Durable", woken))
    outbox.pump(db, [one for one in told if one.name == "releases.checks"])
    assert woken.by == [(LOOP, release.id)] * 2


def test_approvals_rest_on_the_gate(there: Database) -> None:
    release = world.start(there)
    with pytest.raises(NothingToApprove):
        world.approve(there, release.id)
    world.gated(there, release.id)
    with pytest.raises(ApproverIsRequester):
        world.approve(there, release.id, by=world.ADA)
    with pytest.raises(NotAPerson):
        world.approve(there, release.id, by=replace(world.AGENT, name="token:ci"))
    with there.write(world.BOB) as tx:
        commands.review(tx, release.id, answer=Answer.REQUEST_CHANGES, reason="why now?")
    world.approve(there, release.id, by=world.RITA)
    assert world.advance(there, release.id) == "hold"


def test_the_author_of_the_version_approves_nobodys_release_of_it(here: Database) -> None:
    with here.write(replace(world.RITA, name="zoe")) as tx:
        release = commands.start(
            tx, Draft(version="agent/clerk@2", plan=world.SMALL), kinds=KINDS
        )
    world.gated(here, release.id)
    with pytest.raises(ApproverIsRequester):
        world.approve(here, release.id, by=world.ADA)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.FAILED, State.ABORTED),
        (Outcome.INCONCLUSIVE, State.PAUSED),
        (Outcome.ERROR, State.PAUSED),
    ],
)
def test_only_a_passed_gate_lets_through(
    here: Database, outcome: Outcome, state: State
) -> None:
    release = world.start(here)
    world.gated(here, release.id, replace(world.PASSED, outcome=outcome))
    assert world.state(here, release.id) is state


def test_resuming_asks_the_gate_again(here: Database) -> None:
    release = world.start(here)
    world.gated(here, release.id, replace(world.PASSED, outcome=Outcome.INCONCLUSIVE))
    with here.write(world.ADA) as tx:
        assert commands.resume(tx, release.id, reason="more cases").state is State.GATING
    with here.read(world.ADA) as tx:
        assert queries.standing(tx, release.id).next.code is Because.GATE
    world.gated(here, release.id)
    assert world.state(here, release.id) is State.GATING


def test_a_pause_takes_everybody_back_to_the_champion(
    here: Database, clock: ManualClock
) -> None:
    release = world.reach_canary(here, clock)
    with here.write(world.ADA) as tx:
        commands.pause(tx, release.id, reason="looks odd")
    with here.read(world.ADA) as tx:
        served = {
            queries.resolve(tx, world.KIND, world.NAME, f"s{n}").number for n in range(50)
        }
    assert served == {1}
    with here.write(world.ADA) as tx, pytest.raises(WrongState):
        commands.pause(tx, release.id, reason="again")
    with here.write(world.ADA) as tx:
        assert commands.resume(tx, release.id, reason="fine").state is State.CANARYING


def test_ending_by_hand(here: Database, clock: ManualClock) -> None:
    early = world.start(here)
    with here.write(world.ADA) as tx, pytest.raises(WrongState):
        commands.roll_back(tx, early.id, reason="nobody saw it")
    with here.write(world.ADA) as tx:
        assert commands.abort(tx, early.id, reason="typo").state is State.ABORTED
    late = world.reach_canary(here, clock)
    with here.write(world.ADA) as tx, pytest.raises(WrongState) as caught:
        commands.abort(tx, late.id, reason="too late")
    assert "so roll it back instead" in caught.value.as_dict()["hint"]
    with here.write(world.ADA) as tx:
        assert commands.roll_back(tx, late.id, reason="odd").state is State.ROLLED_BACK


def test_rolling_back_after_the_promotion_moves_the_label_back(
    there: Database, clock: ManualClock
) -> None:
    release = world.reach_canary(there, clock)
    world.through(there, clock, release)
    with there.write(world.ADA) as tx:
        commands.roll_back(tx, release.id, reason="customers call")
    assert world.state(there, release.id) is State.ROLLED_BACK
    assert world.label_moves(there)[-1] == (2, 1, "rollback")
    with there.write(world.ADA) as tx, pytest.raises(WrongState):
        commands.roll_back(tx, release.id, reason="once is enough")


def test_a_later_promotion_supersedes_the_earlier_one(
    here: Database, clock: ManualClock
) -> None:
    first = world.reach_canary(here, clock)
    world.through(here, clock, first)
    second = world.start(here, number=3)
    world.gated(here, second.id)
    world.approve(here, second.id)
    world.advance(here, second.id)
    clock.move(timedelta(days=2))
    world.shadow(here, second.id, [world.pair(f"p{n}") for n in range(40)])
    world.advance(here, second.id)
    world.judge_all(here, second.id)
    world.advance(here, second.id)
    world.through(here, clock, second)
    assert world.state(here, second.id) is State.PROMOTED
    assert world.state(here, first.id) is State.SUPERSEDED
    assert world.label(here) == 3


@pytest.mark.parametrize("in_canary", [False, True])
def test_a_security_event_ends_it_at_once(
    here: Database, clock: ManualClock, *, in_canary: bool
) -> None:
    release = world.reach_canary(here, clock) if in_canary else world.start(here)
    with here.write(world.AGENT) as tx:
        commands.report_security_event(tx, release.id, key="evt-1", what="secret in output")
    expected = State.ROLLED_BACK if in_canary else State.ABORTED
    assert world.state(here, release.id) is expected
    with here.write(world.AGENT) as tx, pytest.raises(WrongState):
        commands.report_security_event(tx, release.id, key="evt-2", what="another")


def test_a_security_event_after_the_promotion_moves_the_label_back(
    here: Database, clock: ManualClock
) -> None:
    release = world.reach_canary(here, clock)
    world.through(here, clock, release)
    with here.write(world.AGENT) as tx:
        commands.report_security_event(tx, release.id, key="evt-1", what="secret in output")
    assert (world.state(here, release.id), world.label(here)) == (State.ROLLED_BACK, 1)


def test_a_release_against_a_version_that_serves_no_more_ends(here: Database) -> None:
    release = world.start(here)
    with here.write(world.ADA) as tx:
        of = registry_queries.artifact(tx, world.KIND, world.NAME)
        registry.move_label(tx, of, "production", 3, how="merge", reason="in between")
        commands.label_moved(tx, world.KIND, world.NAME, "production")
    assert world.state(here, release.id) is State.ABORTED


def test_a_label_that_moves_away_supersedes_the_promotion(
    here: Database, clock: ManualClock
) -> None:
    release = world.reach_canary(here, clock)
    world.through(here, clock, release)
    with here.write(world.ADA) as tx:
        registry.roll_back(tx, world.KIND, world.NAME, "production", reason="by hand")
        commands.label_moved(tx, world.KIND, world.NAME, "production")
    assert world.state(here, release.id) is State.SUPERSEDED


def test_another_project_sees_nothing(there: Database) -> None:
    release = world.start(there)
    stranger = replace(world.ADA, project="elsewhere")
    with there.read(stranger) as tx:
        assert queries.releases(tx) == []
        with pytest.raises(ReleaseNotFound):
            queries.release(tx, release.id)
    for change in (commands.pause, commands.resume, commands.abort, commands.roll_back):
        with there.write(stranger) as tx, pytest.raises(ReleaseNotFound):
            change(tx, release.id, reason="not mine")
    with there.write(stranger) as tx, pytest.raises(ReleaseNotFound):
        commands.advance(tx, release.id)
