"""What a search for something better is, what it found, and what may be proposed. No I/O.

A search sees two splits of a dataset: `train`, from which it may copy and learn, and
`selection`, on which candidates are compared. The split `test` is for the gate alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import JsonValue

from opsroom.evals.comparison import MetricComparison
from opsroom.evidence import Interval, Verdict
from opsroom.kit.wire import Wire
from opsroom.registry.model import PRODUCTION, Ref

from .errors import BadPlan

TRAIN = "train"
SELECTION = "selection"
HELD_OUT = "test"
SEEN = frozenset({TRAIN, SELECTION})

MOST_CALLS = 200_000
MOST_CANDIDATES = 200
MOST_CHARS = 200_000
RECORDED = "recorded"


class Method(StrEnum):
    """How candidates are found.

    `examples` copies cases of the training split into a prompt, greedily; `parameters` tries a
    grid of models and parameters; `reflect` lets a model rewrite the prompt from its mistakes
    (gepa); `versions` tries versions that are in the registry already, which is the one that
    can go by recorded answers; `thresholds` tries from which confidence on an agent need not
    ask, on decisions that people answered.
    """

    EXAMPLES = "examples"
    PARAMETERS = "parameters"
    REFLECT = "reflect"
    VERSIONS = "versions"
    THRESHOLDS = "thresholds"


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


OVER = frozenset({State.FINISHED, State.FAILED, State.STOPPED})


class Standing(StrEnum):
    """What became of a candidate. A refused one was never put to a model."""

    TRIED = "tried"
    REFUSED = "refused"
    CHOSEN = "chosen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget(Wire):
    """What a search may spend at most: calls of models, and US dollars where that is said.

    Calls are counted before they are made. With `max_usd`, a call is made only while the most
    that it may cost, as far as that is known, still fits beside everything under way; a model
    whose price is not known ends such a search.
    """

    max_calls: int = 2000
    max_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent(Wire):
    """What a search has spent; `unpriced` calls have no known price. `dearest` is what the
    dearest call cost, in US dollars; None where no price is known yet.
    """

    calls: int = 0
    usd: Decimal = Decimal(0)
    unpriced: int = 0
    dearest: Decimal | None = None

    def since(self, before: "Spent") -> "Spent":
        """What was spent on top of `before`."""
        return replace(
            self,
            calls=self.calls - before.calls,
            usd=self.usd - before.usd,
            unpriced=self.unpriced - before.unpriced,
        )

    def plus(self, more: "Spent") -> "Spent":
        known = [one for one in (self.dearest, more.dearest) if one is not None]
        return Spent(
            calls=self.calls + more.calls,
            usd=self.usd + more.usd,
            unpriced=self.unpriced + more.unpriced,
            dearest=max(known, default=None),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Wire):
    """What somebody asks for.

    `target` is `prompt/name` or `agent/name`, `base` the number or label that is improved
    upon. `model` is asked about items (`recorded` for the method `versions`),
    `reflection_model` rewrites. `metric` decides, by default the first of the evaluators;
    `margin` is the loss of it that a cheaper candidate may bring. `label` is what a proposal
    would move.

    `max_examples`, `step` (how many are added at once) and `breadth` (how many ways of adding
    are tried) belong to `examples`; `grid` to `parameters`; `versions` and `variant` to
    `versions`; `minibatch` and `rounds` to `reflect`. No candidate's texts are longer than `max_chars`.

    `thresholds` needs no dataset and asks no model: it goes by the decisions under `contract` in
    `environment`, of which at most the share `max_error` may be wrong above the cut-off; 0
    stands for what the project asks of the contract's tier.
    """

    target: str
    method: Method
    dataset: str = ""
    model: str = RECORDED
    base: str = PRODUCTION
    evaluators: tuple[str, ...] = ()
    metric: str = ""
    margin: float = 0.02
    label: str = PRODUCTION
    budget: Budget = field(default_factory=Budget)
    seed: int = 1
    max_chars: int = 30_000
    max_examples: int = 16
    step: int = 4
    breadth: int = 3
    grid: dict[str, tuple[JsonValue, ...]] = field(
        default_factory=dict[str, tuple[JsonValue, ...]]
    )
    versions: tuple[str, ...] = ()
    variant: str = ""
    reflection_model: str = ""
    minibatch: int = 8
    rounds: int = 20
    contract: str = ""
    environment: str = PRODUCTION
    max_error: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score(Wire):
    """What a candidate came to on the selection split. A rate has its exact 95 % interval."""

    metric: str
    value: float
    n: int
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Wire):
    """Something that was tried: number 0 is the base, the others were made from `parent`.

    `change` says in words what is different from the parent. `compared` sets it against the
    base on the same items; `cost` (US dollars) and `tokens` are means of one answer.

    Of a cut-off, `score` is the share that was wrong above it, `alone` the share of decisions
    that lies above, and `held_out` the share that was wrong on the half that chose nothing.
    """

    improvement: str
    number: int
    parent: int | None
    change: str
    spec: dict[str, Any]
    digest: str
    standing: Standing
    created_at: datetime
    model: str = ""
    reason: str = ""
    run: str = ""
    score: Score | None = None
    alone: Score | None = None
    held_out: Score | None = None
    compared: MetricComparison | None = None
    cost: float | None = None
    tokens: float | None = None
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Improvement(Wire):
    """One search. `base` and `dataset` are cited by number. `version` and `proposal` are what
    it ended in, where it found something; nothing is promoted.

    One that is `inline` is carried out in somebody's request instead of in the background.
    Whoever is at work on it has `claim`, until `claimed_until` unless they go on. `stumbles`
    counts what ended their work and may have passed by the next time: conflicts and bugs.
    """

    id: str
    plan: Plan
    base: str
    base_digest: str
    dataset: str
    state: State
    started_by: str
    created_at: datetime
    inline: bool = False
    reason: str = ""
    spent: Spent = field(default_factory=Spent)
    tried: int = 0
    refused: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    version: str = ""
    proposal: str = ""
    claim: str = ""
    claimed_until: datetime | None = None
    stumbles: int = 0
    revision: int = 1

    @property
    def subject(self) -> str:
        return f"improvement/{self.id}"

    def after(self, candidate: Candidate) -> "Improvement":
        """The search with one more candidate counted; the base counts as neither."""
        if candidate.number == 0:
            return self
        if candidate.standing is Standing.REFUSED:
            return replace(self, refused=self.refused + 1)
        return replace(self, tried=self.tried + 1)


def check_plan(plan: Plan) -> None:
    """Raises `BadPlan` where the plan cannot be carried out, whatever the data."""
    target = Ref.parse(plan.target)
    if target.kind not in {"prompt", "agent"}:
        raise BadPlan("the target is prompt/NAME or agent/NAME")
    if target.at:
        raise BadPlan("name the version to improve upon as the base, not in the target")
    if why := _wanting(plan, target.kind):
        raise BadPlan(why)
    for name, value, low, high in (
        ("max_calls", plan.budget.max_calls, 1, MOST_CALLS),
        ("max_examples", plan.max_examples, 1, 200),
        ("step", plan.step, 1, 50),
        ("breadth", plan.breadth, 1, 20),
        ("minibatch", plan.minibatch, 1, 50),
        ("rounds", plan.rounds, 1, 500),
        ("max_chars", plan.max_chars, 1, MOST_CHARS),
        ("margin", plan.margin, 0, 0.5),
        ("max_error", plan.max_error, 0, 0.5),
    ):
        if not low <= value <= high:
            raise BadPlan(f"{name} lies between {low} and {high}")
    if plan.budget.max_usd is not None and plan.budget.max_usd <= 0:
        raise BadPlan("max_usd is more than 0, or left out")


def _wanting(plan: Plan, kind: str) -> str:  # noqa: PLR0911  # one for each method
    """What the method needs and the plan does not have, in words; empty where it has all."""
    match plan.method:
        case Method.THRESHOLDS if kind != "agent" or not plan.contract:
            return "thresholds needs agent/NAME and the contract whose decisions are looked at"
        case Method.THRESHOLDS:
            return ""
        case _ if not plan.dataset:
            return f"{plan.method.value} needs a dataset"
        case Method.EXAMPLES | Method.REFLECT if kind != "prompt":
            return f"{plan.method.value} changes a prompt: name the one that the agent cites"
        case Method.PARAMETERS if not plan.grid or not all(plan.grid.values()):
            return "parameters needs a grid, for example temperature=0,0.5"
        case Method.VERSIONS if not plan.versions:
            return "versions needs the versions to try"
        case Method.VERSIONS:
            return ""
        case _ if plan.model == RECORDED:
            return f"{plan.method.value} makes what nobody has answered yet: name a model"
        case _:
            return ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is proposed, if anything, and why in words."""

    candidate: Candidate | None
    because: str


def choose(candidates: Sequence[Candidate]) -> Choice:
    """Which candidate to propose: the best on the selection split, if there is a reason to.

    A reason is that it is better than the base by the paired verdict, or shown to be no worse
    by more than the margin and cheaper. Of equals the earlier one is taken, so that nothing
    is added for nothing. The best of many is flattered by having been picked, which is why
    nothing is decided here: the gate asks again, on items that no search has seen.
    """
    base = candidates[0]
    tried = [
        one for one in candidates[1:] if one.score is not None and one.compared is not None
    ]
    if not tried:
        return Choice(None, "nothing could be tried")
    better = [one for one in tried if _verdict(one) is Verdict.BETTER]
    if better:
        best = max(better, key=lambda one: (_gain(one), -one.number))
        return Choice(best, f"better than the base: {_against(best)}")
    cheaper = [
        one for one in tried if _verdict(one) is Verdict.NOT_WORSE and _cheaper(one, base)
    ]
    if cheaper:
        best = max(cheaper, key=lambda one: (-(_price(one) or 0.0), -one.number))
        return Choice(best, f"not worse than the base, and cheaper: {_against(best)}")
    best = max(tried, key=lambda one: (_gain(one), -one.number))
    return Choice(None, f"nothing is shown to be better; the best was {_against(best)}")


def beats(one: Candidate, other: Candidate) -> bool:
    """Whether a search should go on from `one` rather than from `other`: by the estimate alone,
    since all of this is search, and proof comes later.
    """
    return one.score is not None and (other.score is None or _gain(one) > _gain(other))


def _gain(one: Candidate) -> float:
    """By how much it is better than the base, whichever way better is; 0 for the base."""
    found = one.compared.comparison if one.compared else None
    if found is None:
        return 0.0
    return found.difference if found.direction == "higher" else -found.difference


def _verdict(one: Candidate) -> Verdict:
    return one.compared.verdict if one.compared else Verdict.UNDECIDED


def _cheaper(one: Candidate, base: Candidate) -> bool:
    """By known costs; where they are not known, by tokens of one and the same model."""
    if one.cost is not None and base.cost is not None:
        return one.cost < base.cost
    if one.model == base.model and one.tokens is not None and base.tokens is not None:
        return one.tokens < base.tokens
    return False


def _price(one: Candidate) -> float | None:
    return one.cost if one.cost is not None else one.tokens


def _against(one: Candidate) -> str:
    found = one.compared.comparison if one.compared else None
    if one.compared is None or found is None:
        return f"candidate {one.number}"
    low, high = found.interval.low, found.interval.high
    return (
        f"candidate {one.number} with {found.difference:+.3f} [{low:+.3f}, {high:+.3f}] of "
        f"{one.compared.metric} on {found.pairs} items"
    )
