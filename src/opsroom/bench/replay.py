"""Recorded runs, put through the gate call by call, as if each were proposed today.

The gate is the one that live actions pass (`actions.gate.judge`): contract, canonical form,
grounding, shipped policies. There is no history, no budget and no grant in it, so a permit here
is "nothing but autonomy and budget could still stop it". What an answer was is taken as it was
recorded, also after a call that the gate would have stopped.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from opsroom.actions.gate import judge
from opsroom.contracts.errors import BrokenContract
from opsroom.contracts.model import ContractSpec
from opsroom.grounding.model import Ground, Piece
from opsroom.grounding.tape import Tape
from opsroom.policies.engine import Bundle
from opsroom.policies.model import Verdict
from opsroom.policies.shipped import NAME, shipped

from .recorded import Call, Run

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What became of one call at the gate. `broken`: it does not fit its contract, or there is
    none; then nobody decided anything.
    """

    call: Call
    verdict: Verdict
    writes: bool
    policies: tuple[str, ...] = ()
    grounds: tuple[Ground, ...] = ()
    broken: bool = False

    @property
    def alone(self) -> bool:
        """Whether it would be carried out without a person."""
        return self.verdict is Verdict.PERMIT


def bundle_for(contracts: Mapping[str, ContractSpec]) -> Bundle:
    """The shipped policies over these contracts."""
    return Bundle([(NAME, shipped())], list(contracts.values()))


def replay(
    run: Run, contracts: Mapping[str, ContractSpec], bundle: Bundle
) -> Iterator[Passage]:
    """Every call of a run, in order, as the gate judges it at that moment."""
    tape = Tape(contracts)
    for step in run.steps:
        match step:
            case Piece():
                tape.add(step)
            case Call():
                yield _judged(run, step, contracts, bundle, tape)


def _judged(
    run: Run, call: Call, contracts: Mapping[str, ContractSpec], bundle: Bundle, tape: Tape
) -> Passage:
    spec = contracts.get(call.tool)
    if spec is None:
        return Passage(call=call, verdict=Verdict.DENY, writes=False, broken=True)
    writes = not tape.plan(spec).reads
    try:
        judged = judge(bundle, spec, call.arguments, tape, agent=run.agent, now=NOW)
    except BrokenContract:
        return Passage(call=call, verdict=Verdict.DENY, writes=writes, broken=True)
    ruling = judged.ruling
    return Passage(
        call=call,
        verdict=ruling.verdict,
        writes=writes,
        policies=tuple(
            one.policy for one in ruling.reasons if one.verdict is not Verdict.PERMIT
        ),
        grounds=judged.grounding.grounds,
    )
