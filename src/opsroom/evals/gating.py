"""Comparing two versions and gating one: measure both, decide, keep the verdict."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from opsroom.agents import AgentSpec
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.faults import boundary
from opsroom.kit.wire import Wire, adapter
from opsroom.models import Models
from opsroom.registry import Check, Ref
from opsroom.registry import proposals as registry_proposals
from opsroom.registry import queries as registry

from . import store
from .comparison import Arm, MetricComparison, MetricRule, compare
from .errors import BadRules, GateOfAnother, NotMeasured
from .gate import GateRules, GateVerdict, Mode, Outcome, check_rules, gate
from .measure import Measurement, find_subject, measure
from .model import MEASURED, EvalRun, Metric, Result, Totals
from .trust import Uncalibrated, cited
from .trusting import judges_of

DEFAULT_MARGIN = 0.05
CHECK_STATES = {Outcome.PASSED: "passed", Outcome.FAILED: "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Wire):
    """One item on both sides, for people who want to see where the difference comes from."""

    item: str
    item_id: str
    a: float | None
    b: float | None
    changed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(Wire):
    """Two runs side by side: every metric they share, and the cases behind one of them."""

    run_a: EvalRun
    run_b: EvalRun
    metrics: tuple[MetricComparison, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Wire):
    """What somebody asks of a gate in a few words.

    With `metric`, that one is the only primary, with that margin; with `limit`, the first
    metric has to keep it by itself too. The other two change the
    rules that count otherwise: a floor of samples, and whether the gate is strict.
    """

    metric: str = ""
    margin: float = DEFAULT_MARGIN
    min_samples: int | None = None
    strict: bool = False
    limit: float | None = None


def compare_versions(
    db: Database,
    actor: Actor,
    a: Measurement,
    b: Measurement,
    *,
    metric: str = "",
    margin: float = DEFAULT_MARGIN,
    models: Models,
) -> Compared:
    """Measure both versions (or find that they were) and compare candidate `b` with `a`.

    The metric asked for comes first, or the first one that the evaluators give. Raises
    `NotMeasured` for a metric that is not there.
    """
    runs = [measure(db, actor, one, models=models) for one in _same_dataset(db, actor, a, b)]
    with db.read(actor) as tx:
        return compare_runs(tx, runs[0], runs[1], metric=metric, margin=margin)


def compare_runs(
    tx: Tx, run_a: EvalRun, run_b: EvalRun, *, metric: str = "", margin: float = DEFAULT_MARGIN
) -> Compared:
    """Compare the run of candidate B with that of A, as `compare_versions` does."""
    first, second = arm_of(tx, run_a), arm_of(tx, run_b)
    shared = _metrics(run_a, first)
    wanted = [one for one in shared if one.name == metric] if metric else shared[:1]
    if not wanted:
        raise NotMeasured(metric, first.name, ", ".join(repr(one.name) for one in shared))
    rest = [one for one in shared if one != wanted[0]]
    return Compared(
        run_a=run_a,
        run_b=run_b,
        metrics=tuple(compare(first, second, _rule(one, margin)) for one in (*wanted, *rest)),
        cases=cases(first, second, wanted[0]),
    )


def gate_versions(
    db: Database,
    actor: Actor,
    baseline: Measurement,
    candidate: Measurement,
    *,
    rules: GateRules | None = None,
    ask: Ask | None = None,
    proposal: str = "",
    models: Models,
    progress: Callable[[Totals], None] | None = None,
) -> GateVerdict:
    """Measure both versions, decide under `rules`, and keep the verdict under its digest.

    Without rules, those in the baseline's manifest (`thresholds.gate`) count; without those,
    the first metric is primary with a margin of 0.05. The verdict goes to `proposal` as its
    check `gate`, if one is named. The same evidence gives the same verdict and is kept once.
    """
    sides = _same_dataset(db, actor, baseline, candidate)
    if proposal and replace(sides[0], subject="") != replace(sides[1], subject=""):
        raise BadRules("a proposal is gated on the same cases for both versions")
    runs = [measure(db, actor, one, models=models, progress=progress) for one in sides]
    with db.write(actor) as tx:
        return gate_runs(
            tx, runs[0], runs[1], sides[0], rules=rules, ask=ask, proposal=proposal
        )


def gate_runs(
    tx: Tx,
    baseline: EvalRun,
    candidate: EvalRun,
    measured: Measurement,
    *,
    rules: GateRules | None = None,
    ask: Ask | None = None,
    proposal: str = "",
) -> GateVerdict:
    """Decide between two finished runs, as `gate_versions` does; `measured` is the baseline's."""
    arms = [arm_of(tx, one) for one in (baseline, candidate)]
    found = rules or default_rules(tx, measured, baseline)
    wanted = asked(found, ask or Ask(), candidate)
    check_reading(wanted, candidate)
    judges = judges_of(tx, measured, baseline, wanted)
    verdict = gate(arms[0], arms[1], wanted, judges=judges)
    keep_verdict(tx, verdict)
    boundary("gate.kept")
    if proposal:
        _report(tx, proposal, verdict)
    return verdict


def keep_verdict(tx: Tx, verdict: GateVerdict) -> None:
    """Store a verdict under its digest; a second time changes nothing."""
    evidence = verdict.evidence
    new = store.add_verdict(
        tx,
        verdict.digest,
        baseline=evidence.baseline.version,
        candidate=evidence.candidate.version,
        state=verdict.outcome.value,
        verdict=verdict,
    )
    if new:
        tx.record(
            "gate.decided",
            evidence.candidate.name,
            baseline=evidence.baseline.name,
            outcome=verdict.outcome.value,
            digest=verdict.digest,
            reason=verdict.reasons[0],
        )


def as_check(verdict: GateVerdict) -> Check:
    """A verdict as the check of a proposal; inconclusive is neither passed nor failed.

    Rules that ask for less than usual are part of the summary, so that reviewers see them.
    """
    margins = ", ".join(f"{one.metric} {one.margin:g}" for one in verdict.rules.metrics)
    summary = f"{verdict.reasons[0]}; tolerated: {margins}"
    if verdict.floor_lowered:
        summary += f"; the floor was lowered to {verdict.floor}"
    if names := uncalibrated(verdict):
        summary += f"; {', '.join(names)} may not gate and was allowed to"
    return Check(
        name="gate",
        state=CHECK_STATES.get(verdict.outcome, verdict.outcome.value),
        summary=summary,
        evidence=verdict.digest,
    )


def uncalibrated(verdict: GateVerdict) -> tuple[str, ...]:
    """The judges that may not gate and did, because the rules allow it."""
    if verdict.rules.uncalibrated is Uncalibrated.REFUSE:
        return ()
    judges = [one.judge for one in verdict.metrics if one.judge and one.judge.refusals]
    return tuple(dict.fromkeys(cited(one.evaluator) for one in judges))


def _report(tx: Tx, proposal_id: str, verdict: GateVerdict) -> None:
    """Put the verdict on a proposal, if it is about exactly what the proposal moves."""
    proposal = registry.proposal(tx, proposal_id)
    moved = [proposal.digest]
    if proposal.base is not None:
        base = Ref(proposal.kind, proposal.name, str(proposal.base))
        moved.insert(0, registry.version(tx, base).digest)
    sides = verdict.evidence
    if [sides.baseline.version, sides.candidate.version][-len(moved) :] != moved:
        raise GateOfAnother(proposal_id, sides.candidate.name, sides.baseline.name)
    registry_proposals.report_check(tx, proposal_id, as_check(verdict))


def stored_verdict(tx: Tx, digest: str) -> GateVerdict | None:
    """The verdict kept under a digest."""
    found = store.verdict(tx, digest)
    return None if found is None else adapter(GateVerdict).validate_python(found)


def check_reading(rules: GateRules, run: EvalRun) -> None:
    """Raises `BadRules` where a rule reads a metric otherwise than the evaluator that gives it."""
    known = {one.name: one for one in (*run.metrics, *MEASURED)}
    for rule in rules.metrics:
        metric = known.get(rule.metric)
        if metric is None:
            raise NotMeasured(rule.metric, run.subject_name, ", ".join(map(repr, known)))
        if (rule.direction, rule.scale) != (metric.direction, metric.scale):
            raise BadRules(
                f"{rule.metric!r} is a {metric.scale.value} metric of which {metric.direction.value} "
                f"is better; say direction: {metric.direction.value}, scale: {metric.scale.value}"
            )


def default_rules(tx: Tx, baseline: Measurement, run: EvalRun) -> GateRules:
    """What the manifest that serves now asks of the gate, or one primary metric.

    A candidate does not set its own bar.
    """
    version = find_subject(tx, baseline.subject)
    if version.kind == "agent":
        asked = adapter(AgentSpec).validate_python(version.spec).thresholds.get("gate")
        if asked is not None:
            return adapter(GateRules).validate_python(asked)
    return GateRules(metrics=(_rule(run.metrics[0], DEFAULT_MARGIN),))


def asked(rules: GateRules, ask: Ask, run: EvalRun) -> GateRules:
    """`rules` with what somebody asked for on top."""
    if ask.metric:
        known = {one.name: one for one in (*run.metrics, *MEASURED)}
        if ask.metric not in known:
            raise NotMeasured(ask.metric, run.subject_name, ", ".join(map(repr, known)))
        primary = replace(_rule(known[ask.metric], ask.margin), margin=ask.margin)
        rules = replace(rules, metrics=(primary,))
    elif ask.margin != DEFAULT_MARGIN:
        check_rules(rules)
        first, *rest = rules.metrics
        rules = replace(rules, metrics=(replace(first, margin=ask.margin), *rest))
    if ask.limit is not None:
        check_rules(rules)
        first, *rest = rules.metrics
        rules = replace(rules, metrics=(replace(first, limit=ask.limit), *rest))
    if ask.min_samples is not None:
        rules = replace(rules, floor=ask.min_samples)
    return replace(rules, mode=Mode.STRICT) if ask.strict else rules


def cases(a: Arm, b: Arm, metric: Metric) -> tuple[Case, ...]:
    """The items both sides answered, those that got worse first, then those that got better."""
    better = 1 if metric.direction == "higher" else -1
    found: list[tuple[float, Case]] = []
    for item in a.results.keys() & b.results.keys():
        left, right = _mean(a.results[item], metric), _mean(b.results[item], metric)
        gain = 0.0 if left is None or right is None else better * (right - left)
        changed = "same" if gain == 0 else "improved" if gain > 0 else "regressed"
        one = Case(
            item=item,
            item_id=a.results[item][0].item_id,
            a=left,
            b=right,
            changed="missing" if left is None or right is None else changed,
        )
        found.append((gain, one))
    order = {"regressed": 0, "improved": 1, "missing": 2, "same": 3}
    found.sort(key=lambda pair: (order[pair[1].changed], pair[0], pair[1].item_id))
    return tuple(one for _, one in found)


def _same_dataset(
    db: Database, actor: Actor, a: Measurement, b: Measurement
) -> tuple[Measurement, Measurement]:
    """Both on the dataset of the first, unless they name their own."""
    if a.dataset and b.dataset:
        return a, b
    with db.read(actor) as tx:
        name = a.dataset or b.dataset or find_subject(tx, a.subject).name
    return replace(a, dataset=a.dataset or name), replace(b, dataset=b.dataset or name)


def arm_of(tx: Tx, run: EvalRun) -> Arm:
    """A run as one side of a comparison, with all its results."""
    return Arm(
        run.subject_name,
        version=run.subject,
        dataset=run.dataset,
        evaluators=run.evaluators,
        results=store.results_of(tx, run.id),
    )


def _metrics(run: EvalRun, arm: Arm) -> list[Metric]:
    """What can be compared: what the evaluators give, then what was measured on the way."""
    some = [one for results in arm.results.values() for one in results]
    measured = [
        one for one in MEASURED if any(result.value(one.name) is not None for result in some)
    ]
    return [*run.metrics, *measured]


def _rule(metric: Metric, margin: float) -> MetricRule:
    number = metric.scale == "number"
    return MetricRule(
        metric=metric.name,
        margin=0.0 if number else margin,
        direction=metric.direction,
        scale=metric.scale,
    )


def _mean(results: Any, metric: Metric) -> float | None:
    some: list[Result] = list(results)
    values = [value for one in some if (value := one.value(metric.name)) is not None]
    return sum(values) / len(values) if values else None
