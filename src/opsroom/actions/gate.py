"""The gate that every action passes, without a database: what a proposal is, and what to do.

    contract → key → kill switch → policy → autonomy → budget → approval

`judge` says what policy makes of a proposal; `decide` what is done about it. Both are pure, so
a recorded action can be judged again years later, and recorded attacks without a server.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from opsroom.autonomy.model import Allowance, Level
from opsroom.contracts.canonical import Canonical, canonicalise
from opsroom.contracts.errors import BrokenContract
from opsroom.contracts.keys import amount_of, key_of
from opsroom.contracts.model import ContractSpec
from opsroom.contracts.pointers import split
from opsroom.grounding.grounds import ground
from opsroom.grounding.model import Grounding
from opsroom.grounding.tape import Tape
from opsroom.policies.engine import Bundle
from opsroom.policies.model import PolicyRequest, Ruling, Verdict
from opsroom.policies.rules import no_verdict

from .model import Refusal

UNBOUNDED = Decimal(900_000_000_000)
HARDNESS = tuple(Verdict)  # from the gentlest to the hardest
SESSION_READ = "session_read"
BANDS = ((0.5, "low"), (0.9, "medium"))


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known of the turn and the agent before this proposal. `session_read` is None where
    it was not looked up, or is too much to tell.
    """

    calls_in_turn: int = 0
    same_calls_in_turn: int = 0
    calls_last_hour: int = 0
    spent_in_turn: Decimal = Decimal(0)
    spent_last_day: Decimal = Decimal(0)
    budget_remaining: Decimal = UNBOUNDED
    session_read: Sequence[str] | None = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A proposal in canonical form, and what the policies say of it."""

    canonical: Canonical
    arguments: dict[str, Any]  # what would be executed: canonical, and modified where asked
    key: str
    amount: Decimal | None  # what that would move
    grounding: Grounding
    request: PolicyRequest  # as it was decided
    ruling: Ruling
    changed: Ruling | None = None  # what they say of the call as they changed it

    @property
    def stands(self) -> Ruling:
        """What is gone by: the harder of the two where policies changed the call."""
        if self.changed is None:
            return self.ruling
        return max(self.ruling, self.changed, key=lambda one: HARDNESS.index(one.verdict))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    by: Refusal
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    because: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommend:
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    alone: bool  # nobody was asked


Decision = Refuse | Ask | Wait | Recommend | Run


def judge(
    bundle: Bundle,
    spec: ContractSpec,
    arguments: Mapping[str, Any],
    tape: Tape,
    *,
    agent: str,
    human: str = "",
    environment: str = "production",
    level: str = Level.BOUNDED.value,
    confidence: float | None = None,
    key: str = "",
    approved: bool = False,
    history: History = History(),  # frozen
    now: datetime,
) -> Judged:
    """Put a proposal into canonical form, ground it, and ask the policies.

    A call that policies change is put to them once more as they changed it. Raises
    `BrokenContract` where the arguments do not fit the contract; nothing else.
    """
    known: dict[str, Any] = {
        "calls_in_turn": history.calls_in_turn,
        "same_calls_in_turn": history.same_calls_in_turn,
        "calls_last_hour": history.calls_last_hour,
        "spent_in_turn_usd": history.spent_in_turn,
        "spent_last_day_usd": history.spent_last_day,
        "budget_remaining_usd": history.budget_remaining,
        "autonomy_level": level,
        "confidence_band": band(confidence),
        "approved": approved,
        "environment": environment,
        "hour": now.hour,
        "weekday": now.isoweekday(),
    }
    if history.session_read is not None:
        known[SESSION_READ] = list(history.session_read)

    def ask(call: Mapping[str, Any]) -> Judged:
        canonical = canonicalise(spec, call)
        amount = amount_of(spec, canonical.arguments)
        grounding = ground(spec, canonical.arguments, tape)
        request = PolicyRequest(
            agent=agent,
            tool=spec.tool,
            human=human,
            resource=spec.integration,
            risk=spec.risk.value,
            arguments=canonical.arguments,
            facts={
                **grounding.facts,
                **known,
                "argument_notes": sorted(canonical.codes),
                "amount": amount or Decimal(0),
            },
        )
        return Judged(
            canonical=canonical,
            arguments=canonical.arguments,
            key=key or key_of(spec, canonical.arguments),
            amount=amount,
            grounding=grounding,
            request=request,
            ruling=bundle.decide(request),
        )

    first = ask(arguments)
    wanted = modified(first.arguments, first.ruling.set)
    if wanted == first.arguments:
        return first
    try:
        then = ask(wanted)
    except BrokenContract as error:
        return replace(first, changed=no_verdict(f"as policies changed it, {error}"))
    settled = modified(then.arguments, then.ruling.set) == then.arguments
    return replace(
        first,
        arguments=then.arguments,
        amount=then.amount,
        grounding=then.grounding,
        changed=then.ruling if settled else no_verdict("policies change it again and again"),
    )


def decide(  # noqa: PLR0911  # one for each way
    ruling: Ruling, allowance: Allowance, *, approved: bool = False
) -> Decision:
    """What is done about a proposal. Budgets come after it: they are held, not asked.

    An approval answers whoever asks; it never turns a denial, and nothing passes the switch.
    """
    if allowance.stopped:
        return Refuse(by=Refusal.KILL_SWITCH, because=allowance.because)
    if ruling.verdict is Verdict.DENY:
        return Refuse(by=Refusal.POLICY, because=words_of(ruling))
    if allowance.level is Level.SUSPENDED:
        return Refuse(
            by=Refusal.AUTONOMY, because=allowance.because or "the agent is suspended here"
        )
    if ruling.verdict is Verdict.DEFER:
        return Wait(because=words_of(ruling))
    if allowance.level is Level.SHADOW:
        return Recommend(because="the agent only recommends here")
    if approved:
        return Run(alone=False)
    if ruling.verdict is Verdict.ESCALATE:
        return Ask(because=words_of(ruling))
    if allowance.level is Level.APPROVE_EACH:
        return Ask(
            because=allowance.because or "each action of this kind is approved by a person"
        )
    if not allowance.inside:
        return Ask(because=allowance.because)
    return Run(alone=True)


def words_of(ruling: Ruling) -> str:
    """Why a ruling came out as it did, in words."""
    if ruling.error:
        return f"no verdict to rely on: {ruling.error}"
    said = [one.words for one in ruling.reasons if one.verdict is ruling.verdict]
    if said:
        return "; ".join(said)
    return "no policy permits it" if ruling.verdict is Verdict.DENY else ruling.verdict.value


def band(confidence: float | None) -> str:
    """How sure an agent says it is, coarsely enough not to be tuned against."""
    if confidence is None or not 0 <= confidence <= 1:
        return "none"
    return next((name for below, name in BANDS if confidence < below), "high")


def modified(arguments: Mapping[str, Any], replaced: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with the values that a policy sets, at places that are there."""
    found = dict(arguments)
    for pointer, value in replaced.items():
        found = _put(found, split(pointer), value)
    return found


def _put(here: Any, steps: Sequence[str], value: Any) -> Any:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    match here:
        case dict():
            return {**here, step: _put(here.get(step, {}), rest, value)}
        case list() if step.isdecimal() and int(step) < len(here):
            return [
                _put(one, rest, value) if number == int(step) else one
                for number, one in enumerate(here)
            ]
        case _:
            return here
