"""The table of what was said to requests."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    RowMapping,
    String,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)

from opsroom.kit import shredding
from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, metadata
from opsroom.kit.wire import adapter

from .model import Request, Said, Say

answers = Table(
    "inbox_answers",
    metadata,
    Column("id", String, primary_key=True),
    Column("request_id", String, ForeignKey("inbox_requests.id"), nullable=False),
    Column("project", String, nullable=False),
    Column("by", String, nullable=False),
    Column("say", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("arguments", Text),
    Column("at", Utc, nullable=False),
    Column("seconds", Float),
    Column("undone_at", Utc),
    Column("agent", String, nullable=False),
    Column("tool", String, nullable=False),
    Column("risk", String, nullable=False),
    # Of a probe or a second look, whether it came out as it should have.
    Column("check", String, nullable=False),
    Column("passed", Boolean),
    Index("ix_inbox_answers_request", "request_id", "id"),
    Index("ix_inbox_answers_person", "project", "by", "id"),
    Index("ix_inbox_answers_tool", "project", "agent", "tool", "id"),
    Index("ix_inbox_answers_time", "project", "at"),
)


def add_answer(
    tx: Tx, request: Request, said: Said, *, check: str = "", passed: bool | None = None
) -> None:
    row = {
        "id": tx.ids.new("say"),
        "request_id": request.id,
        "project": tx.project,
        "by": said.by,
        "say": said.say.value,
        "reason": said.reason,
        "text": said.text,
        "arguments": None if said.arguments is None else canonical(said.arguments).decode(),
        "at": said.at,
        "seconds": said.seconds,
        "agent": request.agent,
        "tool": request.tool,
        "risk": request.risk.value,
        "check": check,
        "passed": passed,
    }
    row = shredding.seal_fields(tx, request.subject, row, _SAID)
    tx.conn.execute(insert(answers).values(row))


def take_back(tx: Tx, request_id: str) -> None:
    """Let every answer to a request speak no more."""
    mine = (answers.c.request_id == request_id, answers.c.undone_at.is_(None))
    tx.conn.execute(update(answers).where(*mine).values(undone_at=tx.now))


def answers_of(tx: Tx, request_ids: Collection[str]) -> Mapping[str, list[Said]]:
    """What was said to each of these requests, oldest first."""
    wanted = select(answers).where(answers.c.request_id.in_(sorted(request_ids)))
    said: dict[str, list[Said]] = {}
    rows = tx.conn.execute(wanted.order_by(answers.c.id)).mappings().all()
    for row in shredding.opened(tx, rows, _SAID, left=_LEFT):
        said.setdefault(row["request_id"], []).append(_said(row))
    return said


def recent_answers(tx: Tx, person: str, *, limit: int) -> list[Said]:
    """What somebody said last, newest first."""
    wanted = select(answers).where(answers.c.project == tx.project, answers.c.by == person)
    rows = tx.conn.execute(wanted.order_by(answers.c.id.desc()).limit(limit)).mappings()
    return [_said(row) for row in shredding.opened(tx, rows.all(), _SAID, left=_LEFT)]


def tally(tx: Tx, agent: str, tool: str) -> dict[str, int]:
    """How people answered the requests of an agent for one tool."""
    counted = (
        select(answers.c.say, func.count())
        .where(
            answers.c.project == tx.project,
            answers.c.agent == agent,
            answers.c.tool == tool,
            answers.c.check == "",
            answers.c.undone_at.is_(None),
        )
        .group_by(answers.c.say)
    )
    return {say: int(count) for say, count in tx.conn.execute(counted)}


def checked_since(tx: Tx, since: datetime, sort: str) -> tuple[int, int]:
    """How many copies of a sort were answered since, and how many of them not as they should."""
    failed = func.count().filter(answers.c.passed.is_(False))
    row = tx.conn.execute(
        select(func.count(), failed).where(
            answers.c.project == tx.project,
            answers.c.at >= since,
            answers.c.check == sort,
            answers.c.undone_at.is_(None),
        )
    ).one()
    return int(row[0]), int(row[1])


def answers_since(tx: Tx, since: datetime) -> list[RowMapping]:
    """Everything that was said since, for counting."""
    columns = (
        answers.c.by,
        answers.c.say,
        answers.c.at,
        answers.c.seconds,
        answers.c.agent,
        answers.c.tool,
        answers.c.risk,
        answers.c.check,
        answers.c.passed,
        answers.c.undone_at,
    )
    wanted = select(*columns).where(answers.c.project == tx.project, answers.c.at >= since)
    return list(tx.conn.execute(wanted).mappings())


# What people wrote; sealed by the key of what the request is about.
_SAID = frozenset({"reason", "text", "arguments"})
_LEFT: dict[str, shredding.Left] = {
    "arguments": lambda hash_: canonical(shredding.remains(hash_)).decode()
}


def _said(row: Mapping[str, Any]) -> Said:
    arguments = row["arguments"]
    return Said(
        by=row["by"],
        say=Say(row["say"]),
        reason=row["reason"],
        text=row["text"],
        arguments=None
        if arguments is None
        else adapter(dict[str, Any]).validate_json(arguments),
        at=row["at"],
        seconds=row["seconds"],
        undone_at=row["undone_at"],
    )


def last_by_agent(tx: Tx) -> dict[str, datetime]:
    """When people last answered what each agent asked."""
    wanted = select(answers.c.agent, func.max(answers.c.at)).where(
        answers.c.project == tx.project
    )
    return {row[0]: row[1] for row in tx.conn.execute(wanted.group_by(answers.c.agent))}
