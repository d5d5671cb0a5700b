"""A project's own roles: made, changed and removed, with every version in the journal."""

from dataclasses import replace

from opsroom.kit.db import Tx

from . import governing_store, store
from .errors import BadRole, NoSuchRole, UnknownPermission
from .granting import check_not_above, deciding_about_roles
from .model import BUILT_IN, PERMISSIONS, ROLE_NAME, CustomRole

MOST_ROLES = 100
MOST_NOTE = 500


def set_role(tx: Tx, name: str, permissions: tuple[str, ...], *, note: str = "") -> CustomRole:
    """Make a role of the project's own, or change what it may do: in force with the next request
    of everybody who holds it.

    Raises `BadRole`, `UnknownPermission`, `MoreThanYours`, or `LastAdmin` when nobody would be
    left who administers.
    """
    wanted = tuple(sorted(set(permissions)))
    for permission in wanted:
        if permission not in PERMISSIONS:
            raise UnknownPermission(permission)
    with deciding_about_roles(tx):
        there = governing_store.custom(tx, tx.project)
        was = next((one for one in there if one.name == name), None)
        _check(name, wanted, note, full=was is None and len(there) >= MOST_ROLES)
        check_not_above(tx, set(wanted) - set(was.permissions if was else ()))
        if was is not None and (was.permissions, was.note) == (wanted, note):
            return was
        role = CustomRole(
            name=name,
            permissions=wanted,
            note=note,
            changed_at=tx.now,
            changed_by=tx.actor.name,
            revision=was.revision + 1 if was else 1,
        )
        governing_store.keep_role(tx, role, was=was)
    tx.record(
        "role.set",
        f"role/{name}",
        revision=role.revision,
        before=list(was.permissions) if was else [],
        after=list(wanted),
        note=note,
    )
    return role


def remove_role(tx: Tx, name: str) -> None:
    """Take a role away from everybody and everything that holds it, and forget it.

    Nobody gets it back by somebody making another role of that name. Raises `NoSuchRole` or
    `LastAdmin`.
    """
    with deciding_about_roles(tx):
        found = governing_store.custom(tx, tx.project, [name])
        if not found:
            raise NoSuchRole(name)
        people = _taken_from_people(tx, name)
        programs = _taken_from_programs(tx, name)
        governing_store.drop_role(tx, name)
    before = list(found[0].permissions)
    tx.record("role.removed", f"role/{name}", before=before, people=people, programs=programs)


def _check(name: str, permissions: tuple[str, ...], note: str, *, full: bool) -> None:
    if ROLE_NAME.fullmatch(name) is None:
        raise BadRole(name, "that is no name for a role")
    if name in BUILT_IN:
        raise BadRole(name, "it is built in")
    if not permissions:
        raise BadRole(name, "it would give nothing")
    if len(note) > MOST_NOTE:
        raise BadRole(name, f"the note is longer than {MOST_NOTE} characters")
    if full:
        raise BadRole(name, f"there are {MOST_ROLES} already")


def _taken_from_people(tx: Tx, name: str) -> int:
    holders = {who: held for who, held in store.everybodys_roles(tx).items() if name in held}
    for who, held in holders.items():
        store.set_roles(tx, tx.project, who, _without(held, name))
    for glass in governing_store.glasses_here(tx, limit=1000):
        if glass.role == name and glass.open(tx.now):
            governing_store.end_glass(tx, glass.id, at=tx.now, by=tx.actor.name)
    return len(holders)


def _taken_from_programs(tx: Tx, name: str) -> int:
    tokens = [one for one in store.tokens_here(tx) if name in one.roles]
    for token in tokens:
        store.set_token_roles(tx, token.id, _without(token.roles, name))
    services = [one for one in governing_store.services_here(tx) if name in one.roles]
    for service in services:
        without = replace(service, roles=_without(service.roles, name))
        governing_store.change_service(tx, without)
    return len(tokens) + len(services)


def _without(roles: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(role for role in roles if role != name)
