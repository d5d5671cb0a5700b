"""The tables of alerts: what was found, and when each project is looked at next."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from opsroom.kit.db import Tx, Utc, insert_missing, metadata, overwrite

from .errors import AlertMoved
from .model import Alert, Every, Mute, State, Urgency

LIVE = (State.OPEN.value, State.ACKNOWLEDGED.value)

alerts = Table(
    "alerts",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("agent", String, nullable=False),
    Column("urgency", String, nullable=False),
    Column("state", String, nullable=False),
    Column("because", Text, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("acknowledged_at", Utc),
    Column("acknowledged_by", String, nullable=False),
    Column("resolved_at", Utc),
    Column("resolved_by", String, nullable=False),
    Column("note", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("told_at", Utc),
    Index("ix_alerts_project_state_id", "project", "state", "id"),
    Index("ix_alerts_project_id", "project", "id"),
)

clocks = Table(
    "alert_clocks",
    metadata,
    Column("project", String, primary_key=True),
    Column("next_at", Utc, nullable=False),
    Column("problems", JSON, nullable=False),
    # When rules of each length of window, in seconds, were looked at last.
    Column("looks", JSON),
    Index("ix_alert_clocks_next", "next_at"),
)

mutes = Table(
    "alert_mutes",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("starts_at", Utc, nullable=False),
    Column("ends_at", Utc, nullable=False),
    Column("every", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", String, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Index("ix_alert_mutes_project", "project", "ended_at"),
)


def add(tx: Tx, one: Alert) -> None:
    tx.conn.execute(insert(alerts).values(project=tx.project, **_row(one)))


def save(tx: Tx, one: Alert) -> None:
    """Write what `one` has become, unless somebody else got there first."""
    if not overwrite(
        tx,
        alerts,
        one.id,
        revision=one.revision,
        values={**_row(one), "revision": one.revision + 1},
    ):
        raise AlertMoved(one.id)


def alert(tx: Tx, alert_id: str, *, lock: bool = False) -> Alert | None:
    wanted = select(alerts).where(alerts.c.project == tx.project, alerts.c.id == alert_id)
    if lock:
        wanted = wanted.with_for_update()
    row = tx.conn.execute(wanted).mappings().first()
    return None if row is None else _alert(row)


def live(tx: Tx) -> dict[tuple[str, str], Alert]:
    """Alerts that are not resolved, by rule and agent; locked."""
    wanted = select(alerts).where(alerts.c.project == tx.project, alerts.c.state.in_(LIVE))
    found = [_alert(row) for row in tx.conn.execute(wanted.with_for_update()).mappings()]
    return {(one.rule, one.agent): one for one in found}


def page(
    tx: Tx, *, everything: bool, rule: str | None, before: str | None, limit: int
) -> list[Alert]:
    wanted = select(alerts).where(alerts.c.project == tx.project)
    if not everything:
        wanted = wanted.where(alerts.c.state.in_(LIVE))
    if rule is not None:
        wanted = wanted.where(alerts.c.rule == rule)
    if before is not None:
        wanted = wanted.where(alerts.c.id < before)
    rows = tx.conn.execute(wanted.order_by(alerts.c.id.desc()).limit(limit)).mappings()
    return [_alert(row) for row in rows]


def count(tx: Tx, state: State) -> int:
    wanted = select(func.count()).where(
        alerts.c.project == tx.project, alerts.c.state == state.value
    )
    return int(tx.conn.execute(wanted).scalar_one())


def standing(tx: Tx) -> list[tuple[str, str, str, int]]:
    """Alerts that are not resolved: agent, urgency, state, count."""
    by = (alerts.c.agent, alerts.c.urgency, alerts.c.state)
    wanted = select(*by, func.count()).where(
        alerts.c.project == tx.project, alerts.c.state.in_(LIVE)
    )
    return [(row[0], row[1], row[2], row[3]) for row in tx.conn.execute(wanted.group_by(*by))]


def wind(tx: Tx) -> None:
    """See that the project is looked at; it is at once, if it never was."""
    row = {"project": tx.project, "next_at": tx.now, "problems": {}}
    insert_missing(tx, clocks, [row])


def hurry(tx: Tx, *, everything: bool = False) -> None:
    """Look at the project as soon as may be; with `everything`, at rules whose turn it is not
    as well.
    """
    wind(tx)
    mine = update(clocks).where(clocks.c.project == tx.project)
    tx.conn.execute(mine.where(clocks.c.next_at > tx.now).values(next_at=tx.now))
    if everything:
        tx.conn.execute(mine.values(looks=None))


def due(tx: Tx) -> bool:
    """Whether any project is due."""
    return bool(tx.conn.execute(select(exists().where(clocks.c.next_at <= tx.now))).scalar())


def due_projects(tx: Tx, *, limit: int) -> list[str]:
    """The projects that are due, the longest due first."""
    wanted = select(clocks.c.project).where(clocks.c.next_at <= tx.now)
    wanted = wanted.order_by(clocks.c.next_at, clocks.c.project).limit(limit)
    return list(tx.conn.execute(wanted).scalars())


def claim(tx: Tx) -> bool:
    """Whether this project is still due; its clock stays locked."""
    wanted = select(clocks.c.project).where(
        clocks.c.project == tx.project, clocks.c.next_at <= tx.now
    )
    return tx.conn.execute(wanted.with_for_update(skip_locked=True)).first() is not None


def looked_at(tx: Tx) -> dict[str, str]:
    """When rules of each length of window were looked at last."""
    wanted = select(clocks.c.looks).where(clocks.c.project == tx.project)
    return dict(tx.conn.execute(wanted).scalar() or {})


def looked(
    tx: Tx, *, next_at: datetime, problems: dict[str, str], windows: Mapping[str, str]
) -> None:
    tx.conn.execute(
        update(clocks)
        .where(clocks.c.project == tx.project)
        .values(next_at=next_at, problems=problems, looks=dict(windows))
    )


def problems(tx: Tx) -> dict[str, str]:
    """Rules that could not be decided at the last look, and why."""
    wanted = select(clocks.c.problems).where(clocks.c.project == tx.project)
    return dict(tx.conn.execute(wanted).scalar() or {})


def add_mute(tx: Tx, one: Mute) -> None:
    values = {**asdict(one), "every": one.every.value}
    tx.conn.execute(insert(mutes).values(project=tx.project, **values))


def end_mute(tx: Tx, one: Mute) -> None:
    tx.conn.execute(update(mutes).where(mutes.c.id == one.id).values(ended_at=one.ended_at))


def live_mutes(tx: Tx, *, limit: int) -> list[Mute]:
    """Mutes that are in force or to come, oldest first."""
    wanted = select(mutes).where(
        mutes.c.project == tx.project,
        mutes.c.ended_at.is_(None),
        or_(mutes.c.every != Every.ONCE.value, mutes.c.ends_at > tx.now),
    )
    rows = tx.conn.execute(wanted.order_by(mutes.c.id).limit(limit)).mappings()
    return [_mute(row) for row in rows]


def _mute(row: RowMapping) -> Mute:
    values: dict[str, Any] = {name: row[name] for name in Mute.__dataclass_fields__}
    values["every"] = Every(row["every"])
    return Mute(**values)


def _row(one: Alert) -> dict[str, Any]:
    return {**asdict(one), "urgency": one.urgency.value, "state": one.state.value}


def _alert(row: RowMapping) -> Alert:
    values: dict[str, Any] = {name: row[name] for name in Alert.__dataclass_fields__}
    values["urgency"] = Urgency(row["urgency"])
    values["state"] = State(row["state"])
    return Alert(**values)
