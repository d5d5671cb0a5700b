"""What follows from figures: who is on the front, who is recommended, and in which words. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from opsroom.evidence import Verdict

from .model import (
    FAR,
    FLOOR,
    Aspect,
    Benchmark,
    Contrast,
    Cost,
    Dimension,
    Fact,
    Measure,
    Outcome,
    Place,
    Recommendation,
    Standing,
)

Point = tuple[float, Decimal, float]  # quality, US dollars a task, seconds


def flagged(fit: Measure | None, benchmark: Benchmark | None) -> tuple[str, ...]:
    """A benchmark that promises far more than was measured on the task, in words."""
    if fit is None or benchmark is None:
        return ()
    above = benchmark.value - fit.value
    if benchmark.value <= fit.interval.high or above <= FAR:
        return ()
    low, high = fit.interval.low, fit.interval.high
    measured = f"on this task it is {fit.value:.1%} ({low:.1%} to {high:.1%})"
    return (f"{benchmark.name} promises {benchmark.value:.1%}, but {measured}",)


def lacking(required: Sequence[Aspect], facts: Sequence[Fact]) -> tuple[Aspect, ...]:
    """The required facts that nobody declared, or that are declared not to be."""
    there = {one.aspect for one in facts if one.value.strip().lower() != "no"}
    return tuple(one for one in required if one not in there)


def point(fit: Measure | None, cost: Cost, latency: Measure | None) -> Point | None:
    """Where a candidate lies for quality × cost × latency; None where one of them is not known."""
    if fit is None or cost.per_task is None or latency is None:
        return None
    return fit.value, cost.per_task, latency.value


def placed(
    points: Mapping[str, Point | None],
) -> dict[str, tuple[Place, tuple[str, ...]]]:
    """Who is on the Pareto front, and by whom the others are dominated, by point estimates."""
    found: dict[str, tuple[Place, tuple[str, ...]]] = {}
    for name, mine in points.items():
        if mine is None:
            found[name] = (Place.UNPLACED, ())
            continue
        by = tuple(
            other for other, theirs in points.items() if theirs and dominates(theirs, mine)
        )
        found[name] = (Place.DOMINATED if by else Place.FRONT, by)
    return found


def dominates(a: Point, b: Point) -> bool:
    """Whether `a` is as good as `b` in everything, and better in something."""
    return a != b and a[0] >= b[0] and a[1] <= b[1] and a[2] <= b[2]


def recommend(
    standings: Sequence[Standing],
    contrasts: Sequence[Contrast],
    *,
    shared: int,
    judged: str,
    left_out: Sequence[Dimension],
) -> Recommendation:
    """Who should do the task. `standings` come best total first.

    The leader among those with every required fact is recommended where it is better than each
    of them, all intervals holding together; else it is undecided between it and those that it is
    not better than.
    """
    fit_for_it = [one for one in standings if not one.lacks]
    if not fit_for_it:
        return Recommendation(
            outcome=Outcome.NOBODY,
            among=(),
            says="nobody can be recommended: each of them lacks a fact that is required",
            cautions=_cautions(standings, shared, judged=judged, left_out=left_out),
        )
    leader, *others = fit_for_it
    beaten = beaten_by(leader.name, contrasts)
    rivals = [one for one in others if one.name not in beaten]
    among = (leader, *rivals)
    ruled_out = [
        f"{one.called} is clearly better than {leader.called}, but lacks {_listed(one.lacks)}"
        for one in standings
        if one.lacks and leader.name in beaten_by(one.name, contrasts)
    ]
    cautions = _cautions(among, shared, judged=judged, left_out=left_out)
    return Recommendation(
        outcome=Outcome.UNDECIDED if rivals else Outcome.RECOMMENDED,
        among=tuple(one.name for one in among),
        says=_says(leader, rivals, others, len(standings) - len(fit_for_it)),
        cautions=(*ruled_out, *cautions),
    )


def beaten_by(name: str, contrasts: Sequence[Contrast]) -> set[str]:
    """Those that a candidate is clearly better than."""
    return {
        one.b if one.verdict is Verdict.BETTER else one.a
        for one in contrasts
        if (one.verdict is Verdict.BETTER and one.a == name)
        or (one.verdict is Verdict.WORSE and one.b == name)
    }


def _says(
    leader: Standing, rivals: Sequence[Standing], others: Sequence[Standing], out: int
) -> str:
    if rivals:
        names = _listed([leader.called, *(one.called for one in rivals)])
        said = (
            f"undecided between {names}: {leader.called} has the highest total, "
            f"{leader.total.value:.3f}, but the {_plural(len(rivals), 'difference')} may be chance"
        )
        if unknown := sorted({d for one in (leader, *rivals) for d in one.total.unknown}):
            said += f", and {_listed(unknown)} {'is' if len(unknown) == 1 else 'are'} not known of all"
        beaten = len(others) - len(rivals)
        if beaten:
            said += (
                f"; {_plural(beaten, 'other')} {'is' if beaten == 1 else 'are'} clearly below"
            )
    elif others:
        said = (
            f"the recommendation is {leader.called}: its total of {leader.total.value:.3f} is "
            f"clearly above that of the {_plural(len(others), 'other')}"
        )
    else:
        said = f"the recommendation is {leader.called}, which alone has every required fact"
    if out and others:
        said += (
            f"; {_plural(out, 'candidate')} {'lacks' if out == 1 else 'lack'} a required fact"
        )
    return said


def _cautions(
    among: Sequence[Standing], shared: int, *, judged: str, left_out: Sequence[Dimension]
) -> tuple[str, ...]:
    said = [f"{one.called}: {flag}" for one in among for flag in one.flags]
    if shared < FLOOR:
        said.append(f"{shared} shared cases are few; {FLOOR} is the floor of a gate")
    said += [
        f"{one.called} answered {one.cases} cases, of which {shared} were put to all"
        for one in among
        if one.cases > shared
    ]
    said += [
        f"{one.called} gave no answer {one.errors} of {one.answers + one.errors} times"
        for one in among
        if one.errors
    ]
    if judged:
        said.append(judged)
    if left_out:
        said.append(
            f"{_listed(left_out)} {'was' if len(left_out) == 1 else 'were'} measured of nobody, "
            "and did not count"
        )
    return tuple(said)


def _listed(names: Sequence[str]) -> str:
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last


def _plural(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
