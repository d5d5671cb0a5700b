"""From a login at the identity provider to a session here: begun once, finished once."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, func, insert, select, update

from opsroom.kit.db import Actor, Tx

from . import organisations, organisations_store, store
from .commands import begin_session
from .errors import LastAdmin, OidcRefused, TooManyTries
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
    roles that their groups give them now, wherever any group gives somebody any: in `project`,
    or in the project or organisation that a role is for. None for somebody who is in no group
    that has any: they lose what they had, and what they approved in it falls silent. Only where nobody else
    administers they keep their roles, and cannot come in.

    Who they are is the provider's subject, for good. A name that somebody here has already is
    never taken over. Raises `OidcRefused`, `UnknownRole` or `LastAdmin`.
    """
    tx.actor = Actor(DOOR, project, human=False)
    given = by_place(person.roles)
    user = _user_of(tx, person)
    if user is None:
        if not given:
            return None
        user = _welcome(tx, person)
    elif store.password_of(tx, user) is not None:  # they come by the provider alone
        store.set_password(tx, user, None)
        store.end_sessions(tx, user)
    places = {"": (), **by_place(person.mapped), **given}
    gains_first = sorted(places, key=lambda place: place not in given)
    entrances = [
        _hold(tx, place or project, user, given[place], own=not place)
        if place in given
        else _let_go(tx, place or project, user, own=not place)
        for place in gains_first
    ]
    if not given:
        store.end_sessions(tx, user)
        return None
    return begin_session(tx, user, next(filter(None, entrances), project), how="oidc")


def by_place(roles: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """`role` and `place:role` by place; the first one by the empty name."""
    found: dict[str, tuple[str, ...]] = {}
    for one in roles:
        place, _, role = one.rpartition(":")
        found[place] = (*found.get(place, ()), role)
    return found


def _let_go(tx: Tx, place: str, user: str, *, own: bool) -> str:
    """Take somebody's roles in one place, if somebody else administers it; the other places and
    their sessions do not wait for that.
    """
    whose = tx.actor
    try:
        with tx.part():
            _hold(tx, place, user, (), own=own)
    except LastAdmin:
        tx.actor = whose
        tx.record("user.roles_kept", f"user/{user}", place=place)
    return ""


def _hold(tx: Tx, place: str, user: str, roles: tuple[str, ...], *, own: bool) -> str:
    """Let somebody hold exactly these roles in a project, or in all of an organisation; the
    project that this lets them enter, if any.
    """
    if not own and organisations_store.some(tx, [place]):
        first = next(iter(organisations_store.projects_of(tx, place))).id
        tx.actor = Actor(DOOR, first, human=False)
        if roles:
            organisations.set_member(tx, place, user, roles)
        elif organisations_store.is_member(tx, place, user):
            organisations.remove_member(tx, place, user)
        return first if roles else ""
    if not own and organisations_store.project(tx, place) is None:
        raise OidcRefused(f"{place!r}, which your groups speak of, is not here")
    tx.actor = Actor(DOOR, place, human=False)
    check_roles(tx, roles)
    held = store.roles_of(tx, place, user)
    if roles != (held or ()):
        with deciding_about_roles(tx):
            store.set_roles(tx, place, user, roles)
        before, after = list(held or ()), list(roles)
        tx.record("user.roles_set", f"user/{user}", before=before, after=after)
    return place if roles else ""


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
    tx.conn.execute(
        insert(oidc_people).values(
            issuer=person.issuer, subject=person.subject, user=person.name, since=tx.now
        )
    )
    tx.record("user.created", f"user/{person.name}", roles=list(person.roles))
    return person.name
