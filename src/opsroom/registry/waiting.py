"""Which proposals wait for the person who looks, and for what."""

from dataclasses import dataclass

from opsroom.approvals import queries as approvals
from opsroom.kit.db import Tx

from . import proposals, queries, rules
from .model import Proposal, ProposalState
from .reviewing import allowed

MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A proposal that this person can move on, and how."""

    proposal: Proposal
    wants: str


def waiting(tx: Tx) -> list[Waiting]:
    """Open proposals that need an approval this person may give, or that they may merge."""
    return [
        Waiting(proposal=proposal, wants=wants)
        for proposal in queries.proposals(tx, state=ProposalState.OPEN, limit=MOST)
        if (wants := _wants(tx, proposal))
    ]


def _wants(tx: Tx, proposal: Proposal) -> str:
    missing = proposals.missing(tx, proposal)
    need = proposals.need_of(tx, proposal)
    may = allowed(
        proposal,
        tx.actor,
        barred=proposals.barred(tx, proposal),
        writers=proposals.writers(tx, proposal),
        answers=approvals.history(tx, proposal.subject),
        missing=missing,
    )
    standing = approvals.standing(tx, proposal.subject, proposal.binding)
    if not may.approve and rules.missing_approvals(need, standing, proposal.author):
        return "your approval"
    if not may.merge and proposal.author == tx.actor.name:
        return "to be merged"
    return ""
