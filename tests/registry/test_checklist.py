"""The bias checklist: answered by a person with reasons, kept, and void once a change comes."""

from typing import Any

import pytest
from tests.registry.world import person, program

from opsroom.app.kinds import KINDS
from opsroom.approvals import Answer, ApproverIsRequester, NotAPerson
from opsroom.evals.weighing import weigh
from opsroom.journal import queries as journal
from opsroom.kit.db import Actor, Database
from opsroom.registry import (
    ArtifactDraft,
    Criticality,
    Proposal,
    ProposalMoved,
    Ref,
    VersionDraft,
    commands,
    proposals,
    queries,
)
from opsroom.registry.checklist import ITEMS, Answered, ReviewSettings, complete
from opsroom.registry.checklists import answer, answered, set_settings
from opsroom.registry.errors import ChecklistWrong, NotReady

SYSTEM = Actor("system", "default", human=False)
ADA, BEN = person("ada", "author"), person("ben", "reviewer", "author")
REASON = "tried it with ten names of both sexes"


def said(**no: str) -> list[Answered]:
    return [
        Answered(item=item, holds=item not in no, because=no.get(item, REASON))
        for item in ITEMS
    ]


@pytest.fixture
def opened(sqlite_db: Database) -> Proposal:
    """A first version of a prompt, in a project that asks for the checklist."""
    with sqlite_db.write(SYSTEM) as tx:
        set_settings(tx, ReviewSettings(checklist=(Criticality.ASSISTIVE,)))
    with sqlite_db.write(ADA) as tx:
        commands.create_artifact(tx, ArtifactDraft(kind="prompt", name="hiring"), kinds=KINDS)
        for text in ("Sort these letters.", "Sort these letters by what they say, please."):
            spec: dict[str, Any] = {"format": "text", "text": text}
            spec["model"] = {"name": "gpt-4o"}
            commands.create_version(
                tx, "prompt", "hiring", VersionDraft(spec=spec), kinds=KINDS
            )
        return proposals.propose(
            tx, Ref("prompt", "hiring", "1"), label="production", kinds=KINDS
        )


def test_nothing_merges_before_somebody_answered_it(
    sqlite_db: Database, opened: Proposal
) -> None:
    with sqlite_db.write(BEN) as tx:
        proposals.review(tx, opened.id, answer=Answer.APPROVE, reason="fine")
        with pytest.raises(NotReady, match="'bias' is missing"):
            proposals.merge(tx, opened.id)
        now = answer(tx, opened.id, said(), binding=opened.binding)
        # What was approved without it has to be approved again.
        assert proposals.missing(tx, now) == ["0 of 1 approvals"]
        proposals.review(tx, opened.id, answer=Answer.APPROVE, reason="fine")
        assert proposals.merge(tx, opened.id).number == 1
    with sqlite_db.read(BEN) as tx:
        ((entry, _),) = journal.entries(tx, event="proposal.checklist_answered")
    assert [one["because"] for one in entry.facts["answers"]] == [REASON] * len(ITEMS)


def test_a_no_fails_and_a_change_voids(sqlite_db: Database, opened: Proposal) -> None:
    with sqlite_db.write(BEN) as tx:
        no = said(words="it calls them girls of the office")
        now = answer(tx, opened.id, no, binding=opened.binding)
        assert "check 'bias' is failed" in proposals.missing(tx, now)
        found = answered(tx, now)
        assert found is not None
        assert [one.item for one in found.answers if not one.holds] == ["words"]
        with pytest.raises(ProposalMoved):  # that was answered of what stood there before
            answer(tx, opened.id, said(), binding=opened.binding)
        now = answer(tx, opened.id, said(), binding=now.binding)
        moved = proposals.revise(tx, opened.id, 2, kinds=KINDS)
        assert answered(tx, moved) is None
        assert "check 'bias' is missing" in proposals.missing(tx, moved)


def test_whose_change_it_is_answers_nothing(sqlite_db: Database, opened: Proposal) -> None:
    for who, error in (
        (person("ada", "author", "reviewer"), ApproverIsRequester),
        (program("ci", "reviewer"), NotAPerson),
    ):
        with sqlite_db.write(who) as tx, pytest.raises(error):
            answer(tx, opened.id, said(), binding=opened.binding)


@pytest.mark.parametrize(
    "wrong",
    [
        said()[1:],
        [*said(), said()[0]],
        [*said()[1:], Answered(item="alike", holds=True, because="ok")],
        [*said(), Answered(item="other", holds=True, because=REASON)],
        [],
    ],
    ids=("left out", "twice", "no sentence", "unknown", "nothing"),
)
def test_nothing_is_ticked(wrong: list[Answered]) -> None:
    with pytest.raises(ChecklistWrong):
        complete("prp_1", wrong)


def test_it_is_asked_where_a_project_asks_for_it(sqlite_db: Database, opened: Proposal) -> None:
    with sqlite_db.write(SYSTEM) as tx:
        of = queries.artifact(tx, "prompt", "hiring")
        asked = [
            queries.needs(tx, of, label, first=first, criticality=level).checks
            for label, first, level in (
                ("production", True, None),
                ("production", False, None),
                ("staging", True, None),
                ("production", True, Criticality.ADVISORY),
            )
        ]
        assert asked == [("lint", "bias"), ("lint", "gate", "bias"), (), ("lint",)]
        set_settings(tx, ReviewSettings())
        assert queries.needs(tx, of, "production", first=True).checks == ("lint",)
        assert opened.base is None


def test_what_a_change_weighs(sqlite_db: Database, opened: Proposal) -> None:
    with sqlite_db.write(ADA) as tx:
        first = weigh(tx, opened)
        assert first is not None
        assert (first.before, first.after.model) == (None, "gpt-4o")
        commands.set_label(tx, "prompt", "hiring", "beta", 1)
        beta = proposals.propose(tx, Ref("prompt", "hiring", "2"), label="beta", kinds=KINDS)
        found = weigh(tx, beta)
    assert found is not None
    assert found.more > 0
    assert found.dearer is not None
    assert found.dearer > 0
    assert found.share is not None
