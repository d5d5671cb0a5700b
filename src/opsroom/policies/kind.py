"""What the registry needs to know about policies."""

import json
from collections.abc import Iterator, Sequence

from opsroom.contracts.model import ContractSpec
from opsroom.contracts.naming import stored_as
from opsroom.kit.errors import NotFound
from opsroom.kit.wire import adapter, plain
from opsroom.registry import Finding, Kind, Lookup, Severity

from .engine import read_rules, unknown_facts, validate
from .model import Mode, PolicySpec
from .schema import GROUPS
from .testing import run, tools_of


def pin(spec: PolicySpec, _lookup: Lookup) -> PolicySpec:
    """Refuse text that Cedar cannot read."""
    read_rules("policy", spec)
    return spec


def lint(spec: PolicySpec, _before: PolicySpec | None, lookup: Lookup) -> Sequence[Finding]:
    """What Cedar's validator says, given the contracts that are named, and what the tests say."""
    wrong = unknown_facts("policy", spec)
    scopes = [rule.actions or frozenset() for rule in read_rules("policy", spec)]
    named = frozenset[str]().union(*scopes, tools_of(spec)) - GROUPS
    known = {tool: found for tool in named if (found := _contract(tool, lookup)) is not None}
    if not wrong:
        wrong += validate("policy", spec, list(known.values()))
    unknown = _unknown(named - known.keys())
    return [*wrong, *unknown, *_failed(spec, known), *_remarks(spec)]


def _contract(tool: str, lookup: Lookup) -> ContractSpec | None:
    try:
        version = lookup(stored_as(tool), kind="contract")
    except NotFound:
        return None
    found = adapter(ContractSpec).validate_python(version.spec)
    return found if found.tool == tool else None


def _unknown(tools: frozenset[str]) -> Iterator[Finding]:
    for tool in sorted(tools):
        yield Finding(
            code="policy_unknown_tool",
            severity=Severity.WARNING,
            message=f"no contract is called {tool!r}, so what is said of it was not checked",
            hint="store the contract first",
        )


def _failed(spec: PolicySpec, known: dict[str, ContractSpec]) -> Iterator[Finding]:
    for one in run("policy", spec, known):
        if not one.passed and one.tool in known:
            yield Finding(
                code="policy_test_failed",
                severity=Severity.ERROR,
                message=f"expected {one.expected}, and it is {one.verdict}: {one.because}",
                place=one.name,
                hint="either the policy or the expectation is wrong",
            )


def _remarks(spec: PolicySpec) -> Iterator[Finding]:
    if not spec.tests:
        yield Finding(
            code="policy_untested",
            severity=Severity.INFO,
            message="it has no tests",
            hint="a row of `tests` says what must be permitted, and what must not",
        )
    if spec.mode is Mode.LOG_ONLY:
        yield Finding(
            code="policy_log_only",
            severity=Severity.INFO,
            message="it decides nothing; it only says what it would have decided",
        )


def text(spec: PolicySpec) -> str:
    """The policies as Cedar, with what is said of them and their tests beside it."""
    head = f"// mode: {spec.mode}\n" if spec.mode is Mode.LOG_ONLY else ""
    if spec.description:
        head += f"// {spec.description}\n"
    tests = "".join(
        f"\n// test: {json.dumps(plain(one), sort_keys=True)}" for one in spec.tests
    )
    return head + spec.cedar + ("\n" + tests if tests else "")


KIND = Kind(name="policy", shape=PolicySpec, text=text, pin=pin, lint=lint)
