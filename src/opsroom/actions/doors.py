"""What the doors call: whole stories of several transactions, for HTTP, MCP and the loop.

The transaction that begins an action is committed before its effect, and what came of it is
committed after. A proposal that is refused by an error is on record all the same.
"""

import time

from opsroom.contracts.citing import executed_in
from opsroom.contracts.model import ContractSpec, InProcess
from opsroom.kit.db import Actor, Database
from opsroom.kit.faults import boundary

from . import executing, proposing
from .caches import spec_of
from .errors import KeyReused
from .looking import look_up
from .model import OVER, Action, AnyOutcome, Proposal, Running, Unknown, outcome_of
from .ports import Effect, Executors
from .trying import failed, fault_of, rest

STATES = {"happened": "succeeded", "not_happened": "failed", "unknown": "unknown"}


def propose(
    db: Database, actor: Actor, turn_id: str, proposal: Proposal, *, executors: Executors
) -> AnyOutcome:
    """Propose an action; carry it out, where opsroom does that itself."""
    try:
        with db.write(actor) as tx:
            outcome = proposing.propose(tx, turn_id, proposal)
    except KeyReused as error:
        with db.write(actor) as tx:
            tx.record(
                "action.refused",
                f"action/{error.action_id}",
                turn=turn_id,
                tool=error.tool,
                code=error.code,
            )
        raise
    if isinstance(outcome, Running):
        return carry_out(db, actor, outcome.id, executors=executors)
    return outcome


def begin(
    db: Database,
    actor: Actor,
    action_id: str,
    *,
    attempt: int | None = None,
    executors: Executors,
) -> AnyOutcome:
    """Begin what was approved; carry it out, where opsroom does that itself."""
    with db.read(actor) as tx:
        action = executing.get(tx, action_id)
        if action.state in OVER:
            return outcome_of(action)
        ours = not isinstance(spec_of(tx, action).executor, InProcess)
    if ours:
        return carry_out(db, actor, action_id, executors=executors)
    with db.write(actor) as tx:
        return executing.begin(tx, action_id, attempt=attempt)


def carry_out(
    db: Database, actor: Actor, action_id: str, *, executors: Executors
) -> AnyOutcome:
    """Carry out what opsroom executes itself, if nobody else is at it. Safe to repeat."""
    with db.write(actor) as tx:
        begun = executing.start(
            tx, action_id, servable=lambda kind: executors(kind) is not None
        )
    if not isinstance(begun, tuple):
        return begun
    action, spec = begun
    effect = _tried(db, actor, executors, spec, action)
    with db.write(actor) as tx:
        outcome = executing.report(tx, action_id, _report(effect))
    if isinstance(outcome, Unknown):
        return look_up(db, actor, action_id, executors=executors) or outcome
    return outcome


def _tried(
    db: Database, actor: Actor, executors: Executors, spec: ContractSpec, action: Action
) -> Effect:
    """What came of an action in the end, after as many attempts as its contract allows."""
    while True:
        boundary("action.before_effect")
        began = time.monotonic()
        effect = _execute(executors, executed_in(spec, actor.project), action)
        seconds = time.monotonic() - began
        boundary("action.after_effect")
        if spec.integration:
            with db.write(actor) as tx:
                executing.observed(
                    tx,
                    spec.integration,
                    failure=failed(effect),
                    seconds=seconds,
                    fault=fault_of(effect),
                )
        wait = rest(spec, effect, attempt=action.attempt, key=action.key)
        if wait is None:
            return effect
        time.sleep(db.clock.real(wait))
        with db.write(actor) as tx:
            again = executing.again(tx, action.id)
        if again is None:
            return effect
        action = again


def _execute(executors: Executors, spec: ContractSpec, action: Action) -> Effect:
    executor = executors(spec.executor.kind)
    if executor is None or isinstance(spec.executor, InProcess):
        return Effect(state="not_happened", error="opsroom cannot carry this out itself")
    return executor.execute(spec, action, timeout=spec.timeout)


def _report(effect: Effect) -> executing.Report:
    return executing.Report(
        state=STATES[effect.state],  # type: ignore[arg-type]  # the three words of both
        result=effect.result,
        error=effect.error,
    )
