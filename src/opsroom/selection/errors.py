from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class BadScorecard(Invalid):
    code = "bad_scorecard"
    text = "this scorecard cannot be drawn up: {0.why}"
    hint = "correct what is asked for; docs/how-to/selection.md shows a whole one"
    why: str


@dataclass(eq=False)
class DifferentTasks(Invalid):
    code = "different_tasks"
    text = (
        "{0.a!r} and {0.b!r} would not do the same task: {0.what} of the one is {0.of_a}, of the "
        "other {0.of_b}"
    )
    hint = "measure all candidates on one version of one dataset (--dataset), with the same evaluators"
    a: str
    b: str
    what: str
    of_a: str
    of_b: str


@dataclass(eq=False)
class NothingShared(Invalid):
    code = "nothing_shared"
    text = "there are {0.shared} cases that all candidates answered; it takes 2"
    hint = "leave out who answered other cases: {0.fewest!r} answered the fewest"
    shared: int
    fewest: str


@dataclass(eq=False)
class NotAShare(Invalid):
    code = "not_a_share"
    text = "metric {0.metric!r} is {0.value} for item {0.item!r}; a scorecard needs 0 to 1"
    hint = "name a metric that is a share with --metric, or measure one"
    metric: str
    item: str
    value: float


@dataclass(eq=False)
class ScorecardNotFound(NotFound):
    code = "scorecard_not_found"
    text = "there is no scorecard {0.wanted!r} in this project"
    hint = "list what there is with `opsroom scorecard list`"
    wanted: str


@dataclass(eq=False)
class ScorecardMoved(Conflict):
    code = "scorecard_moved"
    text = "somebody else just drew up another scorecard {0.name!r}"
    hint = "repeat the command"
    name: str


@dataclass(eq=False)
class ScorecardOfOthers(Conflict):
    code = "scorecard_of_others"
    text = "{0.version!r} is none of the candidates of scorecard {0.digest!r}"
    hint = "draw up a scorecard with the very version that is proposed or released"
    version: str
    digest: str
