"""An agent's turns and actions: their states, and every decision about one. No I/O.

    proposed → denied | deferred | awaiting_approval | permitted → reserved → executing
             → succeeded | failed | unknown;   unknown → reconciled;   succeeded → verified | compensated

*Verdict* is what policy says; *enforcement* is what was done about it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field

from opsroom.kit.canonical import digest
from opsroom.kit.wire import Wire
from opsroom.policies.model import Reason, Verdict

from .errors import WrongState

LEASE = timedelta(seconds=2)  # within it an effect may be started; so long a kill takes at most
GRACE = timedelta(seconds=10)  # for the report to arrive, after the time-out


class State(StrEnum):
    PROPOSED = "proposed"
    DENIED = "denied"
    DEFERRED = "deferred"
    AWAITING_APPROVAL = "awaiting_approval"
    PERMITTED = "permitted"
    RESERVED = "reserved"
    EXECUTING = "executing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    RECONCILED = "reconciled"
    VERIFIED = "verified"
    COMPENSATED = "compensated"
    RECOMMENDED = "recommended"  # in shadow: what would have been done


MOVES: Mapping[State, frozenset[State]] = {
    State.PROPOSED: frozenset(
        {
            State.DENIED,
            State.DEFERRED,
            State.AWAITING_APPROVAL,
            State.PERMITTED,
            State.RECOMMENDED,
        }
    ),
    State.AWAITING_APPROVAL: frozenset(
        {State.PERMITTED, State.DENIED, State.AWAITING_APPROVAL, State.DEFERRED}
    ),
    State.PERMITTED: frozenset({State.RESERVED, State.DENIED, State.DEFERRED}),
    State.RESERVED: frozenset({State.EXECUTING, State.DENIED, State.DEFERRED}),
    State.EXECUTING: frozenset(
        {State.EXECUTING, State.SUCCEEDED, State.FAILED, State.UNKNOWN, State.DENIED}
    ),
    State.UNKNOWN: frozenset({State.RECONCILED, State.SUCCEEDED, State.FAILED}),
    State.SUCCEEDED: frozenset({State.VERIFIED, State.COMPENSATED}),
    State.RECONCILED: frozenset({State.COMPENSATED}),
    State.VERIFIED: frozenset({State.COMPENSATED}),
}
# What cannot happen any more under these, however long one waits.
OVER = frozenset(
    {
        State.DENIED,
        State.DEFERRED,
        State.SUCCEEDED,
        State.FAILED,
        State.RECONCILED,
        State.VERIFIED,
        State.COMPENSATED,
        State.RECOMMENDED,
    }
)


class Enforcement(StrEnum):
    """What was done about a proposal."""

    EXECUTED = "executed"
    RECOMMENDED = "recommended"
    ASKED = "asked"
    DEFERRED = "deferred"
    REFUSED = "refused"


class Refusal(StrEnum):
    """At which gate a proposal was stopped."""

    CONTRACT = "contract"
    KEY = "key"
    POLICY = "policy"
    AUTONOMY = "autonomy"
    BUDGET = "budget"
    APPROVAL = "approval"
    KILL_SWITCH = "kill_switch"
    AGENT = "agent"


class Final(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    ESCALATED = "escalated"
    FAILED = "failed"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn(Wire):
    """An agent handling one task, under one manifest digest."""

    id: str
    agent: str
    version: str  # agent/name@7
    manifest: str  # its digest
    environment: str
    intent: str
    subject: str = ""
    session: str = ""
    human: str = ""  # whom the agent represents
    release: str | None = None
    arm: str = "champion"
    trace: str = ""
    plan: str = ""
    alternatives: tuple[str, ...] = ()
    final: Final | None = None
    result: str = ""
    started_at: datetime
    deadline: datetime | None = None
    ended_at: datetime | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Wire):
    """One thing an agent wants done, and all that came of it."""

    id: str
    turn: str
    agent: str
    manifest: str
    environment: str
    tool: str
    contract: str  # contract/name@3
    contract_digest: str
    arguments: dict[str, Any]  # canonical: what is decided, approved and executed
    digest: str  # of contract digest and arguments
    payload: str = ""  # the same of the arguments as they were proposed, in canonical form
    key: str = ""
    policy: str = ""  # digest of the bundle that decided
    verdict: Verdict | None = None
    reasons: tuple[Reason, ...] = ()
    enforcement: Enforcement | None = None
    refused_by: Refusal | None = None
    because: str = ""
    level: str = ""
    confidence: float | None = None
    approval: str | None = None
    state: State = State.PROPOSED
    attempt: int = 0
    lease_until: datetime | None = None
    result: Any = None
    error: str = ""
    cost: Decimal | None = None
    proposed_at: datetime
    decided_at: datetime | None = None
    ended_at: datetime | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal(Wire):
    """What an agent asks for. `contract` cites one exactly (`name@3`) or is the tool's name.

    `key` is the caller's idempotency key; empty where the contract has a recipe or none is
    wanted. `arguments` arrive as the model wrote them.
    """

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    contract: str = ""
    key: str = ""
    confidence: Annotated[float, Field(allow_inf_nan=False)] | None = None
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Execute(Wire):
    """The caller may carry it out: start within `lease_seconds`, be done by `deadline`."""

    id: str
    attempt: int
    arguments: dict[str, Any]
    lease_seconds: float
    deadline: datetime
    kind: Literal["execute"] = "execute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Wire):
    """It happened. `broken` says where the answer is not what the contract promises."""

    id: str
    result: Any = None
    broken: str = ""
    kind: Literal["done"] = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied(Wire):
    """It may not be done, and nothing was."""

    id: str
    refused_by: Refusal
    because: str
    reasons: tuple[Reason, ...] = ()
    kind: Literal["denied"] = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending(Wire):
    """It waits for people; `granted` once they said yes and `begin` may be asked."""

    id: str
    request: str
    url: str
    granted: bool = False
    because: str = ""
    kind: Literal["pending"] = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred(Wire):
    """Not now. Propose it again, from `until` on where that is known."""

    id: str
    until: datetime | None
    because: str
    kind: Literal["deferred"] = "deferred"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Wire):
    """It may have happened. It is not tried again until a lookup or a person has settled it."""

    id: str
    because: str
    kind: Literal["unknown"] = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Wire):
    """It was tried, and had no effect."""

    id: str
    error: str
    kind: Literal["failed"] = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommended(Wire):
    """The agent is in shadow: this is on record as what it would have done."""

    id: str
    kind: Literal["recommended"] = "recommended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running(Wire):
    """It is being carried out by somebody at this moment."""

    id: str
    deadline: datetime | None
    kind: Literal["running"] = "running"


AnyOutcome = (
    Execute | Done | Denied | Pending | Deferred | Unknown | Failed | Recommended | Running
)
Outcome = Annotated[AnyOutcome, Discriminator("kind")]


def nothing_done(action: Action) -> bool:
    """Whether it is certain that an action has had no effect and will have none."""
    if action.state is State.RECONCILED:
        return action.enforcement is not Enforcement.EXECUTED
    return action.state in {State.DENIED, State.DEFERRED, State.RECOMMENDED, State.FAILED}


def moved(action: Action, to: State, **changes: Any) -> Action:
    """The action in its next state. Raises `WrongState` where no way leads there."""
    if to not in MOVES.get(action.state, frozenset()):
        raise WrongState(action.id, action.state.value, to.value)
    return replace(action, state=to, **changes)


def outcome_of(  # noqa: PLR0911  # one for each kind
    action: Action, *, granted: bool = False
) -> AnyOutcome:
    """What stands for an action as it is now, to whoever asks about it."""
    match action.state:
        case State.SUCCEEDED | State.VERIFIED | State.COMPENSATED:
            return Done(id=action.id, result=action.result, broken=action.error)
        case State.RECONCILED:
            if action.enforcement is Enforcement.EXECUTED:
                return Done(id=action.id, result=action.result)
            return Failed(id=action.id, error=action.because)
        case State.FAILED:
            return Failed(id=action.id, error=action.error)
        case State.UNKNOWN:
            return Unknown(id=action.id, because=action.error or "nobody knows what came of it")
        case State.DEFERRED:
            return Deferred(id=action.id, until=action.lease_until, because=action.because)
        case State.RECOMMENDED:
            return Recommended(id=action.id)
        case State.AWAITING_APPROVAL:
            return Pending(
                id=action.id,
                request=action.approval or "",
                url=f"/inbox?request={action.approval}",
                granted=granted,
                because=action.because,
            )
        case State.DENIED:
            return Denied(
                id=action.id,
                refused_by=action.refused_by or Refusal.POLICY,
                because=action.because,
                reasons=action.reasons,
            )
        case _:
            return Running(id=action.id, deadline=action.lease_until)


def binding_of(
    *, contract: str, arguments: Mapping[str, Any], manifest: str, subject: str, policy: str,
    expires_at: datetime, nonce: str,
) -> str:  # fmt: skip
    """The digest that an approval is bound to: exactly what will be done, by what, for whom."""
    return digest(
        {
            "contract": contract,
            "arguments": dict(arguments),
            "manifest": manifest,
            "subject": subject,
            "policy": policy,
            "expires_at": expires_at.isoformat(),
            "nonce": nonce,
        }
    )
