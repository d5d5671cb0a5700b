"""What the linter says of a policy, and what of the policies that an agent cites."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from opsroom.contracts.model import ContractSpec, Tier
from opsroom.contracts.naming import stored_as
from opsroom.kit.wire import plain
from opsroom.policies.engine import validate
from opsroom.policies.kind import KIND, lint
from opsroom.policies.model import Case, PolicySpec, Verdict
from opsroom.registry import Version, VersionNotFound

OK = '@id("ok") permit (principal, action, resource);'
PAY = ContractSpec(
    tool="payOrder",
    risk=Tier.IRREVERSIBLE,
    input={
        "type": "object",
        "properties": {
            "amount": {"type": "number"},
            "to": {"type": "string"},
            "odd": {"type": ["string", "integer"]},
        },
        "required": ["amount", "to"],
    },
)


class Shelf:
    """Contracts by what they are stored as."""

    def __init__(self, *contracts: ContractSpec) -> None:
        self._there = {stored_as(one.tool): one for one in contracts}

    def __call__(self, reference: str, *, kind: str) -> Version:
        found = self._there.get(reference)
        if found is None:
            raise VersionNotFound(kind, reference, "latest")
        return replace(VERSION, name=reference, spec=plain(found))


VERSION = Version(
    kind="contract",
    name="pay",
    number=1,
    digest="0" * 64,
    spec={},
    author="ana",
    created_at=datetime(2026, 11, 20, tzinfo=UTC),
)


def said(cedar: str, *contracts: ContractSpec, **more: Any) -> list[tuple[str, str]]:
    spec = PolicySpec(cedar=cedar, tests=more.pop("tests"), **more)
    found = lint(spec, None, Shelf(*contracts))  # type: ignore[arg-type]  # all that lint asks
    return [(one.code, one.message) for one in found]


def codes(cedar: str, *contracts: ContractSpec, **more: Any) -> list[str]:
    return [code for code, _ in said(cedar, *contracts, **more)]


def when(text: str, action: str = "action") -> str:
    return f'{OK} @id("no") forbid (principal, {action}, resource) when {{ {text} }};'


def test_a_tool_is_found_by_its_own_name() -> None:
    cedar = when(
        'context.arguments.amount.greaterThan(decimal("5.0"))', 'action == Action::"payOrder"'
    )
    assert codes(cedar, PAY, tests=()) == ["policy_untested"]


@pytest.mark.parametrize(
    "text",
    ["context.fact.tainted", "context.facts.tainted == 3", "context.arguments.amount == 1"],
)
def test_rules_about_every_tool_are_checked_too(text: str) -> None:
    assert "policy_invalid" in codes(when(text), tests=())


def test_an_unknown_tool_hides_nothing_else() -> None:
    cedar = f"""{when("context.facts.tainted == 3")}
    @id("other") forbid (principal, action == Action::"gone", resource);"""
    tests = (
        Case(
            name="fails",
            tool="payOrder",
            arguments={"amount": 1, "to": "b"},
            expect=Verdict.DENY,
        ),
        Case(name="gone", tool="gone", expect=Verdict.DENY),
    )
    found = codes(cedar, PAY, tests=tests)
    assert found.count("policy_unknown_tool") == 1
    assert "policy_invalid" in found
    found = codes(
        f'{OK} @id("other") forbid (principal, action == Action::"gone", resource);',
        PAY,
        tests=tests,
    )
    assert found == ["policy_unknown_tool", "policy_test_failed"]


def test_what_policies_cannot_read_is_said() -> None:
    cedar = when("context.arguments has odd", 'action == Action::"payOrder"')
    assert "policy_unreadable_argument" in codes(cedar, PAY, tests=())


def test_the_text_that_is_compared_tells_everything() -> None:
    spec = PolicySpec(
        cedar=OK,
        description="the house rules",
        tests=(Case(name="quiet", tool="pay", expect=Verdict.PERMIT),),
    )
    text = KIND.text(spec)
    assert "the house rules" in text
    assert '"name": "quiet"' in text
    assert text != KIND.text(replace(spec, tests=()))


def test_rules_about_tools_that_an_agent_lacks_do_not_disturb_it() -> None:
    spec = PolicySpec(
        cedar=f'{OK} @id("a") forbid (principal, action == Action::"other", resource);'
    )
    assert validate("p", spec, [PAY]) == []
    spec = PolicySpec(cedar=when("context.arguments.amout > 5", 'action == Action::"payOrder"'))
    (found,) = validate("p", spec, [PAY])
    assert (found.code, found.place) == ("policy_invalid", "p/no")
