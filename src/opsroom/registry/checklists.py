"""Answering the bias checklist of a proposal, and saying which proposals need one."""

from collections.abc import Sequence

from opsroom.access import ruling
from opsroom.access.rules import Action
from opsroom.approvals import ApproverIsRequester, NotAPerson
from opsroom.kit import choices
from opsroom.kit.db import Tx
from opsroom.kit.wire import plain

from . import checklist_store, proposals, queries, store
from .checklist import Answered, Checklist, ReviewSettings, check_of, complete
from .commands import check_may
from .model import Artifact, Proposal
from .rules import CHECKLIST

MOST_LOOKED_AT = 100  # proposals of one version


def set_settings(tx: Tx, new: ReviewSettings) -> ReviewSettings:
    """Ask this of every proposal that is merged from now on. Raises `OnlyPeople` for a program
    while labels are protected.
    """
    before = queries.review_settings(tx)
    if new != before:
        ruling.check_lifts(tx)
        choices.save(tx, checklist_store.review_settings, new)
        tx.record(
            "review.settings_set", "review/settings", before=plain(before), after=plain(new)
        )
    return new


def answer(tx: Tx, proposal_id: str, answers: Sequence[Answered], *, binding: str) -> Proposal:
    """Answer the checklist of a proposal as it was shown; `bias` passes or fails by it.

    It is evidence, so that what was approved before has to be approved again; and it is gone once
    the proposal moves to another version. Nobody answers for what they proposed or wrote. Raises
    `ProposalMoved`, `NotAPerson`, `ApproverIsRequester` and `ChecklistWrong`.
    """
    proposals.as_shown(tx, proposal_id, binding)
    proposal = proposals.open_one(tx, proposal_id)
    of = queries.artifact(tx, proposal.kind, proposal.name)
    check_may(tx, Action.REVIEW, of, proposal.label)
    me = tx.actor.name
    if not tx.actor.human:
        raise NotAPerson(proposal.subject, me)
    if me == proposal.author or me in proposals.writers(tx, proposal):
        raise ApproverIsRequester(proposal.subject, me)
    made = Checklist(
        proposal=proposal_id,
        number=proposal.number,
        digest=proposal.digest,
        by=me,
        at=tx.now,
        answers=complete(proposal_id, answers),
    )
    checklist_store.keep(tx, made)
    tx.record(
        "proposal.checklist_answered",
        proposal.subject,
        number=made.number,
        evidence=made.evidence,
        answers=[plain(one) for one in made.answers],
    )
    return proposals.report_check(tx, proposal_id, check_of(made))


def answered(tx: Tx, proposal: Proposal) -> Checklist | None:
    """The checklist that the proposal's check rests on; None while nobody has answered it."""
    check = next((one for one in proposal.checks if one.name == CHECKLIST), None)
    if check is None:
        return None
    return checklist_store.kept(tx, proposal.id, check.evidence or "")


def lacking(tx: Tx, of: Artifact, number: int) -> str:
    """What a version that moves without a proposal lacks of its checklist, in words; empty where
    the newest proposal of it that has answers, be it open or over, passed.
    """
    for proposal in store.proposals_page(tx, of=of, number=number, limit=MOST_LOOKED_AT):
        for check in proposal.checks:
            if check.name == CHECKLIST:
                return (
                    "" if check.state == "passed" else f"check {CHECKLIST!r} is {check.state}"
                )
    return f"check {CHECKLIST!r} is missing: answer it on a proposal of version {number}"
