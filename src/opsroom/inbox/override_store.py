"""The table of overrides."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    String,
    Table,
    Text,
    and_,
    case,
    func,
    insert,
    or_,
    select,
    update,
)

from opsroom.kit import shredding
from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, metadata
from opsroom.kit.ids import earliest
from opsroom.kit.wire import adapter, plain

from .model import Override

overrides = Table(
    "overrides",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("request", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("tool", String, nullable=False),
    Column("say", String, nullable=False),
    Column("category", String, nullable=False),
    Column("reasoning", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Column("retracted_at", Utc),
    Column("body", Text, nullable=False),
    Index("ix_overrides_project", "project", "id"),
    Index("ix_overrides_request", "project", "request"),
    Index("ix_overrides_subject", "project", "subject", "id"),
    Index("ix_overrides_category", "project", "category", "id"),
)


def add(tx: Tx, made: Override) -> None:
    tx.conn.execute(
        insert(overrides).values(id=made.id, project=tx.project, **_columns(tx, made))
    )


def save(tx: Tx, changed: Override) -> None:
    mine = (overrides.c.id == changed.id, overrides.c.project == tx.project)
    body = json.loads(tx.conn.execute(select(overrides.c.body).where(*mine)).scalar_one())
    row = _columns(tx, changed, stored=body)
    tx.conn.execute(update(overrides).where(*mine).values(**row))


def override(tx: Tx, override_id: str) -> Override | None:
    wanted = select(overrides.c.body).where(
        overrides.c.project == tx.project, overrides.c.id == override_id
    )
    body = tx.conn.execute(wanted).scalar()
    return None if body is None else _read(tx, [body])[0]


def some(tx: Tx, ids: Sequence[str]) -> list[Override]:
    """The overrides of those ids, newest first."""
    wanted = select(overrides.c.body).where(
        overrides.c.project == tx.project, overrides.c.id.in_(ids)
    )
    return _read(tx, tx.conn.execute(wanted.order_by(overrides.c.id.desc())).scalars())


def page(
    tx: Tx,
    *,
    agent: str | None = None,
    tool: str | None = None,
    category: str | None = None,
    subject: str | None = None,
    retracted: bool = False,
    before: str | None = None,
    limit: int,
) -> list[Override]:
    """Overrides of this project, newest first."""
    wanted = select(overrides.c.body).where(overrides.c.project == tx.project)
    for column, value in (
        (overrides.c.agent, agent),
        (overrides.c.tool, tool),
        (overrides.c.category, category),
        (overrides.c.subject, subject),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    if not retracted:
        wanted = wanted.where(overrides.c.retracted_at.is_(None))
    if before is not None:
        wanted = wanted.where(overrides.c.id < before)
    bodies = tx.conn.execute(wanted.order_by(overrides.c.id.desc()).limit(limit)).scalars()
    return _read(tx, bodies)


def of_request(tx: Tx, request_id: str) -> list[Override]:
    """What answers to a request left behind and nobody has taken back."""
    wanted = select(overrides.c.body).where(
        overrides.c.project == tx.project,
        overrides.c.request == request_id,
        overrides.c.retracted_at.is_(None),
    )
    return _read(tx, tx.conn.execute(wanted).scalars())


def reasons(tx: Tx, *, limit: int) -> list[tuple[str, str]]:
    """The newest reasons, with how they are sorted."""
    wanted = select(overrides.c.reasoning, overrides.c.category).where(
        overrides.c.project == tx.project,
        overrides.c.retracted_at.is_(None),
        overrides.c.category != "",
    )
    rows = tx.conn.execute(wanted.order_by(overrides.c.id.desc()).limit(limit)).mappings()
    said = shredding.opened(tx, rows.all(), _SAID, left={"reasoning": lambda _: ""})
    return [(row["reasoning"], row["category"]) for row in said if row["reasoning"]]


def counts(tx: Tx) -> list[tuple[str, int]]:
    """How many overrides each category has, the most frequent first."""
    counted = (
        select(overrides.c.category, func.count())
        .where(overrides.c.project == tx.project, overrides.c.retracted_at.is_(None))
        .group_by(overrides.c.category)
        .order_by(func.count().desc(), overrides.c.category)
        .limit(100)
    )
    return [(category, int(count)) for category, count in tx.conn.execute(counted)]


def overridden(
    tx: Tx, windows: Sequence[tuple[datetime, datetime]]
) -> list[tuple[str, int, int]]:
    """Of how many turns or actions people decided otherwise in each window of time: agent,
    place of the window, count.
    """
    inside = [
        and_(overrides.c.id >= earliest("ovr", since), overrides.c.id < earliest("ovr", until))
        for since, until in windows
    ]
    window = case(*((within, place) for place, within in enumerate(inside))).label("window")
    wanted = (
        select(overrides.c.agent, window, func.count(overrides.c.subject.distinct()))
        .where(
            overrides.c.project == tx.project, overrides.c.retracted_at.is_(None), or_(*inside)
        )
        .group_by(overrides.c.agent, window)
    )
    return [(row[0], row[1], row[2]) for row in tx.conn.execute(wanted)]


def subjects(tx: Tx, since: datetime, *, limit: int) -> list[str]:
    """The newest subjects about which people decided otherwise since."""
    wanted = select(overrides.c.subject).where(
        overrides.c.project == tx.project,
        overrides.c.retracted_at.is_(None),
        overrides.c.id >= earliest("ovr", since),
    )
    rows = tx.conn.execute(wanted.order_by(overrides.c.id.desc()).limit(limit)).scalars()
    return list(dict.fromkeys(rows))


def overridden_actions(tx: Tx, since: datetime, until: datetime) -> list[tuple[str, str, int]]:
    """Of actions that were proposed in this time, how many people decided otherwise: agent,
    tool, count.
    """
    wanted = select(
        overrides.c.agent, overrides.c.tool, func.count(overrides.c.subject.distinct())
    ).where(
        overrides.c.project == tx.project,
        overrides.c.retracted_at.is_(None),
        overrides.c.subject >= f"action/{earliest('act', since)}",
        overrides.c.subject < f"action/{earliest('act', until)}",
    )
    rows = tx.conn.execute(wanted.group_by(overrides.c.agent, overrides.c.tool))
    return [(row[0], row[1], row[2]) for row in rows]


# What people's data may stand in; sealed by the key of what was decided about.
_SAID = frozenset({"agent_decision", "human_decision", "reasoning", "category", "asked"})
_LEFT: dict[str, shredding.Left] = {
    "agent_decision": shredding.remains,
    "human_decision": shredding.remains,
    "category": lambda _: "",
    "asked": shredding.remains,
}
_NEW: Mapping[str, Any] = {}  # what is stored of an override that is not there yet


def _read(tx: Tx, bodies: Iterable[str]) -> list[Override]:
    found = [json.loads(body) for body in bodies]
    shape = adapter(Override)
    opened = shredding.opened(tx, found, _SAID, left=_LEFT)
    return [shape.validate_json(json.dumps(one)) for one in opened]


def _columns(tx: Tx, one: Override, *, stored: Mapping[str, Any] = _NEW) -> dict[str, Any]:
    """The row of an override; of what is `stored`, what it says still stays as it is."""
    (said,) = shredding.opened(tx, [stored], _SAID, left=_LEFT)
    kept = {name: stored[name] for name in _SAID & stored.keys()}
    body = kept | shredding.seal_changed(tx, one.subject, plain(one), _SAID, was=said)
    return {
        "request": one.request,
        "subject": one.subject,
        "agent": one.agent,
        "tool": one.tool,
        "say": one.say.value,
        "category": one.category,
        "reasoning": body["reasoning"],
        "at": one.at,
        "retracted_at": one.retracted_at,
        "body": canonical(body).decode(),
    }


def last_by_agent(tx: Tx) -> dict[str, datetime]:
    """When people last decided otherwise than each agent."""
    wanted = select(overrides.c.agent, func.max(overrides.c.at)).where(
        overrides.c.project == tx.project
    )
    return {row[0]: row[1] for row in tx.conn.execute(wanted.group_by(overrides.c.agent))}
