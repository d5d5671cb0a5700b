"""From what an agent says to what it may do: labels, cut-offs, proposals, and losing it again."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.actions.world import Office, grant, put
from tests.thresholds.world import (
    ADA,
    BEN,
    BOOK,
    CLERK,
    SYSTEM,
    book,
    earned,
    examine,
    known,
    override,
    rated,
    react,
    reject,
    serving,
    sure_when_right,
)

from opsroom.autonomy import commands as autonomy
from opsroom.autonomy import queries as grants
from opsroom.autonomy.errors import NotEarned, NotNarrower, NotWider
from opsroom.autonomy.model import Envelope, Grant, Level
from opsroom.contracts.model import Tier
from opsroom.inbox import commands as inbox
from opsroom.inbox.model import Say
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.thresholds import commands, queries
from opsroom.thresholds.errors import (
    CutoffNotFound,
    CutoffStale,
    NeverRated,
    NothingCertified,
    NothingNew,
)
from opsroom.thresholds.model import Decision, Holds, Lost, Settings, Source
from opsroom.thresholds.store import Of

SCOPE = f"contract/{BOOK}"
NOTHING = Envelope()


def in_force(db: Database) -> Grant:
    with db.read(SYSTEM) as tx:
        return grants.granted(tx, CLERK, SCOPE)


def told(db: Database, event: str) -> list[dict[str, Any]]:
    with db.read(SYSTEM) as tx:
        return [
            dict(one.facts) for one, _ in journal.entries(tx, limit=500) if one.event == event
        ]


def label(office: Office, action: str) -> tuple[Source, bool | None]:
    found = known(office, action)
    assert found is not None
    return found.source, found.wrong


def test_labels_follow_what_people_say(offices: Office) -> None:
    approved, refused, edited, waits = (book(offices, 0.9) for _ in range(4))
    offices.approve(approved["request"])
    reject(offices, refused["request"])
    changed = {**offices.action(edited["id"]).arguments, "order": "9"}
    offices.approve(edited["request"], Say.EDIT, arguments=changed)
    assert label(offices, approved["id"]) == (Source.ASKED, False)
    assert label(offices, refused["id"]) == (Source.ASKED, True)
    assert label(offices, edited["id"]) == (Source.ASKED, True)
    assert label(offices, waits["id"]) == (Source.ASKED, None)
    offices.grace()
    offices.report(offices.begin(approved["id"])["id"], result={"booking": "b"})
    assert label(offices, approved["id"]) == (Source.ASKED, False)
    override(offices.db, approved["id"])
    assert label(offices, approved["id"]) == (Source.ASKED, True)


def test_an_answer_taken_back_does_not_count(office: Office) -> None:
    asked = book(office, 0.9)
    office.approve(asked["request"])
    assert label(office, asked["id"]) == (Source.ASKED, False)
    with office.db.write(BEN) as tx:
        inbox.undo(tx, asked["request"])
    assert label(office, asked["id"]) == (Source.ASKED, None)
    reject(office, asked["request"])
    assert label(office, asked["id"]) == (Source.ASKED, True)


def test_what_ran_alone_is_not_right_because_nobody_complained(office: Office) -> None:
    grant(office.db, Level.EXPANDED)
    fine, failed, complained, lost = (book(office, 0.9) for _ in range(4))
    office.report(fine["id"], result={"booking": "b"})
    office.report(failed["id"], "failed", error="no")
    office.report(complained["id"], result={"booking": "b"})
    override(office.db, complained["id"])
    office.report(lost["id"], "unknown", error="timed out")
    seen = {one: known(office, made["id"]) for one, made in (
        ("fine", fine), ("failed", failed), ("complained", complained), ("lost", lost)
    )}  # fmt: skip
    wrong = frozenset(Settings().wrong_outcomes)
    assert all(
        one and one.source is Source.ALONE and one.wrong is None for one in seen.values()
    )
    assert {name for name, one in seen.items() if one and one.known_wrong(wrong)} == {
        "failed", "complained", "lost",
    }  # fmt: skip
    office.report(lost["id"], result={"booking": "b"})
    found = known(office, lost["id"])
    assert found
    assert not found.known_wrong(wrong), "a late report settles it"


def test_what_is_no_rated_decision(office: Office) -> None:
    silent = book(office, None)
    denied = book(office, 0.9, order="forbidden")
    assert known(office, silent["id"]) is None
    assert known(office, denied["id"]) is None
    grant(office.db, Level.SHADOW)
    assert known(office, book(office, 0.9)["id"]) is None
    override(office.db, "act_nobody")
    react(office.db)


def test_more_than_sure_is_sure(office: Office) -> None:
    found = known(office, book(office, 1e9)["id"])
    assert found
    assert found.confidence == 1.0


def test_spot_checks_are_told_apart(office: Office) -> None:
    grant(office.db, Level.BOUNDED, envelope=Envelope(min_confidence=0.8, spot_share=1.0))
    drawn, unsure = book(office, 0.9), book(office, 0.5)
    office.approve(drawn["request"])
    assert label(office, drawn["id"]) == (Source.SPOT, False)
    assert label(office, unsure["id"]) == (Source.ASKED, None)


def test_a_cut_off_is_certified_and_kept(offices: Office) -> None:
    db = offices.db
    rated(db, sure_when_right(1_500))
    rated(db, [(0.95, False)] * 100, source=Source.ALONE)
    made = examine(db)
    assert made.cutoff is not None
    assert made.cutoff.error_bound <= made.target == 0.05
    assert (made.calibration.n, made.alone.n) == (1_500, 1_600)
    assert made.alone.hits > 500
    assert made.manifest == serving(db)
    with db.read(SYSTEM) as tx:
        assert queries.examination(tx, made.id) == made
        assert queries.examinations(tx, agent=CLERK) == [made]
        rows = queries.confidence(tx, CLERK).contracts
    assert [(one.contract, one.decisions, one.labelled) for one in rows] == [
        (BOOK, 1_600, 1_500)
    ]
    assert rows[0].last == made
    assert told(db, "threshold.examined")[0]["value"] == made.cutoff.value


def test_a_look_needs_something_new_and_costs_confidence(office: Office) -> None:
    with pytest.raises(NeverRated):
        examine(office.db)
    rated(office.db, sure_when_right(400))
    first = examine(office.db)
    rated(office.db, [(0.9, False)], source=Source.ALONE)
    with pytest.raises(NothingNew):
        examine(office.db)
    rated(office.db, sure_when_right(100, seed=9))
    second = examine(office.db)
    assert (first.look, second.look) == (1, 2)
    assert second.needed > first.needed


def test_another_model_begins_anew(office: Office) -> None:
    rated(office.db, sure_when_right(1_500))
    made = examine(office.db)
    office.store_agent(description="says it better")
    rated(office.db, sure_when_right(10, seed=4))
    again = examine(office.db)
    assert (again.calibration.n, again.look) == (1_510, 2), "the same model goes on"
    office.store_agent(model={"model": "another"})
    with pytest.raises(NeverRated):
        examine(office.db)
    with office.db.read(SYSTEM) as tx:
        assert queries.confidence(tx, CLERK).contracts == ()
    with office.db.write(ADA) as tx, pytest.raises(CutoffStale):
        commands.propose(tx, made.id, reason="please", bounds=NOTHING)


def test_a_certificate_lowers_nothing_by_itself(office: Office, clock: ManualClock) -> None:
    """C11: it takes autonomy's own evidence, and another person."""
    rated(office.db, sure_when_right(1_500))
    made = examine(office.db)
    assert made.cutoff is not None
    assert book(office, 1.0)["kind"] == "pending"
    with office.db.write(ADA) as tx, pytest.raises(NotEarned):
        commands.propose(tx, made.id, reason="it does well", bounds=NOTHING)
    earned(office, clock)
    with office.db.write(ADA) as tx:
        bounds = Envelope(max_per_day=50)
        asked = commands.propose(tx, made.id, reason="it does well", bounds=bounds)
    assert book(office, 1.0)["kind"] == "pending", "asking for it changes nothing"
    assert asked.envelope == Envelope(
        max_per_day=50, min_confidence=made.cutoff.value, spot_share=0.1
    )
    assert made.id in asked.reason
    with office.db.write(BEN) as tx:
        autonomy.widen(tx, asked.id, binding=asked.binding, reason="seen")
    kinds = {book(office, 1.0)["kind"] for _ in range(12)}
    assert "execute" in kinds
    assert book(office, made.cutoff.value - 0.1)["kind"] == "pending"
    assert told(office.db, "threshold.proposed")[0]["widening"] == asked.id


def test_a_tier_bounds_what_is_proposed_for_its_contract(
    office: Office, clock: ManualClock
) -> None:
    grant(office.db, Level.BOUNDED, envelope=Envelope(max_amount=Decimal(20), max_per_day=9))
    rated(office.db, sure_when_right(1_500))
    made = examine(office.db)
    earned(office, clock)
    with office.db.write(ADA) as tx:
        asked = commands.propose(
            tx, made.id, reason="it does well", bounds=Envelope(max_per_day=50)
        )
    assert (asked.envelope.max_amount, asked.envelope.max_per_day) == (Decimal(20), 9)


def test_an_agent_that_is_always_sure_gets_nothing(office: Office) -> None:
    rated(office.db, [(1.0, number % 8 == 0) for number in range(600)])
    made = examine(office.db)
    assert made.cutoff is None
    with office.db.write(ADA) as tx, pytest.raises(NothingCertified):
        commands.propose(tx, made.id, reason="but it is sure", bounds=NOTHING)


def test_a_stricter_cut_off_narrows_at_once(office: Office) -> None:
    grant(office.db, Level.BOUNDED, scope=SCOPE, envelope=Envelope(min_confidence=0.2))
    rated(office.db, sure_when_right(1_500))
    made = examine(office.db)
    assert made.cutoff is not None
    with office.db.write(ADA) as tx, pytest.raises(NotWider):
        commands.propose(tx, made.id, reason="no", bounds=NOTHING)
    with office.db.write(ADA) as tx:
        commands.tighten(tx, made.id, reason="the new cut-off is higher")
    assert in_force(office.db).envelope.min_confidence == made.cutoff.value
    with office.db.write(ADA) as tx, pytest.raises(NotNarrower):
        commands.tighten(tx, made.id, reason="again")


def test_errors_that_come_to_light_take_it_away(offices: Office) -> None:
    db = offices.db
    grant(db, Level.BOUNDED, scope=SCOPE, envelope=Envelope(min_confidence=0.8))
    rated(db, [(0.9, number % 50 == 0) for number in range(300)], source=Source.ALONE)
    actions = [book(offices, 0.95)["id"] for _ in range(24)]
    complaints = 0
    for action in actions:
        complaints += 1
        offices.report(action, result={"booking": "b"})
        override(db, action)
        react(db)
        if in_force(db).level is Level.APPROVE_EACH:
            break
    assert 3 < complaints < 24, "neither at the first complaint nor too late"
    now = in_force(db)
    assert "above its cut-off were wrong" in now.reason
    assert now.changed_by == "system:thresholds-labels"
    assert len(told(db, "threshold.lost")) == 1
    assert book(offices, 1.0)["kind"] == "pending"


def test_below_the_cut_off_and_before_the_grant_nothing_counts(
    office: Office, clock: ManualClock
) -> None:
    rated(office.db, [(0.95, True)] * 60, source=Source.ALONE)
    clock.move(timedelta(hours=1))
    grant(office.db, Level.BOUNDED, scope=SCOPE, envelope=Envelope(min_confidence=0.8))
    rated(office.db, [(0.5, True)] * 60, source=Source.ALONE)
    rated(office.db, [(0.9, True)] * 60, source=Source.ASKED)
    assert isinstance(looked(office), Holds)
    rated(office.db, [(0.9, True)] * 10, source=Source.SPOT)
    assert isinstance(looked(office), Lost)
    assert in_force(office.db).level is Level.APPROVE_EACH
    assert looked(office) is None


def looked(office: Office) -> Holds | Lost | None:
    with office.db.write(SYSTEM) as tx:
        return commands.watch(tx, Of(CLERK, BOOK, "production"))


def test_targets_are_of_the_tier_and_the_project(office: Office) -> None:
    with office.db.write(SYSTEM) as tx:
        commands.set_settings(tx, Settings(targets={Tier.WRITE: 0.2}, spot_share=0.3))
    rated(office.db, sure_when_right(600))
    made = examine(office.db)
    assert (made.tier, made.target) == (Tier.WRITE, 0.2)
    put(office.db, "contract", "look", {"tool": "look", "input": {}, "risk": "read"})
    rated(office.db, sure_when_right(200), contract="look")
    assert examine(office.db, contract="look").target == 0.1


def test_another_project_knows_nothing_of_it(office: Office) -> None:
    rated(office.db, sure_when_right(200))
    made = examine(office.db)
    with office.db.read(Actor("system", "other", frozenset(), human=False)) as tx:
        assert queries.examinations(tx) == []
        with pytest.raises(CutoffNotFound):
            queries.examination(tx, made.id)


def test_taking_in_again_changes_nothing(office: Office) -> None:
    asked = book(office, 0.9)
    office.approve(asked["request"])
    was = known(office, asked["id"])
    with office.db.write(SYSTEM) as tx:
        assert commands.take_in(tx, asked["id"]) == was
    assert isinstance(was, Decision)
