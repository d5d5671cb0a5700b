"""Roles, what they may do, and the shape of a credential. No I/O."""

import hashlib
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opsroom.kit.wire import Wire


class Role(StrEnum):
    VIEWER = "viewer"
    AUTHOR = "author"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    POLICY_ADMIN = "policy-admin"
    AUDITOR = "auditor"
    RISK = "risk"
    ADMIN = "admin"
    AGENT = "agent"


PERMISSIONS = {
    "read": "see artifacts, evaluations, releases and overview",
    "resolve": "ask which version serves a subject, and read that version",
    "author": "create artifacts, versions, proposals and datasets; run evaluations",
    "propose": "create artifacts and versions without labels, open proposals, add candidates to datasets",
    "discuss": "comment on proposals and suggest other words",
    "review": "answer proposals, releases and shadow samples; label what agents did",
    "operate": "start, pause, abort and roll back releases; move labels back",
    "observe": "report what happened: spans, and outcomes of shadow and canary runs",
    "act": "propose actions and report what came of them",
    "import": "bring in recorded runs, histories and their evidence",
    "answer": "answer what waits in the inbox: approve, edit, reject, hand over",
    "override": "report that a person decided otherwise than an agent",
    "audit": "read and verify the journal",
    "govern": "set the access rules: what else nobody may do, and where",
    "break-glass": "take a role for a while in an emergency, with a reason",
    "administer": "users, roles, tokens and projects",
}

_SEES = frozenset({"read", "resolve"})
_AUTHORS = frozenset({"author", "propose", "discuss"})
_ANSWERS = frozenset({"answer", "override"})
ROLES: dict[Role, frozenset[str]] = {
    Role.VIEWER: _SEES,
    Role.AUTHOR: _SEES | _AUTHORS | {"break-glass"},
    Role.REVIEWER: _SEES | {"review", "discuss", "break-glass"} | _ANSWERS,
    Role.OPERATOR: _SEES | {"operate", "observe", "import", "break-glass"} | _ANSWERS,
    Role.POLICY_ADMIN: _SEES | _AUTHORS | {"govern"},
    Role.AUDITOR: _SEES | {"audit"},
    Role.RISK: _SEES | {"review", "discuss", "audit", "break-glass"} | _ANSWERS,
    Role.ADMIN: frozenset(PERMISSIONS),
    Role.AGENT: frozenset({"resolve", "observe", "act", "override"}),
}


BUILT_IN = frozenset(role.value for role in Role)
ROLE_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}", re.ASCII)
# Nobody can be called as opsroom's own doings and agents are in the record (`system:…`).
_PERSON = re.compile(r"[^\W_](?:[\w.@+ -]{0,98}[\w.@+-])?")
_OURS = frozenset({"system", "nobody"})


def names_somebody(name: str) -> bool:
    """Whether this can be the name of a person."""
    return _PERSON.fullmatch(name) is not None and name not in _OURS


def with_implied(permissions: Collection[str]) -> frozenset[str]:
    """These permissions, and what they bring along: whoever authors may propose."""
    return frozenset(permissions) | ({"propose"} if "author" in permissions else frozenset())


def permissions_of(roles: Collection[str]) -> frozenset[str]:
    """Everything that holders of these built-in roles may do; other names give nothing here,
    since a project's own roles are in its database (`queries.permissions`).
    """
    known = [rights for role, rights in ROLES.items() if role.value in roles]
    return frozenset().union(*known)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomRole(Wire):
    """A role of a project's own: a name for a set of permissions from the table."""

    name: str
    permissions: tuple[str, ...]
    note: str = ""
    changed_at: datetime
    changed_by: str
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Wire):
    """A person, and the roles they hold in one project: those given there, and those that come
    with their membership in its organisation.
    """

    name: str
    roles: tuple[str, ...]
    created_at: datetime
    by_organisation: tuple[str, ...] = ()

    @property
    def held(self) -> tuple[str, ...]:
        """Every role that was given to them for good, wherever it comes from."""
        return tuple(dict.fromkeys((*self.roles, *self.by_organisation)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Project(Wire):
    """Where work is kept apart. Its name may change, its id never does."""

    id: str
    name: str
    organisation: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation(Wire):
    """Owner of projects. `projects` are those that whoever asks may enter, `roles` what their
    membership gives them in every one of its projects.
    """

    id: str
    name: str
    created_at: datetime
    roles: tuple[str, ...] = ()
    projects: tuple[Project, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationMember(Wire):
    """Somebody with roles in every project of an organisation."""

    name: str
    roles: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Token(Wire):
    """A credential for programs. The secret is shown once and never stored.

    One that is bound to an `agent` is that agent's identity, and acts for no other. With
    `scopes`, it may do only these of the things that its roles let it do; with an `environment`,
    it reads, moves and acts there alone. `last_used_at` is exact to an hour. The one that lies in
    the installation's folder is `local`: whoever can read it could write the database.
    """

    id: str
    name: str
    prefix: str
    roles: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    agent: str = ""
    service: str = ""
    scopes: tuple[str, ...] = ()
    last_used_at: datetime | None = None
    local: bool = False
    environment: str = ""

    def alive(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def ended_with(self, closed: "ClosedIdentity", now: datetime) -> bool:
        """Whether it would work today, had its agent not been closed."""
        unexpired = self.expires_at is None or now < self.expires_at
        return unexpired and self.revoked_at == closed.closed_at

    @property
    def actor(self) -> str:
        """Whom the journal names when this token is used: the agent or the service, where it is
        bound to one.
        """
        if self.service:
            return f"service:{self.service}"
        return f"agent:{self.agent}" if self.agent else f"token:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Wire):
    """A program with an identity of its own: an owner who answers for it, and roles that all of
    its tokens have, from the next request on. Closed, none of them works any more.
    """

    name: str
    owner: str
    purpose: str
    roles: tuple[str, ...]
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None = None
    closed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login(Wire):
    """A session of somebody who is logged in. `how` is link, password or oidc."""

    id: str
    user: str
    how: str
    begun_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Glass(Wire):
    """A role that somebody took for a while in an emergency. It ends by itself at `until`."""

    id: str
    user: str
    role: str
    reason: str
    taken_at: datetime
    until: datetime
    ended_at: datetime | None = None
    ended_by: str = ""

    def open(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings(Wire):
    """What a project asks of credentials and emergencies.

    A token lives `token_days` at most (0: as long as it is told to). `glass_roles` may be taken
    in an emergency, for `glass_minutes` at most.
    """

    token_days: int = 0
    glass_roles: tuple[str, ...] = (Role.OPERATOR.value,)
    glass_minutes: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Use(Wire):
    """That somebody called an agent, or came in as it: who, with which token (`token` is its id,
    empty for a login), at which door, and when first and last.
    """

    agent: str
    caller: str
    token: str
    door: str
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedIdentity(Wire):
    """An agent that may not come in any more, whatever token it shows.

    `sunset` names the process that ended it for good, and `successor` who is to be called
    instead; both are empty for an agent that was stopped at once.
    """

    agent: str
    reason: str
    closed_by: str
    closed_at: datetime
    sunset: str = ""
    successor: str = ""


_TOKEN = re.compile(r"ops_([0-9a-f]{12})_([0-9a-f]{48})", re.ASCII)


def split_token(text: str) -> tuple[str, str] | None:
    """The public prefix and the secret of `ops_<prefix>_<secret>`; None for anything else."""
    found = _TOKEN.fullmatch(text)
    return (found[1], found[2]) if found else None


def fingerprint(secret: str) -> str:
    """What is stored of a random secret. It has 192 bits, so a fast hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def matches(secret: str, stored: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(fingerprint(secret), stored)
