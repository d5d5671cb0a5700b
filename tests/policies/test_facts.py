"""The facts: each is typed, and what nobody knows asks for care."""

from opsroom.contracts.model import ContractSpec
from opsroom.policies.engine import compile_bundle
from opsroom.policies.facts import FACTS, quiet
from opsroom.policies.model import PolicyRequest, Verdict
from opsroom.policies.schema import facts_turned
from opsroom.policies.shipped import NAME, shipped

SEND = ContractSpec(tool="send", input={"type": "object"})


def test_every_value_that_a_fact_may_have_can_be_shown_to_cedar() -> None:
    known = {"session_read": ()}  # no value of it asks for more care than not knowing
    assert (
        facts_turned(known, None).keys() == FACTS.keys() == facts_turned(quiet(), None).keys()
    )


def test_the_shipped_policies_are_sound_and_permit_on_a_quiet_day() -> None:
    bundle = compile_bundle([(NAME, shipped())], [SEND])
    assert bundle.findings == ()
    assert (
        bundle.decide(PolicyRequest(agent="a", tool="send", facts=quiet())).verdict
        is Verdict.PERMIT
    )


def test_what_is_missing_never_permits() -> None:
    bundle = compile_bundle([(NAME, shipped())], [SEND])
    ruling = bundle.decide(PolicyRequest(agent="a", tool="send"))
    assert (ruling.verdict, ruling.error) == (Verdict.ESCALATE, "")
