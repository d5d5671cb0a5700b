"""Keeping secrets: setting one for its places, rotating it, removing it."""

from dataclasses import replace

from opsroom.kit.db import Tx, alone

from . import queries, store
from .errors import BrokenSecret, SecretChanged, SecretNotFound
from .model import SecretDraft, StoredSecret, check_value, checked

MOST = 500


def put(tx: Tx, name: str, draft: SecretDraft) -> StoredSecret:
    """Keep a value under a name, for these places and no others.

    Over one that is there it is a new value for the places it names now: there is no way to
    other places with the old one. Raises `BrokenSecret`, `SecretChanged`, and what is wrong
    with the master key.
    """
    draft = checked(name, draft)
    alone(tx, [f"secrets/{tx.project}"])
    was = store.secret(tx, name)
    if was is None and store.count(tx) >= MOST:
        raise BrokenSecret(f"a project has {MOST} secrets at most")
    now = StoredSecret(
        name=name,
        places=draft.places,
        description=draft.description or (was.description if was else ""),
        set_by=tx.actor.name,
        set_at=tx.now,
        created_at=was.created_at if was else tx.now,
        last_used_at=was.last_used_at if was else None,
        revision=was.revision + 1 if was else 1,
    )
    _save(tx, now, draft.value, was=was)
    before = list(was.places) if was and was.places != now.places else None
    tx.record("secret.set", f"secret/{name}", places=list(now.places), before=before)
    return now


def rotate(tx: Tx, name: str, value: str) -> StoredSecret:
    """Replace the value, for the same places, which the seal of the old one vouches for.

    Raises `SecretNotFound`, `BrokenSecret`, and `SealBroken` where somebody changed the places
    in the database.
    """
    check_value(value)
    if (found := store.sealed(tx, name)) is None:
        raise SecretNotFound(name)
    was, sealed = found
    tx.keyring.open(sealed, about=queries.about(tx.project, was))
    now = replace(was, set_by=tx.actor.name, set_at=tx.now, revision=was.revision + 1)
    _save(tx, now, value, was=was)
    tx.record("secret.rotated", f"secret/{name}", places=list(now.places))
    return now


def remove(tx: Tx, name: str) -> None:
    """Forget a secret, at once, whoever still cites it: what does is on record.

    Raises `SecretNotFound`.
    """
    users = queries.used_by(tx, name)
    if not store.remove(tx, name):
        raise SecretNotFound(name)
    tx.record("secret.removed", f"secret/{name}", used_by=[one.ref for one in users])


def _save(tx: Tx, now: StoredSecret, value: str, *, was: StoredSecret | None) -> None:
    about = queries.about(tx.project, now)
    sealed = tx.keyring.seal(value.encode("utf-8", "surrogatepass"), about=about)
    if not store.save(tx, now, sealed, was=was):
        raise SecretChanged(now.name)
