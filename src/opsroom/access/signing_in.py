"""From a login at the identity provider to a session here: begun once, finished once."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, func, insert, select, update

from opsroom.kit.db import Actor, Tx

from . import store
from .commands import begin_session
from .errors import OidcRefused, TooManyTries
from .governing_store import oidc_logins, oidc_people
from .granting import check_roles, deciding_about_roles
from .model import fingerprint
from .oidc import Person

LOGIN_FOR = timedelta(minutes=10)
MOST_UNDER_WAY = 10_000
DOOR = "system:oidc"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """A login that is to come back. `state` is known to this browser alone."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    back: str


def begin(tx: Tx, back: str) -> UnderWay:
    """Remember a login that sets out. Raises `TooManyTries` while too many are out."""
    tx.conn.execute(delete(oidc_logins).where(oidc_logins.c.expires_at <= tx.now))
    out = tx.conn.execute(select(func.count()).select_from(oidc_logins)).scalar() or 0
    if out >= MOST_UNDER_WAY:
        raise TooManyTries
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    tx.conn.execute(
        insert(oidc_logins).values(
            state=fingerprint(state),
            nonce=nonce,
            verifier=verifier,
            back=back,
            expires_at=tx.now + tx.lasting(LOGIN_FOR),
        )
    )
    return UnderWay(state=state, nonce=nonce, verifier=verifier, back=back)


def take_up(tx: Tx, state: str) -> UnderWay:
    """Use a login's state up, whatever comes of it. Raises `OidcRefused` for one that is unknown,
    too old, or was used before.
    """
    mine = (
        oidc_logins.c.state == fingerprint(state),
        oidc_logins.c.used_at.is_(None),
        oidc_logins.c.expires_at > tx.now,
    )
    row = tx.conn.execute(select(oidc_logins).where(*mine)).mappings().first()
    done = tx.conn.execute(update(oidc_logins).where(*mine).values(used_at=tx.now))
    if row is None or done.rowcount != 1:
        raise OidcRefused("it did not begin here, took too long, or was used before")
    return UnderWay(state=state, nonce=row["nonce"], verifier=row["verifier"], back=row["back"])


def sign_in(tx: Tx, person: Person, project: str) -> str | None:
    """The secret of a new session of somebody whom the provider vouches for, with exactly the
    roles that their groups give them now. None for somebody who is in no group that has any: they
    lose what they had here, and what they approved in it falls silent.

    Who they are is the provider's subject, for good. A name that somebody here has already is
    never taken over. Raises `OidcRefused`, `UnknownRole` or `LastAdmin`.
    """
    tx.actor = Actor(DOOR, project, human=False)
    check_roles(tx, person.roles)
    user = _user_of(tx, person)
    if user is not None:
        _set_roles(tx, user, person.roles)
    if not person.roles:
        if user is not None:
            store.end_sessions(tx, user)
        return None
    return begin_session(tx, user or _welcome(tx, person), project, how="oidc")


def _set_roles(tx: Tx, user: str, roles: tuple[str, ...]) -> None:
    held = store.roles_of(tx, tx.project, user)
    if held == roles:
        return
    with deciding_about_roles(tx):
        store.set_roles(tx, tx.project, user, roles)
    before, after = list(held or ()), list(roles)
    tx.record("user.roles_set", f"user/{user}", before=before, after=after)


def refuse(tx: Tx, project: str, because: str) -> None:
    """Put on record that a login that began here came to nothing."""
    tx.actor = Actor(DOOR, project, human=False)
    tx.record("session.refused", "access/oidc", because=because[:300])


def _user_of(tx: Tx, person: Person) -> str | None:
    mine = (oidc_people.c.issuer == person.issuer, oidc_people.c.subject == person.subject)
    return tx.conn.execute(select(oidc_people.c.user).where(*mine)).scalar()


def _welcome(tx: Tx, person: Person) -> str:
    if store.has_user(tx, person.name):
        raise OidcRefused(f"somebody else is called {person.name!r} here")
    store.add_user(tx, person.name, None)
    store.set_roles(tx, tx.project, person.name, person.roles)
    tx.conn.execute(
        insert(oidc_people).values(
            issuer=person.issuer, subject=person.subject, user=person.name, since=tx.now
        )
    )
    tx.record("user.created", f"user/{person.name}", roles=list(person.roles))
    return person.name
