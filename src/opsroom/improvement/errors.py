from dataclasses import dataclass
from datetime import datetime

from opsroom.kit.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class ImprovementNotFound(NotFound):
    code = "improvement_not_found"
    text = "there is no improvement {0.improvement_id!r} in this project"
    hint = "list what there is with `opsroom improve list`"
    improvement_id: str


@dataclass(eq=False)
class ImprovementMoved(Conflict):
    code = "improvement_moved"
    text = "improvement {0.improvement_id!r} was changed by someone else"
    hint = "look at it again with `opsroom improve show`; two processes may be at work on it"
    improvement_id: str


@dataclass(eq=False)
class ImprovementOver(Conflict):
    code = "improvement_over"
    text = "improvement {0.improvement_id!r} is {0.state}"
    hint = "start another one; what was recorded is not asked again"
    improvement_id: str
    state: str


@dataclass(eq=False)
class ImprovementClaimed(Conflict):
    """Somebody is at work on it, or was until a moment ago."""

    code = "improvement_claimed"
    text = "improvement {0.improvement_id!r} is being carried out by somebody else"
    hint = "wait for it with `opsroom improve status`; if they died, repeat this in a minute"
    improvement_id: str
    until: datetime


@dataclass(eq=False)
class InBackground(Conflict):
    code = "improvement_in_background"
    text = "improvement {0.improvement_id!r} is carried out by the server, in the background"
    hint = "wait for it with `opsroom improve status`, or start one with `--here`"
    improvement_id: str


@dataclass(eq=False)
class BadPlan(Invalid):
    code = "bad_improvement_plan"
    text = "this improvement cannot be started: {0.why}"
    hint = "see docs/how-to/improve.md for what each method needs"
    why: str


@dataclass(eq=False)
class SplitMissing(Invalid):
    code = "improvement_split_missing"
    text = "{0.dataset} has no items in the split {0.split!r}"
    hint = "a search needs the splits train and selection, and test for the gate; give each item one"
    dataset: str
    split: str


@dataclass(eq=False)
class HeldOut(Invalid):
    """The last line of defence: no held-out item gets into a search, whoever hands it over."""

    code = "held_out"
    text = "item {0.item!r} of the split {0.split!r} may not be seen by a search"
    hint = "this is a bug of ours unless you built the material yourself; report it"
    item: str
    split: str


@dataclass(eq=False)
class OptimiserMissing(Invalid):
    code = "optimiser_missing"
    text = "the method reflect needs the package gepa, which is not installed"
    hint = 'install it with `pip install "opsroom[optimise]"`, or use another method'


@dataclass(eq=False)
class BudgetSpent(Conflict):
    """Ends a search; what was found until then counts."""

    code = "improvement_budget_spent"
    text = "the budget of this improvement is spent: {0.why}"
    hint = "start another one with a larger budget; what was recorded is not asked again"
    why: str


@dataclass(eq=False)
class SearchStopped(Conflict):
    """Ends a search because somebody said so."""

    code = "improvement_stopped"
    text = "improvement {0.improvement_id!r} was stopped"
    hint = "start another one"
    improvement_id: str


@dataclass(eq=False)
class BaseUnmeasured(Invalid):
    code = "improvement_base_unmeasured"
    text = "the base {0.base!r} could not be measured: {0.why}"
    hint = "see whether the model answers, for example with `opsroom eval run`"
    base: str
    why: str


@dataclass(eq=False)
class HeldOutRun(Invalid):
    code = "held_out_run"
    text = (
        "run {0.run!r} is on the held-out split, whose failures are not looked into one by one"
    )
    hint = "measure the version on the split selection or train, and look at that run"
    run: str
