"""Moving a label the reviewed way: what counts, and what voids it."""

import pytest
from sqlalchemy import insert
from tests.registry.world import KINDS, person, program

from opsroom.access import commands as access
from opsroom.access.store import members
from opsroom.approvals import Answer, ApproverIsRequester, NotAPerson
from opsroom.approvals.errors import AlreadyAnswered
from opsroom.kit.db import Actor, Database
from opsroom.registry import (
    ArtifactDraft,
    BadName,
    Check,
    Criticality,
    NotReady,
    Proposal,
    ProposalClosed,
    ProposalNotFound,
    ProposalState,
    Ref,
    VersionDraft,
    VersionNotFound,
    commands,
    proposals,
    queries,
)

ADA = person("ada", "author", "reviewer")
BOB = person("bob", "reviewer")
CARL = person("carl", "reviewer")
RITA = person("rita", "risk")
PASSED = Check(name="gate", state="passed", summary="not worse", evidence="e1")
APPROVE, CHANGE = Answer.APPROVE, Answer.REQUEST_CHANGES


class Desk:
    """One artifact with three versions, the first in production."""

    def __init__(self, db: Database, criticality: Criticality) -> None:
        self.db = db
        with db.write(ADA) as tx:
            draft = ArtifactDraft(kind="note", name="a", criticality=criticality)
            of = commands.create_artifact(tx, draft, kinds=KINDS)
            for text in ("one", "two", "three"):
                commands.create_version(
                    tx, "note", "a", VersionDraft(spec={"text": text}), kinds=KINDS
                )
            commands.move_label(tx, of, "production", 1, how="merge", reason="")

    def propose(
        self, number: int = 2, label: str = "production", actor: Actor = ADA
    ) -> Proposal:
        with self.db.write(actor) as tx:
            return proposals.propose(
                tx, Ref("note", "a", str(number)), label=label, kinds=KINDS
            )

    def check(self, proposal: Proposal, check: Check = PASSED) -> Proposal:
        with self.db.write(ADA) as tx:
            return proposals.report_check(tx, proposal.id, check)

    def answer(self, proposal: Proposal, *people: Actor, answer: Answer = APPROVE) -> None:
        for one in people:
            with self.db.write(one) as tx:
                proposals.review(tx, proposal.id, answer=answer, reason="looked")

    def merge(self, proposal: Proposal) -> int:
        with self.db.write(ADA) as tx:
            return proposals.merge(tx, proposal.id).number

    def missing(self, proposal: Proposal) -> str:
        with self.db.read(ADA) as tx:
            return "; ".join(proposals.missing(tx, queries.proposal(tx, proposal.id)))


@pytest.fixture
def desk(db: Database) -> Desk:
    return Desk(db, Criticality.ASSISTIVE)


def test_an_assistive_artifact_needs_lint_gate_and_somebody_else(desk: Desk) -> None:
    one = desk.propose()
    assert desk.missing(one) == "check 'gate' is missing; 0 of 1 approvals"
    with pytest.raises(NotReady):
        desk.merge(one)
    one = desk.check(one)
    desk.answer(one, BOB)
    assert desk.missing(one) == ""
    assert desk.merge(one) == 2
    with pytest.raises(ProposalClosed):
        desk.merge(one)


def test_an_advisory_artifact_is_its_authors_business(db: Database) -> None:
    desk = Desk(db, Criticality.ADVISORY)
    assert desk.merge(desk.propose()) == 2


def test_an_autonomous_artifact_moves_by_a_release_only(db: Database) -> None:
    desk = Desk(db, Criticality.AUTONOMOUS)
    one = desk.check(desk.propose())
    desk.answer(one, BOB, CARL)
    assert "1 approvals by the risk role" in desk.missing(one)
    desk.answer(one, RITA)
    assert desk.missing(one) == "an autonomous artifact is promoted by a release"
    with pytest.raises(NotReady):
        desk.merge(one)


def test_the_very_first_version_is_answered_for_by_people(db: Database) -> None:
    with db.write(ADA) as tx:
        draft = ArtifactDraft(kind="note", name="b", criticality=Criticality.AUTONOMOUS)
        commands.create_artifact(tx, draft, kinds=KINDS)
        commands.create_version(tx, "note", "b", VersionDraft(spec={"text": "x"}), kinds=KINDS)
        one = proposals.propose(tx, Ref("note", "b", "1"), label="production", kinds=KINDS)
    for who, wanted in (
        (BOB, "1 of 2 approvals; 0 of 1 approvals by the risk role"),
        (CARL, "0 of 1 approvals by the risk role"),
        (RITA, ""),
    ):
        with db.write(who) as tx:
            proposals.review(tx, one.id, answer=APPROVE, reason="")
            assert "; ".join(proposals.missing(tx, one)) == wanted
    with db.write(ADA) as tx:
        assert proposals.merge(tx, one.id).number == 1


def test_nobody_approves_what_they_proposed_or_wrote(desk: Desk) -> None:
    mine = desk.check(desk.propose())
    with pytest.raises(ApproverIsRequester):
        desk.answer(mine, ADA)
    theirs = desk.check(desk.propose(actor=BOB))
    with pytest.raises(ApproverIsRequester):
        desk.answer(theirs, BOB)
    with pytest.raises(ApproverIsRequester):
        desk.answer(theirs, ADA)  # she wrote the version that bob proposes
    desk.answer(theirs, ADA, answer=CHANGE)
    desk.answer(mine, CARL)
    assert desk.merge(mine) == 2


def test_programs_approve_nothing(desk: Desk) -> None:
    one = desk.check(desk.propose())
    for bot in (program("ci", "reviewer"), program("root", "admin")):
        with pytest.raises(NotAPerson):
            desk.answer(one, bot)
    assert "0 of 1" in desk.missing(one)


@pytest.mark.parametrize(
    "change",
    [
        Check(name="gate", state="passed", summary="again", evidence="e2"),
        Check(name="gate", state="failed", summary="", evidence="e1"),
        Check(name="pii", state="passed", summary=""),
        Check(name="lint", state="failed", summary=""),
    ],
)
def test_new_evidence_voids_what_was_said_before(desk: Desk, change: Check) -> None:
    one = desk.check(desk.propose())
    desk.answer(one, BOB)
    assert desk.missing(one) == ""
    changed = desk.check(one, change)
    assert changed.binding != one.binding
    assert "0 of 1 approvals" in desk.missing(one)
    with pytest.raises(NotReady):
        desk.merge(one)


def test_the_same_evidence_again_voids_nothing(desk: Desk) -> None:
    one = desk.check(desk.propose())
    desk.answer(one, BOB)
    lint = next(check for check in one.checks if check.name == "lint")
    assert desk.check(one, lint).binding == desk.check(one).binding == one.binding
    assert desk.merge(one) == 2


def test_each_person_counts_once_and_somebody_who_objects_stops_it(desk: Desk) -> None:
    one = desk.check(desk.propose())
    desk.answer(one, BOB)
    with pytest.raises(AlreadyAnswered):
        desk.answer(one, BOB)
    desk.answer(one, CARL, answer=CHANGE)
    assert "0 of 1 approvals" in desk.missing(one)
    one = desk.check(one, Check(name="gate", state="passed", summary="", evidence="e2"))
    desk.answer(one, BOB, CARL)
    assert desk.merge(one) == 2


def test_an_approval_speaks_once_and_for_one_proposal(desk: Desk) -> None:
    first = desk.check(desk.propose())
    desk.answer(first, BOB)
    other = desk.check(desk.propose())
    assert "0 of 1 approvals" in desk.missing(other)
    assert desk.merge(first) == 2
    assert "production has moved since" in desk.missing(other)
    with desk.db.write(ADA) as tx:
        commands.roll_back(tx, "note", "a", "production", reason="bad")
    again = desk.check(desk.propose())
    assert "0 of 1 approvals" in desk.missing(again)


def test_a_proposal_is_void_once_its_label_has_moved(desk: Desk) -> None:
    two, three = (desk.check(desk.propose(number)) for number in (2, 3))
    for one in (two, three):
        desk.answer(one, BOB)
    assert desk.merge(three) == 3
    with pytest.raises(NotReady, match="has moved since"):
        desk.merge(two)


def test_who_may_no_longer_review_does_not_speak_any_more(desk: Desk) -> None:
    with desk.db.write(RITA) as tx:
        for who in (BOB, CARL):
            tx.conn.execute(
                insert(members).values(
                    project="default", user=who.name, roles=list(who.roles), since=tx.now
                )
            )
    one = desk.check(desk.propose())
    desk.answer(one, BOB)
    with desk.db.write(RITA) as tx:
        access.set_roles(tx, "bob", ("viewer",))
    assert "0 of 1 approvals" in desk.missing(one)
    with desk.db.write(RITA) as tx:
        access.set_roles(tx, "bob", ("reviewer",))
    assert desk.merge(one) == 2


def test_a_failed_check_stops_any_label(desk: Desk) -> None:
    with desk.db.write(ADA) as tx:
        draft = VersionDraft(spec={"text": "forbidden"})
        commands.create_version(tx, "note", "a", draft, kinds=KINDS)
    one = desk.propose(4, "staging")
    assert desk.missing(one) == "check 'lint' failed"
    assert desk.merge(desk.propose(3, "staging")) == 3


def test_withdrawn_and_unknown_proposals_stay_shut(desk: Desk) -> None:
    one = desk.propose()
    with desk.db.write(ADA) as tx:
        assert proposals.withdraw(tx, one.id, reason="").state is ProposalState.WITHDRAWN
    for run in (desk.merge, desk.check, lambda it: desk.answer(it, BOB)):
        with pytest.raises(ProposalClosed):
            run(one)
    eve = person("eve", "admin", project="elsewhere")
    with pytest.raises(ProposalNotFound), desk.db.write(eve) as tx:
        proposals.merge(tx, one.id)


def test_nonsense_is_refused_when_it_is_proposed(desk: Desk) -> None:
    for label in ("latest", "Prod", ""):
        with pytest.raises(BadName):
            desk.propose(2, label)
    with pytest.raises(VersionNotFound):
        desk.propose(9)


def test_proposals_are_listed_newest_first_page_by_page(desk: Desk) -> None:
    made = [desk.propose(2 + number % 2).id for number in range(7)]
    seen: list[str] = []
    with desk.db.read(ADA) as tx:
        while page := queries.proposals(tx, before=seen[-1] if seen else None, limit=3):
            seen += [one.id for one in page]
        assert seen == made[::-1]
        assert queries.proposals(tx, state=ProposalState.MERGED) == []
        assert len(queries.proposals(tx, kind="note", name="a")) == 7
