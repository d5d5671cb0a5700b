"""Proposing an action: everything that is decided about it, in one transaction.

Contract, key, switch, policy, autonomy, budget; then it is refused, asked about, or begun.
Every step is a journal row of that transaction. A proposal that is refused is on record too.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from opsroom.access.errors import AgentGone
from opsroom.agents import queries as agents
from opsroom.agents.errors import AgentRetired, BrokenManifest
from opsroom.agents.queries import Manifest
from opsroom.autonomy import commands as autonomy_commands
from opsroom.autonomy import queries as autonomy
from opsroom.autonomy.model import Allowance
from opsroom.budgets import commands as budgets
from opsroom.budgets import queries as budget_queries
from opsroom.budgets.errors import OverBudget
from opsroom.budgets.model import Spender, Unit
from opsroom.contracts import words
from opsroom.contracts.canonical import canonicalise
from opsroom.contracts.errors import BrokenContract
from opsroom.contracts.model import ContractSpec, InProcess, Tier
from opsroom.contracts.secrecy import refuse_credentials
from opsroom.kit.canonical import NotCanonical, digest
from opsroom.kit.db import Tx
from opsroom.kit.faults import boundary
from opsroom.memory import commands as memory
from opsroom.policies.model import Verdict
from opsroom.redactions.commands import without_credentials
from opsroom.registry import Ref, Version

from . import asking, circuit_store, key_store, store
from .caches import bundle_of, heard
from .errors import KeyReused
from .gate import (
    SESSION_READ,
    UNBOUNDED,
    Ask,
    Decision,
    History,
    Judged,
    Recommend,
    Refuse,
    Run,
    Wait,
    decide,
    judge,
)
from .had_read import had_read
from .model import (
    GRACE,
    LEASE,
    Action,
    AnyOutcome,
    Enforcement,
    Execute,
    Proposal,
    Refusal,
    State,
    Turn,
    moved,
    outcome_of,
)
from .trying import admitted
from .turning import live

TO_BEGIN = timedelta(minutes=1)  # for opsroom to start what it carries out itself
HOLD_EXTRA = timedelta(hours=1)  # a hold outlives the report it waits for


def propose(tx: Tx, turn_id: str, proposal: Proposal) -> AnyOutcome:
    """Ask for something to be done, and hear what becomes of it.

    Safe to repeat with a key: the same call again gets the answer it got. Raises `KeyReused`
    for another call under a key that was used, `TurnNotFound`, `TurnEnded` and `OtherAgent`;
    everything else that stands against it is a `Denied` outcome, on record.
    """
    turn = live(tx, turn_id, lock=True)
    action_id = tx.ids.new("act")
    found = _contract(tx, turn, proposal)
    if isinstance(found, Refuse):
        return _refused(tx, turn, proposal, action_id, found)
    manifest, version, spec = found
    try:
        canonical = canonicalise(spec, proposal.arguments)
        refuse_credentials(spec, canonical.arguments)
    except BrokenContract as error:
        refusal = Refuse(by=Refusal.CONTRACT, because=str(error))
        return _refused(tx, turn, proposal, action_id, refusal, version=version)
    payload = digest({"contract": version.digest, "arguments": canonical.arguments})
    judged, allowance = _judged(
        tx, turn, manifest, spec, version, proposal, payload=payload, action_id=action_id
    )
    if judged.key:
        holder, other = key_store.holder(
            tx,
            agent=turn.agent,
            tool=spec.tool,
            key=judged.key,
            action_id=action_id,
            digest=payload,
        )
        if holder != action_id:
            return _again(tx, spec, holder, other, payload)
    boundary("action.judged")
    action = _proposed(
        tx, turn, manifest, version, proposal, judged, allowance, action_id, payload
    )
    decision = decide(judged.stands, allowance)
    if isinstance(decision, Run) and (rests := resting(tx, spec)) is not None:
        decision = rests
    alone = isinstance(decision, Run) and decision.alone
    if alone:
        allowance = autonomy_commands.act_alone(
            tx, turn.agent, allowance, environment=turn.environment
        )
        decision = decide(judged.stands, allowance)
    action, binding = _carried_out(tx, turn, manifest, action, judged, decision)
    if alone and action.state is State.DENIED:
        autonomy_commands.not_done(tx, turn.agent, allowance, environment=turn.environment)
    store.add(tx, action, request=judged.request, binding=binding, amount=judged.amount)
    if spec.risk is not Tier.READ:
        memory.remember(
            tx,
            action=action.id,
            agent=turn.agent,
            contract=version.ref,
            context=f"{turn.intent}\n{words.title(spec, action.arguments)}",
            alternatives=proposal.alternatives or turn.alternatives,
            chosen=action.arguments,
            manifest=turn.manifest,
            source=turn.session or turn.id,
        )
    boundary("action.proposed")
    return lease_of(tx, spec, action) or outcome_of(action)


def lease_of(tx: Tx, spec: ContractSpec, action: Action) -> Execute | None:
    """The right to carry an action out in the caller's process, where it was just given."""
    if action.state is not State.EXECUTING or not isinstance(spec.executor, InProcess):
        return None
    assert action.lease_until is not None
    return Execute(
        id=action.id,
        attempt=action.attempt,
        arguments=action.arguments,
        lease_seconds=LEASE.total_seconds(),
        deadline=action.lease_until - tx.lasting(GRACE),
    )


def begun(tx: Tx, turn: Turn, spec: ContractSpec, action: Action) -> Action:
    """A reserved action that is being carried out from now on."""
    timeout = timedelta(seconds=spec.timeout)
    until = tx.now + tx.lasting(LEASE + timeout)
    if turn.deadline is not None:
        until = max(min(until, turn.deadline), tx.now + tx.lasting(LEASE))
    begins = moved(
        action,
        State.EXECUTING,
        attempt=action.attempt + 1,
        lease_until=until + tx.lasting(GRACE),
    )
    tx.record("action.executing", f"action/{action.id}", attempt=begins.attempt)
    return begins


def reserved(
    tx: Tx,
    turn: Turn,
    spec: ContractSpec,
    action: Action,
    amount: Decimal | None,
    team: str = "",
) -> Action:
    """The action with its budgets held, or denied where one has not enough left."""
    if turn.deadline is not None and tx.now >= turn.deadline:
        return denied(tx, action, Refusal.BUDGET, "the time for the whole turn is over")
    until = tx.now + tx.lasting(LEASE + GRACE + timedelta(seconds=spec.timeout) + HOLD_EXTRA)
    try:
        holds = budgets.reserve(
            tx,
            spender_of(turn, action, team),
            amounts_of(spec, amount),
            action=action.id,
            until=until,
        )
    except OverBudget as error:
        return denied(tx, action, Refusal.BUDGET, str(error))
    held = moved(
        action,
        State.RESERVED,
        enforcement=Enforcement.EXECUTED,
        lease_until=tx.now + tx.lasting(TO_BEGIN),
    )
    tx.record(
        "action.reserved",
        f"action/{action.id}",
        holds={one.unit.value: format(one.amount, "f") for one in holds},
    )
    return held


def denied(tx: Tx, action: Action, by: Refusal, because: str) -> Action:
    tx.record("action.denied", f"action/{action.id}", by=by.value, because=because[:500])
    return moved(
        action,
        State.DENIED,
        refused_by=by,
        because=because,
        enforcement=Enforcement.REFUSED,
        ended_at=tx.now,
    )


def amounts_of(spec: ContractSpec, amount: Decimal | None) -> dict[Unit, Decimal]:
    """What a call is expected to take of budgets, by unit; it always takes one call."""
    amounts = {Unit(unit): value for unit, value in spec.cost.items()}
    amounts.setdefault(Unit.CALLS, Decimal(1))
    if amount is not None:
        amounts[Unit.USD] = amounts.get(Unit.USD, Decimal(0)) + amount
    return amounts


def spender_of(turn: Turn, action: Action, team: str) -> Spender:
    return Spender(
        agent=turn.agent,
        turn=turn.id,
        session=turn.session,
        contract=action.contract,
        team=team,
    )


def judged_again(
    tx: Tx,
    turn: Turn,
    manifest: Manifest,
    spec: ContractSpec,
    version: Version,
    action: Action,
    arguments: dict[str, Any],
) -> tuple[Judged, Allowance]:
    """What policy and autonomy say of an action that people have approved."""
    proposal = Proposal(
        tool=action.tool, arguments=arguments, key=action.key, confidence=action.confidence
    )
    return _judged(
        tx,
        turn,
        manifest,
        spec,
        version,
        proposal,
        payload=action.payload,
        action_id=action.id,
        approved=True,
    )


def _contract(
    tx: Tx, turn: Turn, proposal: Proposal
) -> tuple[Manifest, Version, ContractSpec] | Refuse:
    try:
        manifest = manifest_of(tx, turn)
    except (AgentRetired, AgentGone) as error:
        return Refuse(by=Refusal.AGENT, because=str(error))
    except BrokenManifest as error:
        return Refuse(by=Refusal.CONTRACT, because=str(error))
    found = manifest.contracts.get(proposal.tool)
    if found is None:
        because = f"{turn.version} has no contract for {proposal.tool[:100]!r}"
        return Refuse(by=Refusal.CONTRACT, because=because)
    version, spec = found
    if proposal.contract and proposal.contract not in {
        version.ref,
        f"{version.name}@{version.number}",
        version.name,
    }:
        because = f"{turn.version} has {version.ref}, not {proposal.contract[:100]!r}"
        return Refuse(by=Refusal.CONTRACT, because=because)
    return manifest, version, spec


def manifest_of(tx: Tx, turn: Turn) -> Manifest:
    """The manifest of a turn, as long as its agent may act at all."""
    number = Ref.parse(turn.version).number
    return agents.manifest(tx, turn.agent, turn.environment, number)


def _judged(
    tx: Tx,
    turn: Turn,
    manifest: Manifest,
    spec: ContractSpec,
    version: Version,
    proposal: Proposal,
    *,
    payload: str,
    action_id: str,
    approved: bool = False,
) -> tuple[Judged, Allowance]:
    calls, same, lately, spent, day = store.counts(
        tx,
        turn_id=turn.id,
        agent=turn.agent,
        tool=spec.tool,
        payload=payload,
        beside=action_id,
    )
    spender = Spender(
        agent=turn.agent,
        turn=turn.id,
        session=turn.session,
        contract=version.ref,
        team=manifest.spec.team,
    )
    left = budget_queries.remaining(tx, spender).get(Unit.USD, UNBOUNDED)
    first = _allowance(tx, turn, spec, version, proposal, amount=None)
    tape = heard(tx, turn, manifest)
    bundle = bundle_of(manifest)
    read = None
    if bundle.reads(spec.tool, SESSION_READ):
        read = had_read(tx, turn_id=turn.id, session=turn.session, beside=action_id)
    with tape.lock:
        judged = judge(
            bundle,
            spec,
            proposal.arguments,
            tape.tape,
            agent=turn.agent,
            human=turn.human,
            environment=turn.environment,
            level=first.level.value,
            confidence=proposal.confidence,
            key=proposal.key,
            approved=approved,
            history=History(
                calls_in_turn=calls,
                same_calls_in_turn=same,
                calls_last_hour=lately,
                spent_in_turn=spent,
                spent_last_day=day,
                budget_remaining=left,
                session_read=read,
            ),
            now=tx.now,
        )
    allowance = (
        first
        if judged.amount is None
        else _allowance(tx, turn, spec, version, proposal, amount=judged.amount)
    )
    return judged, allowance


def _allowance(
    tx: Tx,
    turn: Turn,
    spec: ContractSpec,
    version: Version,
    proposal: Proposal,
    *,
    amount: Decimal | None,
) -> Allowance:
    return autonomy.allowance(
        tx,
        turn.agent,
        contract=f"contract/{version.name}",
        tier=spec.risk,
        environment=turn.environment,
        manifest=turn.manifest,
        amount=amount,
        confidence=proposal.confidence,
    )


def _again(tx: Tx, spec: ContractSpec, holder: str, other: str, payload: str) -> AnyOutcome:
    """What a call gets whose key was used before."""
    if other != payload:
        raise KeyReused(spec.tool, holder)
    there = store.action(tx, holder)
    assert there is not None, "a key stands for an action that is stored"
    granted = there.state is State.AWAITING_APPROVAL and asking.granted(tx, there)
    return outcome_of(there, granted=granted)


def _proposed(
    tx: Tx,
    turn: Turn,
    manifest: Manifest,
    version: Version,
    proposal: Proposal,
    judged: Judged,
    allowance: Allowance,
    action_id: str,
    payload: str,
) -> Action:
    content = digest({"contract": version.digest, "arguments": judged.arguments})
    tx.record(
        "action.proposed",
        f"action/{action_id}",
        turn=turn.id,
        agent=turn.agent,
        tool=proposal.tool,
        contract=version.ref,
        digest=content,
    )
    return Action(
        id=action_id,
        turn=turn.id,
        agent=turn.agent,
        manifest=turn.manifest,
        environment=turn.environment,
        tool=proposal.tool,
        contract=version.ref,
        contract_digest=version.digest,
        arguments=judged.arguments,
        digest=content,
        payload=payload,
        key=judged.key,
        policy=bundle_of(manifest).digest,
        verdict=judged.ruling.verdict,
        reasons=judged.stands.reasons,
        level=allowance.level.value,
        confidence=proposal.confidence,
        proposed_at=tx.now,
        decided_at=tx.now,
    )


def _carried_out(
    tx: Tx, turn: Turn, manifest: Manifest, action: Action, judged: Judged, decision: Decision
) -> tuple[Action, dict[str, Any]]:
    """The action after its decision, and what its approval is bound to."""
    match decision:
        case Refuse(by=by, because=because):
            return denied(tx, action, by, because), {}
        case Wait(because=because, until=until):
            tx.record("action.deferred", f"action/{action.id}", because=because[:500])
            return (
                moved(
                    action,
                    State.DEFERRED,
                    because=because,
                    lease_until=until,
                    enforcement=Enforcement.DEFERRED,
                    ended_at=tx.now,
                ),
                {},
            )
        case Recommend(because=because):
            tx.record("action.recommended", f"action/{action.id}", because=because)
            return (
                moved(
                    action,
                    State.RECOMMENDED,
                    because=because,
                    enforcement=Enforcement.RECOMMENDED,
                    ended_at=tx.now,
                ),
                {},
            )
        case Ask(because=because):
            _, spec = manifest.contracts[action.tool]
            asked = asking.ask(tx, turn, action, spec, judged, why=because)
            tx.record(
                "action.awaiting_approval",
                f"action/{action.id}",
                request=asked.request,
                because=because[:500],
            )
            waits = moved(
                action,
                State.AWAITING_APPROVAL,
                approval=asked.request,
                because=because,
                enforcement=Enforcement.ASKED,
            )
            return waits, asked.facts
        case Run():
            return permitted(tx, turn, manifest, action, judged), {}


def permitted(tx: Tx, turn: Turn, manifest: Manifest, action: Action, judged: Judged) -> Action:
    """A permitted action: with its budgets held, and begun where the caller carries it out."""
    tx.record(
        "action.permitted",
        f"action/{action.id}",
        verdict=judged.ruling.verdict.value,
        policy=action.policy,
        by=[one.policy for one in judged.ruling.reasons if one.verdict is Verdict.PERMIT],
    )
    action = moved(action, State.PERMITTED)
    _, spec = manifest.contracts[action.tool]
    action = reserved(tx, turn, spec, action, judged.amount, manifest.spec.team)
    if action.state is not State.RESERVED:
        return action
    _goes_through(tx, spec)
    return begun(tx, turn, spec, action) if isinstance(spec.executor, InProcess) else action


def resting(tx: Tx, spec: ContractSpec) -> Wait | None:
    """Why an integration is left alone now; None where a call may go through."""
    if not spec.integration:
        return None
    circuit = circuit_store.circuit(tx, spec.integration, lock=True)
    if admitted(circuit, now=tx.now) is not None:
        return None
    because = f"{spec.integration} failed {circuit.failures} times in a row and is left alone"
    return Wait(because=because, until=circuit.open_until)


def _goes_through(tx: Tx, spec: ContractSpec) -> None:
    """Let a call try an integration; after a break it tries alone whether that is back."""
    if not spec.integration:
        return
    was = circuit_store.circuit(tx, spec.integration, lock=True)
    now = admitted(was, now=tx.now)
    if now is not None and now != was:
        circuit_store.save(tx, spec.integration, now)


def _refused(
    tx: Tx,
    turn: Turn,
    proposal: Proposal,
    action_id: str,
    refusal: Refuse,
    *,
    version: Version | None = None,
) -> AnyOutcome:
    """A proposal that is not even one: kept as it came, as far as it can be."""
    tx.record(
        "action.proposed",
        f"action/{action_id}",
        turn=turn.id,
        agent=turn.agent,
        tool=proposal.tool[:200],
        contract=version.ref if version else "",
        digest="",
    )
    try:
        content = digest(proposal.arguments)
        kept = without_credentials(tx, proposal.arguments, "actions")
    except NotCanonical:
        content, kept = "", {}
    action = Action(
        id=action_id,
        turn=turn.id,
        agent=turn.agent,
        manifest=turn.manifest,
        environment=turn.environment,
        tool=proposal.tool[:200],
        contract=version.ref if version else "",
        contract_digest=version.digest if version else "",
        arguments=kept,
        digest=content,
        confidence=proposal.confidence,
        proposed_at=tx.now,
        decided_at=tx.now,
    )
    action = denied(tx, action, refusal.by, refusal.because)
    store.add(tx, action, request=None, binding={}, amount=None)
    return outcome_of(action)
