from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class CutoffNotFound(NotFound):
    code = "cutoff_not_found"
    text = "there is no cut-off {0.cutoff_id!r} in this project"
    hint = "list what there is with `opsroom threshold list`"
    cutoff_id: str


@dataclass(eq=False)
class NothingCertified(Conflict):
    code = "nothing_certified"
    text = "{0.cutoff_id!r} certified no cut-off: {0.because}"
    hint = "let people answer more of what it asks, then examine it again"
    cutoff_id: str
    because: str


@dataclass(eq=False)
class CutoffStale(Conflict):
    code = "cutoff_stale"
    text = "{0.cutoff_id!r} says nothing about today: {0.because}"
    hint = "examine the agent again with `opsroom threshold examine`"
    cutoff_id: str
    because: str


@dataclass(eq=False)
class NothingNew(Conflict):
    code = "nothing_new"
    text = "there are {0.labelled} labelled decisions of {0.agent!r} for {0.contract!r}, as at its last look {0.last!r}"
    hint = "a look at the same labels would only use up confidence; wait for more answers"
    agent: str
    contract: str
    labelled: int
    last: str


@dataclass(eq=False)
class NeverRated(NotFound):
    code = "never_rated"
    text = "no decision of {0.agent!r} under {0.contract!r} has both a confidence and an answer by people"
    hint = (
        "pass `confidence=` to `turn.act`, and let people answer; see docs/how-to/confidence.md"
    )
    agent: str
    contract: str


@dataclass(eq=False)
class BrokenSettings(Invalid):
    code = "broken_threshold_settings"
    text = "{0.what} cannot be set"
    hint = "targets are by tier, above 0 and at most 0.5; a share lies between 0 and 1"
    what: str
