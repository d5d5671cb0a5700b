"""Roles of one's own, access rules, services, sessions and emergencies over HTTP."""

from dataclasses import dataclass

from fastapi import APIRouter

from opsroom.kit.wire import Wire

from . import commands, glass, queries, roles, ruling, services
from .http import Read, Write
from .model import (
    PERMISSIONS,
    ROLES,
    AccessSettings,
    CustomRole,
    Glass,
    Login,
    Service,
)
from .rules import AccessRules, Action, Thing, Verdict

router = APIRouter(prefix="/v1", tags=["access"])


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltIn(Wire):
    """A role that every project has."""

    name: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllRoles(Wire):
    """The roles of a project, and what each permission lets somebody do."""

    built_in: tuple[BuiltIn, ...]
    custom: tuple[CustomRole, ...]
    permissions: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleDraft(Wire):
    permissions: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Wire):
    """May holders of `roles` do this? With `rules`, as those would say before they are set."""

    action: Action
    thing: Thing
    roles: tuple[str, ...] = ()
    human: bool = True
    rules: AccessRules | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewService(Wire):
    name: str
    owner: str
    purpose: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRoles(Wire):
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason(Wire):
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency(Wire):
    """A role to take, why, and for how many minutes (without: as long as the project lets)."""

    role: str
    reason: str
    minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Wire):
    """How many sessions and links ended."""

    count: int


@router.get("/roles")
def all_roles(tx: Read) -> AllRoles:
    """Every role that one can have in this project."""
    return AllRoles(
        built_in=tuple(
            BuiltIn(name=role.value, permissions=tuple(sorted(rights)))
            for role, rights in ROLES.items()
        ),
        custom=tuple(queries.custom_roles(tx)),
        permissions=PERMISSIONS,
    )


@router.put("/roles/{role}")
def set_role(role: str, draft: RoleDraft, tx: Write) -> CustomRole:
    """Make a role of the project's own, or change it from its holders' next request on."""
    return roles.set_role(tx, role, draft.permissions, note=draft.note)


@router.delete("/roles/{role}", status_code=204)
def remove_role(role: str, tx: Write) -> None:
    """Take a role away from everybody who holds it, and forget it."""
    roles.remove_role(tx, role)


@router.get("/access/rules")
def rules(tx: Read) -> AccessRules:
    """The access rules of this project."""
    return ruling.current(tx)


@router.put("/access/rules")
def set_rules(new: AccessRules, tx: Write) -> AccessRules:
    """Let these rules hold from the next command on."""
    return ruling.set_rules(tx, new)


@router.post("/access/rules/check")
def check_rules(asked: Question, tx: Read) -> Verdict:
    """What the rules say to holders of some roles; this changes nothing."""
    return ruling.try_out(
        tx,
        asked.action,
        asked.thing,
        roles=asked.roles,
        human=asked.human,
        given=asked.rules,
    )


@router.get("/access/settings")
def settings(tx: Read) -> AccessSettings:
    """What this project asks of credentials and emergencies."""
    return ruling.settings(tx)


@router.put("/access/settings")
def set_settings(new: AccessSettings, tx: Write) -> AccessSettings:
    """Set it, for what is made from now on."""
    return ruling.set_settings(tx, new)


@router.get("/services")
def all_services(tx: Read) -> list[Service]:
    """Every service of this project, the closed ones too."""
    return queries.services(tx)


@router.post("/services", status_code=201)
def open_service(new: NewService, tx: Write) -> Service:
    """Give a program an identity that somebody answers for."""
    return services.open_service(
        tx, new.name, owner=new.owner, purpose=new.purpose, roles=new.roles
    )


@router.put("/services/{service}/roles")
def set_service_roles(service: str, wanted: ServiceRoles, tx: Write) -> Service:
    """Give a service and all of its tokens exactly these roles, from the next request on."""
    return services.set_service_roles(tx, service, wanted.roles)


@router.post("/services/{service}/close")
def close_service(service: str, why: Reason, tx: Write) -> Service:
    """End a service and all of its tokens, from the next request on."""
    return services.close_service(tx, service, reason=why.reason)


@router.get("/sessions")
def logins(tx: Read) -> list[Login]:
    """Who is logged in, the latest 200 first."""
    return queries.logins(tx)


@router.delete("/sessions/{session_id}", status_code=204)
def end_session(session_id: str, tx: Write) -> None:
    """End somebody's session from the next request on."""
    commands.end_session(tx, session_id)


@router.post("/me/sessions/end")
def end_my_sessions(tx: Write) -> Ended:
    """Log me out everywhere, here too."""
    return Ended(count=commands.end_my_sessions(tx))


@router.get("/glass")
def glasses(tx: Read) -> list[Glass]:
    """The latest 200 roles that were taken in emergencies, newest first."""
    return queries.glasses(tx)


@router.post("/glass", status_code=201)
def take_role(asked: Emergency, tx: Write) -> Glass:
    """Take a role for a while in an emergency; an alert is opened."""
    return glass.take_role(tx, asked.role, reason=asked.reason, minutes=asked.minutes)


@router.post("/glass/{glass_id}/end")
def give_back(glass_id: str, tx: Write) -> Glass:
    """End it before its time: my own, or anybody's for an administrator."""
    return glass.give_back(tx, glass_id)
