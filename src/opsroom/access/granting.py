"""What keeps roles in order: nobody gives more than they have, and an administrator remains.

Whoever decides about roles does so one at a time in a project, and is looked at again once it is
their turn: an administrator who was demoted a moment ago demotes nobody any more.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from opsroom.kit.db import Tx

from . import governing_store, organisations_store, store
from .errors import LastAdmin, MayNot, MoreThanYours, OnlyPeople, UnknownRole
from .model import BUILT_IN, permissions_of, with_implied

ADMINISTER = "administer"


def permissions(tx: Tx, project: str, roles: Collection[str]) -> frozenset[str]:
    """Everything that holders of these roles may do in a project; unknown ones give nothing."""
    own = [role for role in roles if role not in BUILT_IN]
    found = governing_store.custom(tx, project, own) if own else []
    return with_implied(permissions_of(roles).union(*(one.permissions for one in found)))


def held(tx: Tx, project: str, user: str) -> tuple[str, ...] | None:
    """The roles that were given to somebody for good, in a project or in its organisation; None
    for those who were never in either.
    """
    direct = store.roles_of(tx, project, user)
    through = organisations_store.roles_through(tx, project, user)
    if direct is None and through is None:
        return None
    return tuple(dict.fromkeys((*(direct or ()), *(through or ()))))


def roles_now(tx: Tx, project: str, user: str) -> tuple[str, ...] | None:
    """The roles that somebody holds in a project, and those taken in an emergency that lasts.
    None for those who were never in it.
    """
    found = held(tx, project, user)
    if found is None:
        return None
    taken = (one.role for one in governing_store.taken_by(tx, project, user))
    return tuple(dict.fromkeys((*found, *taken)))


def check_roles(tx: Tx, roles: Collection[str]) -> None:
    """Raise `UnknownRole` for a role that this project does not have."""
    own = [role for role in roles if role not in BUILT_IN]
    there = {one.name for one in governing_store.custom(tx, tx.project, own)} if own else set()
    for role in own:
        if role not in there:
            raise UnknownRole(role)


def check_not_above(tx: Tx, given: Collection[str]) -> None:
    """Raise `MoreThanYours` where these permissions are more than those of whoever acts.

    A role taken in an emergency does not count: it would last longer than the emergency.
    opsroom itself has no roles and gives what it has to.
    """
    if not tx.actor.roles:
        return
    mine = tx.actor.may
    if tx.actor.human and (mine_held := held(tx, tx.project, tx.actor.name)) is not None:
        mine &= permissions(tx, tx.project, mine_held)
    if beyond := sorted(set(given) - mine):
        raise MoreThanYours(tx.actor.name, ", ".join(beyond))


def check_lets_in(tx: Tx) -> None:
    """Raise `OnlyPeople` where a program would make what people log in with, and so could become
    one. The token in the installation's folder may: its holder could write the database.
    """
    actor = tx.actor
    if actor.human or not actor.roles:
        return
    mine = store.token(tx, actor.token) if actor.token else None
    if mine is None or not mine.local:
        raise OnlyPeople(actor.name)


def roles_in(tx: Tx, organisation: str) -> tuple[str, ...] | None:
    """What whoever acts may do in all of an organisation; None where they are no member.

    A program that may do all that an administrator may, everywhere in the installation's first
    project, stands for its owner there; opsroom itself administers where it is at work.
    """
    if tx.actor.human:
        return organisations_store.member_roles(tx, organisation, tx.actor.name)
    full = tx.actor.may >= permissions_of((organisations_store.ADMIN,))
    first = tx.project == organisations_store.DEFAULT and full and not tx.actor.environment
    above = organisations_store.of_project(tx, tx.project)
    trusted = first or not (tx.actor.roles or tx.actor.token)
    return (organisations_store.ADMIN,) if trusted and organisation == above else None


def check_not_over(tx: Tx, user: str) -> None:
    """Raise `MoreThanYours` where somebody may do more than whoever acts, in any project that
    they reach: who sets their password or makes them a link could come in as them.
    """
    if not tx.actor.roles:
        return
    for project in organisations_store.reach(tx, user):
        theirs = permissions(tx, project, held(tx, project, user) or ())
        if project == tx.project:
            check_not_above(tx, theirs)
            continue
        above = organisations_store.of_project(tx, project)
        mine = held(tx, project, tx.actor.name) if tx.actor.human else roles_in(tx, above or "")
        if beyond := sorted(theirs - permissions(tx, project, mine or ())):
            raise MoreThanYours(tx.actor.name, ", ".join(beyond))


@contextmanager
def deciding_about_roles(tx: Tx) -> Iterator[None]:
    """One decision about who may what, after all others. Raises `MayNot` when whoever acts was
    demoted while they waited, and `LastAdmin` when nobody would be left.
    """
    organisations_store.lock_above(tx)
    store.lock_project(tx)
    if tx.actor.human and tx.actor.roles:
        now = roles_now(tx, tx.project, tx.actor.name)
        if now is not None and ADMINISTER not in permissions(tx, tx.project, now):
            raise MayNot(tx.actor.name, ADMINISTER)
    before = _anybody_administers(tx)
    yield
    if before and not _anybody_administers(tx):
        raise LastAdmin


def _anybody_administers(tx: Tx) -> bool:
    if organisations_store.administered(tx, tx.project):
        return True
    own = governing_store.custom(tx, tx.project)
    administering = {one.name for one in own if ADMINISTER in one.permissions}
    return any(
        ADMINISTER in permissions_of(roles) or not administering.isdisjoint(roles)
        for roles in store.everybodys_roles(tx).values()
    )
