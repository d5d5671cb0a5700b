from dataclasses import dataclass

from opsroom.kit.errors import Failed, Invalid


@dataclass(eq=False)
class BrokenPolicy(Invalid):
    code = "policy_broken"
    text = "the policies of {0.name!r} cannot work: {0.why}"
    hint = "correct the Cedar text; docs/how-to/policies.md shows what it may speak of"
    name: str
    why: str


@dataclass(eq=False)
class PolicyTestsFailed(Failed):
    code = "policy_tests_failed"
    text = "{0.failed} of {0.count} tests of {0.name!r} did not come out as expected"
    hint = "read which ones above; either the policy or the expectation is wrong"
    name: str
    failed: int
    count: int
