"""The gate: may a candidate take the place of a baseline, given what was measured?

A pure decision over results. It passes only on evidence: too few pairs, too many holes or an
interval that decides nothing make it inconclusive, and inconclusive never passes. Everything
that it used is in the verdict, which has a digest of its own, so that it can be repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import comb, prod
from typing import Annotated

from pydantic import Field

from opsroom.evidence import BinaryComparison, Direction, NumericComparison, Verdict
from opsroom.kit.canonical import digest
from opsroom.kit.wire import Wire, plain

from .comparison import (
    Arm,
    MetricComparison,
    MetricRule,
    Paired,
    Role,
    check_rule,
    common_items,
    pair,
)
from .errors import BadRules, GateFailed, GateInconclusive
from .limits import Standing, words
from .model import Scale
from .trust import JudgeOf, Uncalibrated, cited

DEFAULT_FLOOR = 200
LEAST = 2  # pairs that anything can be computed from
MAX_MISSING = 0.05
EXACT = 1e-9  # shares of whole numbers, as floats
NO_JUDGES: Mapping[str, JudgeOf] = {}
_GOOD = frozenset({Verdict.BETTER, Verdict.NOT_WORSE})


class Mode(StrEnum):
    """What a candidate has to show.

    Non-inferiority: that it loses no more than the margin. Strict: that its point estimates
    match or exceed the baseline's on every metric, whatever the margin; simple to say, and
    it turns many equal candidates away. Regression: that it gets these very cases right, all
    but a share of `margin`, and no fewer than the baseline. Nothing is concluded about other
    cases, so no interval decides.
    """

    NON_INFERIORITY = "non_inferiority"
    STRICT = "strict"
    REGRESSION = "regression"


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules(Wire):
    """What the gate asks for.

    `floor` is the least number of pairs. Leaving it out asks for 200 (for 1 where the cases
    themselves are the question); stating a lower one is possible, and is shown in the verdict.
    `power` is what `needed` is computed for.
    `uncalibrated: allow` takes judges at their word that may not gate, which is shown too.
    """

    metrics: tuple[MetricRule, ...]
    floor: int | None = None
    mode: Mode = Mode.NON_INFERIORITY
    max_missing: float = MAX_MISSING
    power: float = 0.8
    # Left out of the digest where it is not said, so that rules from before it are the same.
    uncalibrated: Annotated[
        Uncalibrated, Field(exclude_if=lambda said: said is Uncalibrated.REFUSE)
    ] = Uncalibrated.REFUSE

    @property
    def usual_floor(self) -> int:
        return self.fewest if self.mode is Mode.REGRESSION else DEFAULT_FLOOR

    @property
    def fewest(self) -> int:
        """What no floor may be below: one case can be right or wrong, but shows no difference."""
        return 1 if self.mode is Mode.REGRESSION else LEAST

    @property
    def least(self) -> int:
        """The least number of pairs that counts."""
        return self.usual_floor if self.floor is None else self.floor


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmEvidence(Wire):
    """What one side rested on, by count and by digest."""

    name: str
    version: str
    dataset: str
    evaluators: str
    results: str
    items: int
    answers: int
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GateEvidence(Wire):
    """What a verdict rests on, enough to find it all again and repeat the decision."""

    baseline: ArmEvidence
    candidate: ArmEvidence
    common_items: int
    only_baseline: int
    only_candidate: int

    @property
    def digest(self) -> str:
        return digest(plain(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class GateVerdict(Wire):
    """What the gate says, why, and by which rules.

    `chance_of_equal` is set in strict mode: about how often an identical candidate would
    pass these rules.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    metrics: tuple[MetricComparison, ...]
    rules: GateRules
    floor: int
    floor_lowered: bool
    chance_of_equal: float | None
    evidence: GateEvidence

    @property
    def digest(self) -> str:
        return digest(plain(self))


def gate(
    baseline: Arm,
    candidate: Arm,
    rules: GateRules,
    *,
    judges: Mapping[str, JudgeOf] = NO_JUDGES,
) -> GateVerdict:
    """Decide whether `candidate` may replace `baseline`; `judges` are behind the metrics so named.

    In this order: too many missing values, fewer pairs than the floor or a judge that may not
    gate is inconclusive; a metric that is worse or beyond its limit is a failure; a primary that
    is undecided, or a limit that is not shown to be kept, is inconclusive; the rest passes. Primaries are decided together under Holm's procedure,
    guardrails each at its own alpha. Raises `BadRules`, `DifferentEvaluators`,
    `NothingInCommon`, `NotMeasured` or `NotBinary`.
    """
    check_rules(rules)
    common = common_items(baseline, candidate)
    paired = [
        pair(baseline, candidate, rule, common, judges.get(rule.metric))
        for rule in rules.metrics
    ]
    levels = _levels(paired)
    metrics = tuple(one.report(levels[one.rule.metric], rules.power) for one in paired)
    outcome, reasons = decide(metrics, rules)
    return GateVerdict(
        outcome=outcome,
        reasons=reasons,
        metrics=metrics,
        rules=rules,
        floor=rules.least,
        floor_lowered=rules.least < rules.usual_floor,
        chance_of_equal=chance_of_equal(metrics) if rules.mode is Mode.STRICT else None,
        evidence=_evidence(baseline, candidate, len(common)),
    )


def decide(
    metrics: Sequence[MetricComparison], rules: GateRules
) -> tuple[Outcome, tuple[str, ...]]:
    """The rulebook: what stored comparisons add up to. Repeatable without the results."""
    floor = rules.least
    said = tuple(sentence(one) for one in metrics)
    thin = [
        f"{one.metric}: {one.missing_share:.1%} of its values are missing, more than "
        f"{rules.max_missing:.0%}"
        for one in metrics
        if one.missing_share > rules.max_missing
    ]
    thin += [
        f"{one.metric}: {one.pairs} pairs are fewer than the floor of {floor}"
        for one in metrics
        if one.pairs < floor or one.comparison is None
    ]
    refused = [
        f"{one.metric}: the judge may not gate; {why}"
        for one in metrics
        if one.judge is not None
        for why in one.judge.refusals
    ]
    refused += [
        f"{one.metric}: a judge gives it, and a limit is not corrected for what judges get wrong"
        for one in metrics
        if one.judge is not None and one.limit is not None
    ]
    if rules.uncalibrated is Uncalibrated.ALLOW:
        said = (*(f"{why}; the rules allow it" for why in refused), *said)
    else:
        thin += refused
    if thin:
        return Outcome.INCONCLUSIVE, (*thin, *said)
    return _within_limits(metrics, *_compared(metrics, rules, said))


def _compared(
    metrics: Sequence[MetricComparison], rules: GateRules, said: tuple[str, ...]
) -> tuple[Outcome, tuple[str, ...]]:
    match rules.mode:
        case Mode.STRICT:
            return _strict(metrics, said)
        case Mode.REGRESSION:
            return _regression(metrics, rules)
        case Mode.NON_INFERIORITY:
            return _non_inferior(metrics, said)


def _within_limits(
    metrics: Sequence[MetricComparison], outcome: Outcome, reasons: tuple[str, ...]
) -> tuple[Outcome, tuple[str, ...]]:
    """What was decided by comparing, unless a limit is broken or not shown to be kept."""
    limits = [(one.metric, one.limit) for one in metrics if one.limit is not None]
    beyond, open_ = (
        tuple(words(metric, found) for metric, found in limits if found.standing is standing)
        for standing in (Standing.BEYOND, Standing.OPEN)
    )
    if beyond:
        return Outcome.FAILED, (*beyond, *reasons)
    if open_ and outcome is Outcome.PASSED:
        return Outcome.INCONCLUSIVE, (*open_, *reasons)
    return outcome, reasons


def _strict(
    metrics: Sequence[MetricComparison], said: tuple[str, ...]
) -> tuple[Outcome, tuple[str, ...]]:
    below = [one.metric for one in metrics if _gain(one) < 0]
    if below:
        return Outcome.FAILED, (f"below the baseline on {', '.join(below)}", *said)
    return Outcome.PASSED, ("matches or exceeds the baseline on every metric", *said)


def _non_inferior(
    metrics: Sequence[MetricComparison], said: tuple[str, ...]
) -> tuple[Outcome, tuple[str, ...]]:
    worse = [one.metric for one in metrics if one.verdict is Verdict.WORSE]
    if worse:
        return Outcome.FAILED, (f"worse on {', '.join(worse)}", *said)
    open_ = [
        one.metric for one in metrics if one.role is Role.PRIMARY and one.verdict not in _GOOD
    ]
    if open_:
        return Outcome.INCONCLUSIVE, (f"undecided on {', '.join(open_)}", *said)
    return Outcome.PASSED, ("every primary metric holds, and no guardrail is broken", *said)


def _regression(
    metrics: Sequence[MetricComparison], rules: GateRules
) -> tuple[Outcome, tuple[str, ...]]:
    """What the cases themselves say: is enough of them right, and no fewer than before?"""
    said: list[str] = []
    below: list[str] = []
    for one, rule in zip(metrics, rules.metrics, strict=True):
        before, right = _rates(one)
        said.append(
            f"{one.metric}: {right * one.pairs:.4g} of {one.pairs} cases are right, "
            f"{before * one.pairs:.4g} were; at least {1 - rule.margin:.0%} are asked for, and "
            "no fewer than before"
        )
        if right < max(1 - rule.margin, before) - EXACT:
            below.append(one.metric)
    if below:
        return Outcome.FAILED, (f"too few cases are right on {', '.join(below)}", *said)
    return Outcome.PASSED, ("what people corrected is right", *said)


def _rates(one: MetricComparison) -> tuple[float, float]:
    """The share that is right on both sides; of cases tried several times, the mean share."""
    match one.comparison:
        case BinaryComparison() as found:
            return found.rate_a, found.rate_b
        case NumericComparison() as found:
            return found.mean_a, found.mean_b
        case None:
            raise AssertionError("what was not compared is inconclusive before it comes here")


def require_pass(verdict: GateVerdict) -> GateVerdict:
    """`verdict` itself if it passed; else raises `GateFailed` or `GateInconclusive`."""
    if verdict.outcome is Outcome.PASSED:
        return verdict
    error = GateFailed if verdict.outcome is Outcome.FAILED else GateInconclusive
    raise error(
        verdict.evidence.baseline.name,
        verdict.evidence.candidate.name,
        verdict.reasons[0],
        verdict.digest,
    )


def check_rules(rules: GateRules) -> None:
    """Raises `BadRules`."""
    names = [rule.metric for rule in rules.metrics]
    if not any(rule.role is Role.PRIMARY for rule in rules.metrics):
        raise BadRules("no metric is primary, so nothing would have to be shown")
    if len(set(names)) < len(names):
        raise BadRules("a metric is named twice")
    if rules.floor is not None and rules.floor < rules.fewest:
        raise BadRules(f"the floor is {rules.floor}; at least {rules.fewest} pairs are needed")
    if rules.mode is Mode.REGRESSION and any(
        rule.scale is not Scale.BINARY or rule.direction is not Direction.HIGHER
        for rule in rules.metrics
    ):
        raise BadRules(
            "a regression counts cases that are right: binary metrics, higher is better"
        )
    if not 0 <= rules.max_missing < 1:
        raise BadRules(f"the share of missing values allowed is {rules.max_missing}")
    if not 0.5 <= rules.power < 1:
        raise BadRules(f"the power asked for is {rules.power}, not from 0.5 to 1")
    for rule in rules.metrics:
        check_rule(rule)


def sentence(one: MetricComparison) -> str:
    """One metric in words, numbers and all."""
    found = one.comparison
    if found is None:
        return f"{one.metric}: undecided; {one.pairs} pairs are too few to compute anything"
    if isinstance(found, BinaryComparison):
        a, b = f"{found.rate_a:.1%}", f"{found.rate_b:.1%}"
    else:
        a, b = f"{found.mean_a:.4g}", f"{found.mean_b:.4g}"
    interval = found.interval
    return (
        f"{one.metric}: {found.verdict.replace('_', ' ')}; {b} against {a} on {one.pairs} pairs, "
        f"difference {found.difference:+.4g} ({interval.level:.4g} interval {interval.low:+.4g} "
        f"to {interval.high:+.4g}), margin {found.margin:g}, p = {found.p:.3g}{_judged(one)}"
        + (f"; {words(one.metric, one.limit)}" if one.limit is not None else "")
    )


def _judged(one: MetricComparison) -> str:
    """What a judge has to do with the difference, in words."""
    if one.judge is None or one.judge.seen is None:
        return ""
    seen = one.judge.seen
    return (
        f"; corrected for the known error of the judge {cited(one.judge.evaluator)}, which saw "
        f"{seen.difference:+.4g} ({seen.interval.low:+.4g} to {seen.interval.high:+.4g})"
    )


def chance_of_equal(metrics: Sequence[MetricComparison]) -> float:
    """About how often an identical candidate matches or exceeds on every metric.

    On each metric it loses half the time, less the ties: with m items on which two equal
    versions differ, P(tie) is that of m coins. Metrics are taken as independent.
    """
    return prod(_chance_of_tie_or_better(one) for one in metrics)


def _chance_of_tie_or_better(one: MetricComparison) -> float:
    found = one.comparison
    if not isinstance(found, BinaryComparison):
        return 0.5
    differ = found.only_a + found.only_b
    if differ == 0:
        return 1.0
    even = differ + differ % 2  # the next even number stands for odd counts, which cannot tie
    tie = float(comb(even, even // 2) / 2**even)
    return 0.5 + tie / 4


def _levels(paired: Sequence[Paired]) -> Mapping[str, float]:
    """At which confidence each metric is decided.

    Guardrails stand alone. Primaries step down as Holm does: all that are decided at
    alpha / m leave, the m' that remain are asked at alpha / m', until nothing more is
    decided. Which metrics are decided does not depend on their order.
    """
    levels = {
        one.rule.metric: 1 - one.rule.alpha for one in paired if one.rule.role is Role.GUARDRAIL
    }
    left = [one for one in paired if one.rule.role is Role.PRIMARY]
    while left:
        asked = {one.rule.metric: 1 - one.rule.alpha / len(left) for one in left}
        decided = [
            one for one in left if one.verdict(asked[one.rule.metric]) is not Verdict.UNDECIDED
        ]
        if not decided:
            return levels | asked
        levels |= {one.rule.metric: asked[one.rule.metric] for one in decided}
        left = [one for one in left if one.rule.metric not in levels]
    return levels


def _gain(one: MetricComparison) -> float:
    found = one.comparison
    assert found is not None
    return found.difference if found.direction is Direction.HIGHER else -found.difference


def _evidence(a: Arm, b: Arm, common: int) -> GateEvidence:
    return GateEvidence(
        baseline=_side(a),
        candidate=_side(b),
        common_items=common,
        only_baseline=len(a.results) - common,
        only_candidate=len(b.results) - common,
    )


def _side(arm: Arm) -> ArmEvidence:
    return ArmEvidence(
        name=arm.name,
        version=arm.version,
        dataset=arm.dataset,
        evaluators=arm.evaluators,
        results=arm.digest,
        items=len(arm.results),
        answers=sum(len(some) for some in arm.results.values()),
        errors=arm.errors,
    )
