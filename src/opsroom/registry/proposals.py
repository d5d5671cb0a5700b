"""Proposals: moving a label the reviewed way."""

from dataclasses import replace

from opsroom import approvals
from opsroom.access.rules import Action
from opsroom.approvals import Answer, Approval
from opsroom.kit.db import Tx

from . import commands, environments, queries, rules, store
from .commands import check_label, check_may, why_not
from .errors import NotReady, ProposalClosed, ProposalMoved
from .kinds import Kinds, kind_of
from .model import (
    Check,
    Finding,
    Label,
    Proposal,
    ProposalState,
    Ref,
    Severity,
    Version,
)

MOST_THROUGH = 50


def propose(
    tx: Tx, ref: Ref, *, label: str, title: str = "", description: str = "", kinds: Kinds
) -> Proposal:
    """Ask that `label` move to the version that `ref` names. Lint runs at once."""
    check_label(label)
    of = queries.artifact(tx, ref.kind, ref.name)
    check_may(tx, Action.AUTHOR, of, label)
    version = queries.version(tx, ref)
    now = store.label(tx, of, label)
    proposal = Proposal(
        id=tx.ids.new("prp"),
        kind=of.kind,
        name=of.name,
        label=label,
        number=version.number,
        digest=version.digest,
        base=now.number if now else None,
        title=title or version.message or f"move {label} to version {version.number}",
        description=description,
        author=tx.actor.person,
        checks=(lint_check(lint(tx, version, kinds=kinds)),),
        created_at=tx.now,
    )
    store.add_proposal(tx, of, proposal)
    tx.record(
        "proposal.opened", proposal.subject, artifact=of.ref, label=label, number=version.number
    )
    return proposal


def lint(tx: Tx, version: Version, *, kinds: Kinds) -> list[Finding]:
    """What the kind's linter says of a version, compared with the one before it."""
    kind = kind_of(kinds, version.kind)
    before = None
    if version.parent is not None:
        parent = queries.version(tx, Ref(version.kind, version.name, str(version.parent)))
        before = kind.read(parent.spec)
    return list(kind.lint(kind.read(version.spec), before, queries.lookup(tx)))


def lint_check(findings: list[Finding]) -> Check:
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    rest = len(findings) - errors
    return Check(
        name="lint",
        state="failed" if errors else "passed",
        summary=f"{errors} errors, {rest} remarks" if findings else "nothing to remark",
    )


def report_check(tx: Tx, proposal_id: str, check: Check) -> Proposal:
    """Put the outcome of a check on an open proposal, over an earlier one of that name.

    New evidence is a new state: approvals of the state before it no longer speak.
    """
    was = open_one(tx, proposal_id)
    checks = (*(one for one in was.checks if one.name != check.name), check)
    return _save(
        tx,
        replace(was, checks=checks),
        was,
        "proposal.checked",
        check=check.name,
        state=check.state,
    )


def as_shown(tx: Tx, proposal_id: str, binding: str) -> None:
    """Raise `ProposalMoved` unless the proposal still is what the person was looking at."""
    if queries.proposal(tx, proposal_id).binding != binding:
        raise ProposalMoved(proposal_id)


def review(tx: Tx, proposal_id: str, *, answer: Answer, reason: str) -> Approval:
    """Answer a proposal exactly as it stands.

    Nobody approves what they proposed, or a version that they wrote.
    """
    proposal = open_one(tx, proposal_id)
    of = queries.artifact(tx, proposal.kind, proposal.name)
    check_may(tx, Action.REVIEW, of, proposal.label)
    wrote = writers(tx, proposal)
    return approvals.give(
        tx,
        proposal.subject,
        proposal.binding,
        requester=tx.actor.name if tx.actor.name in wrote else proposal.author,
        answer=answer,
        reason=reason,
    )


def revise(tx: Tx, proposal_id: str, number: int, *, kinds: Kinds) -> Proposal:
    """Let an open proposal move its label to another version of the same artifact.

    What was checked and answered was about another version: only lint is made anew. Safe to
    repeat. Raises `VersionNotFound`.
    """
    was = open_one(tx, proposal_id)
    if was.number == number:
        return was
    check_may(tx, Action.AUTHOR, queries.artifact(tx, was.kind, was.name), was.label)
    version = queries.version(tx, Ref(was.kind, was.name, str(number)))
    checks = (lint_check(lint(tx, version, kinds=kinds)),)
    now = replace(was, number=number, digest=version.digest, checks=checks)
    return _save(tx, now, was, "proposal.revised", before=str(was.number), after=str(number))


def need_of(tx: Tx, proposal: Proposal) -> rules.Needs:
    """What a proposal takes before it may be merged."""
    of = queries.artifact(tx, proposal.kind, proposal.name)
    return queries.needs(tx, of, proposal.label, first=proposal.base is None)


def missing(tx: Tx, proposal: Proposal) -> list[str]:
    """What keeps a proposal from being merged now, in words; empty when nothing does."""
    of = queries.artifact(tx, proposal.kind, proposal.name)
    need = need_of(tx, proposal)
    standing = approvals.standing(tx, proposal.subject, proposal.binding)
    wrote = writers(tx, proposal)
    others = [one for one in standing if one.approver not in wrote]
    reasons = rules.missing(proposal, need, others)
    if need.release:
        reasons.append("an autonomous artifact is promoted by a release")
    if lacking := environments.lacking(tx, of, proposal.label, proposal.number):
        reasons.append(lacking)
    now = store.label(tx, of, proposal.label)
    if (now.number if now else None) != proposal.base:
        reasons.append(f"{proposal.label} has moved since; open a new proposal")
    return reasons


def merge(tx: Tx, proposal_id: str) -> Label:
    """Move the label, if everything that the criticality asks for is there.

    Raises `NotReady` with what is missing. Approvals are used up.
    """
    proposal = open_one(tx, proposal_id)
    of = queries.artifact(tx, proposal.kind, proposal.name)
    check_may(tx, Action.AUTHOR, of, proposal.label)
    environments.check_mover(tx, proposal.label)
    store.lock_artifact(tx, of.id)  # what is decided now must still be so when the label moves
    if reasons := missing(tx, proposal):
        raise NotReady(proposal_id, "; ".join(reasons))
    approvals.consume(tx, proposal.subject, proposal.binding)
    _save(tx, replace(proposal, state=ProposalState.MERGED), proposal, "proposal.merged")
    return commands.move_label(
        tx, of, proposal.label, proposal.number, how="merge", reason=proposal.title
    )


def withdraw(tx: Tx, proposal_id: str, *, reason: str) -> Proposal:
    was = open_one(tx, proposal_id)
    check_may(tx, Action.AUTHOR, queries.artifact(tx, was.kind, was.name), was.label)
    closed = replace(was, state=ProposalState.WITHDRAWN)
    return _save(tx, closed, was, "proposal.withdrawn", reason=reason)


def barred(tx: Tx, proposal: Proposal) -> dict[Action, str]:
    """What whoever acts may not do with a proposal, by role or by rule, and why."""
    of = queries.artifact(tx, proposal.kind, proposal.name)
    asked = (Action.AUTHOR, Action.REVIEW)
    return {one: why for one in asked if (why := why_not(tx, one, of, proposal.label))}


def open_one(tx: Tx, proposal_id: str) -> Proposal:
    """Raises `ProposalNotFound` and `ProposalClosed`."""
    proposal = queries.proposal(tx, proposal_id)
    if proposal.state is not ProposalState.OPEN:
        raise ProposalClosed(proposal_id, proposal.state.value)
    return proposal


def writers(tx: Tx, proposal: Proposal) -> frozenset[str]:
    """Who wrote the proposed version, and who put it here; with those of the versions it moved
    through while it was open, as far as fifty back.
    """
    found: set[str] = set()
    number: int | None = proposal.number
    for _ in range(MOST_THROUGH):
        if number is None:
            break
        version = queries.version(tx, Ref(proposal.kind, proposal.name, str(number)))
        found |= {version.author, version.made_by}
        number = version.parent if version.created_at >= proposal.created_at else None
    return frozenset(found)


def _save(tx: Tx, proposal: Proposal, was: Proposal, event: str, **facts: str) -> Proposal:
    saved = replace(proposal, revision=was.revision + 1)
    store.save_proposal(tx, saved, was=was)
    tx.record(event, saved.subject, **facts)
    return saved
