"""The page Access: roles, rules, emergencies, services and sessions in one place."""

from typing import Annotated, cast

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from opsroom.web.render import Notice, Pages

from . import commands, glass, queries, roles, ruling, services
from .http import Read, Write
from .model import BUILT_IN, PERMISSIONS, ROLES, AccessSettings, Role
from .rules import AccessRules, Otherwise

PATH = "/access"
router = APIRouter(prefix=PATH, include_in_schema=False)
Word = Annotated[str, Form(max_length=200)]
Text = Annotated[str, Form(max_length=40_000)]
NOTICES = {
    "role_set": Notice(text="The role is set. It holds from the next request on.", tone="good"),
    "role_removed": Notice(text="The role is gone, and nobody holds it.", tone="info"),
    "rules_set": Notice(text="The rules hold from the next command on.", tone="good"),
    "access_set": Notice(text="It is set, for what is made from now on.", tone="good"),
    "glass_taken": Notice(
        text="The role is yours for a while. An alert tells the others.", tone="warn"
    ),
    "glass_ended": Notice(text="The role is given back.", tone="info"),
    "session_ended": Notice(text="The session has ended.", tone="info"),
    "service_opened": Notice(
        text="The service is open. Its tokens are made with `opsroom token create NAME --service`.",
        tone="good",
    ),
    "service_closed": Notice(text="The service and all of its tokens are closed.", tone="info"),
}


@router.get("")
def access_page(request: Request, tx: Read) -> Response:
    """Who may do what, what else nobody may, and who took a role in an emergency."""
    administers = "administer" in tx.actor.may
    settings = ruling.settings(tx)
    return _pages(request).render(
        request,
        "access/access.html",
        built_in=[(role.value, sorted(rights)) for role, rights in ROLES.items()],
        custom=queries.custom_roles(tx),
        permissions=PERMISSIONS,
        rules=ruling.current(tx),
        otherwise=OTHERWISE,
        settings=settings,
        takeable=[(one, one) for one in settings.glass_roles if one not in tx.actor.roles],
        glasses=queries.glasses(tx)[:50],
        services=queries.services(tx) if administers else [],
        logins=queries.logins(tx) if administers else [],
        people=[(one.name, one.name) for one in queries.people(tx)] if administers else [],
        assignable=sorted(BUILT_IN - {Role.AGENT.value}),
        may=tx.actor.may,
        lacking=ruling.lacking,
        me=tx.actor,
        now=tx.now,
    )


OTHERWISE = (
    (Otherwise.AS_ROLES_SAY.value, "as the roles say"),
    (Otherwise.DENY.value, "nobody may, until a rule permits it"),
)


@router.post("/roles")
def set_role(
    request: Request,
    tx: Write,
    name: Word,
    permission: Annotated[list[str] | None, Form()] = None,
    note: Word = "",
) -> Response:
    """Make a role of the project's own, or change one."""
    roles.set_role(tx, name.strip(), tuple(permission or ()), note=note.strip())
    return _pages(request).redirect(PATH, notice="role_set")


@router.post("/roles/{role}/remove")
def remove_role(request: Request, role: str, tx: Write) -> Response:
    """Take a role away from everybody who holds it, and forget it."""
    roles.remove_role(tx, role)
    return _pages(request).redirect(PATH, notice="role_removed")


@router.post("/rules")
def set_rules(
    request: Request,
    tx: Write,
    otherwise: Annotated[Otherwise, Form()],
    cedar: Text = "",
    labels: Word = "",
) -> Response:
    """Let these rules hold from the next command on."""
    # Browsers send line ends of their own; what is kept should be what the terminal would send.
    text = cedar.replace("\r\n", "\n").strip()
    given = AccessRules(cedar=text, otherwise=otherwise, protected_labels=_words(labels))
    ruling.set_rules(tx, given)
    return _pages(request).redirect(PATH, notice="rules_set")


@router.post("/settings")
def set_settings(
    request: Request,
    tx: Write,
    token_days: Annotated[int, Form()],
    glass_minutes: Annotated[int, Form()],
    glass_roles: Word = "",
) -> Response:
    """Set what is asked of credentials and emergencies."""
    given = AccessSettings(
        token_days=token_days, glass_roles=_words(glass_roles), glass_minutes=glass_minutes
    )
    ruling.set_settings(tx, given)
    return _pages(request).redirect(PATH, notice="access_set")


@router.post("/glass")
def take_role(
    request: Request,
    tx: Write,
    role: Word,
    minutes: Annotated[int, Form()],
    reason: Annotated[str, Form(max_length=2000)],
) -> Response:
    """Take a role in an emergency."""
    glass.take_role(tx, role, reason=reason, minutes=minutes)
    return _pages(request).redirect(PATH, notice="glass_taken")


@router.post("/glass/{glass_id}/end")
def give_back(request: Request, glass_id: str, tx: Write) -> Response:
    """Give a role back before its time."""
    glass.give_back(tx, glass_id)
    return _pages(request).redirect(PATH, notice="glass_ended")


@router.post("/sessions/{session_id}/end")
def end_session(request: Request, session_id: str, tx: Write) -> Response:
    """End somebody's session."""
    commands.end_session(tx, session_id)
    return _pages(request).redirect(PATH, notice="session_ended")


@router.post("/services")
def open_service(
    request: Request,
    tx: Write,
    name: Word,
    owner: Word,
    purpose: Annotated[str, Form(max_length=2000)],
    role: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Give a program an identity that somebody answers for."""
    services.open_service(
        tx, name.strip(), owner=owner.strip(), purpose=purpose, roles=tuple(role or ())
    )
    return _pages(request).redirect(PATH, notice="service_opened")


@router.post("/services/{service}/close")
def close_service(
    request: Request, service: str, tx: Write, reason: Annotated[str, Form(max_length=2000)]
) -> Response:
    """End a service and all of its tokens."""
    services.close_service(tx, service, reason=reason)
    return _pages(request).redirect(PATH, notice="service_closed")


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
