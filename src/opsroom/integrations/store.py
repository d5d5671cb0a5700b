"""The tables of integrations: how each stands, its runs, what it said of itself, how calls went.

Documents are kept once, under their digest. Calls are counted by the hour, so that a busy
integration takes 24 rows a day and not one a call.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)

from opsroom.kit.canonical import sha256
from opsroom.kit.db import Tx, Utc, insert_missing, metadata, overwrite
from opsroom.kit.wire import adapter, plain

from .calls import Bucket
from .differ import Level
from .errors import ChangedAgain
from .model import Run, Standing, State

HOUR = timedelta(hours=1)
KEPT = timedelta(days=8)

integrations = Table(
    "integrations",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("name", String, nullable=False),
    Column("state", String, nullable=False),
    Column("because", Text, nullable=False),
    Column("since", Utc, nullable=False),
    Column("baseline", String, nullable=False),
    Column("document", String, nullable=False),
    Column("source", String, nullable=False),
    Column("level", String),
    Column("failures", Integer, nullable=False),
    Column("last_run", String, nullable=False),
    Column("next_at", Utc, nullable=False),
    Column("busy_until", Utc),
    Column("revision", Integer, nullable=False),
    UniqueConstraint("project", "name"),
)

runs = Table(
    "integration_runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("integration_id", String, ForeignKey("integrations.id"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("outcome", String, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_integration_runs_of", "integration_id", "id"),
)

documents = Table(
    "integration_documents",
    metadata,
    Column("project", String, primary_key=True),
    Column("digest", String, primary_key=True),
    Column("body", Text, nullable=False),
    Column("at", Utc, nullable=False),
)

calls = Table(
    "integration_calls",
    metadata,
    Column("integration_id", String, ForeignKey("integrations.id"), primary_key=True),
    Column("since", Utc, primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("faults", Text, nullable=False),
    Column("latencies", Text, nullable=False),
)


def add(tx: Tx, one: Standing) -> None:
    tx.conn.execute(insert(integrations).values(project=tx.project, **_row(one)))


def save(tx: Tx, one: Standing, *, was: Standing) -> None:
    """Write `one` over `was`, unless somebody else got there first."""
    if not overwrite(
        tx,
        integrations,
        was.id,
        revision=was.revision,
        values={**_row(one), "revision": was.revision + 1},
    ):
        raise ChangedAgain(was.name)


def standing(tx: Tx, name: str, *, lock: bool = False) -> Standing | None:
    wanted = select(integrations).where(
        integrations.c.project == tx.project, integrations.c.name == name
    )
    row = tx.conn.execute(wanted.with_for_update() if lock else wanted).mappings().first()
    return _standing(row) if row else None


def standings(tx: Tx, names: Sequence[str]) -> dict[str, Standing]:
    wanted = select(integrations).where(
        integrations.c.project == tx.project, integrations.c.name.in_(names)
    )
    return {row["name"]: _standing(row) for row in tx.conn.execute(wanted).mappings()}


def place_of(tx: Tx, integration_id: str) -> tuple[str, str] | None:
    """The project and name that an id stands for, in any project."""
    wanted = select(integrations.c.project, integrations.c.name).where(
        integrations.c.id == integration_id
    )
    row = tx.conn.execute(wanted).first()
    return (row.project, row.name) if row else None


def add_run(tx: Tx, run: Run, *, of: str) -> None:
    tx.conn.execute(
        insert(runs).values(
            id=run.id,
            integration_id=of,
            at=run.at,
            outcome=run.outcome.value,
            body=json.dumps(plain(run), ensure_ascii=False),
        )
    )


def run(tx: Tx, of: str, run_id: str) -> Run | None:
    wanted = select(runs.c.body).where(runs.c.integration_id == of, runs.c.id == run_id)
    body = tx.conn.execute(wanted).scalar_one_or_none()
    return None if body is None else adapter(Run).validate_json(body)


def runs_page(tx: Tx, of: str, *, before: str | None, limit: int) -> list[Run]:
    """Runs, newest first."""
    wanted = select(runs.c.body).where(runs.c.integration_id == of)
    if before is not None:
        wanted = wanted.where(runs.c.id < before)
    found = tx.conn.execute(wanted.order_by(runs.c.id.desc()).limit(limit)).scalars()
    return [adapter(Run).validate_json(body) for body in found]


def digest_of(document: dict[str, Any]) -> tuple[str, str]:
    """The digest of a document and its text. Documents hold numbers that no canonical form
    has (limits of 64 bits), so it is taken over sorted JSON.
    """
    body = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(body.encode("utf-8", "backslashreplace")), body


def keep_document(tx: Tx, digest: str, body: str) -> None:
    row = {"project": tx.project, "digest": digest, "body": body, "at": tx.now}
    insert_missing(tx, documents, [row])


def document(tx: Tx, digest: str) -> dict[str, Any] | None:
    wanted = select(documents.c.body).where(
        documents.c.project == tx.project, documents.c.digest == digest
    )
    body = tx.conn.execute(wanted).scalar_one_or_none()
    return None if body is None else json.loads(body)


def count(tx: Tx, of: str, more: Bucket) -> None:
    """Add calls to the hour that is running. Lock the integration before."""
    since = tx.now.replace(minute=0, second=0, microsecond=0)
    place = (calls.c.integration_id == of, calls.c.since == since)
    row = tx.conn.execute(select(calls).where(*place)).mappings().first()
    now = (Bucket() if row is None else _bucket(row)).plus(more)
    values = {
        "calls": now.calls,
        "failures": now.failures,
        "faults": json.dumps(now.faults),
        "latencies": json.dumps(now.latencies),
    }
    if row is None:
        tx.conn.execute(delete(calls).where(place[0], calls.c.since < since - KEPT))
        tx.conn.execute(insert(calls).values(integration_id=of, since=since, **values))
    else:
        tx.conn.execute(update(calls).where(*place).values(values))


def buckets(tx: Tx, of: str, *, since: datetime) -> list[tuple[datetime, Bucket]]:
    """Calls by the hour, oldest first."""
    wanted = select(calls).where(calls.c.integration_id == of, calls.c.since > since - HOUR)
    rows = tx.conn.execute(wanted.order_by(calls.c.since)).mappings()
    return [(row["since"], _bucket(row)) for row in rows]


def _bucket(row: RowMapping) -> Bucket:
    latencies = json.loads(row["latencies"])
    return Bucket(
        calls=row["calls"],
        failures=row["failures"],
        faults=json.loads(row["faults"]),
        latencies={int(key): count for key, count in latencies.items()},
    )


def _row(one: Standing) -> dict[str, Any]:
    level = None if one.level is None else one.level.value
    return {**asdict(one), "state": one.state.value, "level": level}


def _standing(row: RowMapping) -> Standing:
    values: dict[str, Any] = {name: row[name] for name in Standing.__dataclass_fields__}
    values["state"] = State(row["state"])
    values["level"] = None if row["level"] is None else Level(row["level"])
    return Standing(**values)


def states(tx: Tx, *, limit: int) -> dict[str, State]:
    """How integrations stand, by name."""
    wanted = select(integrations.c.name, integrations.c.state).where(
        integrations.c.project == tx.project
    )
    rows = tx.conn.execute(wanted.order_by(integrations.c.name).limit(limit))
    return {row[0]: State(row[1]) for row in rows}
