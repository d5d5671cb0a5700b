"""The tables of autonomy: grants, what is known of them, what was done alone, and the switch."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, metadata
from opsroom.kit.wire import adapter, plain

from .decide import Known
from .model import ALL, Envelope, Grant, Level, Record, Switch, Widening, WideningState

grants = Table(
    "autonomy_grants",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("level", String, nullable=False),
    Column("envelope", Text, nullable=False),
    Column("manifest", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_at", Utc, nullable=False),
    Column("changed_by", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Index("uq_autonomy_grants", "project", "agent", "environment", "scope", unique=True),
)

records = Table(
    "autonomy_records",
    metadata,
    Column("project", String, primary_key=True),
    Column("agent", String, primary_key=True),
    Column("environment", String, primary_key=True),
    Column("scope", String, primary_key=True),
    Column("agreed", Integer, nullable=False),
    Column("corrected", Integer, nullable=False),
    Column("succeeded", Integer, nullable=False),
    Column("incidents", Integer, nullable=False),
    Column("since", Utc, nullable=False),
)

alone = Table(
    "autonomy_alone",
    metadata,
    Column("project", String, primary_key=True),
    Column("agent", String, primary_key=True),
    Column("environment", String, primary_key=True),
    Column("scope", String, primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("times", Integer, nullable=False),
)

switches = Table(
    "autonomy_switches",
    metadata,
    Column("project", String, primary_key=True),
    Column("agent", String, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("by", String, nullable=False),
    Column("at", Utc, nullable=False),
)

widenings = Table(
    "autonomy_widenings",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("state", String, nullable=False),
    Column("content", Text, nullable=False),
    Index("ix_autonomy_widenings_project", "project", "id"),
    Index(
        "uq_autonomy_widenings_open",
        "project",
        "agent",
        "environment",
        "scope",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)

COUNTS = ("agreed", "corrected", "succeeded", "incidents")

# Every action asks these; they are put together once.
_IS_STOPPED = and_(
    switches.c.project == bindparam("project"),
    or_(switches.c.agent == bindparam("agent"), switches.c.agent == ALL),
)
_ONE = select(literal(1).label("one")).subquery()
_KNOWN = select(
    *(column.label(f"g_{column.name}") for column in grants.c),
    switches.c.agent.label("stopped"),
    switches.c.reason.label("why"),
    alone.c.times,
).select_from(
    _ONE.outerjoin(switches, _IS_STOPPED)
    .outerjoin(
        grants,
        and_(
            grants.c.project == bindparam("project"),
            grants.c.agent == bindparam("agent"),
            grants.c.environment == bindparam("environment"),
            grants.c.scope.in_(bindparam("scopes", expanding=True)),
        ),
    )
    .outerjoin(
        alone,
        and_(
            alone.c.project == grants.c.project,
            alone.c.agent == grants.c.agent,
            alone.c.environment == grants.c.environment,
            alone.c.scope == grants.c.scope,
            alone.c.day == bindparam("day"),
        ),
    )
)
_STOPPED = select(switches.c.agent, switches.c.reason).where(_IS_STOPPED)


def known(tx: Tx, agent: str, environment: str, scopes: tuple[str, ...]) -> Known:
    """Everything a decision about one proposal needs, in one query."""
    asked = {
        "project": tx.project,
        "agent": agent,
        "environment": environment,
        "scopes": list(scopes),
        "day": _today(tx),
    }
    found = tx.conn.execute(_KNOWN, asked).mappings().all()
    made = [_grant(row, "g_") for row in found if row["g_id"] is not None]
    stopped = {row["stopped"]: row["why"] for row in found if row["stopped"] is not None}
    return Known(
        stopped=_why(stopped),
        grants={grant.scope: grant for grant in made},
        alone={row["g_scope"]: row["times"] or 0 for row in found if row["g_id"] is not None},
    )


def grant(
    tx: Tx, agent: str, environment: str, scope: str, *, lock: bool = False
) -> Grant | None:
    wanted = select(grants).where(
        grants.c.project == tx.project,
        grants.c.agent == agent,
        grants.c.environment == environment,
        grants.c.scope == scope,
    )
    row = tx.conn.execute(wanted.with_for_update() if lock else wanted).mappings().first()
    return _grant(row) if row else None


def grants_of(tx: Tx, agent: str, environment: str | None = None) -> list[Grant]:
    wanted = select(grants).where(grants.c.project == tx.project, grants.c.agent == agent)
    if environment is not None:
        wanted = wanted.where(grants.c.environment == environment)
    rows = tx.conn.execute(wanted.order_by(grants.c.environment, grants.c.scope)).mappings()
    return [_grant(row) for row in rows]


def grants_of_many(tx: Tx, agents: list[str], environment: str) -> list[Grant]:
    wanted = select(grants).where(
        grants.c.project == tx.project,
        grants.c.agent.in_(agents),
        grants.c.environment == environment,
    )
    return [_grant(row) for row in tx.conn.execute(wanted.order_by(grants.c.scope)).mappings()]


def put(tx: Tx, one: Grant) -> None:
    """Write a grant that is locked, or the first one of its scope."""
    row = {
        **{name: getattr(one, name) for name in Grant.__dataclass_fields__},
        "level": one.level.value,
        "envelope": canonical(plain(one.envelope)).decode(),
    }
    if one.revision == 1:
        tx.conn.execute(insert(grants).values(project=tx.project, **row))
    else:
        tx.conn.execute(update(grants).where(grants.c.id == one.id).values(row))


def _counting(fresh: Any) -> Any:
    return fresh.on_conflict_do_update(
        index_elements=list(records.primary_key.columns),
        set_={name: records.c[name] + fresh.excluded[name] for name in COUNTS},
    )


_COUNT = {
    "sqlite": _counting(sqlite.insert(records)),
    "postgresql": _counting(postgresql.insert(records)),
}


def count(
    tx: Tx, agent: str, environment: str, scopes: tuple[str, ...], seen: Mapping[str, int]
) -> None:
    """Add to what is known under each scope."""
    whose = {"project": tx.project, "agent": agent, "environment": environment}
    rows = [{**whose, "scope": scope, "since": tx.now, **seen} for scope in sorted(scopes)]
    tx.conn.execute(_COUNT[tx.conn.dialect.name], rows)


def record(tx: Tx, agent: str, environment: str, scope: str) -> Record:
    return records_of(tx, agent, environment).get(scope, Record())


def records_of(tx: Tx, agent: str, environment: str) -> dict[str, Record]:
    wanted = select(records).where(
        records.c.project == tx.project,
        records.c.agent == agent,
        records.c.environment == environment,
    )
    return {
        row["scope"]: Record(since=row["since"], **{name: row[name] for name in COUNTS})
        for row in tx.conn.execute(wanted).mappings()
    }


def forget(tx: Tx, agent: str, environment: str, scope: str) -> None:
    """Let the evidence under a scope begin anew; what it was stands in the journal."""
    tx.conn.execute(
        delete(records).where(
            records.c.project == tx.project,
            records.c.agent == agent,
            records.c.environment == environment,
            records.c.scope == scope,
        )
    )


def add_alone(tx: Tx, agent: str, environment: str, scope: str) -> int:
    """Count one action done alone today, and return which one it is. Others wait for us."""
    build = postgresql.insert if tx.conn.dialect.name == "postgresql" else sqlite.insert
    statement = build(alone).values(
        project=tx.project,
        agent=agent,
        environment=environment,
        scope=scope,
        day=_today(tx),
        times=1,
    )
    counted = statement.on_conflict_do_update(
        index_elements=list(alone.primary_key.columns), set_={"times": alone.c.times + 1}
    ).returning(alone.c.times)
    return int(tx.conn.execute(counted).scalar_one())


def take_back_alone(tx: Tx, agent: str, environment: str, scope: str) -> None:
    tx.conn.execute(
        update(alone)
        .where(
            alone.c.project == tx.project,
            alone.c.agent == agent,
            alone.c.environment == environment,
            alone.c.scope == scope,
            alone.c.day == _today(tx),
        )
        .values(times=alone.c.times - 1)
    )


def stopped(tx: Tx, agent: str) -> str | None:
    """Why an agent is stopped: its own switch first, then that of all."""
    found = tx.conn.execute(_STOPPED, {"project": tx.project, "agent": agent})
    return _why({one.agent: one.reason for one in found})


def switches_on(tx: Tx) -> dict[str, Switch]:
    rows = tx.conn.execute(select(switches).where(switches.c.project == tx.project)).mappings()
    return {
        row["agent"]: Switch(
            agent=row["agent"], reason=row["reason"], by=row["by"], at=row["at"]
        )
        for row in rows
    }


def turn_on(tx: Tx, agent: str, reason: str) -> bool:
    """Turn a kill switch on; False when it was on already."""
    build = postgresql.insert if tx.conn.dialect.name == "postgresql" else sqlite.insert
    statement = build(switches).values(
        project=tx.project, agent=agent, reason=reason, by=tx.actor.name, at=tx.now
    )
    made = statement.on_conflict_do_nothing().returning(switches.c.agent)
    return tx.conn.execute(made).scalar() is not None


def turn_off(tx: Tx, agent: str) -> bool:
    done = tx.conn.execute(
        delete(switches).where(switches.c.project == tx.project, switches.c.agent == agent)
    )
    return done.rowcount == 1


def add_widening(tx: Tx, one: Widening) -> None:
    tx.conn.execute(
        insert(widenings).values(
            id=one.id,
            project=tx.project,
            agent=one.grant.agent,
            environment=one.grant.environment,
            scope=one.grant.scope,
            **_state(one),
        )
    )


def save_widening(tx: Tx, one: Widening) -> None:
    """Write a widening that is locked."""
    tx.conn.execute(update(widenings).where(widenings.c.id == one.id).values(_state(one)))


def widening(tx: Tx, widening_id: str, *, lock: bool = False) -> Widening | None:
    wanted = select(widenings.c.content).where(
        widenings.c.project == tx.project, widenings.c.id == widening_id
    )
    found = tx.conn.execute(wanted.with_for_update() if lock else wanted).scalar()
    return None if found is None else adapter(Widening).validate_json(found)


def open_widening(tx: Tx, agent: str, environment: str, scope: str) -> Widening | None:
    wanted = select(widenings.c.content).where(
        widenings.c.project == tx.project,
        widenings.c.agent == agent,
        widenings.c.environment == environment,
        widenings.c.scope == scope,
        widenings.c.state == WideningState.OPEN.value,
    )
    found = tx.conn.execute(wanted.with_for_update()).scalar()
    return None if found is None else adapter(Widening).validate_json(found)


def widenings_page(
    tx: Tx, *, agent: str = "", state: WideningState | None = None, before: str, limit: int
) -> list[Widening]:
    """Widenings, newest first."""
    wanted = select(widenings.c.content).where(widenings.c.project == tx.project)
    if agent:
        wanted = wanted.where(widenings.c.agent == agent)
    if state is not None:
        wanted = wanted.where(widenings.c.state == state.value)
    if before:
        wanted = wanted.where(widenings.c.id < before)
    found = tx.conn.execute(wanted.order_by(widenings.c.id.desc()).limit(limit)).scalars()
    return [adapter(Widening).validate_json(one) for one in found]


def count_open(tx: Tx) -> int:
    wanted = select(func.count()).where(
        widenings.c.project == tx.project, widenings.c.state == WideningState.OPEN.value
    )
    return int(tx.conn.execute(wanted).scalar_one())


def _state(one: Widening) -> dict[str, Any]:
    return {"state": one.state.value, "content": canonical(plain(one)).decode()}


def _why(stopped: Mapping[str, str]) -> str | None:
    own = next((why for name, why in stopped.items() if name != ALL), None)
    return own if own is not None else stopped.get(ALL)


def _today(tx: Tx) -> str:
    return tx.now.date().isoformat()


def _grant(row: RowMapping, prefix: str = "") -> Grant:
    data = {name: row[prefix + name] for name in Grant.__dataclass_fields__}
    data |= {
        "level": Level(data["level"]),
        "envelope": adapter(Envelope).validate_json(data["envelope"]),
    }
    return Grant(**data)
