"""Roles, what they may do, and the shape of a credential. No I/O."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opsroom.kit.wire import Wire


class Role(StrEnum):
    VIEWER = "viewer"
    AUTHOR = "author"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    RISK = "risk"
    ADMIN = "admin"
    AGENT = "agent"


PERMISSIONS = {
    "read": "see artifacts, evaluations, releases and overview",
    "resolve": "ask which version serves a subject, and read that version",
    "author": "create artifacts, versions, proposals and datasets; run evaluations",
    "discuss": "comment on proposals and suggest other words",
    "review": "answer proposals, releases and shadow samples; label what agents did",
    "operate": "start, pause, abort and roll back releases; move labels back",
    "observe": "report what happened: spans, and outcomes of shadow and canary runs",
    "act": "propose actions and report what came of them",
    "import": "bring in recorded runs, histories and their evidence",
    "answer": "answer what waits in the inbox: approve, edit, reject, hand over",
    "override": "report that a person decided otherwise than an agent",
    "audit": "read and verify the journal",
    "administer": "users, roles, tokens and projects",
}

_SEES = frozenset({"read", "resolve"})
_ANSWERS = frozenset({"answer", "override"})
ROLES: dict[Role, frozenset[str]] = {
    Role.VIEWER: _SEES,
    Role.AUTHOR: _SEES | {"author", "discuss"},
    Role.REVIEWER: _SEES | {"review", "discuss"} | _ANSWERS,
    Role.OPERATOR: _SEES | {"operate", "observe", "import"} | _ANSWERS,
    Role.RISK: _SEES | {"review", "discuss", "audit"} | _ANSWERS,
    Role.ADMIN: frozenset(PERMISSIONS),
    Role.AGENT: frozenset({"resolve", "observe", "act", "override"}),
}


def permissions_of(roles: tuple[str, ...]) -> frozenset[str]:
    """Everything that holders of these roles may do; roles nobody knows give nothing."""
    known = [rights for role, rights in ROLES.items() if role.value in roles]
    return frozenset().union(*known)


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Wire):
    """A person, and the roles they hold in one project."""

    name: str
    roles: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Token(Wire):
    """A credential for programs. The secret is shown once and never stored.

    One that is bound to an `agent` is that agent's identity, and acts for no other.
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

    def alive(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    @property
    def actor(self) -> str:
        """Whom the journal names when this token is used: the agent, where it is bound to one."""
        return f"agent:{self.agent}" if self.agent else f"token:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedIdentity(Wire):
    """An agent that may not come in any more, whatever token it shows."""

    agent: str
    reason: str
    closed_by: str
    closed_at: datetime


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
