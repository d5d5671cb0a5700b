"""The tables of corrections, and of the overrides that each rests on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    case,
    func,
    insert,
    select,
    update,
)

from opsroom.inbox.model import Override
from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, metadata, overwrite
from opsroom.kit.wire import adapter, plain

from .errors import CorrectionMoved
from .model import MOST_PEOPLE, Correction, Said, State

corrections = Table(
    "corrections",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("asked", String(64), nullable=False),
    Column("state", String, nullable=False),
    Column("category", String, nullable=False),
    Column("times", Integer, nullable=False),
    Column("looked", Integer, nullable=False),  # how often somebody looked at it once more
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("project", "agent", "hash", name="uq_corrections_content"),
    Index("ix_corrections_project_id", "project", "id"),
    Index("ix_corrections_project_state", "project", "state", "id"),
    Index("ix_corrections_asked", "project", "agent", "asked"),
)

# Which override said so, and whether figures count it; see below.
said = Table(
    "correction_overrides",
    metadata,
    Column("project", String, primary_key=True),
    Column("override", String, primary_key=True),
    Column("correction", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("version", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("person", String, nullable=False),
    Column("agent_said", String, nullable=False),
    Column("human_said", String, nullable=False),
    Column("at", Utc, nullable=False),
    Column("counted", Integer, nullable=False),
    Index("ix_correction_overrides_correction", "project", "correction"),
    Index("ix_correction_overrides_person", "project", "agent", "person", "at"),
)


# What came in a flood counts once somebody has readmitted it; what was taken back never again.
TAKEN_BACK, NOT_YET, COUNTED = -1, 0, 1


def add(tx: Tx, one: Correction) -> None:
    tx.conn.execute(
        insert(corrections).values(id=one.id, project=tx.project, revision=1, **_columns(one))
    )


def save(tx: Tx, one: Correction) -> Correction:
    """Write what `one` has become, unless somebody else got there first."""
    if not overwrite(
        tx,
        corrections,
        one.id,
        corrections.c.project == tx.project,
        revision=one.revision,
        values={**_columns(one), "revision": one.revision + 1},
    ):
        raise CorrectionMoved(one.id)
    return _with(one, one.revision + 1)


def correction(tx: Tx, correction_id: str, *, lock: bool = False) -> Correction | None:
    return _first(tx, corrections.c.id == correction_id, lock=lock)


def of_content(tx: Tx, agent: str, content: str) -> Correction | None:
    return _first(tx, corrections.c.agent == agent, corrections.c.hash == content, lock=True)


def asked_alike(tx: Tx, agent: str, asked: str) -> list[Correction]:
    """The corrections about a question that count, at most a hundred; accepted ones first."""
    wanted = _mine().where(
        corrections.c.project == tx.project,
        corrections.c.agent == agent,
        corrections.c.asked == asked,
        corrections.c.state.in_((State.ACCEPTED.value, State.CANDIDATE.value)),
    )
    rows = tx.conn.execute(wanted.order_by(corrections.c.state, corrections.c.id).limit(100))
    return [_read(*row) for row in rows]


def page(
    tx: Tx,
    *,
    agent: str | None,
    state: State | None,
    category: str | None,
    before: str | None,
    limit: int,
) -> list[Correction]:
    """Corrections, newest first."""
    wanted = _mine().where(corrections.c.project == tx.project)
    for column, value in (
        (corrections.c.agent, agent),
        (corrections.c.state, state and state.value),
        (corrections.c.category, category),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    if before is not None:
        wanted = wanted.where(corrections.c.id < before)
    rows = tx.conn.execute(wanted.order_by(corrections.c.id.desc()).limit(limit))
    return [_read(*row) for row in rows]


def looked_at(tx: Tx, *, agent: str | None, limit: int) -> list[Correction]:
    """The newest corrections that somebody looked at once more."""
    wanted = _mine().where(corrections.c.project == tx.project, corrections.c.looked > 0)
    if agent is not None:
        wanted = wanted.where(corrections.c.agent == agent)
    rows = tx.conn.execute(wanted.order_by(corrections.c.id.desc()).limit(limit))
    return [_read(*row) for row in rows]


def counts(tx: Tx, *, agent: str | None = None) -> dict[State, int]:
    wanted = select(corrections.c.state, func.count()).where(
        corrections.c.project == tx.project
    )
    if agent is not None:
        wanted = wanted.where(corrections.c.agent == agent)
    rows = tx.conn.execute(wanted.group_by(corrections.c.state))
    return {State(state): int(count) for state, count in rows}


def agents(tx: Tx, *, limit: int) -> list[tuple[str, int, int]]:
    """Agents by how many of their candidates wait: agent, candidates, accepted."""
    waiting = func.sum(case((corrections.c.state == State.CANDIDATE.value, 1), else_=0))
    taken = func.sum(case((corrections.c.state == State.ACCEPTED.value, 1), else_=0))
    wanted = (
        select(corrections.c.agent, waiting, taken)
        .where(corrections.c.project == tx.project)
        .group_by(corrections.c.agent)
        .order_by(waiting.desc(), corrections.c.agent)
        .limit(limit)
    )
    return [(agent, int(one), int(other)) for agent, one, other in tx.conn.execute(wanted)]


def reasons(tx: Tx, *, agent: str | None, limit: int) -> list[tuple[str, int, int]]:
    """What people disagree about: category, overrides, corrections; the most frequent first."""
    times = func.sum(corrections.c.times)
    wanted = (
        select(corrections.c.category, times, func.count())
        .where(
            corrections.c.project == tx.project,
            corrections.c.state != State.QUARANTINED.value,
        )
        .group_by(corrections.c.category)
        .order_by(times.desc(), corrections.c.category)
        .limit(limit)
    )
    if agent is not None:
        wanted = wanted.where(corrections.c.agent == agent)
    return [(category, int(n), int(m)) for category, n, m in tx.conn.execute(wanted)]


def add_said(tx: Tx, of: Correction, one: Override, what: Said, *, counted: bool) -> None:
    """Note that an override says so."""
    tx.conn.execute(
        insert(said).values(
            project=tx.project,
            override=one.id,
            correction=of.id,
            agent=one.agent,
            version=what.version,
            subject=what.subject,
            person=one.by,
            agent_said=what.agent_said,
            human_said=what.human_said,
            at=one.at,
            counted=COUNTED if counted else NOT_YET,
        )
    )


def correction_of(tx: Tx, override_id: str) -> str | None:
    wanted = select(said.c.correction).where(
        said.c.project == tx.project, said.c.override == override_id
    )
    found: str | None = tx.conn.execute(wanted).scalar()
    return found


def of_overrides(tx: Tx, ids: Sequence[str]) -> dict[str, Correction]:
    """The correction that each of these overrides speaks for, where it speaks for one."""
    wanted = (
        select(said.c.override, corrections.c.body, corrections.c.revision)
        .join(corrections, corrections.c.id == said.c.correction)
        .where(said.c.project == tx.project, said.c.override.in_(ids))
    )
    return {one: _read(body, revision) for one, body, revision in tx.conn.execute(wanted)}


def take_back(tx: Tx, override_id: str) -> None:
    """Count an override never again."""
    tx.conn.execute(
        update(said)
        .where(said.c.project == tx.project, said.c.override == override_id)
        .values(counted=TAKEN_BACK)
    )


def who_says(tx: Tx, correction_id: str, *, waiting: bool) -> tuple[int, tuple[str, ...]]:
    """How many overrides say so, and the first twenty people who do; with `waiting` those too
    that do not count yet.
    """
    wanted = (
        select(said.c.person, func.count(), func.min(said.c.override))
        .where(
            said.c.project == tx.project,
            said.c.correction == correction_id,
            said.c.counted >= (NOT_YET if waiting else COUNTED),
        )
        .group_by(said.c.person)
        .order_by(func.min(said.c.override))
    )
    rows = tx.conn.execute(wanted).all()
    return sum(int(n) for _, n, _ in rows), tuple(who for who, _, _ in rows[:MOST_PEOPLE])


def count_all(tx: Tx, correction_id: str) -> None:
    """Count every override that a correction rests on, but for what was taken back."""
    tx.conn.execute(
        update(said)
        .where(
            said.c.project == tx.project,
            said.c.correction == correction_id,
            said.c.counted == NOT_YET,
        )
        .values(counted=COUNTED)
    )


def overrides_of(tx: Tx, correction_id: str, *, limit: int) -> list[str]:
    """The ids of the overrides that say so, newest first."""
    wanted = (
        select(said.c.override)
        .where(said.c.project == tx.project, said.c.correction == correction_id)
        .order_by(said.c.override.desc())
        .limit(limit)
    )
    return list(tx.conn.execute(wanted).scalars())


def made_since(tx: Tx, agent: str, person: str, since: datetime) -> int:
    """How often a person corrected an agent since then."""
    wanted = select(func.count()).where(
        said.c.project == tx.project,
        said.c.agent == agent,
        said.c.person == person,
        said.c.at >= since,
    )
    return int(tx.conn.execute(wanted).scalar_one())


def confusion(
    tx: Tx, *, agent: str | None, version: str | None, limit: int
) -> list[tuple[str, str, int]]:
    """What agents said, what people said instead, and how often; the most frequent first."""
    times = func.count()
    wanted = (
        select(said.c.agent_said, said.c.human_said, times)
        .where(said.c.project == tx.project, said.c.counted == COUNTED)
        .group_by(said.c.agent_said, said.c.human_said)
        .order_by(times.desc(), said.c.agent_said, said.c.human_said)
        .limit(limit)
    )
    if agent is not None:
        wanted = wanted.where(said.c.agent == agent)
    if version is not None:
        wanted = wanted.where(said.c.version == version)
    return [(one, other, int(n)) for one, other, n in tx.conn.execute(wanted)]


def versions(
    tx: Tx, *, agent: str | None, since: datetime, limit: int
) -> list[tuple[str, str, int]]:
    """Agent, version, and how many of its turns people decided otherwise since then."""
    times = func.count(said.c.subject.distinct())
    wanted = (
        select(said.c.agent, said.c.version, times)
        .where(
            said.c.project == tx.project,
            said.c.counted == COUNTED,
            said.c.version != "",
            said.c.at >= since,
        )
        .group_by(said.c.agent, said.c.version)
        .order_by(times.desc(), said.c.agent, said.c.version)
        .limit(limit)
    )
    if agent is not None:
        wanted = wanted.where(said.c.agent == agent)
    return [(one, version, int(n)) for one, version, n in tx.conn.execute(wanted)]


def _mine() -> Any:
    return select(corrections.c.body, corrections.c.revision)


def _first(tx: Tx, *where: Any, lock: bool) -> Correction | None:
    wanted = _mine().where(corrections.c.project == tx.project, *where)
    row = tx.conn.execute(wanted.with_for_update() if lock else wanted).first()
    return None if row is None else _read(*row)


def _read(body: str, revision: int) -> Correction:
    return _with(adapter(Correction).validate_json(body), revision)


def _with(one: Correction, revision: int) -> Correction:
    return replace(one, revision=revision)


def _columns(one: Correction) -> dict[str, Any]:
    return {
        "agent": one.agent,
        "hash": one.hash,
        "asked": one.asked,
        "state": one.state.value,
        "category": one.category,
        "times": one.times,
        "looked": len(one.seconds),
        "body": canonical(plain(one)).decode(),
    }
