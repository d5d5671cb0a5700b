"""Reading what became of an action as a rated decision, and which manifests belong together."""

from opsroom.actions.errors import ActionNotFound
from opsroom.actions.executing import get as action_of
from opsroom.actions.executing import spec_name
from opsroom.actions.model import Action, Enforcement, State
from opsroom.agents.model import AgentSpec, model_changed
from opsroom.autonomy.model import SPOT_CHECK
from opsroom.inbox import Request, Say
from opsroom.inbox import queries as inbox
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.registry import Ref, Version, VersionNotFound
from opsroom.registry import queries as registry

from .model import Decision, Source

MOST_MOVES = 50
SPEAKS_AGAINST = {
    State.FAILED: "failed",
    State.UNKNOWN: "unknown",
    State.COMPENSATED: "compensated",
}


def decision_of(tx: Tx, action_id: str) -> Decision | None:
    """An action as a rated decision; None for what is none: it was not rated, it was refused or
    put off, or the agent only recommended it.

    A confidence above 1 says no more than 1, one below 0 no less than 0.
    """
    try:
        action = action_of(tx, action_id)
    except ActionNotFound:
        return None
    if action.confidence is None or not action.contract:
        return None
    request = inbox.request(tx, action.approval) if action.approval else None
    source = _source(action, request)
    if source is None:
        return None
    return Decision(
        action=action.id,
        agent=action.agent,
        environment=action.environment,
        contract=spec_name(action),
        reference=action.contract,
        manifest=action.manifest,
        confidence=min(max(action.confidence, 0.0), 1.0),
        source=source,
        right=None if request is None else _right(request),
        overridden=_overridden(tx, action, request),
        outcome=_outcome(action),
    )


def lineage(tx: Tx, agent: str, environment: str) -> tuple[str, ...]:
    """The digests of the manifests that served with the model that serves now, the present one
    first; none where nothing serves. Evidence begins anew with another model.
    """
    try:
        serving = registry.version(tx, Ref("agent", agent, environment))
    except VersionNotFound:
        return ()
    found, spec = [serving.digest], _spec(serving)
    for move in registry.label_history(tx, "agent", agent, environment, limit=MOST_MOVES):
        if move.before is None:
            break
        before = registry.version(tx, Ref("agent", agent, str(move.before)))
        if model_changed(_spec(before), spec):
            break
        found.append(before.digest)
    return tuple(dict.fromkeys(found))


def _source(action: Action, request: Request | None) -> Source | None:
    if request is not None:
        return Source.SPOT if request.why == SPOT_CHECK else Source.ASKED
    executed = action.enforcement is Enforcement.EXECUTED
    return Source.ALONE if executed or action.state is State.RECONCILED else None


def _right(request: Request) -> bool | None:
    """Whether people approved it as it stood; None until they have decided, and where they took
    that back.
    """
    if request.answered_at is None:
        return None
    said = [one.say for one in request.answers if one.undone_at is None]
    return all(one is Say.APPROVE for one in said) if said else None


def _overridden(tx: Tx, action: Action, request: Request | None) -> bool:
    """Whether somebody decided otherwise without being asked. What they answered when they were
    asked is kept as an override too, and is counted as that answer.
    """
    asked = request.id if request else None
    found = inbox.overrides(tx, subject=f"action/{action.id}")
    return any(not one.request or one.request != asked for one in found)


def _outcome(action: Action) -> str:
    if action.state is State.RECONCILED:
        return "" if action.enforcement is Enforcement.EXECUTED else "failed"
    return SPEAKS_AGAINST.get(action.state, "")


def _spec(version: Version) -> AgentSpec:
    return adapter(AgentSpec).validate_python(version.spec)
