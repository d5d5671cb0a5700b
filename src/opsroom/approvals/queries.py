"""Which approvals speak, and which ever did."""

from dataclasses import replace

from opsroom.access import queries as access
from opsroom.kit.db import Tx

from . import store
from .model import Answer, Approval


def standing(
    tx: Tx, subject: str, digest: str, *, permission: str = "review"
) -> list[Approval]:
    """The approvals that speak for `subject` exactly as `digest` names it, unused.

    Empty as long as anybody who answered this state asks for changes. Who no longer has the
    `permission` does not speak any more, and nobody speaks in a role that they have lost.
    """
    answers = store.of(tx, subject, digest)
    if any(one.answer is Answer.REQUEST_CHANGES for one in answers):
        return []
    unused = [_today(tx, one) for one in answers if one.consumed_at is None]
    return [one for one in unused if permission in access.permissions(tx, one.roles)]


def history(tx: Tx, subject: str) -> list[Approval]:
    """Every answer ever given to `subject`, in whatever state it was."""
    return store.of(tx, subject)


def _today(tx: Tx, approval: Approval) -> Approval:
    """The approval, with those of its giver's roles that they hold still."""
    held = access.still_held(tx, approval.approver, approval.roles)
    return replace(approval, roles=held)
