"""Proposals over HTTP: opening, reading, checking, answering, merging."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from opsroom.access.http import Read, Write
from opsroom.approvals import Answer, Approval
from opsroom.approvals import queries as approvals
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire

from . import checklists, discussing, discussion_store, proposals, queries, rules
from .checklist import ITEMS, Answered, Checklist, ReviewSettings
from .discussion import MOST_COMMENTS, Comment
from .model import Finding, Label, Proposal, ProposalState, Ref
from .routes import KnownKinds, Limit

router = APIRouter(prefix="/v1/proposals", tags=["proposals"])
settings_router = APIRouter(prefix="/v1/reviews", tags=["proposals"])


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProposal(Wire):
    """`ref` names the version, as `prompt/refund-triage@7`."""

    ref: str
    label: str = "production"
    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review(Wire):
    """`binding` is the digest of what was shown; an answer to anything else is refused."""

    answer: Answer
    binding: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredChecklist(Wire):
    """Yes or no to each question, with a sentence. `binding` is the digest of what was shown."""

    binding: str
    answers: tuple[Answered, ...] = Field(max_length=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal(Wire):
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark(Wire):
    """What to say, of a line of the proposed text (from 1; 0 is the whole). `suggestion` is what
    the line should be instead.
    """

    text: str = Field(min_length=1)
    line: int = 0
    suggestion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedOfReviews(Wire):
    """`questions` are those of the bias checklist, by name."""

    settings: ReviewSettings
    questions: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision(Wire):
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalPage(Wire):
    """Proposals, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Proposal, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownProposal(Wire):
    """A proposal as it stands: what it takes, what is missing, and everything that was said.

    `binding` is the digest that an answer given now is bound to.
    """

    proposal: Proposal
    binding: str
    needs: rules.Needs
    missing: tuple[str, ...]
    answers: tuple[Approval, ...]
    comments: tuple[Comment, ...]
    findings: tuple[Finding, ...]
    checklist: Checklist | None


@router.get("")
def list_proposals(
    tx: Read,
    state: ProposalState | None = None,
    kind: str | None = None,
    name: str | None = None,
    before: Annotated[str | None, Query(max_length=100)] = None,
    limit: Limit = queries.PAGE,
) -> ProposalPage:
    """Proposals, newest first, of everything or of one artifact."""
    items = tuple(
        queries.proposals(tx, state=state, kind=kind, name=name, before=before, limit=limit)
    )
    return ProposalPage(items=items, next=items[-1].id if len(items) == limit else None)


@router.post("", status_code=201)
def propose(new: NewProposal, tx: Write, known: KnownKinds) -> Proposal:
    """Ask that a label move to a version. Lint runs at once."""
    return proposals.propose(
        tx,
        Ref.parse(new.ref),
        label=new.label,
        title=new.title,
        description=new.description,
        kinds=known,
    )


@router.get("/{proposal_id}")
def show_proposal(proposal_id: str, tx: Read, known: KnownKinds) -> ShownProposal:
    """A proposal with what it still takes."""
    return shown(tx, queries.proposal(tx, proposal_id), known)


@router.post("/{proposal_id}/checks")
def check(proposal_id: str, tx: Write, known: KnownKinds) -> ShownProposal:
    """Run the linter again. A gate reports its own verdict."""
    proposal = queries.proposal(tx, proposal_id)
    version = queries.version(tx, Ref(proposal.kind, proposal.name, str(proposal.number)))
    found = proposals.lint_check(proposals.lint(tx, version, kinds=known))
    if found not in proposal.checks:
        proposal = proposals.report_check(tx, proposal_id, found)
    return shown(tx, proposal, known)


@router.post("/{proposal_id}/reviews", status_code=201)
def review(proposal_id: str, given: Review, tx: Write) -> Approval:
    """Approve a proposal exactly as it stands, or ask for changes."""
    proposals.as_shown(tx, proposal_id, given.binding)
    return proposals.review(tx, proposal_id, answer=given.answer, reason=given.reason)


@router.post("/{proposal_id}/checklist")
def answer_checklist(
    proposal_id: str, given: AnsweredChecklist, tx: Write, known: KnownKinds
) -> ShownProposal:
    """Answer the bias checklist of a proposal exactly as it stands."""
    now = checklists.answer(tx, proposal_id, given.answers, binding=given.binding)
    return shown(tx, now, known)


@settings_router.get("/settings")
def review_settings(tx: Read) -> AskedOfReviews:
    """What this project asks of reviews, and the questions of the bias checklist."""
    return AskedOfReviews(settings=queries.review_settings(tx), questions=dict(ITEMS))


@settings_router.put("/settings")
def set_review_settings(new: ReviewSettings, tx: Write) -> ReviewSettings:
    """Ask this of every proposal that is merged from now on."""
    return checklists.set_settings(tx, new)


@router.post("/{proposal_id}/comments", status_code=201)
def comment(proposal_id: str, said: Remark, tx: Write, known: KnownKinds) -> Comment:
    """Say something of a proposal or of one of its lines, and what it should be instead."""
    return discussing.comment(
        tx,
        proposal_id,
        text=said.text,
        line=said.line,
        suggestion=said.suggestion,
        kinds=known,
    )


@router.post("/{proposal_id}/comments/{comment_id}/resolve")
def resolve(proposal_id: str, comment_id: str, tx: Write) -> Comment:
    """Say that a comment is dealt with."""
    return discussing.resolve(tx, proposal_id, comment_id)


@router.post("/{proposal_id}/comments/{comment_id}/apply")
def apply(proposal_id: str, comment_id: str, tx: Write, known: KnownKinds) -> Proposal:
    """Make a version with what was suggested, and move the proposal to it."""
    return discussing.apply(tx, proposal_id, comment_id, kinds=known)


@router.put("/{proposal_id}/version")
def revise(proposal_id: str, to: Revision, tx: Write, known: KnownKinds) -> Proposal:
    """Move the proposal to another version; what was checked and answered is void."""
    return proposals.revise(tx, proposal_id, to.number, kinds=known)


@router.post("/{proposal_id}/merge")
def merge(proposal_id: str, tx: Write) -> Label:
    """Move the label, if everything is there; 422 with what is missing otherwise."""
    return proposals.merge(tx, proposal_id)


@router.post("/{proposal_id}/withdraw")
def withdraw(proposal_id: str, closing: Withdrawal, tx: Write) -> Proposal:
    """Close a proposal without moving anything."""
    return proposals.withdraw(tx, proposal_id, reason=closing.reason)


def shown(tx: Tx, proposal: Proposal, known: KnownKinds) -> ShownProposal:
    """Everything there is to know about a proposal."""
    version = queries.version(tx, Ref(proposal.kind, proposal.name, str(proposal.number)))
    closed = proposal.state is not ProposalState.OPEN
    return ShownProposal(
        proposal=proposal,
        binding=proposal.binding,
        needs=proposals.need_of(tx, proposal),
        missing=() if closed else tuple(proposals.missing(tx, proposal)),
        answers=tuple(approvals.history(tx, proposal.subject)),
        comments=tuple(discussion_store.of(tx, proposal.id, limit=MOST_COMMENTS)),
        findings=tuple(proposals.lint(tx, version, kinds=known)),
        checklist=checklists.answered(tx, proposal),
    )
