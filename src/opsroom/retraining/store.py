"""The tables of retraining: the queue, what is known of each agent, and when projects are due."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    select,
    update,
)

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, insert_missing, metadata, overwrite
from opsroom.kit.wire import adapter, plain

from .errors import EntryMoved
from .model import Entry, Watch

OPEN = ""

# `closing` is empty while an entry is open and its id afterwards: one open entry per agent.
entries = Table(
    "retraining_entries",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("closing", String, nullable=False),
    Column("improvement", String, nullable=False),
    Column("proposal", String, nullable=False),
    Column("release", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("project", "agent", "closing", name="uq_retraining_entries_open"),
    Index("ix_retraining_entries_project_id", "project", "id"),
    Index("ix_retraining_entries_closing", "project", "closing", "id"),
)

watches = Table(
    "retraining_watches",
    metadata,
    Column("project", String, primary_key=True),
    Column("agent", String, primary_key=True),
    Column("next_at", Utc, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_retraining_watches_next", "next_at"),
)

# Models that were already told of: one that stays new for a day is news once.
models = Table(
    "retraining_models",
    metadata,
    Column("project", String, primary_key=True),
    Column("agent", String, primary_key=True),
    Column("model", String, primary_key=True),
    Column("first", Utc, primary_key=True),
)

clocks = Table(
    "retraining_clocks",
    metadata,
    Column("project", String, primary_key=True),
    Column("next_at", Utc, nullable=False),
)


class Due(NamedTuple):
    project: str
    agent: str


def add(tx: Tx, one: Entry) -> None:
    tx.conn.execute(insert(entries).values(id=one.id, project=tx.project, **_columns(one)))


def save(tx: Tx, one: Entry) -> Entry:
    """Write what `one` has become, unless somebody else got there first."""
    saved = replace(one, revision=one.revision + 1)
    if not overwrite(
        tx,
        entries,
        one.id,
        entries.c.project == tx.project,
        revision=one.revision,
        values=_columns(saved),
    ):
        raise EntryMoved(one.id)
    return saved


def entry(tx: Tx, entry_id: str, *, lock: bool = False) -> Entry | None:
    return _first(tx, entries.c.id == entry_id, lock=lock)


def open_of(tx: Tx, agent: str, *, lock: bool = False) -> Entry | None:
    """The open entry of an agent."""
    return _first(tx, entries.c.agent == agent, entries.c.closing == OPEN, lock=lock)


def open_with(
    tx: Tx, *, improvement: str = "", proposal: str = "", release: str = ""
) -> Entry | None:
    """The open entry that rests on a search, a proposal or a release."""
    for column, value in (
        (entries.c.improvement, improvement),
        (entries.c.proposal, proposal),
        (entries.c.release, release),
    ):
        if value:
            return _first(tx, column == value, entries.c.closing == OPEN, lock=False)
    return None


def project_of(tx: Tx, entry_id: str) -> str | None:
    """Whose it is: for loops, which know it by its id alone."""
    wanted = select(entries.c.project).where(entries.c.id == entry_id)
    return tx.conn.execute(wanted).scalar()


def page(
    tx: Tx, *, agent: str | None, everything: bool, before: str | None, limit: int
) -> list[Entry]:
    """Entries, newest first."""
    wanted = select(entries.c.body).where(entries.c.project == tx.project)
    if agent is not None:
        wanted = wanted.where(entries.c.agent == agent)
    if not everything:
        wanted = wanted.where(entries.c.closing == OPEN)
    if before is not None:
        wanted = wanted.where(entries.c.id < before)
    found = tx.conn.execute(wanted.order_by(entries.c.id.desc()).limit(limit)).scalars()
    return [adapter(Entry).validate_json(body) for body in found]


def count_open(tx: Tx) -> int:
    wanted = select(func.count()).where(
        entries.c.project == tx.project, entries.c.closing == OPEN
    )
    return int(tx.conn.execute(wanted).scalar_one())


def watch(tx: Tx, agent: str) -> Watch | None:
    wanted = select(watches.c.body).where(
        watches.c.project == tx.project, watches.c.agent == agent
    )
    body = tx.conn.execute(wanted).scalar()
    return None if body is None else adapter(Watch).validate_json(body)


def locked_watch(tx: Tx, agent: str) -> Watch:
    """What is known of an agent, made where nothing was; whoever changes its queue holds it."""
    new = Watch(agent=agent, since=tx.now)
    row = {
        "project": tx.project,
        "agent": agent,
        "next_at": tx.now,
        "body": canonical(plain(new)).decode(),
    }
    insert_missing(tx, watches, [row])
    wanted = select(watches.c.body).where(
        watches.c.project == tx.project, watches.c.agent == agent
    )
    return adapter(Watch).validate_json(tx.conn.execute(wanted.with_for_update()).scalar_one())


def save_watch(tx: Tx, one: Watch, *, next_at: datetime | None = None) -> Watch:
    """Write what is known of an agent; with `next_at`, the clock looks at it again then."""
    values: dict[str, Any] = {"body": canonical(plain(one)).decode()}
    if next_at is not None:
        values["next_at"] = next_at
    tx.conn.execute(
        update(watches)
        .where(watches.c.project == tx.project, watches.c.agent == one.agent)
        .values(values)
    )
    return one


def watches_of(tx: Tx, agents: Sequence[str]) -> dict[str, Watch]:
    """What is known of some agents, by name, as far as anything is."""
    wanted = select(watches.c.body).where(
        watches.c.project == tx.project, watches.c.agent.in_(agents)
    )
    found = [adapter(Watch).validate_json(body) for body in tx.conn.execute(wanted).scalars()]
    return {one.agent: one for one in found}


def due_watches(tx: Tx, *, limit: int) -> list[Due]:
    """The agents of all projects that the clock has to look at, the longest due first."""
    wanted = (
        select(watches.c.project, watches.c.agent)
        .where(watches.c.next_at <= tx.now)
        .order_by(watches.c.next_at)
        .limit(limit)
    )
    return [Due(*row) for row in tx.conn.execute(wanted)]


def first_seen(tx: Tx, agent: str, model: str, first: datetime) -> bool:
    """Note a model that began to serve an agent then; False where that was known."""
    row = {"project": tx.project, "agent": agent, "model": model, "first": first}
    return insert_missing(tx, models, [row]) == 1


def _first(tx: Tx, *where: Any, lock: bool) -> Entry | None:
    wanted = select(entries.c.body).where(entries.c.project == tx.project, *where)
    body = tx.conn.execute(wanted.with_for_update() if lock else wanted).scalar()
    return None if body is None else adapter(Entry).validate_json(body)


def _columns(one: Entry) -> dict[str, Any]:
    return {
        "agent": one.agent,
        "closing": one.id if one.over else OPEN,
        "improvement": one.improvement,
        "proposal": one.proposal,
        "release": one.release,
        "revision": one.revision,
        "body": canonical(plain(one)).decode(),
    }
