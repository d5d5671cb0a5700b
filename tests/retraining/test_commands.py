"""One entry per agent, from its first reason to its end, and how far that goes by itself."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from tests.corrections.world import accept, taught
from tests.retraining.world import (
    ADA,
    AGENT,
    BEN,
    CASES,
    ENOUGH,
    PLAN,
    RIA,
    SYSTEM,
    added,
    desk,
    events,
    found,
    gated,
    given,
    learn,
    look,
    merged,
    searched,
    was_released,
)

from opsroom.app.kinds import KINDS
from opsroom.approvals import Answer
from opsroom.improvement import commands as improvement
from opsroom.improvement.errors import SplitMissing
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, Raced
from opsroom.kit.errors import OpsroomError
from opsroom.registry import ArtifactNotFound, Criticality, Ref, proposals
from opsroom.registry import commands as registry
from opsroom.registry import queries as registry_queries
from opsroom.releases import commands as releases
from opsroom.releases import queries as release_queries
from opsroom.releases.model import State as ReleaseState
from opsroom.retraining import commands, queries, store
from opsroom.retraining.errors import EntryMoved, EntryNotFound, NotReleasable, WrongState
from opsroom.retraining.model import Entry, Mode, State, Trigger
from opsroom.simulator.apprentice import Apprentices

OPTIONAL = Criticality.ADVISORY


def drifted(db: Database, agent: str = AGENT) -> None:
    with db.write(SYSTEM) as tx:
        tx.record("drift.found", "drift/dft_1", agent=agent, because="answers changed")
    learn(db)


def open_entries(db: Database) -> list[Entry]:
    with db.read(ADA) as tx:
        return queries.entries(tx)


def test_a_second_reason_strengthens_the_first_entry(db: Database) -> None:
    desk(db)
    drifted(db)
    drifted(db, agent="nobody-here")
    again = added(db, "suppliers complain")
    (one,) = open_entries(db)
    assert one.id == again.id
    assert [reason.trigger for reason in one.reasons] == [Trigger.DRIFT, Trigger.MANUAL]
    assert one.reasons[0].evidence == ("drift/dft_1",)
    assert (one.state, one.prompt, one.times) == (State.QUEUED, "prompt/customs@1", 2)
    assert one.waits == "somebody has to start it"
    assert one.cost.usd is None
    assert "no measurement" in one.cost.because


def test_the_clock_and_the_journal_may_say_it_twice(db: Database) -> None:
    desk(db)
    drifted(db)
    learn(db)
    with db.write(SYSTEM) as tx:
        commands.tick(tx)
    with db.write(SYSTEM) as tx:
        assert commands.tick(tx) == 0
    (one,) = open_entries(db)
    assert one.times == 1


def test_two_entries_of_one_agent_cannot_be_open(db: Database) -> None:
    desk(db, cases=0)
    one = added(db)
    with pytest.raises((IntegrityError, Raced)), db.write(SYSTEM) as tx:
        store.add(tx, replace(one, id="rtr_x"))
    with db.write(SYSTEM) as tx:
        store.save(tx, one)
        with pytest.raises(EntryMoved):
            store.save(tx, one)


def test_entries_are_of_one_project(db: Database) -> None:
    desk(db, cases=0)
    one = added(db)
    with db.read(Actor("olga", "elsewhere")) as tx:
        assert queries.entries(tx, everything=True) == []
        assert queries.count_open(tx) == 0
        with pytest.raises(EntryNotFound):
            queries.entry(tx, one.id)


def test_a_person_starts_and_dismisses(sqlite_db: Database) -> None:
    db = sqlite_db
    desk(db, cases=0)
    one = added(db)
    with db.write(ADA) as tx, pytest.raises(ArtifactNotFound):
        commands.start(tx, one.id)
    assert look(db, one.id).state is State.QUEUED
    with db.write(ADA) as tx:
        done = commands.dismiss(tx, one.id, reason="the tariff changed, not the agent")
    assert (done.state, done.closed_by) == (State.DISMISSED, "ada")
    with db.write(ADA) as tx, pytest.raises(WrongState):
        commands.dismiss(tx, one.id, reason="again")
    with db.write(ADA) as tx, pytest.raises(WrongState):
        commands.start(tx, one.id)
    assert added(db).id != one.id


def test_what_a_step_is_refused_for_is_said_and_tried_again(sqlite_db: Database) -> None:
    db = sqlite_db
    desk(db, cases=0)
    given(db, Mode.CANDIDATE)
    one = added(db)
    assert one.state is State.QUEUED
    assert "could not be started" in one.waits
    assert f"corrections-{AGENT}" in one.waits
    added(db, "still")
    assert len(events(db, "retraining.held")) == 1


def test_corrections_that_were_dismissed_do_not_silence_later_ones(db: Database) -> None:
    desk(db, cases=0)
    given(db, accepted=2)

    def corrected(number: int) -> None:
        accept(db, taught(db, agent=AGENT, asked=f"goods {number}"))
        learn(db)

    for number in range(3):
        corrected(number)
    (one,) = open_entries(db)
    with db.write(ADA) as tx:
        commands.dismiss(tx, one.id, reason="the tariff changed, not the agent")
    corrected(3)
    with db.write(SYSTEM) as tx:
        commands.tick(tx)
    assert open_entries(db) == []
    corrected(4)
    (again,) = open_entries(db)
    assert again.reasons[0].accepted == 2


def test_what_was_corrected_during_a_search_speaks_again_when_that_found_nothing(
    db: Database, clock: ManualClock
) -> None:
    desk(db)
    given(db, Mode.CANDIDATE, accepted=2)
    one = added(db)
    assert one.state is State.RUNNING
    for number in range(2):
        accept(db, taught(db, agent=AGENT, asked=f"goods {number}"))
        learn(db)
    assert look(db, one.id).times == 2
    with db.write(SYSTEM) as tx:
        commands.search_ended(
            tx, one.improvement, proposal="", version="", because="no", failed=False
        )
    clock.move(timedelta(days=2))
    with db.write(SYSTEM) as tx:
        commands.tick(tx)
    (again,) = open_entries(db)
    assert again.id != one.id
    assert again.reasons[0].accepted == 2


def test_accepted_corrections_speak_once_between_two_searches(db: Database) -> None:
    desk(db, cases=0)
    given(db, accepted=2)
    for number in range(5):
        one = taught(db, agent=AGENT, asked=f"goods {number}")
        accept(db, one)
        learn(db)
    (found,) = open_entries(db)
    assert [reason.trigger for reason in found.reasons] == [Trigger.OVERRIDES]
    reason = found.reasons[0]
    assert (reason.accepted, reason.rate) == (2, None)
    assert reason.evidence == ("dataset/corrections-customs",)
    with db.read(ADA) as tx:
        (watch,) = queries.watches(tx)
    assert (watch.accepted, watch.noted) == (5, True)


def test_a_schedule_asks_every_so_many_days(db: Database, clock: ManualClock) -> None:
    desk(db, cases=0)
    given(db, every_days=30)

    def ticked() -> int:
        with db.read(SYSTEM) as tx:
            anything = queries.overdue(tx)
        if anything:
            with db.write(SYSTEM) as tx:
                commands.tick(tx)
        return sum(one.times for one in open_entries(db))

    assert ticked() == 0
    clock.move(timedelta(days=29))
    assert ticked() == 0
    clock.move(timedelta(days=1))
    assert ticked() == 1
    assert ticked() == 1
    clock.move(timedelta(days=30))
    assert ticked() == 2


def test_a_search_that_fails_waits_for_people(sqlite_db: Database) -> None:
    db = sqlite_db
    desk(db, cases=40)
    given(db, Mode.CANDIDATE)
    one = added(db)
    assert one.state is State.RUNNING
    with db.write(ADA) as tx:
        improvement.stop(tx, one.improvement)
    learn(db)
    stopped = look(db, one.id)
    assert stopped.state is State.QUEUED
    assert stopped.waits == "the search ended without a result: ada stopped it"
    again = added(db, "still slow")
    assert again.state is State.QUEUED
    with db.write(ADA) as tx:
        assert commands.start(tx, one.id).state is State.RUNNING


def test_what_a_search_costs_is_known_from_the_last_measurement(sqlite_db: Database) -> None:
    db = sqlite_db
    desk(db, cases=120)
    given(db, Mode.CANDIDATE)
    models = Apprentices(price=Decimal("0.00001"))
    one = searched(db, models, added(db))
    assert one.state in {State.CANDIDATE, State.DISMISSED}
    with db.write(ADA) as tx:
        if not one.over:
            commands.dismiss(tx, one.id, reason="once more")
    cost = added(db).cost
    assert cost.usd is not None
    assert cost.usd > 0
    assert "run_" in cost.because


def test_without_a_hand_an_advisory_agent_goes_as_far_as_its_release(
    sqlite_db: Database,
) -> None:
    """Drift → search → gate → merge → a version that differs in its prompt → a release."""
    db = sqlite_db
    desk(db)
    was_released(db)
    # What was tried elsewhere is not what production asks for.
    was_released(db, replace(PLAN, gate=None, steps=PLAN.steps[:1]), environment="staging")
    given(db, Mode.RELEASE)
    models = Apprentices()
    drifted(db)
    one = look(db)
    assert one.state is State.RUNNING
    one = searched(db, models, one)
    assert one.state is State.CANDIDATE
    assert one.waits == "the gate measures it"
    one = gated(db, models, one)
    assert one.release, one.waits
    assert one.waits == "its release is under way"
    with db.read(ADA) as tx:
        release = release_queries.release(tx, one.release)
        before = registry_queries.version(tx, Ref("agent", AGENT, "1"))
        after = registry_queries.version(tx, Ref("agent", AGENT, str(release.number)))
    assert {k for k in before.spec if before.spec[k] != after.spec[k]} == {"prompts", "cites"}
    assert after.spec["prompts"] == {"system": one.version.removeprefix("prompt/")}
    assert release.plan.steps == PLAN.steps
    assert release.plan.gate is not None
    assert release.plan.gate.source == "apprentice"  # nobody has recorded what it answers
    assert release.author == "ada"
    assert events(db, "approval.given") == []
    gated(db, models, one)
    assert len(events(db, "release.started")) == 3
    _promoted(db, release.number)
    assert look(db, one.id).state is State.RELEASED


def test_an_assistive_agent_waits_for_a_person_and_then_goes_on(sqlite_db: Database) -> None:
    db = sqlite_db
    one, models = _candidate(db, prompt=Criticality.ASSISTIVE, agent=OPTIONAL)
    one = gated(db, models, one)
    assert one.release == ""
    assert one.waits == "its proposal waits for people: 0 of 1 approvals"
    with db.write(ADA) as tx, pytest.raises(OpsroomError):
        proposals.review(tx, one.proposal, answer=Answer.APPROVE, reason="mine")
    _approve(db, one, BEN)
    one = look(db, one.id)
    assert one.release
    assert [event["answer"] for event in events(db, "approval.given")] == ["approve"]


@pytest.mark.parametrize("autonomous", ["prompt", "agent"])
def test_an_autonomous_agent_waits_for_everybody_the_rules_ask_for(
    sqlite_db: Database, autonomous: str
) -> None:
    db = sqlite_db
    grade = Criticality.AUTONOMOUS
    one, models = _candidate(
        db,
        prompt=grade if autonomous == "prompt" else OPTIONAL,
        agent=grade if autonomous == "agent" else OPTIONAL,
    )
    one = gated(db, models, one)
    assert "0 of 2 approvals" in one.waits
    assert "0 of 1 approvals by the risk role" in one.waits
    _approve(db, one, BEN)
    assert look(db, one.id).release == ""
    _approve(db, one, RIA)
    after = look(db, one.id)
    if autonomous == "prompt":  # its own label stays: only a release moves it
        with db.read(ADA) as tx:
            label = registry_queries.label(tx, "prompt", AGENT, "production")
        assert label is not None
        assert label.number == 1
        assert after.release
    else:  # the release asks its own people again
        with db.read(ADA) as tx:
            release = release_queries.release(tx, after.release)
        assert release.state is ReleaseState.GATING


def test_a_release_that_is_stopped_ends_the_entry(sqlite_db: Database) -> None:
    db = sqlite_db
    one, models = _candidate(db, prompt=OPTIONAL, agent=OPTIONAL)
    one = gated(db, models, one)
    with db.write(ADA) as tx:
        stopped = releases.get(tx, one.release)
        assert stopped.state is not ReleaseState.PROMOTED
        releases.abort(tx, one.release, reason="the customer asked for it")
    learn(db)
    over = look(db, one.id)
    assert over.state is State.DISMISSED
    assert "the customer asked for it" in over.note


def test_a_proposal_that_is_withdrawn_ends_the_entry(sqlite_db: Database) -> None:
    db = sqlite_db
    one, _ = _candidate(db, mode=Mode.CANDIDATE)
    assert one.waits == "its proposal waits for people"
    with db.write(ADA) as tx:
        proposals.withdraw(tx, one.proposal, reason="we write it by hand")
    learn(db)
    assert look(db, one.id).note == "its proposal was withdrawn: we write it by hand"


def test_people_start_the_release_of_what_was_merged(sqlite_db: Database) -> None:
    db = sqlite_db
    desk(db)
    was_released(db)
    given(db)
    one = found(db, added(db))
    with db.write(ADA) as tx, pytest.raises(NotReleasable, match="is not merged"):
        commands.release(tx, one.id, kinds=KINDS)
    merged(db, one)
    assert look(db, one.id).waits == "it was merged: start the release of the agent"
    with db.read(ADA) as tx:
        assert queries.why_not_released(tx, look(db, one.id)) == ""
    with db.write(ADA) as tx:
        begun = commands.release(tx, one.id, kinds=KINDS)
    learn(db)
    begun = look(db, one.id)
    assert begun.waits == "its release is under way"
    with db.read(ADA) as tx:
        release = release_queries.release(tx, begun.release)
        made = registry_queries.version(tx, Ref("agent", AGENT, str(release.number)))
    assert made.author == "ada"
    assert made.spec["prompts"] == {"system": one.version.removeprefix("prompt/")}
    with db.write(ADA) as tx, pytest.raises(NotReleasable, match="under way"):
        commands.release(tx, one.id, kinds=KINDS)
    _promoted(db, release.number)
    assert look(db, one.id).state is State.RELEASED


@pytest.mark.slow
def test_an_agent_that_was_never_released_waits_for_its_first_release(
    sqlite_db: Database,
) -> None:
    db = sqlite_db
    one, models = _candidate(db, released=False)
    one = gated(db, models, one)
    assert "nobody has released 'customs' yet" in one.waits
    assert one.state is State.CANDIDATE


def test_what_the_gate_cannot_measure_waits_for_people(sqlite_db: Database) -> None:
    class Away(Apprentices):
        def opened(self) -> Any:
            raise SplitMissing("corrections-customs", "test")

    db = sqlite_db
    one, models = _candidate(db)
    one = gated(db, Away(), one)
    assert one.waits.startswith("the gate could not measure it")
    one = gated(db, models, one)
    assert one.release == ""


def _candidate(
    db: Database,
    *,
    prompt: Criticality = OPTIONAL,
    agent: Criticality = OPTIONAL,
    mode: Mode = Mode.RELEASE,
    released: bool = True,
) -> tuple[Entry, Apprentices]:
    """An entry whose search has found something."""
    desk(db, prompt=prompt, agent=agent, cases=CASES if released else ENOUGH)
    if released:
        was_released(db)
    given(db, mode)
    models = Apprentices()
    one = searched(db, models, added(db))
    assert one.state is State.CANDIDATE, one
    return one, models


def _approve(db: Database, one: Entry, by: Any) -> None:
    with db.write(by) as tx:
        proposals.review(tx, one.proposal, answer=Answer.APPROVE, reason="it is better")
    learn(db)


def _promoted(db: Database, number: int) -> None:
    with db.write(SYSTEM) as tx:
        of = registry_queries.artifact(tx, "agent", AGENT)
        registry.move_label(tx, of, "production", number, how="release", reason="it holds")
    learn(db)
