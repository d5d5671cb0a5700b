"""A project's own roles, services, access rules and settings; roles taken in emergencies."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from opsroom.kit.db import Tx, Utc, metadata

from .model import CustomRole, Glass, Service

custom_roles = Table(
    "custom_roles",
    metadata,
    Column("project", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("permissions", JSON, nullable=False),
    Column("note", Text, nullable=False),
    Column("changed_at", Utc, nullable=False),
    Column("changed_by", String, nullable=False),
    Column("revision", Integer, nullable=False),
)

services = Table(
    "services",
    metadata,
    Column("project", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("opened_by", String, nullable=False),
    Column("closed_at", Utc),
    Column("closed_by", String, nullable=False),
)

access_rules = Table(
    "access_rules",
    metadata,
    Column("project", String, primary_key=True),
    Column("settings", Text, nullable=False),
)

access_settings = Table(
    "access_settings",
    metadata,
    Column("project", String, primary_key=True),
    Column("settings", Text, nullable=False),
)

glasses = Table(
    "glasses",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("user", String, nullable=False),
    Column("role", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("taken_at", Utc, nullable=False),
    Column("until", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("ended_by", String, nullable=False),
    Index("ix_glasses_open", "project", "user", "ended_at"),
    Index("ix_glasses_due", "ended_at", "until"),
)


# Logins at an identity provider that began here and are not back yet.
oidc_logins = Table(
    "oidc_logins",
    metadata,
    Column("state", String(64), primary_key=True),
    Column("nonce", String(64), nullable=False),
    Column("verifier", String, nullable=False),
    Column("back", String, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("used_at", Utc),
)

# Who somebody is at an identity provider, for good: names there may change or be given away.
oidc_people = Table(
    "oidc_people",
    metadata,
    Column("issuer", String, primary_key=True),
    Column("subject", String, primary_key=True),
    Column("user", String, nullable=False),
    Column("since", Utc, nullable=False),
)


def comes_by_oidc(tx: Tx, user: str) -> bool:
    """Whether an identity provider vouches for somebody."""
    wanted = select(oidc_people.c.user).where(oidc_people.c.user == user)
    return tx.conn.execute(wanted.limit(1)).first() is not None


def custom(tx: Tx, project: str, names: Sequence[str] | None = None) -> list[CustomRole]:
    """The project's own roles (of these names), by name."""
    wanted = select(custom_roles).where(custom_roles.c.project == project)
    if names is not None:
        wanted = wanted.where(custom_roles.c.name.in_(names))
    rows = tx.conn.execute(wanted.order_by(custom_roles.c.name)).mappings()
    return [_role(row) for row in rows]


def keep_role(tx: Tx, role: CustomRole, *, was: CustomRole | None) -> None:
    values = {name: getattr(role, name) for name in CustomRole.__dataclass_fields__}
    values["permissions"] = list(role.permissions)
    if was is None:
        tx.conn.execute(insert(custom_roles).values(project=tx.project, **values))
    else:
        tx.conn.execute(update(custom_roles).where(*_named(tx, role.name)).values(**values))


def drop_role(tx: Tx, name: str) -> None:
    tx.conn.execute(delete(custom_roles).where(*_named(tx, name)))


def _named(tx: Tx, name: str) -> tuple[ColumnElement[bool], ...]:
    return custom_roles.c.project == tx.project, custom_roles.c.name == name


def add_service(tx: Tx, service: Service) -> None:
    values = {name: getattr(service, name) for name in Service.__dataclass_fields__}
    values |= {"project": tx.project, "roles": list(service.roles)}
    tx.conn.execute(insert(services).values(values))


def change_service(tx: Tx, service: Service) -> None:
    values = {name: getattr(service, name) for name in ("roles", "closed_at", "closed_by")}
    values["roles"] = list(service.roles)
    mine = (services.c.project == tx.project, services.c.name == service.name)
    tx.conn.execute(update(services).where(*mine).values(**values))


def service(tx: Tx, project: str, name: str) -> Service | None:
    mine = select(services).where(services.c.project == project, services.c.name == name)
    row = tx.conn.execute(mine).mappings().first()
    return _service(row) if row else None


def services_here(tx: Tx) -> list[Service]:
    """Every service of this project, by name, the closed ones too."""
    mine = select(services).where(services.c.project == tx.project).order_by(services.c.name)
    return [_service(row) for row in tx.conn.execute(mine).mappings()]


def add_glass(tx: Tx, glass: Glass) -> None:
    values = {name: getattr(glass, name) for name in Glass.__dataclass_fields__}
    tx.conn.execute(insert(glasses).values(project=tx.project, **values))


def glass(tx: Tx, glass_id: str) -> Glass | None:
    mine = select(glasses).where(glasses.c.project == tx.project, glasses.c.id == glass_id)
    row = tx.conn.execute(mine).mappings().first()
    return _glass(row) if row else None


def taken_by(tx: Tx, project: str, user: str) -> list[Glass]:
    """The roles that somebody holds by way of an emergency now."""
    mine = select(glasses).where(
        glasses.c.project == project,
        glasses.c.user == user,
        glasses.c.ended_at.is_(None),
        glasses.c.until > tx.now,
    )
    return [_glass(row) for row in tx.conn.execute(mine.order_by(glasses.c.id)).mappings()]


def glasses_here(tx: Tx, *, limit: int) -> list[Glass]:
    """The latest of this project, newest first."""
    mine = select(glasses).where(glasses.c.project == tx.project)
    rows = tx.conn.execute(mine.order_by(glasses.c.id.desc()).limit(limit)).mappings()
    return [_glass(row) for row in rows]


def run_out(tx: Tx, *, limit: int) -> list[tuple[str, Glass]]:
    """Those whose time is over and who were not told so, with their projects."""
    due = select(glasses).where(glasses.c.ended_at.is_(None), glasses.c.until <= tx.now)
    rows = tx.conn.execute(due.order_by(glasses.c.until).limit(limit)).mappings()
    return [(row["project"], _glass(row)) for row in rows]


def end_glass(tx: Tx, glass_id: str, *, at: datetime, by: str) -> bool:
    """End one; False when it had ended."""
    done = tx.conn.execute(
        update(glasses)
        .where(glasses.c.id == glass_id, glasses.c.ended_at.is_(None))
        .values(ended_at=at, ended_by=by)
    )
    return done.rowcount == 1


def _role(row: RowMapping) -> CustomRole:
    known: dict[str, Any] = {name: row[name] for name in CustomRole.__dataclass_fields__}
    known["permissions"] = tuple(row["permissions"])
    return CustomRole(**known)


def _service(row: RowMapping) -> Service:
    known: dict[str, Any] = {name: row[name] for name in Service.__dataclass_fields__}
    known["roles"] = tuple(row["roles"])
    return Service(**known)


def _glass(row: RowMapping) -> Glass:
    return Glass(**{name: row[name] for name in Glass.__dataclass_fields__})
