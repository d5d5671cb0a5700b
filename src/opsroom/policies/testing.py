"""A policy's own table of tests: requests like these, verdicts like those. No I/O.

A row starts from a quiet day (`facts.quiet`) and says in `context` what is different. Its
arguments take the way that real ones take: into canonical form first, then to the policies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsroom.contracts.canonical import canonicalise
from opsroom.contracts.model import ContractSpec, Tier
from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import Wire

from .engine import Bundle, compile_bundle
from .facts import FACTS, quiet
from .model import Case, PolicyRequest, PolicySpec, Ruling, Verdict
from .rules import no_verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Wire):
    """What came of one row. `because` says which policies spoke, or why none could."""

    name: str
    tool: str
    expected: Verdict
    verdict: Verdict
    passed: bool
    because: str = ""


def tools_of(spec: PolicySpec) -> tuple[str, ...]:
    """The tools whose contracts the rows need."""
    return tuple(sorted({case.tool for case in spec.tests}))


def run(name: str, spec: PolicySpec, contracts: Mapping[str, ContractSpec]) -> list[Outcome]:
    """Put every row to the policies, as if they were enforced. `contracts` are by tool.

    A row that no verdict can be relied on for fails, whatever it expects. Raises `BrokenPolicy`.
    """
    bundle = compile_bundle([(name, spec)], list(contracts.values()))
    return [_outcome(case, _asked(case, bundle, contracts)) for case in spec.tests]


def _asked(case: Case, bundle: Bundle, contracts: Mapping[str, ContractSpec]) -> Ruling:
    contract = contracts.get(case.tool)
    if contract is None:
        return no_verdict(f"no contract covers {case.tool!r}")
    if unknown := sorted(case.context.keys() - FACTS.keys()):
        return no_verdict(f"there is no fact {unknown[0]!r}")
    reads = contract.risk is Tier.READ or contract.effects.read_only
    try:
        canonical = canonicalise(contract, case.arguments)
    except OpsroomError as error:
        return no_verdict(str(error))
    notes: dict[str, Any] = {"argument_notes": sorted(canonical.codes), "reads_only": reads}
    return bundle.decide(
        PolicyRequest(
            agent=case.agent,
            human=case.human,
            tool=case.tool,
            resource=contract.integration,
            risk=contract.risk.value,
            arguments=canonical.arguments,
            facts={**quiet(), **notes, **case.context},
        )
    )


def _outcome(case: Case, ruling: Ruling) -> Outcome:
    verdict = ruling.verdict if ruling.would is None else ruling.would
    spoke = "; ".join(f"{one.policy}: {one.words}" for one in ruling.reasons)
    return Outcome(
        name=case.name,
        tool=case.tool,
        expected=case.expect,
        verdict=verdict,
        passed=not ruling.error and verdict is case.expect,
        because=ruling.error or spoke or "no policy permits it",
    )
