"""The tables of those who watch over reviewers.

Whether a request is a copy that only tests its reviewers stands here and nowhere else, so that
no query of requests can give it away.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)

from opsroom.kit import choices
from opsroom.kit.db import Tx, Utc, metadata

from .model import Say, Settings
from .watching import Check

MOST_BANKED = 200

openings = Table(
    "inbox_openings",
    metadata,
    Column("request_id", String, ForeignKey("inbox_requests.id"), primary_key=True),
    Column("person", String, primary_key=True),
    Column("opened_at", Utc, nullable=False),
    Column("evidence_at", Utc),
)

checks = Table(
    "inbox_checks",
    metadata,
    Column("request_id", String, ForeignKey("inbox_requests.id"), primary_key=True),
    Column("sort", String, nullable=False),
    Column("of", String, nullable=False),
    Column("expected", String, nullable=False),
    Column("barred", JSON, nullable=False),
)

# What people rejected, and then said that anybody should have: where probes come from.
bank = Table(
    "inbox_known_bad",
    metadata,
    Column("request_id", String, ForeignKey("inbox_requests.id"), primary_key=True),
    Column("project", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_inbox_known_bad_project", "project", "request_id"),
)

settings = Table(
    "inbox_settings",
    metadata,
    Column("project", String, primary_key=True),
    Column("settings", Text, nullable=False),
)


def opening(tx: Tx, request_id: str, person: str) -> tuple[datetime, datetime | None] | None:
    """When somebody first had a request before them, and when its evidence."""
    wanted = select(openings.c.opened_at, openings.c.evidence_at).where(
        openings.c.request_id == request_id, openings.c.person == person
    )
    row = tx.conn.execute(wanted).first()
    return None if row is None else (row.opened_at, row.evidence_at)


def open_(tx: Tx, request_id: str, person: str, *, evidence: bool) -> None:
    there = opening(tx, request_id, person)
    if there is None:
        tx.conn.execute(
            insert(openings).values(
                request_id=request_id,
                person=person,
                opened_at=tx.now,
                evidence_at=tx.now if evidence else None,
            )
        )
    elif evidence and there[1] is None:
        mine = (openings.c.request_id == request_id, openings.c.person == person)
        tx.conn.execute(update(openings).where(*mine).values(evidence_at=tx.now))


def add_check(tx: Tx, request_id: str, check: Check) -> None:
    tx.conn.execute(
        insert(checks).values(
            request_id=request_id,
            sort=check.sort,
            of=check.of,
            expected=check.expected.value,
            barred=list(check.barred),
        )
    )


def check(tx: Tx, request_id: str) -> Check | None:
    """What a request is there to find out about its reviewers, if anything."""
    found = checks_of(tx, (request_id,))
    return found.get(request_id)


def checks_of(tx: Tx, request_ids: Collection[str]) -> dict[str, Check]:
    wanted = select(checks).where(checks.c.request_id.in_(sorted(request_ids)))
    return {
        row["request_id"]: Check(
            sort=row["sort"],
            of=row["of"],
            expected=Say(row["expected"]),
            barred=tuple(row["barred"]),
        )
        for row in tx.conn.execute(wanted).mappings()
    }


def add_known_bad(tx: Tx, request_id: str) -> None:
    tx.conn.execute(
        insert(bank).values(
            request_id=request_id, project=tx.project, by=tx.actor.name, at=tx.now
        )
    )


def known_bad(tx: Tx) -> list[str]:
    """The newest requests that are known to be bad."""
    wanted = select(bank.c.request_id).where(bank.c.project == tx.project)
    rows = tx.conn.execute(wanted.order_by(bank.c.request_id.desc()).limit(MOST_BANKED))
    return list(rows.scalars())


def load_settings(tx: Tx) -> Settings:
    return choices.load(tx, settings, Settings)


def save_settings(tx: Tx, new: Settings) -> None:
    choices.save(tx, settings, new)
