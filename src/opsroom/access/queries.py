"""Looking at people and credentials."""

from opsroom.kit.db import Tx

from . import store
from .errors import NoSuchUser
from .model import ClosedIdentity, Token, User


def people(tx: Tx) -> list[User]:
    """Everybody in this project, by name."""
    return store.people(tx)


def person(tx: Tx, name: str) -> User:
    for user in store.people(tx):
        if user.name == name:
            return user
    raise NoSuchUser(name)


def projects(tx: Tx) -> list[str]:
    """Every project of this installation, for what the clock does in each of them."""
    return store.projects_here(tx)


def roles_of(tx: Tx, name: str) -> tuple[str, ...] | None:
    """The roles somebody holds in this project now; None for those who were never in it."""
    return store.roles_of(tx, tx.project, name)


def tokens(tx: Tx) -> list[Token]:
    """Every token of this project, oldest first, the revoked ones too."""
    return store.tokens_here(tx)


def closed_identity(tx: Tx, agent: str) -> ClosedIdentity | None:
    """Why and since when an agent may not come in any more; None for one that may."""
    return store.closed_identity(tx, tx.project, agent)


def anybody_with_password(tx: Tx) -> bool:
    """Whether anybody can log in without a one-time link."""
    return store.any_password(tx)
