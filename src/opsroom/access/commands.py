"""Coming in, and being let in."""

import re
import secrets
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from opsroom.kit.db import Actor, Tx

from . import governing_store, organisations_store, ruling, services, store
from .errors import (
    ActsForAnother,
    AgentGone,
    BadEnvironmentName,
    BadPersonName,
    BadScope,
    BadService,
    ComesByProvider,
    IdentityClosed,
    MoreThanYours,
    NameTaken,
    NoSuchSession,
    NoSuchToken,
    NoSuchUser,
    NotAnAgent,
    NotForAgents,
    TokenNeedsExpiry,
    WeakPassword,
    WrongCredentials,
)
from .granting import (
    check_lets_in,
    check_not_above,
    check_not_over,
    check_roles,
    deciding_about_roles,
    held,
    permissions,
    roles_now,
)
from .model import (
    ClosedIdentity,
    Role,
    Service,
    Token,
    fingerprint,
    matches,
    names_somebody,
    split_token,
    with_implied,
)

if TYPE_CHECKING:
    from argon2 import PasswordHasher

DEFAULT_PROJECT = "default"
SESSION_FOR = timedelta(hours=12)
LINK_FOR = timedelta(minutes=30)
USE_NOTED_EVERY = timedelta(hours=1)
MIN_PASSWORD = 12
OF_NO_ENVIRONMENT = frozenset({"administer", "govern"})
_ENVIRONMENT = re.compile(r"[a-z][a-z0-9._-]{0,63}", re.ASCII)
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
    """A secret that logs `user` in once, within half an hour.

    Raises `MoreThanYours` where they may do more than whoever acts: the link could be followed
    by anybody. Raises `OnlyPeople` for a program, which would become a person.
    """
    _check_lets_in(tx, user)
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
    return begin_session(tx, found.user, found.project, how="link")


def log_in(tx: Tx, user: str, password: str) -> str:
    """Check a password and return the secret of a new session, in the user's first project where
    they may do something.
    """
    stored = store.password_of(tx, user)
    right = _password_matches(stored, password)
    if not right or not (mine := organisations_store.reach(tx, user)):
        raise WrongCredentials
    first = next((one for one in mine if held(tx, one, user)), mine[0])
    return begin_session(tx, user, first, how="password")


def log_out(tx: Tx, secret: str) -> None:
    """End a session; ending it twice changes nothing."""
    if store.end_session(tx, fingerprint(secret)):
        tx.record("session.ended", f"user/{tx.actor.name}")


def end_session(tx: Tx, session_id: str) -> None:
    """End somebody's session from the next request on. Raises `NoSuchSession`."""
    found = store.login(tx, session_id)
    if found is None or not store.end_session(tx, found[0]):
        raise NoSuchSession(session_id)
    tx.record("session.revoked", f"user/{found[1].user}", session=session_id, how=found[1].how)


def end_my_sessions(tx: Tx) -> int:
    """Log whoever acts out everywhere, and void their links; how many there were."""
    ended = store.end_sessions(tx, tx.actor.name) if tx.actor.human else 0
    if ended:
        tx.record("session.all_ended", f"user/{tx.actor.name}", count=ended)
    return ended


def create_user(tx: Tx, name: str, roles: tuple[str, ...], password: str | None = None) -> None:
    """Raises `BadPersonName`, `UnknownRole`, `NameTaken`, `WeakPassword`, `MoreThanYours`, or
    `OnlyPeople` for a program that gives a password.
    """
    if not names_somebody(name):
        raise BadPersonName(name)
    check_roles(tx, roles)
    if password:
        check_lets_in(tx)
    check_not_above(tx, permissions(tx, tx.project, roles))
    if store.has_user(tx, name):
        raise NameTaken(name)
    store.add_user(tx, name, password and _hash(password))
    store.set_roles(tx, tx.project, name, roles)
    tx.record("user.created", f"user/{name}", roles=list(roles))


def set_roles(tx: Tx, name: str, roles: tuple[str, ...]) -> None:
    """Give a user exactly these roles in this project; in force with their next request.

    Nobody gives what they may not do themselves, and somebody who administers remains: raises
    `MoreThanYours` or `LastAdmin`.
    """
    check_roles(tx, roles)
    with deciding_about_roles(tx):
        before = _known(tx, name)
        gained = permissions(tx, tx.project, roles) - permissions(tx, tx.project, before)
        check_not_above(tx, gained)
        store.set_roles(tx, tx.project, name, roles)
    tx.record("user.roles_set", f"user/{name}", before=list(before), after=list(roles))


def set_password(tx: Tx, name: str, password: str) -> None:
    """Set a password; whoever is logged in as `name` has to log in again.

    Raises `WeakPassword`, `MoreThanYours` where they may do more than whoever acts, or `OnlyPeople`
    for a program.
    """
    _check_lets_in(tx, name)
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
    service: str = "",
    scopes: tuple[str, ...] = (),
    local: bool = False,
    environment: str = "",
) -> tuple[Token, str]:
    """Make a token. The text returned beside it is shown once and is stored nowhere.

    Bound to an `agent`, it is that agent's identity: it has the role agent and no other, acts
    for that agent only, and dies with it. Bound to a `service`, it has that service's roles and
    none of its own. `scopes` narrow what the roles give, and an `environment` where: what a
    project is ruled by holds in all of it, so a token for one neither administers nor governs.
    `local` is for the installation's own folder. Raises `NotForAgents`, `NotAnAgent`,
    `IdentityClosed`, `NoSuchService`, `BadScope`, `MoreThanYours`, or `TokenNeedsExpiry` where
    the project says how long a token lives.
    """
    check_roles(tx, roles)
    if agent:
        _check_agent(tx, agent, roles)
    if environment and _ENVIRONMENT.fullmatch(environment) is None:
        raise BadEnvironmentName(environment)
    owner = tx.actor.person
    may = permissions(tx, tx.project, roles)
    if service:
        of = _service_for(tx, service, roles, agent)
        owner, may = of.owner, permissions(tx, tx.project, of.roles)
    if environment:
        may -= OF_NO_ENVIRONMENT
    scopes = tuple(sorted(set(scopes)))
    if beyond := sorted(set(scopes) - may):
        raise BadScope(beyond[0])
    check_not_above(tx, scopes or may)
    if tx.actor.environment and environment != tx.actor.environment:
        raise MoreThanYours(tx.actor.name, f"what is outside {tx.actor.environment}")
    prefix, secret = secrets.token_hex(6), secrets.token_hex(24)
    token = Token(
        id=tx.ids.new("tok"),
        name=name,
        prefix=prefix,
        roles=roles,
        created_at=tx.now,
        created_by=owner,
        expires_at=_until(tx, expires_at),
        agent=agent,
        service=service,
        scopes=scopes,
        local=local,
        environment=environment,
    )
    store.add_token(tx, token, fingerprint(secret))
    bound = {"agent": agent} if agent else {"service": service} if service else {}
    narrowed: dict[str, object] = {"scopes": list(scopes)} if scopes else {}
    if environment:
        narrowed["environment"] = environment
    tx.record(
        "token.issued", f"token/{token.id}", name=name, roles=list(roles), **bound, **narrowed
    )
    return token, f"ops_{prefix}_{secret}"


def _service_for(tx: Tx, service: str, roles: tuple[str, ...], agent: str) -> Service:
    if roles or agent:
        raise BadService(service, "its tokens have its own roles and belong to no agent")
    return services.get(tx, service)


def _until(tx: Tx, wanted: datetime | None) -> datetime | None:
    """When a new token ends. opsroom's own live as long as the project lets any live."""
    days = ruling.settings(tx).token_days
    if not days:
        return wanted
    latest = tx.now + tx.lasting(timedelta(days=days))
    if wanted is None and not tx.actor.roles:
        return latest
    if wanted is None or not tx.now < wanted <= latest:
        raise TokenNeedsExpiry(days)
    return wanted


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


def close_identity(
    tx: Tx, agent: str, *, reason: str, sunset: str = "", successor: str = ""
) -> int:
    """End an agent's identity: its tokens are revoked, and none works or is made until it is
    opened again. How many tokens there were. Whoever closes it journals why.

    At the end of a `sunset`, whoever comes with a token that this revoked is told so, and who
    the successor is.

    Raises `IdentityClosed` when it was closed already.
    """
    if store.closed_identity(tx, tx.project, agent) is not None:
        raise IdentityClosed(agent)
    closed = ClosedIdentity(
        agent=agent,
        reason=reason,
        closed_by=tx.actor.name,
        closed_at=tx.now,
        sunset=sunset,
        successor=successor,
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
    agent or a closed service all look the same: `WrongCredentials`. Only who holds a token that
    worked until its agent was decommissioned learns that, and who the successor is: `AgentGone`.
    """
    return token_and_actor(tx, text)[0]


def token_and_actor(tx: Tx, text: str) -> tuple[Actor, Token]:
    """As `actor_of_token`, and the token itself."""
    parts = split_token(text)
    found = store.token_by_prefix(tx, parts[0]) if parts else None
    secret = parts[1] if parts else ""
    stored = found[1] if found else fingerprint("nobody")
    if not matches(secret, stored) or found is None:
        raise WrongCredentials
    token, _, project = found
    closed = store.closed_identity(tx, project, token.agent) if token.agent else None
    if closed is not None and closed.sunset and token.ended_with(closed, tx.now):
        raise AgentGone(closed.agent, closed.successor)
    if closed is not None or not token.alive(tx.now):
        raise WrongCredentials
    roles, owner = token.roles, token.created_by
    if token.service:
        service = governing_store.service(tx, project, token.service)
        if service is None or service.closed_at is not None:
            raise WrongCredentials
        roles, owner = service.roles, service.owner
    may = permissions(tx, project, roles)
    if token.scopes:
        may = may.intersection(with_implied(token.scopes))
    actor = Actor(
        token.actor,
        project,
        may - OF_NO_ENVIRONMENT if token.environment else may,
        roles,
        human=False,
        owner=owner,
        agent=token.agent,
        token=token.id,
        environment=token.environment,
    )
    return actor, token


def note_use(tx: Tx, token: Token) -> None:
    """Remember that a token was used, to the hour."""
    store.token_used(tx, token.id, before=tx.now - USE_NOTED_EVERY)


def use_is_news(token: Token, now: datetime) -> bool:
    """Whether that a token is used at this moment is not known to the hour."""
    return token.last_used_at is None or token.last_used_at < now - USE_NOTED_EVERY


def actor_of_session(tx: Tx, secret: str) -> Actor:
    """Who a session cookie stands for, with the roles they hold at this moment."""
    found = store.session(tx, fingerprint(secret), "session")
    if found is None:
        raise WrongCredentials
    roles = roles_now(tx, found.project, found.user)
    if roles is None:
        raise WrongCredentials
    return Actor(found.user, found.project, permissions(tx, found.project, roles), roles)


def begin_session(tx: Tx, user: str, project: str, *, how: str) -> str:
    """The secret of a new session, for a door that knows who came in."""
    secret = secrets.token_hex(24)
    until = tx.now + tx.lasting(SESSION_FOR)
    store.add_session(tx, fingerprint(secret), "session", user, project, until, how)
    tx.actor = Actor(user, project)
    tx.record("session.begun", f"user/{user}")
    return secret


def _check_lets_in(tx: Tx, name: str) -> None:
    if held(tx, tx.project, name) is None:
        raise NoSuchUser(name)
    check_lets_in(tx)
    if governing_store.comes_by_oidc(tx, name):
        raise ComesByProvider(name)
    check_not_over(tx, name)


def _known(tx: Tx, name: str) -> tuple[str, ...]:
    """The roles somebody was given in this project; none for others of its organisation."""
    roles = store.roles_of(tx, tx.project, name)
    if roles is None:
        if not organisations_store.belongs(tx, tx.project, name):
            raise NoSuchUser(name)
        return ()
    return roles


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
