"""Looking at people and credentials."""

from collections.abc import Collection
from datetime import datetime

from opsroom.kit.db import Tx

from . import governing_store, granting, organisations_store, store
from .errors import NoSuchUser
from .model import ClosedIdentity, CustomRole, Glass, Login, Service, Token, Use, User

MOST_SHOWN = 200


def people(tx: Tx) -> list[User]:
    """Everybody in this project and in its organisation, by name."""
    return organisations_store.people(tx)


def person(tx: Tx, name: str) -> User:
    for user in people(tx):
        if user.name == name:
            return user
    raise NoSuchUser(name)


def projects(tx: Tx) -> list[str]:
    """Every project of this installation, for what the clock does in each of them."""
    return store.projects_here(tx)


def roles_of(tx: Tx, name: str) -> tuple[str, ...] | None:
    """The roles somebody holds in this project now, those taken in an emergency among them; None
    for those who were never in it.
    """
    return granting.roles_now(tx, tx.project, name)


def still_held(tx: Tx, name: str, roles: Collection[str]) -> tuple[str, ...]:
    """Those of these roles that somebody holds in this project now: none of them for a user who
    is not in it any more, all of them for a name that no user has.
    """
    now = granting.roles_now(tx, tx.project, name)
    if now is None and not store.has_user(tx, name):
        return tuple(roles)
    return tuple(role for role in roles if role in (now or ()))


def permissions(tx: Tx, roles: Collection[str]) -> frozenset[str]:
    """What holders of these roles may do in this project, by its own roles too."""
    return granting.permissions(tx, tx.project, roles)


def custom_roles(tx: Tx) -> list[CustomRole]:
    """The project's own roles, by name."""
    return governing_store.custom(tx, tx.project)


def services(tx: Tx) -> list[Service]:
    """Every service of this project, the closed ones too."""
    return governing_store.services_here(tx)


def glasses(tx: Tx) -> list[Glass]:
    """The latest roles taken in emergencies, newest first."""
    return governing_store.glasses_here(tx, limit=MOST_SHOWN)


def logins(tx: Tx) -> list[Login]:
    """Who is logged in to this project, the latest first."""
    return [login for _, login in store.logins(tx, limit=MOST_SHOWN)]


def tokens(tx: Tx) -> list[Token]:
    """Every token of this project, oldest first, the revoked ones too."""
    return store.tokens_here(tx)


def closed_identity(tx: Tx, agent: str) -> ClosedIdentity | None:
    """Why and since when an agent may not come in any more; None for one that may."""
    return store.closed_identity(tx, tx.project, agent)


def uses(tx: Tx, agent: str, *, since: datetime, limit: int = 100) -> list[Use]:
    """Who called an agent since, or came in as it, the last first."""
    return store.uses_of(tx, agent, since=since, limit=limit)


def last_uses(tx: Tx) -> dict[str, tuple[datetime, datetime]]:
    """When each agent of this project was first and last seen called."""
    return store.last_uses(tx)


def anybody_with_password(tx: Tx) -> bool:
    """Whether anybody can log in without a one-time link."""
    return store.any_password(tx)
