"""Carrying out: beginning, reporting what came of it, and what nobody reported.

An effect lies between two commits: that it is being carried out, and what came of it. What
stops in between is `unknown`, and stays so until a lookup or a person has found out.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from opsroom.agents.queries import Manifest
from opsroom.autonomy import commands as autonomy
from opsroom.autonomy import queries as autonomy_queries
from opsroom.autonomy.model import Allowance
from opsroom.budgets import commands as budgets
from opsroom.budgets.model import Unit
from opsroom.contracts.canonical import canonicalise
from opsroom.contracts.checking import check_result
from opsroom.contracts.errors import BrokenContract, BrokenResult
from opsroom.contracts.keys import amount_of, key_of
from opsroom.contracts.model import ContractSpec, InProcess, Tier
from opsroom.grounding.model import Piece, Voice
from opsroom.integrations import commands as integrations
from opsroom.kit.canonical import NotCanonical, canonical, digest
from opsroom.kit.db import Tx
from opsroom.kit.errors import OpsroomError
from opsroom.kit.faults import boundary
from opsroom.kit.reasons import reason
from opsroom.kit.wire import Wire
from opsroom.memory import commands as memory
from opsroom.redactions.commands import without_credentials

from . import asking, circuit_store, key_store, store, turn_store
from .caches import bundle_of, spec_of
from .errors import ActionNotFound, OtherOutcome, WrongState
from .gate import Judged, Refuse, Run, Wait, decide
from .model import (
    OVER,
    Action,
    AnyOutcome,
    Enforcement,
    Refusal,
    State,
    Turn,
    moved,
    outcome_of,
)
from .proposing import begun, denied, judged_again, lease_of, manifest_of, permitted, resting
from .trying import after
from .turning import MOST_TEXT, check_agent, concerns
from .turning import get as turn_of

log = logging.getLogger(__name__)
MOST_RESULT = 256 * 1024
AT_ONCE = 50
# Answers that say the agent was wrong. That it was right counts when an approval is used.
CORRECTIONS = frozenset({"inbox.edited", "inbox.rejected", "inbox.responded"})


# US dollars that an action moves; the word where they are as they were.
Amount = Decimal | Literal["same"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Wire):
    """What came of carrying an action out. `failed` states that nothing happened; whoever is
    not sure says `unknown`. `cost` is in US dollars, `seconds` is what it took.
    """

    state: Literal["succeeded", "failed", "unknown"]
    result: Any = None
    error: str = ""
    cost: Annotated[Decimal, Field(ge=0)] | None = None
    tokens: Annotated[int, Field(ge=0)] | None = None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Wire):
    """What a lookup or a person found out about an action of unknown outcome."""

    happened: bool
    result: Any = None
    reason: str = ""


def get(tx: Tx, action_id: str, *, lock: bool = False) -> Action:
    """An action that the acting program may see, or that a person may read."""
    found = store.action(tx, action_id, lock=lock)
    if found is None or not concerns(tx, found.agent, found.environment):
        raise ActionNotFound(action_id)
    return found


def begin(tx: Tx, action_id: str, *, attempt: int | None = None) -> AnyOutcome:
    """Take, or renew, the right to carry an action out.

    What people approved is looked at once more: that the approval still stands for exactly
    this, under the policies of today, and that nothing has been stopped meanwhile. An effect
    that may have been started already is not begun again: a right is renewed only for whoever
    names the `attempt` it was given for. Of several who waited for one approval, the first
    gets it, and the others find it running.
    """
    was = get(tx, action_id, lock=True)
    check_agent(tx, was.agent)
    if was.state not in {State.AWAITING_APPROVAL, State.EXECUTING}:
        return outcome_of(was)
    spec = spec_of(tx, was)
    if not isinstance(spec.executor, InProcess):
        return outcome_of(was)  # whoever executes it begins it: `start`
    turn = turn_of(tx, was.turn)
    match was.state:
        case State.AWAITING_APPROVAL:
            action = _approved(tx, turn, was)
        case State.EXECUTING if _holds(tx, was, attempt):
            action = store.save(tx, _renewed(tx, turn, was), was=was)
        case _:
            return outcome_of(was)
    if action is was:
        return outcome_of(was, granted=False)
    boundary("action.begun")
    return lease_of(tx, spec, action) or outcome_of(action)


def report(tx: Tx, action_id: str, said: Report) -> AnyOutcome:
    """Put down what came of an action; saying the same again changes nothing.

    Raises `OtherOutcome` where something else is on record, and `WrongState` for what was
    never begun. A late report settles what had become unknown.
    """
    was = get(tx, action_id, lock=True)
    check_agent(tx, was.agent)
    told = State(said.state)
    if was.state is told:
        return outcome_of(was)
    if was.state in OVER:
        raise OtherOutcome(was.id, was.state.value, told.value)
    if was.state not in {State.EXECUTING, State.UNKNOWN}:
        raise WrongState(was.id, was.state.value, told.value)
    if told is State.UNKNOWN and was.state is State.UNKNOWN:
        return outcome_of(was)
    spec = spec_of(tx, was)
    turn = turn_of(tx, was.turn, lock=True)
    said = without_credentials(tx, said, "actions")
    action = _ended(tx, turn, spec, was, told, said)
    action = store.save(tx, action, was=was)
    boundary("action.recorded")
    return outcome_of(action)


def reconcile(tx: Tx, action_id: str, finding: Finding) -> AnyOutcome:
    """Settle an action whose outcome nobody knew: by a lookup, or by a person who found out.

    An agent may say what its own lookup found. Its word settles the action and is not taken
    for verified: what is recalled by default rests on somebody else's.
    """
    was = get(tx, action_id, lock=True)
    operates = "operate" in tx.actor.may
    if not operates:
        check_agent(tx, was.agent)
    given = reason(finding.reason, to="settle an action by hand")
    return settle(tx, was, replace(finding, reason=given), trusted=operates)


def settle(tx: Tx, was: Action, finding: Finding, *, trusted: bool = True) -> AnyOutcome:
    """Put down what was found out about an action of unknown outcome."""
    if was.state is not State.UNKNOWN:
        raise WrongState(was.id, was.state.value, State.RECONCILED.value)
    spec = spec_of(tx, was)
    happened = finding.happened
    settled = moved(
        was,
        State.RECONCILED,
        enforcement=Enforcement.EXECUTED if happened else Enforcement.REFUSED,
        result=_kept(finding.result) if happened else None,
        because=finding.reason or ("it took effect" if happened else "it had no effect"),
        error="",
        ended_at=tx.now,
        lease_until=None,
    )
    tx.record(
        "action.reconciled",
        f"action/{was.id}",
        happened=happened,
        reason=finding.reason[:500],
    )
    _settle(tx, spec, settled, Report(state="succeeded" if happened else "failed"))
    said = "succeeded" if happened else "failed"
    memory.outcome(tx, was.id, outcome=said, verified=happened and trusted)
    settled = store.save(tx, settled, was=was)
    boundary("action.reconciled")
    return outcome_of(settled)


def expire(tx: Tx) -> int:
    """Turn what nobody reported in time into `unknown`; how many there were.

    Nothing is tried again: what was begun may have happened. What cannot be settled now is
    left for the next look, and holds nothing else up.
    """
    done = 0
    for was in store.lapsed(tx, limit=AT_ONCE):
        try:
            with tx.part():
                _lapse(tx, was)
        except Exception:
            log.exception("%s has lapsed and could not be settled", was.id)
        else:
            done += 1
    key_store.prune(tx)
    return done


def _lapse(tx: Tx, was: Action) -> None:
    project = store.project_of(tx, was.id)
    assert project is not None
    tx.actor = replace(tx.actor, project=project)
    if was.state is State.RESERVED:
        _never_begun(tx, was)
        return
    said = Report(state="unknown", error="nobody reported what came of it")
    action = _ended(tx, turn_of(tx, was.turn), spec_of(tx, was), was, State.UNKNOWN, said)
    store.save(tx, action, was=was)
    boundary("action.lapsed")


def _never_begun(tx: Tx, was: Action) -> None:
    """Give up what opsroom was to carry out and did not begin: nothing was sent."""
    because = "opsroom stopped before it began; propose it again"
    budgets.release(tx, was.id)
    tx.record("action.deferred", f"action/{was.id}", because=because)
    left = moved(
        was,
        State.DEFERRED,
        because=because,
        enforcement=Enforcement.DEFERRED,
        lease_until=None,
        ended_at=tx.now,
    )
    store.save(tx, left, was=was)


def again(tx: Tx, action_id: str) -> Action | None:
    """One more attempt of what opsroom carries out itself; None where there must be none."""
    was = store.action(tx, action_id, lock=True)
    if was is None or was.state is not State.EXECUTING:
        return None
    turn = turn_of(tx, was.turn)
    if _stopped(tx, turn, was) is not None:
        return None
    return store.save(tx, begun(tx, turn, spec_of(tx, was), was), was=was)


def observed(
    tx: Tx, integration: str, *, failure: bool, seconds: float | None = None, fault: str = ""
) -> None:
    """Count how an integration did; what fails too often is left alone for a while."""
    integrations.observe(tx, integration, failure=failure, seconds=seconds, fault=fault)
    was = circuit_store.circuit(tx, integration, lock=True)
    now = after(was, failure=failure, now=tx.now)
    if now == was:
        return
    circuit_store.save(tx, integration, now)
    if now.open_until is not None and now.breaks != was.breaks:
        tx.record(
            "integration.left_alone",
            f"integration/{integration}",
            failures=now.failures,
            until=now.open_until.isoformat(),
        )


def answered(tx: Tx, action_id: str, event: str, because: str) -> None:
    """Take in what people said to a request: who is refused need not ask again.

    An approval is used up when the action begins; then everything is looked at once more. A
    correction counts however far the action has come meanwhile: who is quick is corrected too.
    """
    was = store.action(tx, action_id, lock=True)
    if was is None:
        return
    if event in CORRECTIONS:
        _observe(tx, was, corrected=1)
    if was.state is not State.AWAITING_APPROVAL or event in {"inbox.approved", "inbox.edited"}:
        return
    store.save(tx, denied(tx, was, Refusal.APPROVAL, because), was=was)


def _observe(tx: Tx, action: Action, **seen: int) -> None:
    """Count what autonomy is earned and lost by."""
    spec = spec_of(tx, action)
    autonomy.observe(
        tx,
        action.agent,
        f"contract/{spec_name(action)}",
        spec.risk,
        action.environment,
        **seen,
    )


def spec_name(action: Action) -> str:
    """The contract of an action without its version."""
    return action.contract.partition("/")[2].partition("@")[0]


def start(
    tx: Tx, action_id: str, *, servable: Callable[[str], bool]
) -> tuple[Action, ContractSpec] | AnyOutcome:
    """Begin an action that opsroom itself carries out, or say what stands in its place.

    Only one caller gets it: whoever comes second finds it executing. What no executor here
    can carry out is left to a process that has one.
    """
    was = get(tx, action_id, lock=True)
    check_agent(tx, was.agent)
    if was.state not in {State.AWAITING_APPROVAL, State.RESERVED}:
        return outcome_of(was)
    spec = spec_of(tx, was)
    if not servable(spec.executor.kind):
        return outcome_of(was)
    turn = turn_of(tx, was.turn)
    action = was
    if was.state is State.AWAITING_APPROVAL:
        action = _approved(tx, turn, was)
    if action.state is not State.RESERVED:
        return outcome_of(action)
    if (why := _stopped(tx, turn, action)) is not None:
        return outcome_of(store.save(tx, _refused_late(tx, action, why), was=action))
    action = store.save(tx, begun(tx, turn, spec, action), was=action)
    boundary("action.begun")
    return action, spec


def _approved(tx: Tx, turn: Turn, was: Action) -> Action:
    """What an approval makes of an action that waits, on record: reserved, begun where the
    caller executes it, or denied. As it is where nobody has approved it, or where the other
    side is left alone at the moment: then the approval is not used up.
    """
    spec = spec_of(tx, was)
    if not asking.granted(tx, was) or resting(tx, spec) is not None:
        return was
    decided, amount = _used(tx, turn, was)
    return store.save(tx, decided, was=was, amount=amount)


def _used(tx: Tx, turn: Turn, was: Action) -> tuple[Action, Amount]:
    """The action as its approval leaves it, and what it moves then."""
    try:
        manifest = manifest_of(tx, turn)
    except OpsroomError as error:
        asking.withdraw(tx, was, str(error))
        return denied(tx, was, Refusal.AGENT, str(error)), "same"
    version, _ = manifest.contracts[was.tool]
    if bundle_of(manifest).digest != was.policy or version.digest != was.contract_digest:
        because = "its policies or its contract have changed since it was asked"
        asking.withdraw(tx, was, because)
        return denied(tx, was, Refusal.APPROVAL, because), "same"
    _, facts = store.decided(tx, was.id)
    used = asking.use(tx, was, facts)
    if isinstance(used, str):
        return denied(tx, was, Refusal.APPROVAL, used), "same"
    arguments, edited = used
    if not edited:
        _observe(tx, was, agreed=1)
    return _as_approved(tx, turn, manifest, was, arguments, edited=edited)


def _as_approved(
    tx: Tx,
    turn: Turn,
    manifest: Manifest,
    was: Action,
    arguments: dict[str, Any],
    *,
    edited: bool,
) -> tuple[Action, Amount]:
    """What people approved, once contract, policy and autonomy have been asked about it anew."""
    version, spec = manifest.contracts[was.tool]
    try:
        arguments = canonicalise(spec, arguments).arguments
    except BrokenContract as error:
        return denied(tx, was, Refusal.CONTRACT, str(error)), "same"
    judged, allowance = judged_again(tx, turn, manifest, spec, version, was, arguments)
    if (no := _against(judged, allowance, arguments)) is not None:
        return denied(tx, was, no.by, no.because), "same"
    key = _key(tx, spec, version.digest, was, judged) if edited else was.key
    if key is None:
        because = "the call as people changed it was made before, under the same key"
        return denied(tx, was, Refusal.KEY, because), "same"
    action = replace(
        was,
        key=key,
        arguments=arguments,
        digest=digest({"contract": version.digest, "arguments": arguments}),
        because="" if not edited else "as people changed it",
    )
    return permitted(tx, turn, manifest, action, judged), judged.amount


def _against(judged: Judged, allowance: Allowance, arguments: dict[str, Any]) -> Refuse | None:
    """What stands against an approved call today; None where nothing does."""
    match decide(judged.stands, allowance, approved=True):
        case Refuse() as refusal:
            return refusal
        case Wait(because=because):
            return Refuse(by=Refusal.POLICY, because=because)
        case Run():
            pass
        case other:
            return Refuse(by=Refusal.AUTONOMY, because=other.because)
    if judged.arguments != arguments:
        because = "policies would now change what was approved"
        return Refuse(by=Refusal.APPROVAL, because=because)
    return None


def _key(tx: Tx, spec: ContractSpec, version: str, was: Action, judged: Judged) -> str | None:
    """The key of a call that people changed, taken for it; None where another call has it.

    The key it was proposed with goes on standing for it too.
    """
    changed = judged.canonical.arguments
    made = key_of(spec, changed)
    if not made or was.key != key_of(spec, was.arguments) or made == was.key:
        return was.key
    holder, _ = key_store.holder(
        tx,
        agent=was.agent,
        tool=was.tool,
        key=made,
        action_id=was.id,
        digest=digest({"contract": version, "arguments": changed}),
    )
    return made if holder == was.id else None


def _stopped(tx: Tx, turn: Turn, action: Action) -> Refuse | None:
    """What has come up, since it was permitted, against beginning an action now."""
    if (why := autonomy_queries.stopped(tx, action.agent)) is not None:
        return Refuse(by=Refusal.KILL_SWITCH, because=why)
    try:
        manifest_of(tx, turn)
    except OpsroomError as error:
        return Refuse(by=Refusal.AGENT, because=str(error))
    if turn.deadline is not None and tx.now >= turn.deadline:
        return Refuse(by=Refusal.BUDGET, because="the time for the whole turn is over")
    content = {"contract": action.contract_digest, "arguments": action.arguments}
    if digest(content) != action.digest:
        because = "its arguments are not what was permitted: they were erased or changed"
        return Refuse(by=Refusal.POLICY, because=because)
    return None


def _refused_late(tx: Tx, action: Action, why: Refuse) -> Action:
    budgets.release(tx, action.id)
    return denied(tx, action, why.by, why.because)


def _holds(tx: Tx, was: Action, attempt: int | None) -> bool:
    """Whether whoever asks is the one that the present right was given to."""
    if was.lease_until is None or tx.now >= was.lease_until:
        return False
    return was.attempt == attempt


def _renewed(tx: Tx, turn: Turn, was: Action) -> Action:
    """A right to start that had run out before it was used, once more."""
    if (why := _stopped(tx, turn, was)) is not None:
        return _refused_late(tx, was, why)
    return begun(tx, turn, spec_of(tx, was), was)


def _ended(
    tx: Tx, turn: Turn, spec: ContractSpec, was: Action, told: State, said: Report
) -> Action:
    broken = ""
    result = _kept(said.result) if told is State.SUCCEEDED else None
    if told is State.SUCCEEDED:
        try:
            check_result(spec, result)
        except BrokenResult as error:
            broken = str(error)
    action = moved(
        was,
        told,
        result=result,
        error=(broken or said.error)[:2000].replace("\0", ""),
        cost=said.cost,
        ended_at=None if told is State.UNKNOWN else tx.now,
        lease_until=None,
    )
    facts = {"broken": broken[:500]} if broken else {}
    if said.error:
        facts["error"] = said.error[:500].replace("\0", "")
    tx.record(f"action.{told.value}", f"action/{was.id}", attempt=was.attempt, **facts)
    if told is State.UNKNOWN:
        budgets.keep(tx, was.id)
    else:
        _settle(tx, spec, action, said)
    if spec.integration and isinstance(spec.executor, InProcess):
        # A refusal says nothing against the other side.
        integrations.observe(
            tx,
            spec.integration,
            failure=told is State.UNKNOWN,
            seconds=said.seconds,
            fault="no answer",
        )
    alone = was.approval is None
    _observe(
        tx,
        was,
        succeeded=int(told is State.SUCCEEDED),
        incident=int(alone and told is not State.SUCCEEDED),
    )
    verified = told is State.SUCCEEDED and not broken and (not alone or spec.output is not None)
    if spec.risk is not Tier.READ:
        memory.outcome(tx, was.id, outcome=told.value, verified=verified)
    if told is State.SUCCEEDED:
        turn_store.add_texts(tx, turn.id, [_piece(action)])
    return action


def _settle(tx: Tx, spec: ContractSpec, action: Action, said: Report) -> None:
    """Book what it really cost: what it moved, if it happened, and what was reported."""
    if said.state == "failed" and not said.cost and not said.tokens:
        budgets.release(tx, action.id)
        return
    actual: dict[Unit, Decimal] = {Unit.CALLS: Decimal(1)}
    moved_usd = amount_of(spec, action.arguments) if said.state == "succeeded" else None
    cost = said.cost if said.cost is not None else spec.cost.get("usd", Decimal(0))
    actual[Unit.USD] = cost + (moved_usd or Decimal(0))
    if said.tokens is not None:
        actual[Unit.TOKENS] = Decimal(said.tokens)
    if said.seconds is not None and said.seconds >= 0:
        actual[Unit.SECONDS] = Decimal(str(round(said.seconds, 6)))
    budgets.settle(tx, action.id, actual)


def _kept(result: Any) -> Any:
    """A result that can be kept; one that is too large or no JSON is kept as words about it."""
    if result is None:
        return None
    try:
        size = len(canonical(result))
    except NotCanonical as error:
        return {"opsroom": f"the result was not kept: {error.why}"}
    if size > MOST_RESULT:
        return {"opsroom": f"the result was not kept: {size:,} bytes"}
    return result


def _piece(action: Action) -> Piece:
    """The result as something the turn has now heard."""
    text = (
        action.result if isinstance(action.result, str) else canonical(action.result).decode()
    )
    return Piece(
        voice=Voice.TOOL,
        text=text[:MOST_TEXT].replace("\0", ""),
        tool=action.tool,
        arguments=action.arguments,
    )
