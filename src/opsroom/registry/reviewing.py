"""What somebody may do with a proposal, and why not where they may not. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from opsroom.access.rules import Action
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
    checklist: str = ""


def allowed(
    proposal: Proposal,
    actor: Actor,
    *,
    barred: Mapping[Action, str],
    writers: Collection[str],
    answers: Sequence[Approval],
    missing: Sequence[str],
    left: Sequence[str] = (),
) -> Allowed:
    """What `actor` may do with `proposal` as it stands. `barred` says what their roles and the
    access rules keep them from, and why; `writers` made the version it moves, and `left` they have
    not looked at yet.
    """
    if proposal.state is not ProposalState.OPEN:
        over = f"this proposal is {proposal.state.value}"
        return Allowed(
            approve=over, request_changes=over, merge=over, withdraw=over, checklist=over
        )
    author = barred.get(Action.AUTHOR, "")
    answer = barred.get(Action.REVIEW, "") or _cannot_answer(proposal, actor, answers)
    return Allowed(
        approve=answer or _own(proposal, actor, writers) or _unseen(left),
        request_changes=answer,
        merge=author or "; ".join(missing),
        withdraw=author,
        checklist=barred.get(Action.REVIEW, "")
        or _a_person(actor)
        or _own(proposal, actor, writers),
    )


def _cannot_answer(proposal: Proposal, actor: Actor, answers: Sequence[Approval]) -> str:
    if program := _a_person(actor):
        return program
    given = [one for one in answers if one.approver == actor.name]
    if any(one.digest == proposal.binding for one in given):
        said = {Answer.APPROVE: "approved", Answer.REQUEST_CHANGES: "asked for changes to"}
        return f"you have {said[given[-1].answer]} exactly this state already"
    return ""


def _a_person(actor: Actor) -> str:
    return (
        ""
        if actor.human
        else "only people answer proposals, and you are logged in as a program"
    )


def _own(proposal: Proposal, actor: Actor, writers: Collection[str]) -> str:
    if actor.name == proposal.author:
        return "you opened this proposal; somebody else has to approve it"
    if actor.name in writers:
        return "you wrote or brought in this version; somebody else has to approve it"
    return ""


def _unseen(left: Sequence[str]) -> str:
    return f"first look at, and mark as viewed: {', '.join(left)}" if left else ""
