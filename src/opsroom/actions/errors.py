from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Forbidden, NotFound


@dataclass(eq=False)
class TurnNotFound(NotFound):
    code = "turn_not_found"
    text = "there is no turn {0.turn_id!r} here"
    hint = "begin one, or list them with `opsroom turn list`"
    turn_id: str


@dataclass(eq=False)
class ActionNotFound(NotFound):
    code = "action_not_found"
    text = "there is no action {0.action_id!r} here"
    hint = "list them with `opsroom action list`"
    action_id: str


@dataclass(eq=False)
class TurnEnded(Conflict):
    code = "turn_ended"
    text = "the turn {0.turn_id!r} is over: {0.final}"
    hint = "begin another turn"
    turn_id: str
    final: str


@dataclass(eq=False)
class OtherAgent(Forbidden):
    code = "other_agent"
    text = "this credential acts for {0.mine!r}, not for {0.agent!r}"
    hint = "use the token of the agent itself: opsroom token create NAME --role agent --agent {0.agent}"
    mine: str
    agent: str


@dataclass(eq=False)
class KeyReused(Conflict):
    code = "key_reused"
    text = "the key of this call of {0.tool!r} was used for other arguments, by {0.action_id}"
    hint = "use another key for another call; the same key always means the same call"
    tool: str
    action_id: str


@dataclass(eq=False)
class ActionMoved(Conflict):
    code = "action_moved"
    text = "action {0.action_id!r} was changed by somebody else"
    hint = "read it again and repeat the command"
    action_id: str


@dataclass(eq=False)
class WrongState(Conflict):
    code = "action_wrong_state"
    text = "action {0.action_id!r} is {0.state} and cannot become {0.wanted}"
    hint = "see where it stands with `opsroom action show {0.action_id}`"
    action_id: str
    state: str
    wanted: str


@dataclass(eq=False)
class OtherOutcome(Conflict):
    code = "other_outcome"
    text = "action {0.action_id!r} is on record as {0.state}, and was now reported as {0.told}"
    hint = "find out which is true; reconcile it with `opsroom action reconcile {0.action_id}`"
    action_id: str
    state: str
    told: str
