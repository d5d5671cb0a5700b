from dataclasses import dataclass

from opsroom.kit.errors import Conflict, NotFound


@dataclass(eq=False)
class DriftNotFound(NotFound):
    code = "drift_not_found"
    text = "there is no drift {0.drift_id!r} in this project"
    hint = "list what there is with `opsroom drift list --all`"
    drift_id: str


@dataclass(eq=False)
class DriftMoved(Conflict):
    code = "drift_moved"
    text = "drift {0.drift_id!r} was changed by someone else"
    hint = "look at the drift again and repeat the command"
    drift_id: str


@dataclass(eq=False)
class DriftOver(Conflict):
    code = "drift_over"
    text = "drift {0.drift_id!r} is {0.state}"
    hint = "only an open drift can be accepted; see `opsroom drift list`"
    drift_id: str
    state: str


@dataclass(eq=False)
class AgentAtRest(NotFound):
    code = "agent_at_rest"
    text = "agent {0.agent!r} sent no traces in the last 24 hours"
    hint = "see which agents do with `opsroom trace list`, and what they have to send in docs/how-to/drift.md"
    agent: str
