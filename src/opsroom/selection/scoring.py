"""Drawing up a scorecard from what was measured. Pure: runs and results in, a scorecard out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from statistics import median

from opsroom.evals.comparison import Arm
from opsroom.evals.errors import NotMeasured
from opsroom.evals.model import EvalRun, Metric
from opsroom.evals.trust import JudgeOf
from opsroom.evidence.rates import median_interval

from . import choosing, judging, pricing
from .errors import BadScorecard, DifferentTasks, NothingShared
from .model import (
    LEVEL,
    WEIGHTS,
    Ask,
    Candidate,
    Cost,
    Dimension,
    Measure,
    Place,
    Scorecard,
    Standing,
    Task,
    Total,
    short,
)
from .weighing import (
    Side,
    Worth,
    agreements,
    beyond,
    contrast,
    fits,
    forms,
    known,
    left,
    means_of,
    measure,
    measure_judged,
    total,
    usable,
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A candidate with its run, the run on the edge cases, and the model behind it."""

    candidate: Candidate
    name: str
    run: EvalRun
    arm: Arm
    edge_run: EvalRun | None = None
    edge_arm: Arm | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class _Weighed:
    one: Measured
    side: Side
    measures: dict[Dimension, Measure]
    latency: Measure | None
    cost: Cost

    @property
    def fit(self) -> Measure | None:
        """Its fit, where enough cases have one to speak for all."""
        return self.measures.get(Dimension.FIT) if Dimension.FIT in self.side.worth else None


def same_task(runs: Sequence[EvalRun]) -> None:
    """Raises `DifferentTasks` where two runs are not of the same cases, judged the same way."""
    first = runs[0]
    for other in runs[1:]:
        for what, mine, theirs, shown in (
            ("dataset", first.dataset, other.dataset, (first.dataset_name, other.dataset_name)),
            (
                "evaluators",
                first.evaluators,
                other.evaluators,
                (first.evaluators[:12], other.evaluators[:12]),
            ),
            ("split", first.split, other.split, (first.split, other.split)),
        ):
            if mine != theirs:
                raise DifferentTasks(first.subject_name, other.subject_name, what, *shown)


def draw(
    ask: Ask,
    found: Sequence[Measured],
    *,
    at: datetime,
    judge: JudgeOf | None = None,
    edge_judge: JudgeOf | None = None,
) -> Scorecard:
    """The scorecard of what was measured. `judge` gives the fit, if one does, and `edge_judge`
    is the same on the edge cases; where their errors are known, these are taken out.

    Raises `DifferentTasks`, `NothingShared`, `NotAShare`, and `NotMeasured` for a metric that
    the evaluators do not give.
    """
    same_task([one.run for one in found])
    if len({one.run.subject for one in found}) < len(found):
        raise BadScorecard("two candidates are the same version")
    if edges := [one.edge_run for one in found if one.edge_run is not None]:
        same_task(edges)
    shared = _shared(found)
    run = found[0].run
    fit = fit_of(ask, run)
    form = _metric(run, ask.format_metric) if ask.format_metric else None
    judges = {Dimension.FIT: judge, Dimension.EDGE: edge_judge}
    weighed = [_weigh(ask, one, fit, form, shared, at, judges) for one in found]
    sides = [one.side for one in weighed]
    weights, left_out = usable(ask.weights or _standard(ask), sides)
    totals = {one.name: total(one, weights, shared) for one in sides}
    points = {one.side.name: choosing.point(one.fit, one.cost, one.latency) for one in weighed}
    places = choosing.placed(points)
    standings = sorted(
        (_standing(ask, one, totals[one.side.name], places[one.side.name]) for one in weighed),
        key=lambda one: (-one.total.value, one.name),
    )
    ordered = sorted(sides, key=lambda one: (-totals[one.name].value, one.name))
    level = 1 - (1 - LEVEL) / max(1, len(sides) * (len(sides) - 1) // 2)
    contrasts = tuple(contrast(a, b, weights, level=level) for a, b in combinations(ordered, 2))
    gone = tuple(one for one in Dimension if one in left_out)
    return Scorecard(
        ask=ask,
        task=_task(ask, run, fit),
        shared=len(shared),
        weights=weights,
        left_out=gone,
        standings=tuple(standings),
        contrasts=contrasts,
        recommendation=choosing.recommend(
            standings,
            contrasts,
            shared=len(shared),
            judged=judging.words(judge, _beyond(sides, shared)) if judge else "",
            left_out=gone,
        ),
    )


def _beyond(sides: Sequence[Side], shared: frozenset[str]) -> set[str]:
    """The domains in which the judge of fit said of anybody what its errors do not allow."""
    fits_said = [one.said[Dimension.FIT] for one in sides if Dimension.FIT in one.said]
    return {
        domain
        for all_said, judge in fits_said
        for domain in beyond(_only(all_said, shared), judge)
    }


def fit_of(ask: Ask, run: EvalRun) -> Metric:
    """The metric that fit means. Raises `NotMeasured`."""
    return _metric(run, ask.metric) if ask.metric else run.metrics[0]


def _standard(ask: Ask) -> Mapping[Dimension, float]:
    """The weights of a criticality. What has no ceiling is not asked to count."""
    off = {
        Dimension.COST: ask.cost_ceiling is None,
        Dimension.LATENCY: ask.latency_ceiling is None,
    }
    return {
        one: weight
        for one, weight in WEIGHTS[ask.criticality].items()
        if not off.get(one, False)
    }


def _weigh(
    ask: Ask,
    one: Measured,
    fit: Metric,
    form: Metric | None,
    shared: frozenset[str],
    at: datetime,
    judges: Mapping[Dimension, JudgeOf | None],
) -> _Weighed:
    arm = one.arm
    seconds = means_of(arm, "latency")
    loads = _loads(arm)

    def price(some: Sequence[pricing.Load]) -> pricing.Priced:
        return pricing.priced(
            some,
            plan=one.candidate.plan,
            model=one.model,
            volume=ask.volume,
            cached=ask.cache_share,
            at=at,
        )

    worth: dict[Dimension, Worth] = {
        Dimension.FIT: fits(arm, fit),
        Dimension.FORMAT: forms(arm, form) if form else {},
        Dimension.CONSISTENCY: agreements(arm, fit),
        Dimension.COST: left(price(loads).by_item, float(ask.cost_ceiling))
        if ask.cost_ceiling
        else {},
        Dimension.LATENCY: left(seconds, ask.latency_ceiling) if ask.latency_ceiling else {},
    }
    known_of = {name: each for name, each in worth.items() if known(each, len(arm.results))}
    measures = {name: measure(_only(each, shared)) for name, each in worth.items()}
    if one.edge_arm is not None:
        edge = worth[Dimension.EDGE] = fits(one.edge_arm, fit)
        measures[Dimension.EDGE] = measure(edge)
        if known(edge, len(one.edge_arm.results)):
            known_of[Dimension.EDGE] = edge
    said: dict[Dimension, tuple[Worth, JudgeOf]] = {}
    for name, judge in judges.items():
        if judge is not None and judging.trusted(judge) and name in worth:
            all_said = worth[name]
            there = all_said if name is Dimension.EDGE else _only(all_said, shared)
            measures[name] = measure_judged(there, judge)
            if name in known_of:
                said[name] = all_said, judge
                known_of[name] = judging.corrected(all_said, judge)
    return _Weighed(
        one=one,
        side=Side(one.name, known_of, said),
        measures={name: found for name, found in measures.items() if found},
        latency=_median(list(_only(seconds, shared).values()))
        if known(seconds, len(arm.results))
        else None,
        cost=price([load for load in loads if load.item in shared]).cost,
    )


def _shared(found: Sequence[Measured]) -> frozenset[str]:
    """The cases that were put to all. Raises `NothingShared`."""
    shared = frozenset.intersection(*(frozenset(one.arm.results) for one in found))
    if len(shared) < 2:
        fewest = min(found, key=lambda one: len(one.arm.results))
        raise NothingShared(len(shared), fewest.name)
    return shared


def _only(worth: Worth, items: frozenset[str]) -> Worth:
    return {item: value for item, value in worth.items() if item in items}


def _standing(
    ask: Ask,
    found: _Weighed,
    total: Total,
    place: tuple[Place, tuple[str, ...]],
) -> Standing:
    one = found.one
    errors = one.arm.errors
    return Standing(
        name=one.name,
        called=short(one.candidate.subject),
        model=one.model or "",
        version=one.run.subject,
        run=one.run.id,
        results=one.arm.digest,
        edge_run=one.edge_run.id if one.edge_run else "",
        edge_results=one.edge_arm.digest if one.edge_arm else "",
        cases=len(one.arm.results),
        answers=sum(map(len, one.arm.results.values())) - errors,
        errors=errors,
        measures=found.measures,
        latency=found.latency,
        cost=found.cost,
        total=total,
        benchmark=one.candidate.benchmark,
        facts=one.candidate.facts,
        lacks=choosing.lacking(ask.required, one.candidate.facts),
        flags=choosing.flagged(found.fit, one.candidate.benchmark),
        place=place[0],
        dominated_by=place[1],
    )


def _loads(arm: Arm) -> list[pricing.Load]:
    costs, taken, given = (
        means_of(arm, name) for name in ("cost", "input-tokens", "output-tokens")
    )
    return [
        pricing.Load(item, costs.get(item), taken.get(item), given.get(item))
        for item in sorted(arm.results)
    ]


def _median(values: Sequence[float]) -> Measure | None:
    if not values:
        return None
    return Measure(value=median(values), interval=median_interval(values), n=len(values))


def _metric(run: EvalRun, name: str) -> Metric:
    for one in run.metrics:
        if one.name == name:
            return one
    raise NotMeasured(name, run.subject_name, ", ".join(repr(one.name) for one in run.metrics))


def _task(ask: Ask, run: EvalRun, fit: Metric) -> Task:
    return Task(
        dataset=run.dataset,
        dataset_name=run.dataset_name,
        evaluators=run.evaluators,
        split=run.split,
        edge_split=ask.edge_split,
        variant=run.variant,
        metric=fit.name,
    )
