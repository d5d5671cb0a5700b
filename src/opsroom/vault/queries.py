"""What may be known of secrets: where they may go, who cites them, when they were last used."""

from dataclasses import dataclass

from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire
from opsroom.registry import listing
from opsroom.registry.listing import Citing

from . import store
from .errors import SecretNotFound
from .model import PREFIX, StoredSecret

PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretView(Wire):
    """A secret without its value, and the versions that cite it now."""

    secret: StoredSecret
    used_by: tuple[Citing, ...]


def secret(tx: Tx, name: str) -> StoredSecret:
    """What may be known of a secret. Raises `SecretNotFound`."""
    found = store.secret(tx, name)
    if found is None:
        raise SecretNotFound(name)
    return found


def secrets(tx: Tx, *, after: str = "", limit: int = PAGE) -> list[SecretView]:
    """The project's secrets by name, each with who cites it."""
    return [
        SecretView(secret=one, used_by=used_by(tx, one.name))
        for one in store.page(tx, after=after, limit=limit)
    ]


def view(tx: Tx, name: str) -> SecretView:
    """One secret with who cites it. Raises `SecretNotFound`."""
    return SecretView(secret=secret(tx, name), used_by=used_by(tx, name))


def used_by(tx: Tx, name: str) -> tuple[Citing, ...]:
    """Versions that cite a secret: newest ones, and those that a label points at."""
    return tuple(listing.citing(tx, f"{PREFIX}{name}"))


def sealed_by(tx: Tx) -> set[str]:
    """The ids of the master keys that secrets of any project were sealed by."""
    return store.sealed_by(tx)


def about(project: str, one: StoredSecret) -> str:
    """What the seal of a secret is bound to: its project, its name, and where it may go."""
    return f"secret/{project}/{one.name} for {' '.join(one.places)}"
