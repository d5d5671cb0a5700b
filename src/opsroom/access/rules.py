"""Access rules: what else nobody may do, by kind, label and criticality. Decided by Cedar.

Roles say what somebody may do at all. The rules of a project narrow that and never widen it: a
forbid that applies denies, and so does a rule that fails while it is evaluated. What no rule
speaks of is as the roles say, or denied where a project says so (`otherwise`).

    @id("policies-by-policy-admins") @reason("policies are written by policy admins")
    forbid (principal, action == Action::"author", resource)
    when { resource.kind == "policy" }
    unless { principal in Role::"policy-admin" };

A principal is a `Person` or a `Program`, in the `Role`s it holds. An action is `author`, `review`,
`operate` or `answer`. A resource is a `Thing` with `kind`, `name`, `label` (the one that is to move,
or nothing) and `criticality`. Beside the kinds of artifacts there are `budget`, `autonomy` (what an
agent may do alone) and `request` (what waits in the inbox).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from opsroom.kit import cedar
from opsroom.kit.cedar import NotCedar, Policy
from opsroom.kit.db import Actor
from opsroom.kit.wire import Wire

from .errors import BadAccessRules

MOST_TEXT = 32 * 1024
MOST_RULES = 200
MOST_LABELS = 20
PROTECTED = "protected-labels"
_LABEL = re.compile(r"[a-z][a-z0-9._-]{0,63}", re.ASCII)
_STRING = {"type": "String"}
_ATTRIBUTES = dict.fromkeys(("kind", "name", "label", "criticality"), _STRING)


class Action(StrEnum):
    """What access rules speak of: the permissions that change what is in force."""

    AUTHOR = "author"
    REVIEW = "review"
    OPERATE = "operate"
    ANSWER = "answer"


class Otherwise(StrEnum):
    """What holds where no rule speaks."""

    AS_ROLES_SAY = "as_roles_say"
    DENY = "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRules(Wire):
    """The rules of a project. Labels in `protected_labels` are moved by people only, whatever
    the roles of a program's token; the way back (a rollback) stays open to programs.
    """

    cedar: str = ""
    otherwise: Otherwise = Otherwise.AS_ROLES_SAY
    protected_labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing(Wire):
    """What somebody wants to change. `label` is the one that is to move, if any."""

    kind: str
    name: str
    label: str = ""
    criticality: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" + (f"@{self.label}" if self.label else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(Wire):
    """What the rules say; `rules` are those that applied, `because` is why not, in words."""

    allowed: bool
    because: str = ""
    rules: tuple[str, ...] = ()


SCHEMA = {
    "": {
        "entityTypes": {
            "Role": {},
            "Person": {"memberOfTypes": ["Role"]},
            "Program": {"memberOfTypes": ["Role"]},
            "Thing": {"shape": {"type": "Record", "attributes": _ATTRIBUTES}},
        },
        "actions": {
            action.value: {
                "appliesTo": {
                    "principalTypes": ["Person", "Program"],
                    "resourceTypes": ["Thing"],
                }
            }
            for action in Action
        },
    }
}


def check_rules(rules: AccessRules) -> None:
    """Raise `BadAccessRules` for what Cedar cannot read, or what speaks of unknown things."""
    if len(rules.cedar) > MOST_TEXT:
        raise BadAccessRules(f"they are longer than {MOST_TEXT // 1024} kB")
    if len(rules.protected_labels) > MOST_LABELS:
        raise BadAccessRules(f"more than {MOST_LABELS} protected labels")
    for label in rules.protected_labels:
        if _LABEL.fullmatch(label) is None or label == "latest":
            raise BadAccessRules(f"{label!r} cannot be a label")
    _compiled(rules)
    if found := cedar.validate(rules.cedar, SCHEMA):
        raise BadAccessRules("; ".join(f"{one.policy}: {one.message}" for one in found[:3]))


def decide(rules: AccessRules, actor: Actor, action: Action, thing: Thing) -> Verdict:
    """What the rules say of one thing that somebody wants to do. No answer is a denial."""
    known = _compiled(rules)
    principal = {"type": "Person" if actor.human else "Program", "id": actor.name}
    resource = {"type": "Thing", "id": str(thing)}
    parents = [{"type": "Role", "id": role} for role in actor.roles]
    attributes = {
        "kind": thing.kind,
        "name": thing.name,
        "label": thing.label,
        "criticality": thing.criticality,
    }
    asked = {
        "principal": principal,
        "action": {"type": "Action", "id": action.value},
        "resource": resource,
        "context": "{}",
    }
    try:
        people = cedar.entities(
            [
                {"uid": principal, "attrs": {}, "parents": parents},
                {"uid": resource, "attrs": attributes, "parents": []},
            ]
        )
        answer = cedar.ask([asked], known.policies, people)[0]
    except ValueError as error:
        return Verdict(allowed=False, because=f"they could not be asked ({error})")
    if answer.errors:
        return Verdict(allowed=False, because="; ".join(answer.errors))
    return known.verdict(answer.applying, rules.otherwise)


@dataclass(frozen=True, slots=True)
class _Compiled:
    policies: cedar.PolicySet
    forbids: dict[str, str]

    def verdict(self, applying: Sequence[str], otherwise: Otherwise) -> Verdict:
        against = tuple(name for name in applying if name in self.forbids)
        if against:
            words = "; ".join(self.forbids[name] for name in against)
            return Verdict(allowed=False, because=words, rules=against)
        if not applying and otherwise is Otherwise.DENY:
            return Verdict(allowed=False, because="no rule permits it")
        return Verdict(allowed=True, rules=tuple(applying))


@lru_cache(maxsize=64)
def _compiled(rules: AccessRules) -> _Compiled:
    try:
        read = [*cedar.read(rules.cedar), *cedar.read(_protecting(rules.protected_labels))]
    except NotCedar as error:
        raise BadAccessRules(str(error)) from error
    if len(read) > MOST_RULES:
        raise BadAccessRules(f"there are more than {MOST_RULES}")
    named: dict[str, Policy] = {}
    for policy in read:
        name = policy.annotations.get("id", "")
        if not name:
            raise BadAccessRules('every rule needs an @id("…")')
        if name in named:
            raise BadAccessRules(f"two rules are called {name!r}")
        named[name] = policy
    forbids = {
        name: one.annotations.get("reason") or name.replace("-", " ").replace("_", " ")
        for name, one in named.items()
        if one.effect == "forbid"
    }
    return _Compiled(cedar.together(named), forbids)


def _protecting(labels: Sequence[str]) -> str:
    """The rule behind protected labels, in the words of the engine that decides all others."""
    if not labels:
        return ""
    listed = ", ".join(f'"{label}"' for label in labels)
    return (
        f'@id("{PROTECTED}") @reason("only people move this label")'
        ' forbid (principal is Program, action == Action::"author", resource)'
        f" when {{ [{listed}].contains(resource.label) }};"
    )
