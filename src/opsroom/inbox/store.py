"""The table of requests.

A request is kept whole, with columns beside it for what is searched by.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    and_,
    case,
    func,
    insert,
    or_,
    select,
)

from opsroom.kit import shredding
from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, metadata, overwrite
from opsroom.kit.wire import adapter, plain

from . import answer_store
from .errors import BadCursor, RequestMoved
from .model import GRANTED, Request, State

requests = Table(
    "inbox_requests",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("tool", String, nullable=False),
    Column("risk", String, nullable=False),
    Column("state", String, nullable=False),
    Column("grouped", String(64), nullable=False),
    Column("under", String, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("next_at", Utc),
    Column("answered_by", String, nullable=False),
    Column("release_at", Utc),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_inbox_requests_waiting", "project", "state", "under", "due_at", "id"),
    Index("ix_inbox_requests_group", "project", "grouped", "state"),
    Index("ix_inbox_requests_agent", "project", "agent", "state"),
    Index("ix_inbox_requests_subject", "project", "subject"),
    Index("ix_inbox_requests_clock", "next_at"),
    Index("ix_inbox_requests_person", "project", "answered_by", "state"),
    Index("ix_inbox_requests_under", "under"),
)


def add(tx: Tx, request: Request, *, grouped: str) -> None:
    tx.conn.execute(
        insert(requests).values(
            id=request.id, project=tx.project, grouped=grouped, **_columns(tx, request)
        )
    )


def save(tx: Tx, request: Request, *, was: Request) -> Request:
    """Write `request` over `was`, unless somebody else got there first."""
    _write(tx, request, was)
    return _next(request, was)


def request(tx: Tx, request_id: str, *, lock: bool = False) -> Request | None:
    """One request of this project, with its answers. With `lock`, nobody else changes it until
    the transaction ends.
    """
    wanted = select(requests.c.body).where(
        requests.c.project == tx.project, requests.c.id == request_id
    )
    body = tx.conn.execute(wanted.with_for_update() if lock else wanted).scalar()
    return None if body is None else _with_answers(tx, _read(tx, [body]))[0]


def page(
    tx: Tx,
    *,
    state: State | None = None,
    agent: str | None = None,
    tool: str | None = None,
    risk: str | None = None,
    subject: str | None = None,
    under: str | None = None,
    leads: bool = False,
    over: bool = False,
    after: str | None = None,
    limit: int,
) -> list[Request]:
    """Requests of this project: what is pending by the time it is due, the rest newest first.

    `leads` leaves out those that stand under another, `over` those that are pending.
    """
    wanted = select(requests.c.body).where(requests.c.project == tx.project)
    for column, value in (
        (requests.c.state, state and state.value),
        (requests.c.agent, agent),
        (requests.c.tool, tool),
        (requests.c.risk, risk),
        (requests.c.subject, subject),
        (requests.c.under, under),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    if over:
        wanted = wanted.where(requests.c.state != State.PENDING.value)
    if leads:
        wanted = wanted.where(requests.c.under == "")
    if state is State.PENDING:
        wanted = wanted.order_by(requests.c.due_at, requests.c.id)
        if after is not None:
            due, last = _cursor(after)
            later = and_(requests.c.due_at == due, requests.c.id > last)
            wanted = wanted.where(or_(requests.c.due_at > due, later))
    else:
        wanted = wanted.order_by(requests.c.id.desc())
        if after is not None:
            wanted = wanted.where(requests.c.id < after)
    bodies = tx.conn.execute(wanted.limit(limit)).scalars()
    return _with_answers(tx, _read(tx, bodies))


def cursor_of(request: Request, state: State | None) -> str:
    """What to pass as `after` to go on behind this request."""
    if state is State.PENDING:
        return f"{request.due_at.isoformat()}~{request.id}"
    return request.id


def lead(tx: Tx, grouped: str) -> str | None:
    """The pending request that stands for a group."""
    wanted = select(requests.c.id).where(
        requests.c.project == tx.project,
        requests.c.grouped == grouped,
        requests.c.state == State.PENDING.value,
        requests.c.under == "",
    )
    return tx.conn.execute(wanted.order_by(requests.c.id).limit(1)).scalar()


def pending_of(tx: Tx, agent: str) -> int:
    """How many requests of an agent stand in the list by themselves."""
    wanted = select(func.count()).where(
        requests.c.project == tx.project,
        requests.c.agent == agent,
        requests.c.state == State.PENDING.value,
        requests.c.under == "",
    )
    return int(tx.conn.execute(wanted).scalar_one())


def followers(tx: Tx, leads: Collection[str]) -> dict[str, int]:
    """How many pending requests stand under each of these."""
    counted = (
        select(requests.c.under, func.count())
        .where(
            requests.c.under.in_(sorted(leads)),
            requests.c.project == tx.project,
            requests.c.state == State.PENDING.value,
        )
        .group_by(requests.c.under)
    )
    return {under: int(count) for under, count in tx.conn.execute(counted)} if leads else {}


def following(tx: Tx, lead_id: str) -> list[Request]:
    """What stands under a request and is pending, the oldest first, nobody else's to change."""
    wanted = select(requests.c.body).where(
        requests.c.project == tx.project,
        requests.c.under == lead_id,
        requests.c.state == State.PENDING.value,
    )
    rows = tx.conn.execute(wanted.order_by(requests.c.id).with_for_update()).scalars()
    return _read(tx, rows)


def on_the_clock(tx: Tx, *, limit: int) -> list[tuple[str, str]]:
    """Project and id of what has run out of time, the longest overdue first."""
    wanted = select(requests.c.project, requests.c.id).where(requests.c.next_at <= tx.now)
    return _named(tx, wanted.order_by(requests.c.next_at, requests.c.id).limit(limit))


def granted(tx: Tx, *, limit: int) -> list[tuple[str, str]]:
    """Project and id of what was approved and not used yet, the newest first."""
    states = sorted(one.value for one in GRANTED)
    wanted = select(requests.c.project, requests.c.id).where(
        requests.c.state.in_(states), requests.c.next_at > tx.now
    )
    return _named(tx, wanted.order_by(requests.c.id.desc()).limit(limit))


def to_take_back(tx: Tx, person: str) -> Request | None:
    """The newest answer of somebody that is not released yet."""
    wanted = select(requests.c.body).where(
        requests.c.project == tx.project,
        requests.c.answered_by == person,
        requests.c.state.in_(sorted(one.value for one in GRANTED)),
        requests.c.release_at > tx.now,
    )
    body = tx.conn.execute(wanted.order_by(requests.c.release_at.desc()).limit(1)).scalar()
    return None if body is None else _with_answers(tx, _read(tx, [body]))[0]


def _named(tx: Tx, wanted: Select[Any, Any]) -> list[tuple[str, str]]:
    """Of one project, or of all for an actor who belongs to none."""
    if tx.project:
        wanted = wanted.where(requests.c.project == tx.project)
    return [(project, request_id) for project, request_id in tx.conn.execute(wanted)]


def _write(tx: Tx, new: Request, was: Request) -> None:
    stored = select(requests.c.body).where(
        requests.c.project == tx.project, requests.c.id == was.id
    )
    body = json.loads(tx.conn.execute(stored).scalar() or "{}")
    if not overwrite(
        tx,
        requests,
        was.id,
        requests.c.project == tx.project,
        revision=was.revision,
        values=_columns(tx, _next(new, was), stored=body, was=plain(was)),
    ):
        raise RequestMoved(was.id)


def _next(new: Request, was: Request) -> Request:
    return replace(new, revision=was.revision + 1)


# What people's data may stand in; sealed by the key of what the request is about.
_SAID = frozenset({"title", "why", "arguments", "edited", "evidence", "reason", "text"})
_LEFT: dict[str, shredding.Left] = {
    "arguments": shredding.remains,
    "edited": shredding.remains,
    "evidence": shredding.remains,
}
_NEW: Mapping[str, Any] = {}  # what is stored of a request that is not there yet


def _columns(
    tx: Tx,
    one: Request,
    *,
    stored: Mapping[str, Any] = _NEW,
    was: Mapping[str, Any] = _NEW,
) -> dict[str, Any]:
    """The row of a request; where it says what it `was`, what is `stored` of that stays."""
    body = plain(one)
    del body["answers"]  # they have rows of their own
    kept = {name: stored[name] for name in _SAID & stored.keys()}
    same = {name: was[name] for name in kept}
    sealed = kept | shredding.seal_changed(tx, one.subject, body, _SAID, was=same)
    return {
        "subject": one.subject,
        "agent": one.agent,
        "tool": one.tool,
        "risk": one.risk.value,
        "state": one.state.value,
        "under": one.under,
        "due_at": one.due_at,
        "next_at": one.next_at,
        "answered_by": one.answered_by,
        "release_at": one.release_at,
        "revision": one.revision,
        "body": _text(sealed),
    }


def _text(value: Any) -> str:
    return canonical(value).decode()


def _read(tx: Tx, bodies: Iterable[str]) -> list[Request]:
    found = [json.loads(body) for body in bodies]
    shape = adapter(Request)
    opened = shredding.opened(tx, found, _SAID, left=_LEFT)
    return [shape.validate_json(json.dumps(one)) for one in opened]


def _with_answers(tx: Tx, found: Sequence[Request]) -> list[Request]:
    if not found:
        return []
    said = answer_store.answers_of(tx, [one.id for one in found])
    return [replace(one, answers=tuple(said.get(one.id, ()))) for one in found]


def _cursor(after: str) -> tuple[datetime, str]:
    due, _, last = after.partition("~")
    try:
        moment = datetime.fromisoformat(due)
    except ValueError as error:
        raise BadCursor(after) from error
    if moment.tzinfo is None:
        raise BadCursor(after)
    return moment, last


def queue(tx: Tx, *, limit: int) -> list[tuple[str, str, int, int, str]]:
    """What is pending: agent, risk, how many, how many of them are overdue, the first id.

    What is pending is found first: grouped at once, it would be looked for among all there
    ever was of each agent.
    """
    of = requests.c
    pending = (
        select(of.agent, of.risk, of.due_at, of.id)
        .where(of.project == tx.project, of.state == State.PENDING.value)
        .limit(limit)
        .subquery()
    )
    late = case((pending.c.due_at <= tx.now, 1), else_=0)
    by = (pending.c.agent, pending.c.risk)
    wanted = select(*by, func.count(), func.sum(late), func.min(pending.c.id)).group_by(*by)
    return [(row[0], row[1], row[2], row[3], row[4]) for row in tx.conn.execute(wanted)]
