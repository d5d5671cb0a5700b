"""Services: programs with an identity of their own, and somebody who answers for each."""

from dataclasses import replace

from opsroom.kit.db import Tx

from . import governing_store
from .errors import BadService, NoSuchService
from .granting import check_not_above, check_roles, held, permissions
from .model import ROLE_NAME, Service

MOST_PURPOSE = 500


def open_service(
    tx: Tx, name: str, *, owner: str, purpose: str, roles: tuple[str, ...]
) -> Service:
    """Give a program an identity. `owner`, a person of this project, answers for what it does.

    Raises `BadService`, `UnknownRole` or `MoreThanYours`.
    """
    check_roles(tx, roles)
    check_not_above(tx, permissions(tx, tx.project, roles))
    if why := _why_not(tx, name, owner, purpose, roles):
        raise BadService(name, why)
    service = Service(
        name=name,
        owner=owner,
        purpose=purpose.strip(),
        roles=roles,
        opened_at=tx.now,
        opened_by=tx.actor.name,
    )
    governing_store.add_service(tx, service)
    tx.record("service.opened", f"service/{name}", owner=owner, roles=list(roles))
    return service


def set_service_roles(tx: Tx, name: str, roles: tuple[str, ...]) -> Service:
    """Give a service exactly these roles, and all of its tokens with it."""
    was = get(tx, name)
    check_roles(tx, roles)
    before = permissions(tx, tx.project, was.roles)
    check_not_above(tx, permissions(tx, tx.project, roles) - before)
    if "agent" in roles:
        raise BadService(name, "the role agent belongs to agents")
    service = replace(was, roles=roles)
    governing_store.change_service(tx, service)
    tx.record("service.roles_set", f"service/{name}", before=list(was.roles), after=list(roles))
    return service


def close_service(tx: Tx, name: str, *, reason: str) -> Service:
    """End a service: none of its tokens works from the next request on, and no other service
    gets its name.
    """
    closed = replace(get(tx, name), closed_at=tx.now, closed_by=tx.actor.name)
    governing_store.change_service(tx, closed)
    tx.record("service.closed", f"service/{name}", reason=reason)
    return closed


def get(tx: Tx, name: str) -> Service:
    """An open service of this project. Raises `NoSuchService`."""
    found = governing_store.service(tx, tx.project, name)
    if found is None or found.closed_at is not None:
        raise NoSuchService(name)
    return found


def _why_not(tx: Tx, name: str, owner: str, purpose: str, roles: tuple[str, ...]) -> str:
    if ROLE_NAME.fullmatch(name) is None:
        return "that is no name for one"
    if not 0 < len(purpose.strip()) <= MOST_PURPOSE:
        return "nobody would know what it is for"
    if held(tx, tx.project, owner) is None:
        return f"{owner!r} is nobody in this project"
    if "agent" in roles:
        return "the role agent belongs to agents"
    if governing_store.service(tx, tx.project, name) is not None:
        return "there is or was one of that name"
    return ""
