"""Approvals in the database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Index,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from opsroom.kit import shredding
from opsroom.kit.db import Tx, Utc, metadata

from .model import Answer, Approval

approvals = Table(
    "approvals",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("approver", String, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("answer", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Column("consumed_at", Utc),
    Index("uq_approvals_answer", "project", "subject", "digest", "approver", unique=True),
)


def add(tx: Tx, approval: Approval) -> None:
    values = {name: getattr(approval, name) for name in Approval.__dataclass_fields__}
    values |= {"project": tx.project, "roles": list(approval.roles)}
    values = shredding.seal_fields(tx, approval.subject, values, _SAID)
    tx.conn.execute(insert(approvals).values(values))


def of(tx: Tx, subject: str, digest: str | None = None) -> list[Approval]:
    """Answers to a subject (in the state that `digest` names), oldest first."""
    wanted = select(approvals).where(
        approvals.c.project == tx.project, approvals.c.subject == subject
    )
    if digest is not None:
        wanted = wanted.where(approvals.c.digest == digest)
    rows = tx.conn.execute(wanted.order_by(approvals.c.at, approvals.c.id)).mappings()
    return [_approval(row) for row in shredding.opened(tx, rows.all(), _SAID)]


def consume(tx: Tx, subject: str, digest: str) -> int:
    """Mark what is still unused as used; returns how many there were."""
    done = tx.conn.execute(
        update(approvals)
        .where(
            approvals.c.project == tx.project,
            approvals.c.subject == subject,
            approvals.c.digest == digest,
            approvals.c.consumed_at.is_(None),
        )
        .values(consumed_at=tx.now)
    )
    return int(done.rowcount)


_SAID = frozenset({"reason"})  # what people wrote; sealed by the key of what it is about


def _approval(row: Mapping[str, Any]) -> Approval:
    data: dict[str, Any] = {k: v for k, v in row.items() if k != "project"}
    data |= {"roles": tuple(row["roles"]), "answer": Answer(row["answer"])}
    return Approval(**data)


def remove(tx: Tx, subjects: Sequence[str]) -> None:
    of = (approvals.c.project == tx.project, approvals.c.subject.in_(subjects))
    tx.conn.execute(delete(approvals).where(*of))
