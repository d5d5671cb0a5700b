"""The tables of improvement: searches, and the candidates of each."""

from dataclasses import replace
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, insert_missing, metadata, overwrite
from opsroom.kit.wire import adapter, plain

from .errors import ImprovementMoved
from .model import Candidate, Improvement, Standing

improvements = Table(
    "improvements",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("target", String, nullable=False),
    Column("state", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_improvements_project_id", "project", "id"),
    Index("ix_improvements_project_target", "project", "target", "id"),
)

candidates = Table(
    "improvement_candidates",
    metadata,
    Column("improvement", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("project", String, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("standing", String, nullable=False),
    Column("body", Text, nullable=False),
)


def add(tx: Tx, one: Improvement) -> None:
    row = {"id": one.id, "project": tx.project, "created_at": one.created_at, **_columns(one)}
    tx.conn.execute(insert(improvements).values(row))


def save(tx: Tx, one: Improvement) -> Improvement:
    """Write what `one` has become, unless somebody else got there first."""
    saved = replace(one, revision=one.revision + 1)
    if not overwrite(
        tx,
        improvements,
        one.id,
        improvements.c.project == tx.project,
        revision=one.revision,
        values=_columns(saved),
    ):
        raise ImprovementMoved(one.id)
    return saved


def improvement(tx: Tx, improvement_id: str, *, lock: bool = False) -> Improvement | None:
    wanted = select(improvements.c.body).where(
        improvements.c.project == tx.project, improvements.c.id == improvement_id
    )
    if lock:
        wanted = wanted.with_for_update()
    body = tx.conn.execute(wanted).scalar()
    return None if body is None else adapter(Improvement).validate_json(body)


def project_of(tx: Tx, improvement_id: str) -> str | None:
    """Whose it is: for loops, which know it by its id alone."""
    wanted = select(improvements.c.project).where(improvements.c.id == improvement_id)
    return tx.conn.execute(wanted).scalar()


def page(
    tx: Tx, *, target: str = "", before: str | None = None, limit: int
) -> list[Improvement]:
    wanted = select(improvements.c.body).where(improvements.c.project == tx.project)
    if target:
        wanted = wanted.where(improvements.c.target == target)
    if before is not None:
        wanted = wanted.where(improvements.c.id < before)
    found = tx.conn.execute(wanted.order_by(improvements.c.id.desc()).limit(limit)).scalars()
    return [adapter(Improvement).validate_json(body) for body in found]


def count(tx: Tx, *states: str) -> int:
    wanted = select(func.count()).where(
        improvements.c.project == tx.project, improvements.c.state.in_(states)
    )
    return int(tx.conn.execute(wanted).scalar_one())


def add_candidate(tx: Tx, one: Candidate) -> None:
    """Keep a candidate. Raises `ImprovementMoved` where one has its number already."""
    row = {
        "improvement": one.improvement,
        "number": one.number,
        "project": tx.project,
        "digest": one.digest,
        "standing": one.standing.value,
        "body": canonical(plain(one)).decode(),
    }
    if insert_missing(tx, candidates, [row]) == 0:
        raise ImprovementMoved(one.improvement)


def save_candidate(tx: Tx, one: Candidate) -> None:
    tx.conn.execute(
        update(candidates)
        .where(
            candidates.c.project == tx.project,
            candidates.c.improvement == one.improvement,
            candidates.c.number == one.number,
        )
        .values(standing=one.standing.value, body=canonical(plain(one)).decode())
    )


def candidates_of(
    tx: Tx,
    improvement_id: str,
    *,
    after: int = -1,
    limit: int,
    standing: Standing | None = None,
) -> list[Candidate]:
    """The candidates of a search in the order in which they were found."""
    wanted = select(candidates.c.body).where(
        candidates.c.project == tx.project,
        candidates.c.improvement == improvement_id,
        candidates.c.number > after,
    )
    if standing is not None:
        wanted = wanted.where(candidates.c.standing == standing.value)
    found = tx.conn.execute(wanted.order_by(candidates.c.number).limit(limit)).scalars()
    return [adapter(Candidate).validate_json(body) for body in found]


def candidate(tx: Tx, improvement_id: str, number: int) -> Candidate | None:
    wanted = select(candidates.c.body).where(
        candidates.c.project == tx.project,
        candidates.c.improvement == improvement_id,
        candidates.c.number == number,
    )
    body = tx.conn.execute(wanted).scalar()
    return None if body is None else adapter(Candidate).validate_json(body)


def _columns(one: Improvement) -> dict[str, Any]:
    return {
        "target": one.plan.target,
        "state": one.state.value,
        "revision": one.revision,
        "body": canonical(plain(one)).decode(),
    }
