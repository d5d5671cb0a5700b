"""Evaluators: functions from an item and an output to a score; all but the judge are pure.

`evaluator(spec, judges)` compiles a spec once: patterns, schemas and references are checked
then, so that a run never stops half-way over a typing error. Assessing never raises for what
is wrong with an item or an answer; it gives a score that says so.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsroom.datasets import Item
from opsroom.evals.errors import BadEvaluator, DuplicateMetric, NoJudge
from opsroom.evals.model import MEASURED, Metric, Scale, Score, unknown
from opsroom.evidence import Direction
from opsroom.kit.canonical import digest
from opsroom.kit.wire import plain
from opsroom.models import Find, Model, Output

from . import asserting, specs, structured, text
from .judge import judge
from .reading import NoReference
from .specs import EvaluatorSpec

Check = Callable[[Item, Output], Score]

_METRIC = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}")
CHECKS: dict[type, Callable[[Any], Check]] = {
    specs.Equals: text.equals,
    specs.Contains: text.contains,
    specs.ContainsMany: text.contains_many,
    specs.StartsWith: text.starts_with,
    specs.Regex: text.regex,
    specs.Similar: text.similar,
    specs.LastLabel: text.last_label,
    specs.IsJson: structured.is_json,
    specs.JsonSchema: structured.json_schema,
    specs.Numeric: structured.numeric,
    specs.LatencyWithin: structured.latency,
    specs.CostWithin: structured.cost,
    specs.ToolCalled: structured.tool_called,
    specs.ToolOrder: structured.tool_order,
    specs.Recorded: structured.recorded,
    specs.Corrected: structured.corrected,
}
_TAKEN = frozenset(metric.name for metric in MEASURED)


@dataclass(frozen=True, slots=True)
class Evaluator:
    """A compiled evaluator. `assess` gives a score, or something to await for one."""

    metric: Metric
    assess: Callable[[Item, Output], Score | Awaitable[Score]]


def evaluator(
    spec: EvaluatorSpec,
    judges: Mapping[str, Model] | None = None,
    gradings: dict[str, asserting.Gradings] | None = None,
) -> Evaluator:
    """Compile `spec`; `judges` are the models that judges may name.

    With `gradings`, evaluators of parts of the same assertions grade each answer once.
    Raises `BadEvaluator`, `BadPattern`, `BadSchema` or `NoJudge`.
    """
    metric = metric_of(spec)
    name = model_of(spec)
    model = (judges or {}).get(name) if name else None
    if name and model is None:
        raise NoJudge(metric.name, name)
    if isinstance(spec, specs.Assertions):
        return Evaluator(metric, asserting.assertions(spec, model, gradings))
    if isinstance(spec, specs.AnyJudge):
        assert model is not None  # a judge names one
        return Evaluator(metric, judge(spec, model))
    return Evaluator(metric, _safe(CHECKS[type(spec)](spec)))


def model_of(spec: EvaluatorSpec) -> str:
    """The model that judging by `spec` asks, or an empty text where it asks none."""
    match spec:
        case specs.Judge() | specs.PreferenceJudge():
            return spec.model
        case specs.Assertions():
            return spec.grader
        case _:
            return ""


def found_models(chosen: Iterable[EvaluatorSpec], find: Find) -> dict[str, Model]:
    """The models that judging by `chosen` asks, each found once. Raises what `find` raises."""
    return {name: find(name) for name in dict.fromkeys(map(model_of, chosen)) if name}


def evaluators(
    chosen: Sequence[EvaluatorSpec], judges: Mapping[str, Model] | None = None
) -> tuple[Evaluator, ...]:
    """Compile all of `chosen`; raises `DuplicateMetric` where two share a name."""
    gradings: dict[str, asserting.Gradings] = {}
    compiled = tuple(evaluator(spec, judges, gradings) for spec in chosen)
    seen: set[str] = set()
    for one in compiled:
        if one.metric.name in seen:
            raise DuplicateMetric(one.metric.name)
        seen.add(one.metric.name)
    return compiled


def evaluators_digest(chosen: Iterable[EvaluatorSpec]) -> str:
    """One digest over a set of evaluators, whatever their order."""
    return digest(sorted(digest(plain(spec)) for spec in chosen))


def metric_of(spec: EvaluatorSpec) -> Metric:
    """The metric that `spec` yields. Raises `BadEvaluator` for a name that is taken or odd."""
    direction, scale = Direction.HIGHER, Scale.BINARY
    match spec:
        case specs.Recorded():
            name = spec.metric or spec.score
            direction, scale = spec.direction, Scale(spec.scale)
        case specs.LatencyWithin() | specs.CostWithin():
            name = spec.metric or f"{spec.type}-within"
        case specs.Assertions() if spec.named or spec.part == "score":
            name, scale = spec.metric or f"{spec.type}-score", Scale.NUMBER
        case specs.Assertions(part="broken"):
            name, direction = spec.metric or f"{spec.type}-broken", Direction.LOWER
        case specs.Similar(threshold=None):
            name, scale = spec.metric or spec.type, Scale.NUMBER
        case _:
            name = spec.metric or spec.type
    if name in _TAKEN:
        raise BadEvaluator(name, "this name is kept for what every result measures")
    if not _METRIC.fullmatch(name):
        raise BadEvaluator(
            name, "a metric's name is 1 to 64 lower-case letters, digits and any of _ . : -"
        )
    return Metric(name=name, direction=direction, scale=scale)


def _safe(check: Check) -> Check:
    def assess(item: Item, output: Output) -> Score:
        try:
            return check(item, output)
        except NoReference as missing:
            return unknown(str(missing))

    return assess


__all__ = [
    "Evaluator",
    "EvaluatorSpec",
    "evaluator",
    "evaluators",
    "evaluators_digest",
    "found_models",
    "metric_of",
    "model_of",
]
