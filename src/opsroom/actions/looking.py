"""Finding out what became of an action whose outcome nobody knows, by its lookup contract.

A lookup reads. It is called with those arguments of the action that its own schema names, and
with `key`, the action's key, where it names that. It answers `{"happened": true | false}`,
with the `result` if it has one; whatever else it answers settles nothing.
"""

from dataclasses import dataclass, replace
from typing import Any

from opsroom.contracts.canonical import canonicalise
from opsroom.contracts.citing import executed_in
from opsroom.contracts.errors import BrokenContract
from opsroom.contracts.model import ContractSpec, InProcess, Tier
from opsroom.contracts.queries import contract
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.errors import NotFound

from . import executing, store
from .caches import spec_of
from .model import Action, AnyOutcome, State, outcome_of
from .ports import Effect, Executors


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask about an action: the lookup contract, and a call of it."""

    reference: str
    spec: ContractSpec
    call: Action


def look_up(
    db: Database, actor: Actor, action_id: str, *, executors: Executors
) -> AnyOutcome | None:
    """Ask what became of an action, and settle it if the answer says so. Safe to repeat.

    None where there is nobody to ask: no lookup contract, or none that opsroom can call.
    """
    with db.read(actor) as tx:
        action = executing.get(tx, action_id)
        if action.state is not State.UNKNOWN:
            return outcome_of(action)
        question = question_of(tx, action)
    if question is None or (executor := executors(question.spec.executor.kind)) is None:
        return None
    spec = executed_in(question.spec, actor.project)
    effect = executor.execute(spec, question.call, timeout=spec.timeout)
    finding = finding_of(question, effect)
    if finding is None:
        return outcome_of(action)
    with db.write(actor) as tx:
        now = executing.get(tx, action_id, lock=True)
        if now.state is not State.UNKNOWN:
            return outcome_of(now)
        return executing.settle(tx, now, finding)


def question_of(tx: Tx, action: Action) -> Question | None:
    """The lookup of an action, if it has one that opsroom may call."""
    spec = spec_of(tx, action)
    if spec.lookup is None:
        return None
    try:
        version, lookup = contract(tx, spec.lookup)
    except NotFound:
        return None
    if lookup.risk is not Tier.READ or isinstance(lookup.executor, InProcess):
        return None
    named: dict[str, Any] = lookup.input.get("properties", {})
    given = {"key": action.key, **action.arguments}
    try:
        asked = canonicalise(lookup, {name: given[name] for name in named if name in given})
    except BrokenContract:
        return None
    call = replace(action, tool=lookup.tool, arguments=asked.arguments, key="")
    return Question(reference=version.ref, spec=lookup, call=call)


def finding_of(question: Question, effect: Effect) -> executing.Finding | None:
    """What an answer says of the action; None where it settles nothing."""
    answer = effect.result
    if effect.state != "happened" or not isinstance(answer, dict):
        return None
    happened = answer.get("happened")
    if not isinstance(happened, bool):
        return None
    return executing.Finding(
        happened=happened,
        result=answer.get("result") if happened else None,
        reason=f"{question.reference} says so",
    )


def waiting(tx: Tx, action_id: str) -> Action | None:
    """An action of unknown outcome that somebody can be asked about."""
    action = store.action(tx, action_id)
    if action is None or action.state is not State.UNKNOWN:
        return None
    return action if question_of(tx, action) is not None else None
