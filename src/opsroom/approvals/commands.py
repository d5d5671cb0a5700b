"""Giving and using approvals."""

from collections.abc import Sequence

from opsroom.kit.db import Tx

from . import store
from .errors import AlreadyAnswered, ApproverIsRequester, NotAPerson
from .model import Answer, Approval


def give(
    tx: Tx, subject: str, digest: str, *, requester: str, answer: Answer, reason: str
) -> Approval:
    """Record what the acting person says to `subject` exactly as `digest` names it.

    Raises `ApproverIsRequester`, `NotAPerson`, or `AlreadyAnswered` for a second answer to
    the same state.
    """
    approver = tx.actor.name
    if not tx.actor.human:
        raise NotAPerson(subject, approver)
    if answer is Answer.APPROVE and approver == requester:
        raise ApproverIsRequester(subject, approver)
    if any(one.approver == approver for one in store.of(tx, subject, digest)):
        raise AlreadyAnswered(subject, approver)
    approval = Approval(
        id=tx.ids.new("apv"),
        subject=subject,
        digest=digest,
        approver=approver,
        roles=tx.actor.roles,
        answer=answer,
        reason=reason,
        at=tx.now,
    )
    store.add(tx, approval)
    tx.record(
        "approval.given",
        subject,
        approval=approval.id,
        digest=digest,
        answer=answer.value,
        reason=reason,
    )
    return approval


def consume(tx: Tx, subject: str, digest: str) -> None:
    """Use up the approvals of `subject` in this state: they speak once."""
    if used := store.consume(tx, subject, digest):
        tx.record("approval.consumed", subject, digest=digest, count=used)


def remove(tx: Tx, subjects: Sequence[str]) -> None:
    """Remove the answers to what was kept long enough; the journal still says that they were."""
    for start in range(0, len(subjects), 500):
        store.remove(tx, subjects[start : start + 500])
