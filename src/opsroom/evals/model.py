"""What a measurement is: metrics, scores, the result of one case, and the run they belong to.

A score says what was measured (`value`) and, where that can be said, whether it is good
(`passed`). An error is neither: it is a hole in the evidence, and is counted as one.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from opsroom.evidence import Direction
from opsroom.kit.wire import Wire

from .errors import RunMoved

MAX_REASON = 500


class Scale(StrEnum):
    """What the values of a metric are: 0 or 1 for something that happened, or any number."""

    BINARY = "binary"
    NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(Wire):
    """The name under which an evaluator's values are kept, and how to read them."""

    name: str
    direction: Direction = Direction.HIGHER
    scale: Scale = Scale.BINARY


# What every result carries without an evaluator; names that no evaluator may take.
MEASURED = tuple(
    Metric(name=name, direction=Direction.LOWER, scale=Scale.NUMBER)
    for name in ("latency", "cost", "input-tokens", "output-tokens")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage(Wire):
    """What a call took. None means not known."""

    cost: Decimal | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score(Wire):
    """What one evaluator found in one output.

    An error has no value and did not pass or fail; `reason` says what went wrong. `usage` is
    what finding out took, for evaluators that ask a model.
    """

    value: float | None
    passed: bool | None = None
    reason: str = ""
    error: bool = False
    usage: Usage | None = None


def yes_or_no(good: bool, reason: str = "") -> Score:
    """A binary score where 1 is good; the reason is kept for what is not."""
    return Score(value=float(good), passed=good, reason="" if good else reason[:MAX_REASON])


def number(value: float, reason: str = "") -> Score:
    """A measured number, neither good nor bad in itself."""
    return Score(value=value, reason=reason[:MAX_REASON])


def unknown(reason: str, usage: Usage | None = None) -> Score:
    """The evaluator could not say: neither pass nor fail."""
    return Score(value=None, reason=reason[:MAX_REASON], error=True, usage=usage)


class ResultKey(NamedTuple):
    """Which case and which repetition of it; unique within a run."""

    item: str
    trial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Wire):
    """One case, answered and judged, as it is stored.

    `item` is the content hash and `item_id` the name people know it by. Where `error` is
    set there was no answer, and `scores` is empty.
    """

    run_id: str
    item: str
    item_id: str
    trial: int = 0
    scores: dict[str, Score] = field(default_factory=dict[str, Score])
    output_digest: str | None = None
    latency: float | None = None
    cost: Decimal | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    error: str | None = None

    @property
    def key(self) -> ResultKey:
        return ResultKey(self.item, self.trial)

    def value(self, metric: str) -> float | None:
        """What `metric` came to, or None where it was not or could not be measured."""
        if self.error is not None:
            return None
        match metric:
            case "latency":
                return self.latency
            case "cost":
                return None if self.cost is None else float(self.cost)
            case "input-tokens":
                return self.input_tokens
            case "output-tokens":
                return self.output_tokens
            case _:
                score = self.scores.get(metric)
                return None if score is None or score.error else score.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals(Wire):
    """What a run did and took. Costs that are not known are counted, never guessed.

    `answered` cases have an output; `errors` are cases without one; `unjudged` counts
    scores that came out as errors. `skipped` cases were done before.
    """

    answered: int = 0
    errors: int = 0
    unjudged: int = 0
    skipped: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    judge_cost: Decimal = Decimal(0)
    judge_unpriced: int = 0
    judge_tokens: int = 0
    stopped: bool = False

    @property
    def done(self) -> int:
        return self.answered + self.errors + self.skipped


class RunState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


FINAL = frozenset({RunState.SUCCESSFUL, RunState.FAILED, RunState.INCONCLUSIVE, RunState.ERROR})


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalRun(Wire):
    """One version, put to one dataset, judged by one set of evaluators.

    All three are named by digest, so a run can be repeated and a gate can say exactly what
    it rests on. `subject_name` and `dataset_name` are the citations people read
    (`refund-triage@7`). A run that was interrupted is still running and can be taken up
    again; a finished one never changes.
    """

    id: str
    subject: str
    subject_name: str
    dataset: str
    dataset_name: str
    evaluators: str
    metrics: tuple[Metric, ...]
    created_at: datetime
    split: str = "test"
    variant: str = ""
    trials: int = 1
    state: RunState = RunState.PENDING
    reason: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    totals: Totals = field(default_factory=Totals)

    def start(self, *, now: datetime) -> "EvalRun":
        """The run at work; taking up a running one again keeps its first start."""
        if self.state in FINAL:
            raise RunMoved(self.id, self.state.value, RunState.RUNNING.value)
        return replace(self, state=RunState.RUNNING, started_at=self.started_at or now)

    def finish(
        self, state: RunState, *, totals: Totals, now: datetime, reason: str = ""
    ) -> "EvalRun":
        """The run at its end. Only a running one ends, and only once."""
        if self.state is not RunState.RUNNING or state not in FINAL:
            raise RunMoved(self.id, self.state.value, state.value)
        return replace(self, state=state, totals=totals, finished_at=now, reason=reason)
