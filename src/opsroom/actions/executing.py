"""Carrying out: beginning, reporting what came of it, and what nobody reported.

An effect lies between two commits: that it is being carried out, and what came of it. What
stops in between is `unknown`, and stays so until a lookup or a person has found out.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from opsroom.agents.queries import Manifest
from opsroom.autonomy import commands as autonomy
from opsroom.autonomy import queries as autonomy_queries
from opsroom.budgets import commands as budgets
from opsroom.budgets.model import Unit
from opsroom.contracts.canonical import canonicalise
from opsroom.contracts.checking import check_result
from opsroom.contracts.errors import BrokenContract, BrokenResult
from opsroom.contracts.keys import amount_of, key_of
from opsroom.contracts.model import ContractSpec, Tier
from opsroom.grounding.model import Piece, Voice
from opsroom.kit.canonical import NotCanonical, canonical, digest
from opsroom.kit.db import Tx
from opsroom.kit.errors import OpsroomError
from opsroom.kit.faults import boundary
from opsroom.kit.reasons import reason
from opsroom.kit.wire import Wire
from opsroom.memory import commands as memory

from . import asking, store
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
from .proposing import begun, denied, judged_again, lease_of, manifest_of, permitted
from .trying import after
from .turning import MOST_TEXT, check_agent
from .turning import get as turn_of

MOST_RESULT = 256 * 1024
# Answers that say the agent was wrong. That it was right counts when an approval is used.
CORRECTIONS = frozenset({"inbox.edited", "inbox.rejected", "inbox.responded"})


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
    if found is None or (tx.actor.agent and tx.actor.agent != found.agent):
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
    turn = turn_of(tx, was.turn)
    match was.state:
        case State.AWAITING_APPROVAL:
            action = _approved(tx, turn, was)
        case State.EXECUTING if _holds(tx, was, attempt):
            action = _renewed(tx, turn, was)
        case _:
            return outcome_of(was)
    if action is was:
        return outcome_of(was, granted=False)
    action = store.save(tx, action, was=was)
    boundary("action.begun")
    spec = spec_of(tx, action)
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
    action = _ended(tx, turn, spec, was, told, said)
    action = store.save(tx, action, was=was)
    boundary("action.recorded")
    return outcome_of(action)


def reconcile(tx: Tx, action_id: str, finding: Finding) -> AnyOutcome:
    """Settle an action whose outcome nobody knew: by a lookup, or by a person who found out."""
    was = get(tx, action_id, lock=True)
    if "operate" not in tx.actor.may:
        check_agent(tx, was.agent)
    given = reason(finding.reason, to="settle an action by hand")
    return settle(tx, was, replace(finding, reason=given))


def settle(tx: Tx, was: Action, finding: Finding) -> AnyOutcome:
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
    if not happened and was.key:
        store.free_key(tx, was.id, agent=was.agent, tool=was.tool, key=was.key)
    memory.outcome(tx, was.id, outcome="succeeded" if happened else "failed", verified=happened)
    settled = store.save(tx, settled, was=was)
    boundary("action.reconciled")
    return outcome_of(settled)


def expire(tx: Tx) -> int:
    """Turn what nobody reported in time into `unknown`; how many there were.

    Nothing is tried again: what was begun may have happened.
    """
    late = store.lapsed(tx)
    for was in late:
        project = store.project_of(tx, was.id)
        assert project is not None
        tx.actor = replace(tx.actor, project=project)
        if was.state is State.RESERVED:
            _never_begun(tx, was)
            continue
        spec = spec_of(tx, was)
        turn = turn_of(tx, was.turn)
        because = "nobody reported what came of it"
        action = _ended(
            tx, turn, spec, was, State.UNKNOWN, Report(state="unknown", error=because)
        )
        store.save(tx, action, was=was)
        boundary("action.lapsed")
    return len(late)


def _never_begun(tx: Tx, was: Action) -> None:
    """Give up what opsroom was to carry out and did not begin: nothing was sent."""
    because = "opsroom stopped before it began; propose it again"
    budgets.release(tx, was.id)
    if was.key:
        store.free_key(tx, was.id, agent=was.agent, tool=was.tool, key=was.key)
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
    late = turn.deadline is not None and tx.now >= turn.deadline
    if late or autonomy_queries.stopped(tx, was.agent) is not None:
        return None
    return store.save(tx, begun(tx, turn, spec_of(tx, was), was), was=was)


def observed(tx: Tx, integration: str, *, failure: bool) -> None:
    """Count how an integration did; what fails too often is left alone for a while."""
    was = store.circuit(tx, integration, lock=True)
    now = after(was, failure=failure, now=tx.now)
    if now == was:
        return
    store.save_circuit(tx, integration, now)
    if now.open_until is not None and now.breaks != was.breaks:
        tx.record(
            "integration.left_alone",
            f"integration/{integration}",
            failures=now.failures,
            until=now.open_until.isoformat(),
        )


def answered(tx: Tx, action_id: str, event: str, because: str) -> None:
    """Take in what people said to a request: who is refused need not ask again.

    An approval is used up when the action begins; then everything is looked at once more.
    """
    was = store.action(tx, action_id, lock=True)
    if was is None or was.state is not State.AWAITING_APPROVAL:
        return
    if event in CORRECTIONS:
        _observe(tx, was, corrected=1)
    if event in {"inbox.approved", "inbox.edited"}:
        return
    action = denied(tx, was, Refusal.APPROVAL, because)
    if was.key:
        store.free_key(tx, was.id, agent=was.agent, tool=was.tool, key=was.key)
    store.save(tx, action, was=was)


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
    was = store.action(tx, action_id, lock=True)
    if was is None:
        raise ActionNotFound(action_id)
    turn = turn_of(tx, was.turn)
    action = was
    if was.state is State.AWAITING_APPROVAL:
        if not asking.granted(tx, was):
            return outcome_of(was)
        action = _approved(tx, turn, was)
    if action.state is not State.RESERVED:
        return outcome_of(action if action is was else store.save(tx, action, was=was))
    if (why := autonomy_queries.stopped(tx, was.agent)) is not None:
        budgets.release(tx, was.id)
        action = denied(tx, action, Refusal.KILL_SWITCH, why)
        return outcome_of(store.save(tx, action, was=was))
    spec = spec_of(tx, action)
    if not servable(spec.executor.kind):
        return outcome_of(action if action is was else store.save(tx, action, was=was))
    action = store.save(tx, begun(tx, turn, spec, action), was=was)
    boundary("action.begun")
    return action, spec


def _approved(tx: Tx, turn: Turn, was: Action) -> Action:
    """What an approval makes of an action that waits: begun, denied, asked again, or as it is."""
    if not asking.granted(tx, was):
        return was
    _, facts = store.decided(tx, was.id)
    try:
        manifest = manifest_of(tx, turn)
    except OpsroomError as error:
        asking.withdraw(tx, was, str(error))
        return denied(tx, was, Refusal.AGENT, str(error))
    version, _ = manifest.contracts[was.tool]
    if bundle_of(manifest).digest != was.policy or version.digest != was.contract_digest:
        because = "its policies or its contract have changed since it was asked"
        asking.withdraw(tx, was, because)
        return denied(tx, was, Refusal.APPROVAL, because)
    used = asking.use(tx, was, facts)
    if isinstance(used, str):
        return denied(tx, was, Refusal.APPROVAL, used)
    arguments, edited = used
    if not edited:
        _observe(tx, was, agreed=1)
    return _as_approved(tx, turn, manifest, was, arguments, edited=edited)


def _as_approved(  # one for each way
    tx: Tx,
    turn: Turn,
    manifest: Manifest,
    was: Action,
    arguments: dict[str, Any],
    *,
    edited: bool,
) -> Action:
    """What people approved, once contract, policy and autonomy have been asked about it anew."""
    version, spec = manifest.contracts[was.tool]
    try:
        arguments = canonicalise(spec, arguments).arguments
    except BrokenContract as error:
        return denied(tx, was, Refusal.CONTRACT, str(error))
    judged, allowance = judged_again(tx, turn, manifest, spec, version, was, arguments)
    decision = decide(judged.ruling, allowance, approved=True)
    if isinstance(decision, Refuse):
        return denied(tx, was, decision.by, decision.because)
    if not isinstance(decision, Run):
        by = Refusal.POLICY if isinstance(decision, Wait) else Refusal.AUTONOMY
        return denied(tx, was, by, decision.because)
    if judged.arguments != arguments:
        because = "policies would now change what was approved"
        return denied(tx, was, Refusal.APPROVAL, because)
    key = _key(tx, spec, version.digest, was, judged) if edited else was.key
    if key is None:
        because = "the call as people changed it was made before, under the same key"
        return denied(tx, was, Refusal.KEY, because)
    action = replace(
        was,
        key=key,
        arguments=judged.arguments,
        digest=digest({"contract": version.digest, "arguments": judged.arguments}),
        because="" if not edited else "as people changed it",
    )
    return permitted(
        tx, turn, manifest, action, replace(judged, amount=amount_of(spec, judged.arguments))
    )


def _key(tx: Tx, spec: ContractSpec, version: str, was: Action, judged: Judged) -> str | None:
    """The key of a call that people changed, taken for it; None where another call has it.

    The key it was proposed with goes on standing for it too.
    """
    changed = judged.canonical.arguments
    made = key_of(spec, changed)
    if not made or was.key != key_of(spec, was.arguments) or made == was.key:
        return was.key
    holder, _ = store.key_holder(
        tx,
        agent=was.agent,
        tool=was.tool,
        key=made,
        action_id=was.id,
        digest=digest({"contract": version, "arguments": changed}),
    )
    return made if holder == was.id else None


def _holds(tx: Tx, was: Action, attempt: int | None) -> bool:
    """Whether whoever asks is the one that the present right was given to."""
    if was.lease_until is None or tx.now >= was.lease_until:
        return False
    return was.attempt == attempt


def _renewed(tx: Tx, turn: Turn, was: Action) -> Action:
    """A right to start that had run out before it was used, once more."""
    spec = spec_of(tx, was)
    if (why := autonomy_queries.stopped(tx, was.agent)) is not None:
        budgets.release(tx, was.id)
        return denied(tx, was, Refusal.KILL_SWITCH, why)
    return begun(tx, turn, spec, was)


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
        budgets.extend(tx, was.id, tx.now + asking.EXPIRES)
    else:
        _settle(tx, spec, action, said)
    if told is State.FAILED and was.key:
        store.free_key(tx, was.id, agent=was.agent, tool=was.tool, key=was.key)
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
        store.add_texts(tx, turn.id, [_piece(action)])
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
