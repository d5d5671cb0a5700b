"""Coming in, and being let in."""

import re
import secrets
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from opsroom.kit.db import Actor, Tx

from . import store
from .errors import (
    ActsForAnother,
    IdentityClosed,
    NameTaken,
    NoSuchToken,
    NoSuchUser,
    NotAnAgent,
    NotForAgents,
    UnknownRole,
    WeakPassword,
    WrongCredentials,
)
from .model import (
    ClosedIdentity,
    Role,
    Token,
    fingerprint,
    matches,
    permissions_of,
    split_token,
)

if TYPE_CHECKING:
    from argon2 import PasswordHasher

DEFAULT_PROJECT = "default"
SESSION_FOR = timedelta(hours=12)
LINK_FOR = timedelta(minutes=30)
MIN_PASSWORD = 12
_AGENT = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}", re.ASCII)


def first_run(tx: Tx) -> str | None:
    """On an empty installation: make a project and an administrator, and return a one-time link
    secret for them. On any other: None, and nothing changes.
    """
    if store.anybody(tx) or not store.add_project(tx, DEFAULT_PROJECT):
        return None
    store.add_user(tx, "admin", None)
    store.set_roles(tx, DEFAULT_PROJECT, "admin", (Role.ADMIN.value,))
    tx.record("user.created", "user/admin", roles=[Role.ADMIN.value])
    return issue_link(tx, "admin")


def issue_link(tx: Tx, user: str) -> str:
    """A secret that logs `user` in once, within half an hour."""
    _known(tx, user)
    secret = secrets.token_hex(24)
    store.add_session(
        tx, fingerprint(secret), "link", user, tx.project, tx.now + tx.lasting(LINK_FOR)
    )
    tx.record("link.issued", f"user/{user}")
    return secret


def follow_link(tx: Tx, secret: str) -> str:
    """Use a one-time link up and return the secret of a new session."""
    found = store.session(tx, fingerprint(secret), "link")
    if found is None or not store.end_session(tx, fingerprint(secret)):
        raise WrongCredentials
    return _begin_session(tx, found.user, found.project)


def log_in(tx: Tx, user: str, password: str) -> str:
    """Check a password and return the secret of a new session, in the user's first project."""
    stored = store.password_of(tx, user)
    if not _password_matches(stored, password) or not (mine := store.projects_of(tx, user)):
        raise WrongCredentials
    return _begin_session(tx, user, mine[0])


def log_out(tx: Tx, secret: str) -> None:
    """End a session; ending it twice changes nothing."""
    if store.end_session(tx, fingerprint(secret)):
        tx.record("session.ended", f"user/{tx.actor.name}")


def create_user(tx: Tx, name: str, roles: tuple[str, ...], password: str | None = None) -> None:
    _check_roles(roles)
    if store.has_user(tx, name):
        raise NameTaken(name)
    store.add_user(tx, name, password and _hash(password))
    store.set_roles(tx, tx.project, name, roles)
    tx.record("user.created", f"user/{name}", roles=list(roles))


def set_roles(tx: Tx, name: str, roles: tuple[str, ...]) -> None:
    """Give a user exactly these roles in this project; in force with their next request."""
    _check_roles(roles)
    before = _known(tx, name)
    store.set_roles(tx, tx.project, name, roles)
    tx.record("user.roles_set", f"user/{name}", before=list(before), after=list(roles))


def set_password(tx: Tx, name: str, password: str) -> None:
    """Set a password; whoever is logged in as `name` has to log in again."""
    _known(tx, name)
    store.set_password(tx, name, _hash(password))
    store.end_sessions(tx, name)
    tx.record("user.password_set", f"user/{name}")


def issue_token(
    tx: Tx,
    name: str,
    roles: tuple[str, ...],
    *,
    expires_at: datetime | None = None,
    agent: str = "",
) -> tuple[Token, str]:
    """Make a token. The text returned beside it is shown once and is stored nowhere.

    Bound to an `agent`, it is that agent's identity: it has the role agent and no other, acts
    for that agent only, and dies with it. Raises `NotForAgents`, `NotAnAgent` or
    `IdentityClosed`.
    """
    _check_roles(roles)
    if agent:
        _check_agent(tx, agent, roles)
    prefix, secret = secrets.token_hex(6), secrets.token_hex(24)
    token = Token(
        id=tx.ids.new("tok"),
        name=name,
        prefix=prefix,
        roles=roles,
        created_at=tx.now,
        created_by=tx.actor.person,
        expires_at=expires_at,
        agent=agent,
    )
    store.add_token(tx, token, fingerprint(secret))
    bound = {"agent": agent} if agent else {}
    tx.record("token.issued", f"token/{token.id}", name=name, roles=list(roles), **bound)
    return token, f"ops_{prefix}_{secret}"


def revoke_token(tx: Tx, token_id: str) -> None:
    """Make a token useless from the next request on; revoking twice changes nothing."""
    token = store.token(tx, token_id)
    if token is None:
        raise NoSuchToken(token_id)
    if token.revoked_at is None:
        store.revoke_token(tx, token_id)
        tx.record("token.revoked", f"token/{token_id}")


def revoke_agent_tokens(tx: Tx, agent: str) -> int:
    """Make every token of an agent useless from the next request on; how many there were."""
    alive = store.live_tokens_of(tx, agent)
    for token_id in alive:
        revoke_token(tx, token_id)
    return len(alive)


def close_identity(tx: Tx, agent: str, *, reason: str) -> int:
    """End an agent's identity: its tokens are revoked, and none works or is made until it is
    opened again. How many tokens there were. Whoever closes it journals why.

    Raises `IdentityClosed` when it was closed already.
    """
    if store.closed_identity(tx, tx.project, agent) is not None:
        raise IdentityClosed(agent)
    closed = ClosedIdentity(
        agent=agent, reason=reason, closed_by=tx.actor.name, closed_at=tx.now
    )
    store.close_identity(tx, closed)
    return revoke_agent_tokens(tx, agent)


def open_identity(tx: Tx, agent: str) -> bool:
    """Let an agent have tokens again. The old ones stay dead. False when it was open."""
    if store.closed_identity(tx, tx.project, agent) is None:
        return False
    revoke_agent_tokens(tx, agent)  # one may have been made while the identity was closing
    store.open_identity(tx, agent)
    return True


def check_acts_for(actor: Actor, agent: str) -> None:
    """Raise `ActsForAnother` when the identity of one agent is used for another."""
    if actor.agent and actor.agent != agent:
        raise ActsForAnother(actor.agent, agent)


def actor_of_token(tx: Tx, text: str) -> Actor:
    """Who a bearer token stands for. Unknown, wrong, expired, revoked and that of a retired
    agent all look the same.
    """
    parts = split_token(text)
    found = store.token_by_prefix(tx, parts[0]) if parts else None
    secret = parts[1] if parts else ""
    stored = found[1] if found else fingerprint("nobody")
    if not matches(secret, stored) or found is None or not found[0].alive(tx.now):
        raise WrongCredentials
    token, _, project = found
    if token.agent and store.closed_identity(tx, project, token.agent) is not None:
        raise WrongCredentials
    return Actor(
        token.actor,
        project,
        permissions_of(token.roles),
        token.roles,
        human=False,
        owner=token.created_by,
        agent=token.agent,
    )


def actor_of_session(tx: Tx, secret: str) -> Actor:
    """Who a session cookie stands for, with the roles they hold at this moment."""
    found = store.session(tx, fingerprint(secret), "session")
    if found is None:
        raise WrongCredentials
    roles = store.roles_of(tx, found.project, found.user)
    if roles is None:
        raise WrongCredentials
    return Actor(found.user, found.project, permissions_of(roles), roles)


def _begin_session(tx: Tx, user: str, project: str) -> str:
    secret = secrets.token_hex(24)
    store.add_session(
        tx, fingerprint(secret), "session", user, project, tx.now + tx.lasting(SESSION_FOR)
    )
    tx.actor = Actor(user, project)
    tx.record("session.begun", f"user/{user}")
    return secret


def _known(tx: Tx, name: str) -> tuple[str, ...]:
    roles = store.roles_of(tx, tx.project, name)
    if roles is None:
        raise NoSuchUser(name)
    return roles


def _check_roles(roles: tuple[str, ...]) -> None:
    for role in roles:
        if role not in set(Role):
            raise UnknownRole(role)


def _check_agent(tx: Tx, agent: str, roles: tuple[str, ...]) -> None:
    if _AGENT.fullmatch(agent) is None:
        raise NotAnAgent(agent)
    if set(roles) != {Role.AGENT.value}:
        raise NotForAgents(agent, ", ".join(roles) or "no role")
    if store.closed_identity(tx, tx.project, agent) is not None:
        raise IdentityClosed(agent)


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher  # noqa: PLC0415  # only logins with a password need it

    return PasswordHasher()


def _hash(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise WeakPassword
    return _hasher().hash(_bytes(password))


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_hex(16))


def _password_matches(stored: str | None, password: str) -> bool:
    """True for the right password. A user who is not there takes as long to refuse."""
    from argon2.exceptions import Argon2Error  # noqa: PLC0415

    try:
        right = _hasher().verify(stored or _nobodys_hash(), _bytes(password))
    except Argon2Error:
        return False
    return right and stored is not None


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
