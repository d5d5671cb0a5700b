"""Cedar behind one door: reading policies, checking them against a schema, hearing which apply.

Whoever asks wants to hear of every policy that applies, not only of those that tipped the
scales. So each is given to Cedar as a permit, and its effect is kept beside it by the caller.
Cedar skips a policy that fails while it is evaluated: what failed is told, and must not permit.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cedarpy
from cedarpy import pst

__all__ = [
    "Answer",
    "Entities",
    "NotCedar",
    "Policy",
    "PolicySet",
    "Problem",
    "ask",
    "entities",
    "pst",
    "read",
    "together",
    "validate",
]

Policy = pst.Template
PolicySet = cedarpy.PolicySet
Entities = cedarpy.Entities


class NotCedar(ValueError):
    """A text that is not a list of policies: where, and why."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {why}" if line else why)


@dataclass(frozen=True, slots=True)
class Answer:
    """Which policies apply, by the names they were put together under, and what failed."""

    applying: tuple[str, ...]
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What Cedar's validator says of a policy; `policy` is its `@id`, or its place."""

    policy: str
    message: str


def read(text: str) -> list[Policy]:
    """The policies of a text, in its order. Raises `NotCedar`."""
    try:
        found = cedarpy.policies_to_pst(text)
    except ValueError as error:
        raise NotCedar(str(error).splitlines()[0][:300], _broken_at(text)) from error
    if found.templates:
        raise NotCedar("they hold a template; write out what is meant")
    ordered = sorted(
        found.static_policies.items(), key=lambda one: int(one[0].removeprefix("policy"))
    )
    return [policy for _, policy in ordered]


def together(policies: Mapping[str, Policy]) -> PolicySet:
    """Policies under their own names, each as a permit, so that all that apply are listed."""
    named = {
        name: replace(one, id=name, effect="permit", annotations={})
        for name, one in policies.items()
    }
    return PolicySet.from_pst(
        pst.PolicySet(templates={}, static_policies=named, template_links=())
    )


def entities(given: Sequence[Mapping[str, Any]]) -> Entities:
    return Entities.from_json_str(json.dumps(list(given)))


def ask(
    asked: Sequence[Mapping[str, Any]], policies: PolicySet, known: Entities
) -> list[Answer]:
    """Which policies apply to each request, in their order. Raises where Cedar cannot read one."""
    answers = cedarpy.is_authorized_batch([dict(one) for one in asked], policies, known)
    return [
        Answer(tuple(one.diagnostics.reasons), tuple(one.diagnostics.errors)) for one in answers
    ]


def validate(text: str, schema: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with policies, given a schema (Cedar's, as JSON)."""
    known = cedarpy.Schema.from_json_str(json.dumps(schema))
    found = cedarpy.validate_policies(text, known)
    ids = found.id_annotations_by_policy_id
    return [
        Problem(
            ids.get(one.policy_id, one.policy_id) or one.policy_id,
            one.error.removeprefix(f"for policy `{one.policy_id}`, "),
        )
        for one in found.errors
    ]


def _broken_at(text: str) -> int:
    """The line where the first policy that cannot be read begins."""
    good = 0
    for place, character in enumerate(text):
        if character == ";" and _readable(text[good : place + 1]):
            good = place + 1
    rest = text[good:]
    return text.count("\n", 0, good + len(rest) - len(rest.lstrip())) + 1


def _readable(text: str) -> bool:
    try:
        PolicySet.from_str(text)
    except ValueError:
        return False
    return True
