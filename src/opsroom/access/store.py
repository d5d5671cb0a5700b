"""People, projects and credentials in the database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Index,
    RowMapping,
    String,
    Table,
    Text,
    bindparam,
    delete,
    false,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from opsroom.kit.db import Tx, Utc, insert_missing, metadata

from .model import ClosedIdentity, Login, Token, Use, User

# A session is named by the first digits of its fingerprint, which says nothing of its secret.
SESSION_ID, SESSION_ID_DIGITS = "ses_", 16

projects = Table(
    "projects",
    metadata,
    Column("id", String, primary_key=True),
    Column("created_at", Utc, nullable=False),
    Column("name", String, nullable=False, server_default=""),
    Column("organisation", String, nullable=False, server_default="default"),
    Index("ix_projects_organisation", "organisation"),
)

users = Table(
    "users",
    metadata,
    Column("name", String, primary_key=True),
    Column("password", String),
    Column("created_at", Utc, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("project", String, primary_key=True),
    Column("user", String, primary_key=True),
    Column("roles", JSON, nullable=False),
    Column("since", Utc, nullable=False),
    Index("ix_members_user", "user"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("name", String, nullable=False),
    Column("prefix", String(12), nullable=False),
    Column("secret", String(64), nullable=False),
    Column("roles", JSON, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("created_by", String, nullable=False),
    Column("expires_at", Utc),
    Column("revoked_at", Utc),
    Column("agent", String, nullable=False, server_default=""),
    Column("service", String, nullable=False, server_default=""),
    Column("scopes", JSON, nullable=False, server_default="[]"),
    Column("last_used_at", Utc),
    Column("local", Boolean, nullable=False, server_default=false()),
    Column("environment", String, nullable=False, server_default=""),
    Index("uq_tokens_prefix", "prefix", unique=True),
)

# Agents that may not come in, whatever token they show.
closed_identities = Table(
    "closed_identities",
    metadata,
    Column("project", String, primary_key=True),
    Column("agent", String, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("closed_by", String, nullable=False),
    Column("closed_at", Utc, nullable=False),
    Column("sunset", String, nullable=False, server_default=""),
    Column("successor", String, nullable=False, server_default=""),
)

# Who was seen calling which agent: one row for each caller, token and door.
agent_uses = Table(
    "agent_uses",
    metadata,
    Column("project", String, primary_key=True),
    Column("agent", String, primary_key=True),
    Column("caller", String, primary_key=True),
    Column("token", String, primary_key=True),
    Column("door", String, primary_key=True),
    Column("first_at", Utc, nullable=False),
    Column("last_at", Utc, nullable=False),
)

# Sessions and one-time links: both are random secrets that stand for a user for a while.
sessions = Table(
    "sessions",
    metadata,
    Column("secret", String(64), primary_key=True),
    Column("use", String, nullable=False),
    Column("user", String, nullable=False),
    Column("project", String, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("how", String, nullable=False, server_default=""),
    Index("ix_sessions_live", "project", "use", "expires_at"),
)


@dataclass(frozen=True, slots=True)
class Session:
    user: str
    project: str


def add_project(tx: Tx, project: str) -> bool:
    """Add a project; False when somebody was faster."""
    try:
        with tx.conn.begin_nested():
            tx.conn.execute(
                insert(projects).values(id=project, name=project, created_at=tx.now)
            )
    except IntegrityError:
        return False
    return True


def has_project(tx: Tx, project: str) -> bool:
    return (
        tx.conn.execute(select(projects.c.id).where(projects.c.id == project)).first()
        is not None
    )


def projects_here(tx: Tx) -> list[str]:
    return list(tx.conn.execute(select(projects.c.id).order_by(projects.c.id)).scalars())


def lock_project(tx: Tx) -> None:
    """Let one transaction at a time decide who may administer this project."""
    mine = select(projects.c.id).where(projects.c.id == tx.project)
    tx.conn.execute(mine.with_for_update())


def add_user(tx: Tx, name: str, password: str | None) -> None:
    tx.conn.execute(insert(users).values(name=name, password=password, created_at=tx.now))


def has_user(tx: Tx, name: str) -> bool:
    return tx.conn.execute(select(users.c.name).where(users.c.name == name)).first() is not None


def anybody(tx: Tx) -> bool:
    return tx.conn.execute(select(users.c.name).limit(1)).first() is not None


def any_password(tx: Tx) -> bool:
    wanted = select(users.c.name).where(users.c.password.is_not(None))
    return tx.conn.execute(wanted.limit(1)).first() is not None


def password_of(tx: Tx, name: str) -> str | None:
    return tx.conn.execute(select(users.c.password).where(users.c.name == name)).scalar()


def set_password(tx: Tx, name: str, password: str | None) -> None:
    tx.conn.execute(update(users).where(users.c.name == name).values(password=password))


def set_roles(tx: Tx, project: str, name: str, roles: tuple[str, ...]) -> None:
    mine = (members.c.project == project, members.c.user == name)
    if roles_of(tx, project, name) is None:
        tx.conn.execute(
            insert(members).values(project=project, user=name, roles=list(roles), since=tx.now)
        )
    else:
        tx.conn.execute(update(members).where(*mine).values(roles=list(roles)))


def roles_of(tx: Tx, project: str, name: str) -> tuple[str, ...] | None:
    mine = select(members.c.roles).where(members.c.project == project, members.c.user == name)
    found = tx.conn.execute(mine).scalar()
    return None if found is None else tuple(found)


def everybodys_roles(tx: Tx) -> dict[str, tuple[str, ...]]:
    """The roles of everybody in this project."""
    mine = select(members.c.user, members.c.roles).where(members.c.project == tx.project)
    return {row.user: tuple(row.roles) for row in tx.conn.execute(mine)}


def projects_of(tx: Tx, name: str) -> list[str]:
    mine = select(members.c.project).where(members.c.user == name).order_by(members.c.since)
    return list(tx.conn.execute(mine).scalars())


def people(tx: Tx, *, project: str = "") -> list[User]:
    """Everybody in this project, or in another, by name."""
    rows = tx.conn.execute(
        select(users.c.name, users.c.created_at, members.c.roles)
        .join(members, members.c.user == users.c.name)
        .where(members.c.project == (project or tx.project))
        .order_by(users.c.name)
    )
    return [User(name=n, created_at=at, roles=tuple(roles)) for n, at, roles in rows]


def add_token(tx: Tx, token: Token, secret: str) -> None:
    values: dict[str, Any] = {n: getattr(token, n) for n in Token.__dataclass_fields__}
    values |= {"project": tx.project, "secret": secret}
    values |= {"roles": list(token.roles), "scopes": list(token.scopes)}
    tx.conn.execute(insert(tokens).values(values))


def token_by_prefix(tx: Tx, prefix: str) -> tuple[Token, str, str] | None:
    """The token with this public prefix, the fingerprint of its secret, and its project."""
    row = tx.conn.execute(select(tokens).where(tokens.c.prefix == prefix)).mappings().first()
    return (_token(row), row["secret"], row["project"]) if row else None


def token(tx: Tx, token_id: str) -> Token | None:
    mine = select(tokens).where(tokens.c.project == tx.project, tokens.c.id == token_id)
    row = tx.conn.execute(mine).mappings().first()
    return _token(row) if row else None


def tokens_here(tx: Tx) -> list[Token]:
    mine = select(tokens).where(tokens.c.project == tx.project).order_by(tokens.c.id)
    return [_token(row) for row in tx.conn.execute(mine).mappings()]


def revoke_token(tx: Tx, token_id: str) -> None:
    mine = (tokens.c.project == tx.project, tokens.c.id == token_id)
    tx.conn.execute(update(tokens).where(*mine).values(revoked_at=tx.now))


def set_token_roles(tx: Tx, token_id: str, roles: tuple[str, ...]) -> None:
    mine = (tokens.c.project == tx.project, tokens.c.id == token_id)
    tx.conn.execute(update(tokens).where(*mine).values(roles=list(roles)))


def token_used(tx: Tx, token_id: str, *, before: datetime) -> None:
    """Note that a token is in use, unless that is known since `before`."""
    mine = (
        tokens.c.id == token_id,
        tokens.c.last_used_at.is_(None) | (tokens.c.last_used_at < before),
    )
    tx.conn.execute(update(tokens).where(*mine).values(last_used_at=tx.now))


def live_tokens_of(tx: Tx, agent: str) -> list[str]:
    """The ids of the tokens that are bound to an agent and not revoked."""
    mine = select(tokens.c.id).where(
        tokens.c.project == tx.project, tokens.c.agent == agent, tokens.c.revoked_at.is_(None)
    )
    return list(tx.conn.execute(mine.order_by(tokens.c.id)).scalars())


def close_identity(tx: Tx, closed: ClosedIdentity) -> None:
    values = {name: getattr(closed, name) for name in ClosedIdentity.__dataclass_fields__}
    tx.conn.execute(insert(closed_identities).values(project=tx.project, **values))


def open_identity(tx: Tx, agent: str) -> None:
    tx.conn.execute(delete(closed_identities).where(*_closed(tx.project, agent)))


# Every action asks this; it is put together once.
_CLOSED = select(closed_identities).where(
    closed_identities.c.project == bindparam("project"),
    closed_identities.c.agent == bindparam("agent"),
)


def closed_identity(tx: Tx, project: str, agent: str) -> ClosedIdentity | None:
    asked = {"project": project, "agent": agent}
    row = tx.conn.execute(_CLOSED, asked).mappings().first()
    if row is None:
        return None
    return ClosedIdentity(**{n: row[n] for n in ClosedIdentity.__dataclass_fields__})


def _closed(project: str, agent: str) -> tuple[ColumnElement[bool], ...]:
    return closed_identities.c.project == project, closed_identities.c.agent == agent


def add_use(tx: Tx, project: str, use: Use) -> None:
    """Keep that somebody called an agent; of several times the first and the last."""
    row = {name: getattr(use, name) for name in Use.__dataclass_fields__}
    if insert_missing(tx, agent_uses, [{"project": project, **row}]):
        return
    of = agent_uses.c
    tx.conn.execute(
        update(agent_uses)
        .where(
            of.project == project,
            of.agent == use.agent,
            of.caller == use.caller,
            of.token == use.token,
            of.door == use.door,
            of.last_at < use.last_at,
        )
        .values(last_at=use.last_at)
    )


def uses_of(tx: Tx, agent: str, *, since: datetime, limit: int) -> list[Use]:
    """Who called an agent since, the last first."""
    of = agent_uses.c
    wanted = select(agent_uses).where(
        of.project == tx.project, of.agent == agent, of.last_at >= since
    )
    rows = tx.conn.execute(wanted.order_by(of.last_at.desc(), of.caller).limit(limit))
    return [
        Use(**{name: row[name] for name in Use.__dataclass_fields__}) for row in rows.mappings()
    ]


def last_uses(tx: Tx) -> dict[str, tuple[datetime, datetime]]:
    """When each agent was first and last seen called."""
    of = agent_uses.c
    wanted = select(of.agent, func.min(of.first_at), func.max(of.last_at)).where(
        of.project == tx.project
    )
    return {row[0]: (row[1], row[2]) for row in tx.conn.execute(wanted.group_by(of.agent))}


def add_session(
    tx: Tx, secret: str, use: str, user: str, project: str, expires_at: datetime, how: str = ""
) -> None:
    tx.conn.execute(
        insert(sessions).values(
            secret=secret,
            use=use,
            user=user,
            project=project,
            created_at=tx.now,
            expires_at=expires_at,
            how=how,
        )
    )


def session(tx: Tx, secret: str, use: str) -> Session | None:
    """Whom a live secret stands for."""
    row = tx.conn.execute(
        select(sessions.c.user, sessions.c.project).where(
            sessions.c.secret == secret,
            sessions.c.use == use,
            sessions.c.ended_at.is_(None),
            sessions.c.expires_at > tx.now,
        )
    ).first()
    return Session(row.user, row.project) if row else None


def end_session(tx: Tx, secret: str) -> bool:
    """End a live session or use up a link; False when somebody was faster."""
    done = tx.conn.execute(
        update(sessions)
        .where(sessions.c.secret == secret, sessions.c.ended_at.is_(None))
        .values(ended_at=tx.now)
    )
    return done.rowcount == 1


def logins(tx: Tx, *, limit: int, user: str | None = None) -> list[tuple[str, Login]]:
    """Live sessions of this project (of one person), newest first, with their fingerprints."""
    wanted = select(sessions).where(
        sessions.c.project == tx.project,
        sessions.c.use == "session",
        sessions.c.expires_at > tx.now,
        sessions.c.ended_at.is_(None),
    )
    if user is not None:
        wanted = wanted.where(sessions.c.user == user)
    order = (sessions.c.expires_at.desc(), sessions.c.secret)
    rows = tx.conn.execute(wanted.order_by(*order).limit(limit)).mappings()
    return [(row["secret"], _login(row)) for row in rows]


def login(tx: Tx, session_id: str) -> tuple[str, Login] | None:
    """A live session of this project by its public id, with its fingerprint."""
    start = session_id.removeprefix(SESSION_ID)
    if len(start) != SESSION_ID_DIGITS or not start.isalnum():
        return None
    wanted = select(sessions).where(
        sessions.c.project == tx.project,
        sessions.c.use == "session",
        sessions.c.expires_at > tx.now,
        sessions.c.ended_at.is_(None),
        sessions.c.secret.startswith(start, autoescape=True),
    )
    row = tx.conn.execute(wanted).mappings().first()
    return (row["secret"], _login(row)) if row else None


def end_sessions(tx: Tx, user: str) -> int:
    """End every session and link of a user; how many there were."""
    mine = (sessions.c.user == user, sessions.c.ended_at.is_(None))
    done = tx.conn.execute(update(sessions).where(*mine).values(ended_at=tx.now))
    return int(done.rowcount)


def _token(row: RowMapping) -> Token:
    known: dict[str, Any] = {name: row[name] for name in Token.__dataclass_fields__}
    known |= {"roles": tuple(row["roles"]), "scopes": tuple(row["scopes"])}
    return Token(**known)


def _login(row: RowMapping) -> Login:
    return Login(
        id=SESSION_ID + row["secret"][:SESSION_ID_DIGITS],
        user=row["user"],
        how=row["how"],
        begun_at=row["created_at"],
        expires_at=row["expires_at"],
    )
