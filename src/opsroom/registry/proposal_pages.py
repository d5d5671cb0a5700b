"""Reviewing a proposal: the difference, the evidence beside it, and everybody's answer.

An answer is bound to the state that was on the page. If the proposal has changed since, the
answer is refused and the person reads again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Read, Write
from opsroom.approvals import Answer, Approval
from opsroom.approvals import queries as approvals
from opsroom.kit.db import Tx
from opsroom.web.render import Notice, Pages

from . import checklists, discussing, proposals, queries, rules
from .checklist import ITEMS, Answered, ReviewSettings
from .discussion import MOST_WORDS, TEXT, parts
from .drawing import Drawings, Panel
from .kinds import Kinds, kind_of
from .model import Check, Criticality, Proposal, ProposalState, Ref, Version
from .pages import Drawn, Reason, difference, in_words, worst_first
from .reading import Reading
from .reviewing import allowed
from .routes import KnownKinds

PAGE = 50
MOST_CITED = 5

router = APIRouter(prefix="/proposals", include_in_schema=False)
NOTICES = {
    "proposed": Notice(text="The proposal is open. Its page shows what it still takes."),
    "approved": Notice(text="Your approval counts for exactly what you have seen."),
    "changes_requested": Notice(text="You asked for changes. It cannot be merged as it is."),
    "merged": Notice(text="Merged. Whoever asks from now on gets the new version."),
    "withdrawn": Notice(text="Withdrawn. Nothing has moved.", tone="info"),
    "checklist": Notice(
        text="Your answers are kept. What was approved before has to be again."
    ),
    "reviews_set": Notice(text="It holds for what is merged from now on."),
    "checked": Notice(text="Checked again.", tone="info"),
    "commented": Notice(text="Your comment is there for everybody who decides."),
    "comment_resolved": Notice(text="The comment is resolved.", tone="info"),
    "suggestion_applied": Notice(
        text="The suggestion is a version now, and the proposal moves to it. It has to be checked "
        "and approved anew."
    ),
}

Shown = Annotated[str, Form(max_length=64)]
Reasoned = Annotated[str, Form(max_length=2000)]
Several = Annotated[list[Annotated[str, Form(max_length=1000)]], Form(max_length=20)]
Words = Annotated[str, Form(max_length=MOST_WORDS, pattern=r"\S")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """A version that the proposed one cites in place of another."""

    kind: str
    name: str
    before: int
    after: int
    diff: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """A check that was made or that is needed, with what its slice draws of it."""

    name: str
    check: Check | None
    needed: bool
    panel: Panel | None


@router.get("")
def list_page(
    request: Request,
    tx: Read,
    drawn: Drawn,
    state: ProposalState | None = None,
    kind: Annotated[str, Query(max_length=100)] = "",
    name: Annotated[str, Query(max_length=100)] = "",
    before: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Proposals, newest first: what waits, and for what."""
    page = queries.proposals(
        tx,
        state=state,
        kind=kind or None,
        name=name or None,
        before=before or None,
        limit=PAGE + 1,
    )
    shown = page[:PAGE]
    return _pages(request).render(
        request,
        "registry/proposals.html",
        rows=[(one, _missing(tx, one)) for one in shown],
        state=state,
        kind=kind,
        name=name,
        drawn=drawn,
        before=before,
        next=shown[-1].id if len(page) > PAGE else "",
        criticalities=[one.value for one in Criticality],
        listed=[one.value for one in queries.review_settings(tx).checklist],
        questions=ITEMS,
        governs="govern" in tx.actor.may,
    )


@router.get("/{proposal_id}")
def show_page(
    request: Request,
    proposal_id: str,
    tx: Read,
    drawn: Drawn,
    known: KnownKinds,
    whole: bool = False,
    line: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """One proposal with everything that a reviewer decides by."""
    proposal = queries.proposal(tx, proposal_id)
    artifact = queries.artifact(tx, proposal.kind, proposal.name)
    version = _version(tx, proposal, proposal.number)
    before = None if proposal.base is None else _version(tx, proposal, proposal.base)
    need = proposals.need_of(tx, proposal)
    wanted = parts(proposal, need)
    left = () if "review" not in tx.actor.may else discussing.left_to_see(tx, proposal)
    missing, answers = _missing(tx, proposal), approvals.history(tx, proposal.subject)
    return _pages(request).render(
        request,
        "registry/proposal.html",
        proposal=proposal,
        artifact=artifact,
        version=version,
        before=before,
        address=drawn.address(proposal.kind, proposal.name),
        diff=None if before is None else difference(known, before, version, whole=whole),
        text=None if before is not None else _text(known, version),
        cited=[] if before is None else _cited(tx, known, before, version),
        checks=list(_checks(tx, proposal, need, drawn)),
        needs=in_words(need),
        listed=rules.CHECKLIST in need.checks,
        questions=ITEMS,
        checklist=checklists.answered(tx, proposal),
        weighed=drawn.weigh(tx, proposal),
        missing=missing,
        answers=answers[::-1],
        findings=worst_first(proposals.lint(tx, version, kinds=known)),
        said=discussing.discussion(tx, proposal, kinds=known),
        line=line,
        parts=wanted,
        left=left,
        TEXT=TEXT,
        may=allowed(
            proposal,
            tx.actor,
            barred=proposals.barred(tx, proposal),
            writers=proposals.writers(tx, proposal),
            answers=answers,
            missing=missing,
            left=left,
        ),
        rights=tx.actor.may,
        careful=artifact.criticality is Criticality.AUTONOMOUS,
        drawn=drawn,
    )


@router.post("/{proposal_id}/comments")
def comment(
    request: Request,
    proposal_id: str,
    tx: Write,
    known: KnownKinds,
    text: Words,
    line: Annotated[int, Form(ge=0)] = 0,
    suggests: Annotated[str, Form(max_length=10)] = "",
    suggestion: Annotated[str, Form(max_length=MOST_WORDS)] = "",
) -> Response:
    """Say something of a line, or of the whole."""
    discussing.comment(
        tx,
        proposal_id,
        text=text.strip(),
        line=line,
        suggestion=suggestion.replace("\r\n", "\n") if suggests else None,
        kinds=known,
    )
    return _pages(request).redirect(f"/proposals/{proposal_id}", notice="commented")


@router.post("/{proposal_id}/comments/{comment_id}/resolve")
def resolve(request: Request, proposal_id: str, comment_id: str, tx: Write) -> Response:
    """Say that a comment is dealt with."""
    discussing.resolve(tx, proposal_id, comment_id)
    return _pages(request).redirect(f"/proposals/{proposal_id}", notice="comment_resolved")


@router.post("/{proposal_id}/comments/{comment_id}/apply")
def apply(
    request: Request, proposal_id: str, comment_id: str, tx: Write, known: KnownKinds
) -> Response:
    """Make a version with what was suggested, and move the proposal to it."""
    discussing.apply(tx, proposal_id, comment_id, kinds=known)
    return _pages(request).redirect(f"/proposals/{proposal_id}", notice="suggestion_applied")


@router.post("/{proposal_id}/viewed")
def viewed(
    request: Request,
    proposal_id: str,
    tx: Write,
    binding: Shown,
    part: Annotated[str, Form(max_length=100)],
    seen: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Note that a part of the page was looked at, or take that back."""
    proposals.as_shown(tx, proposal_id, binding)
    discussing.mark(tx, proposal_id, part, seen=bool(seen))
    return _pages(request).redirect(f"/proposals/{proposal_id}")


@router.post("/settings")
def set_settings(
    request: Request, tx: Write, criticality: Annotated[list[Criticality] | None, Form()] = None
) -> Response:
    """Say which proposals take a bias checklist."""
    checklists.set_settings(tx, ReviewSettings(checklist=tuple(criticality or ())))
    return _pages(request).redirect("/proposals", notice="reviews_set")


@router.post("/{proposal_id}/checklist")
def answer_checklist(
    request: Request,
    proposal_id: str,
    tx: Write,
    binding: Shown,
    item: Several,
    holds: Several,
    because: Several,
) -> Response:
    """Answer the bias checklist: the same place of each list belongs together."""
    given = [
        Answered(item=one, holds=said == "yes", because=why)
        for one, said, why in zip(item, holds, because, strict=False)
        if said in {"yes", "no"}
    ]
    checklists.answer(tx, proposal_id, given, binding=binding)
    return _pages(request).redirect(f"/proposals/{proposal_id}", notice="checklist")


@router.post("/{proposal_id}/approve")
def approve(
    request: Request, proposal_id: str, tx: Write, binding: Shown, reason: Reasoned = ""
) -> Response:
    """Approve what was on the page, once everything on it was viewed."""
    discussing.require_seen(tx, proposal_id)
    _answer(tx, proposal_id, binding, Answer.APPROVE, reason)
    return _pages(request).redirect(f"/proposals/{proposal_id}", notice="approved")


@router.post("/{proposal_id}/request-changes")
def request_changes(
    request: Request, proposal_id: str, tx: Write, binding: Shown, reason: Reason
) -> Response:
    """Say what has to change first."""
    _answer(tx, proposal_id, binding, Answer.REQUEST_CHANGES, reason)
    return _pages(request).redirect(f"/proposals/{proposal_id}", notice="changes_requested")


@router.post("/{proposal_id}/merge")
def merge(request: Request, proposal_id: str, tx: Write, binding: Shown) -> Response:
    """Move the label."""
    proposals.as_shown(tx, proposal_id, binding)
    proposals.merge(tx, proposal_id)
    return _pages(request).redirect(f"/proposals/{proposal_id}", notice="merged")


@router.post("/{proposal_id}/withdraw")
def withdraw(request: Request, proposal_id: str, tx: Write, reason: Reason) -> Response:
    """Close it without moving anything."""
    proposals.withdraw(tx, proposal_id, reason=reason.strip())
    return _pages(request).redirect(f"/proposals/{proposal_id}", notice="withdrawn")


@router.post("/{proposal_id}/checks")
def check(request: Request, proposal_id: str, tx: Write, known: KnownKinds) -> Response:
    """Run the linter again."""
    proposal = queries.proposal(tx, proposal_id)
    version = _version(tx, proposal, proposal.number)
    found = proposals.lint_check(proposals.lint(tx, version, kinds=known))
    if found not in proposal.checks:
        proposals.report_check(tx, proposal_id, found)
    return _pages(request).redirect(f"/proposals/{proposal_id}", notice="checked")


def _answer(tx: Tx, proposal_id: str, binding: str, answer: Answer, reason: str) -> Approval:
    proposals.as_shown(tx, proposal_id, binding)
    return proposals.review(tx, proposal_id, answer=answer, reason=reason.strip())


def _missing(tx: Tx, proposal: Proposal) -> list[str]:
    return proposals.missing(tx, proposal) if proposal.state is ProposalState.OPEN else []


def _version(tx: Tx, proposal: Proposal, number: int) -> Version:
    return queries.version(tx, Ref(proposal.kind, proposal.name, str(number)))


def _text(known: Kinds, version: Version) -> str:
    shape = kind_of(known, version.kind)
    return shape.text(shape.read(version.spec))


def _checks(
    tx: Tx, proposal: Proposal, need: rules.Needs, drawn: Drawings
) -> Iterable[CheckRow]:
    """Every check that is needed or was made, in that order."""
    made = {one.name: one for one in proposal.checks}
    for name in dict.fromkeys((*need.checks, *made)):
        draw = drawn.checks.get(name)
        yield CheckRow(
            name=name,
            check=made.get(name),
            needed=name in need.checks,
            panel=draw(tx, proposal, made.get(name)) if draw else None,
        )


def _cited(tx: Tx, known: Kinds, before: Version, after: Version) -> Sequence[Cited]:
    """What is cited in another version than before: often that is the whole change."""
    shape = kind_of(known, after.kind)
    sides = [
        {
            (ref.kind, ref.name): ref.number
            for ref in (Ref.parse(one) for one in shape.references(shape.read(side.spec)))
        }
        for side in (before, after)
    ]
    moved = [
        (kind, name, sides[0][kind, name], number)
        for (kind, name), number in sides[1].items()
        if sides[0].get((kind, name), number) != number
    ]
    return [
        Cited(
            kind=kind,
            name=name,
            before=old,
            after=new,
            diff=difference(
                known,
                queries.version(tx, Ref(kind, name, str(old))),
                queries.version(tx, Ref(kind, name, str(new))),
            ),
        )
        for kind, name, old, new in moved[:MOST_CITED]
        if old is not None and new is not None
    ]


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
