"""People and tokens over HTTP."""

from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from pydantic import AwareDatetime

from opsroom.kit.wire import Wire

from . import commands, login, queries
from .http import Caller, Read, Write
from .model import Token, User

router = APIRouter(prefix="/v1", tags=["access"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Me(Wire):
    """Who a credential stands for, and what they may do."""

    name: str
    project: str
    human: bool
    roles: tuple[str, ...]
    may: tuple[str, ...]
    agent: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameAndPassword(Wire):
    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Code(Wire):
    """What stands behind the `#` of a one-time link."""

    code: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Wire):
    """The secret of a session; it goes back as the cookie `opsroom_session`."""

    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser(Wire):
    name: str
    roles: tuple[str, ...]
    password: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles(Wire):
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Password(Wire):
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Wire):
    """A path that logs somebody in once, within half an hour."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken(Wire):
    """Bound to an `agent`, the token is that agent's identity and has the role agent only; of a
    `service`, it has that service's roles and names none. `scopes` narrow what the roles give,
    and an `environment` where.
    """

    name: str
    roles: tuple[str, ...] = ()
    expires_at: AwareDatetime | None = None
    agent: str = ""
    service: str = ""
    scopes: tuple[str, ...] = ()
    environment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken(Wire):
    """A token with its secret text, which is shown this once."""

    token: Token
    secret: str


@router.post("/sessions", status_code=201)
def begin_session(given: NameAndPassword, request: Request) -> Session:
    """Log in with a name and a password, from a terminal."""
    return Session(secret=login.with_password(request, given.name, given.password))


@router.post("/sessions/once", status_code=201)
def follow_link(given: Code, request: Request) -> Session:
    """Log in with a one-time link, from a terminal; the link is used up."""
    return Session(secret=login.with_link(request, given.code))


@router.get("/me")
def me(actor: Caller) -> Me:
    """Who I am here."""
    return Me(
        name=actor.name,
        project=actor.project,
        human=actor.human,
        roles=actor.roles,
        may=tuple(sorted(actor.may)),
        agent=actor.agent,
        environment=actor.environment,
    )


@router.get("/users")
def users(tx: Read) -> list[User]:
    """Everybody in this project."""
    return queries.people(tx)


@router.post("/users", status_code=201)
def create_user(new: NewUser, tx: Write) -> User:
    """Make a user with these roles; without a password they log in by a one-time link."""
    commands.create_user(tx, new.name, new.roles, new.password)
    return queries.person(tx, new.name)


@router.put("/users/{name}/roles")
def set_roles(name: str, wanted: Roles, tx: Write) -> User:
    """Give a user exactly these roles, from their next request on."""
    commands.set_roles(tx, name, wanted.roles)
    return queries.person(tx, name)


@router.put("/users/{name}/password", status_code=204)
def set_password(name: str, wanted: Password, tx: Write) -> None:
    """Set a user's password."""
    commands.set_password(tx, name, wanted.password)


@router.post("/users/{name}/link", status_code=201)
def issue_link(name: str, tx: Write) -> Link:
    """Make a one-time link for a user."""
    return Link(path=f"/login/once#{commands.issue_link(tx, name)}")


@router.get("/tokens")
def tokens(tx: Read) -> list[Token]:
    """Every token of this project, without its secret."""
    return queries.tokens(tx)


@router.post("/tokens", status_code=201)
def issue_token(new: NewToken, tx: Write) -> IssuedToken:
    """Make a token, for one agent, a service or a program; its secret is in this answer and
    nowhere else.
    """
    token, secret = commands.issue_token(
        tx,
        new.name,
        new.roles,
        expires_at=new.expires_at,
        agent=new.agent,
        service=new.service,
        scopes=new.scopes,
        environment=new.environment,
    )
    return IssuedToken(token=token, secret=secret)


@router.delete("/tokens/{token_id}", status_code=204)
def revoke_token(token_id: str, tx: Write) -> None:
    """Make a token useless from the next request on."""
    commands.revoke_token(tx, token_id)
