from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Forbidden, Invalid, NotFound


@dataclass(eq=False)
class BrokenGrant(Invalid):
    code = "broken_grant"
    text = "this grant cannot be: {0.why}"
    hint = "see `opsroom autonomy propose --help`"
    why: str


@dataclass(eq=False)
class NotNarrower(Conflict):
    code = "not_narrower"
    text = "{0.agent!r} may do {0.now} under {0.scope} now, and {0.wanted} is no less"
    hint = "more is proposed with evidence: `opsroom autonomy propose`"
    agent: str
    scope: str
    now: str
    wanted: str


@dataclass(eq=False)
class NotWider(Conflict):
    code = "not_wider"
    text = "{0.agent!r} may do {0.now} under {0.scope} already, and {0.wanted} is no more"
    hint = "less is had at once: `opsroom autonomy narrow`"
    agent: str
    scope: str
    now: str
    wanted: str


@dataclass(eq=False)
class NotEarned(Conflict):
    code = "not_earned"
    text = "{0.agent!r} has not earned {0.wanted} under {0.scope}: {0.because}"
    hint = "see what is missing with `opsroom autonomy show {0.agent}`"
    agent: str
    scope: str
    wanted: str
    because: str


@dataclass(eq=False)
class WideningMoved(Conflict):
    code = "widening_moved"
    text = "{0.proposal_id!r} is not what you saw any more: {0.why}"
    hint = "read it again, or propose anew"
    proposal_id: str
    why: str


@dataclass(eq=False)
class WideningNotFound(NotFound):
    code = "widening_not_found"
    text = "there is no widening {0.proposal_id!r} in this project"
    hint = "list those that wait with `opsroom autonomy show`"
    proposal_id: str


@dataclass(eq=False)
class RevivedByProgram(Forbidden):
    code = "revived_by_program"
    text = "{0.actor!r} is a program; only a person lets all agents act again"
    hint = "log in as yourself and revive them on the page or with `opsroom autonomy revive`"
    actor: str
