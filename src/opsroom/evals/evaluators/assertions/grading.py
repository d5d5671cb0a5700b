"""From the assertions of a case to its verdict: weights, thresholds, sets and named scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opsroom.datasets import Item
from opsroom.evals.evaluators.reading import added
from opsroom.evals.model import Usage
from opsroom.models import Model

from .asking import Asked, ask
from .known import CHECKS, GRADED, why_not
from .model import Answer, Unclear, Verdict, kind_of, threshold_of
from .words import number

ALL_PASSED = "all assertions passed"


@dataclass(frozen=True, slots=True)
class Graded:
    """The verdict on a case, the scores under names of their own, and what asking graders took."""

    verdict: Verdict
    named: Mapping[str, float] = field(default_factory=dict[str, float])
    usage: Usage | None = None


@dataclass(slots=True)
class _Sum:
    """What assertions of one set come to, added up."""

    threshold: float | None
    total: float = 0.0
    weight: float = 0.0
    failed: str = ""
    named: dict[str, tuple[float, float]] = field(
        default_factory=dict[str, tuple[float, float]]
    )

    def add(self, verdict: Verdict, weight: float, metric: str | None) -> None:
        self.total += verdict.score * weight
        self.weight += weight
        if metric:
            self.name(metric, verdict.score, weight)
        if not verdict.good:
            self.failed = verdict.reason or "an assertion failed"

    def name(self, metric: str, score: float, weight: float) -> None:
        total, so_far = self.named.get(metric, (0.0, 0.0))
        self.named[metric] = (total + score * weight, so_far + weight)

    def verdict(self) -> Verdict:
        """With a threshold the weighted mean decides, and single failures do not."""
        score = self.total / self.weight if self.weight > 0 else 0.0
        if self.threshold is None:
            return Verdict(not self.failed, score, self.failed or ALL_PASSED)
        good = score >= self.threshold
        sign = "at least" if good else "below"
        return Verdict(good, score, f"score {score:.2f} is {sign} {self.threshold:g}")


async def grade(
    expected: Mapping[str, Any], item: Item, answer: Answer, model: Model | None
) -> Graded:
    """Judge an answer by everything that is expected of it.

    Raises `Unclear` where one assertion cannot be applied, and what the grader raises.
    """
    assertions: Sequence[Mapping[str, Any]] = expected.get("assert") or ()
    if not assertions:
        return Graded(Verdict(True, 1.0, "no assertions"))
    asked: list[Asked] = []
    whole = _Sum(number(expected.get("threshold")))
    for one in assertions:
        if one.get("type") != "assert-set":
            verdict = await _verdict(one, item, answer, model, asked)
            whole.add(verdict, _weight(one), one.get("metric"))
            continue
        part = _Sum(number(one.get("threshold")))
        for inner in one.get("assert") or ():
            verdict = await _verdict(inner, item, answer, model, asked)
            part.add(verdict, _weight(inner), inner.get("metric"))
        whole.add(part.verdict(), _weight(one), one.get("metric"))
        for name, (total, weight) in part.named.items():
            if name != one.get("metric"):
                whole.name(name, total / weight if weight > 0 else 0.0, weight * _weight(one))
    named = {
        name: total / weight if weight > 0 else 0.0
        for name, (total, weight) in whole.named.items()
    }
    usage = added([one.usage for one in asked]) if asked else None
    return Graded(whole.verdict(), named, usage)


async def _verdict(
    assertion: Mapping[str, Any],
    item: Item,
    answer: Answer,
    model: Model | None,
    asked: list[Asked],
) -> Verdict:
    base, _ = kind_of(assertion)
    if (why := why_not(str(assertion.get("type", "")))) is not None:
        raise Unclear(f"{assertion.get('type')}: {why}")
    if base not in GRADED:
        verdict = CHECKS[base](assertion, answer)
    else:
        if model is None:
            raise Unclear(f"{base} needs a grader, and the evaluator names no model")
        said = await ask(assertion, item, answer, model)
        asked += said
        verdict = _together(base, [one.verdict for one in said], assertion)
    # What weighs nothing is looked at, and decides nothing.
    return verdict._replace(good=True) if _weight(assertion) == 0 else verdict


def _together(base: str, verdicts: list[Verdict], assertion: Mapping[str, Any]) -> Verdict:
    if len(verdicts) == 1:
        return verdicts[0]
    score = sum(one.score for one in verdicts) / len(verdicts)
    good = score >= threshold_of(assertion, 0.7)
    reasons = "; ".join(one.reason for one in verdicts)
    return Verdict(good, score, f"{base}: {reasons}")


def _weight(assertion: Mapping[str, Any]) -> float:
    weight = number(assertion.get("weight", 1))
    if weight is None:
        raise Unclear("a weight is a number")
    return weight
