"""What somebody may do with a proposal, and why not where they may not. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from opsroom.approvals import Answer, Approval
from opsroom.kit.db import Actor

from .model import Proposal, ProposalState


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """For each thing one can do: nothing where it is allowed, else the reason why not."""

    approve: str = ""
    request_changes: str = ""
    merge: str = ""
    withdraw: str = ""


def allowed(
    proposal: Proposal,
    actor: Actor,
    *,
    writers: Collection[str],
    answers: Sequence[Approval],
    missing: Sequence[str],
    left: Sequence[str] = (),
) -> Allowed:
    """What `actor` may do with `proposal` as it stands; `writers` made the version it moves, and
    `left` they have not looked at yet.
    """
    if proposal.state is not ProposalState.OPEN:
        over = f"this proposal is {proposal.state.value}"
        return Allowed(approve=over, request_changes=over, merge=over, withdraw=over)
    lacks_author = _lacks(actor, "author")
    answer = _cannot_answer(proposal, actor, answers)
    return Allowed(
        approve=answer or _own(proposal, actor, writers) or _unseen(left),
        request_changes=answer,
        merge=lacks_author or "; ".join(missing),
        withdraw=lacks_author,
    )


def _cannot_answer(proposal: Proposal, actor: Actor, answers: Sequence[Approval]) -> str:
    if lacks := _lacks(actor, "review"):
        return lacks
    if not actor.human:
        return "only people answer proposals, and you are logged in as a program"
    given = [one for one in answers if one.approver == actor.name]
    if any(one.digest == proposal.binding for one in given):
        said = {Answer.APPROVE: "approved", Answer.REQUEST_CHANGES: "asked for changes to"}
        return f"you have {said[given[-1].answer]} exactly this state already"
    return ""


def _own(proposal: Proposal, actor: Actor, writers: Collection[str]) -> str:
    if actor.name == proposal.author:
        return "you opened this proposal; somebody else has to approve it"
    if actor.name in writers:
        return "you wrote or brought in this version; somebody else has to approve it"
    return ""


def _unseen(left: Sequence[str]) -> str:
    return f"first look at, and mark as viewed: {', '.join(left)}" if left else ""


def _lacks(actor: Actor, permission: str) -> str:
    if permission in actor.may:
        return ""
    return f"this needs the permission to {permission}, which you do not have here"
