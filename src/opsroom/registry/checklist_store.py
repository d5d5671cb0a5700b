"""The tables of answered checklists, and of what a project asks of reviews."""

from sqlalchemy import Column, String, Table, Text, insert, select

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, metadata
from opsroom.kit.wire import adapter, plain

from .checklist import Checklist

review_settings = Table(
    "review_settings",
    metadata,
    Column("project", String, primary_key=True),
    Column("settings", Text, nullable=False),
)

checklists = Table(
    "proposal_checklists",
    metadata,
    Column("project", String, primary_key=True),
    Column("proposal", String, primary_key=True),
    Column("evidence", String(64), primary_key=True),
    Column("body", Text, nullable=False),
)


def keep(tx: Tx, made: Checklist) -> None:
    tx.conn.execute(
        insert(checklists).values(
            project=tx.project,
            proposal=made.proposal,
            evidence=made.evidence,
            body=canonical(plain(made)).decode(),
        )
    )


def kept(tx: Tx, proposal_id: str, evidence: str) -> Checklist | None:
    wanted = select(checklists.c.body).where(
        checklists.c.project == tx.project,
        checklists.c.proposal == proposal_id,
        checklists.c.evidence == evidence,
    )
    body = tx.conn.execute(wanted).scalar()
    return None if body is None else adapter(Checklist).validate_json(body)
