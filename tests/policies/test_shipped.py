"""The shipped rules: what each must stop, and that it lets a quiet day pass."""

from typing import Any

import pytest

from opsroom.contracts.model import ContractSpec, Tier
from opsroom.policies.engine import compile_bundle, read_rules
from opsroom.policies.facts import quiet
from opsroom.policies.model import PolicyRequest, Ruling, Verdict
from opsroom.policies.shipped import NAME, shipped

SEND = ContractSpec(tool="send", risk=Tier.WRITE)
RESET = ContractSpec(tool="reset", risk=Tier.CREDENTIAL)
BUNDLE = compile_bundle([(NAME, shipped())], [SEND, RESET])
STOPPED: dict[str, tuple[str, dict[str, Any]]] = {
    "link-not-reached": ("send", {"argument_link_reached": False}),
    "untrusted-target": ("send", {"grounded_by": "untrusted"}),
    "made-up-target": ("send", {"argument_made_up": True}),
    "another-was-named": ("send", {"grounded_other_named": True}),
    "secret-not-said": ("send", {"argument_secret_said": False}),
    "tainted-and-not-asked": ("send", {"tainted": True, "grounded_asked": False}),
    "tainted-and-not-from-the-user": ("send", {"tainted": True, "grounded_anchored": False}),
    "tainted-and-copied": ("send", {"tainted": True, "argument_copied": True}),
    "disguised": ("send", {"argument_notes": ["respelt", "hidden"]}),
    "credential": ("reset", {"grounded_asked": False}),
    "runaway": ("send", {"same_calls_in_turn": 3}),
}


def said(tool: str, **facts: Any) -> Ruling:
    risk = {"send": "write", "reset": "credential"}[tool]
    return BUNDLE.decide(
        PolicyRequest(
            agent="a", tool=tool, risk=risk, facts={**quiet(), "reads_only": False, **facts}
        )
    )


@pytest.mark.parametrize("rule", STOPPED)
def test_what_it_must_stop_goes_to_people(rule: str) -> None:
    tool, facts = STOPPED[rule]
    ruling = said(tool, **facts)
    assert ruling.verdict is Verdict.ESCALATE
    assert f"{NAME}/{rule}" in {one.policy for one in ruling.reasons}


def test_every_rule_that_asks_has_a_case() -> None:
    asking = {one.id.partition("/")[2] for one in read_rules(NAME, shipped())} - {"covered"}
    assert asking == STOPPED.keys()


@pytest.mark.parametrize("tool", ["send", "reset"])
@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"argument_notes": ["respelt"]},
        {"same_calls_in_turn": 2, "calls_in_turn": 2000},
        {"tainted": True},
    ],
)
def test_a_quiet_day_passes(tool: str, facts: dict[str, Any]) -> None:
    assert said(tool, **facts).verdict is Verdict.PERMIT


def test_what_only_reads_is_left_in_peace() -> None:
    facts = {"reads_only": True, "tainted": True, "argument_copied": True}
    assert said("send", **facts, argument_notes=["hidden"]).verdict is Verdict.PERMIT
