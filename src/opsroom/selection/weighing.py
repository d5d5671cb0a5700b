"""From results to figures: what each case is worth to a candidate, totals, and who is better.

Pure. A total is a weighted sum of shares, so it is the mean over cases of what each case is
worth; its interval is that of this mean: exact for a rate alone, else a BCa bootstrap over
cases. Edge cases are other cases, so their part is added to it as an independent estimate. What
is not known of a candidate is bounded by the least and the most that it could be worth.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import fmean

from opsroom.evals.comparison import Arm
from opsroom.evals.model import Metric, Result
from opsroom.evals.trust import JudgeOf
from opsroom.evidence import Direction, Interval, NothingToCompare, Verdict
from opsroom.evidence import verdict as verdict_of
from opsroom.evidence.adding import added
from opsroom.evidence.judged import Seen
from opsroom.evidence.numeric import compare_numeric
from opsroom.evidence.paired import compare_binary, count_pairs
from opsroom.evidence.shares import all_or_nothing, mean_share, of_equal

from . import judging
from .errors import NotAShare
from .model import LEVEL, MAX_MISSING, Contrast, Dimension, Measure, Total

Worth = Mapping[str, float]  # from 0 to 1, by item
Weights = Mapping[Dimension, float]


@dataclass(frozen=True, slots=True)
class Side:
    """One candidate as it is weighed: what each of its cases is worth, in every dimension that
    is known of it. Of what a judge gave and is corrected, `said` has what it said.
    """

    name: str
    worth: Mapping[Dimension, Worth]
    said: Mapping[Dimension, tuple[Worth, JudgeOf]] = field(
        default_factory=dict[Dimension, tuple[Worth, JudgeOf]]
    )


def fits(arm: Arm, metric: Metric) -> dict[str, float]:
    """How well each case was done; the mean of its trials. Holes are left out.

    Raises `NotAShare` for a metric that is not between 0 and 1.
    """
    return {
        item: fmean(values)
        for item, results in arm.results.items()
        if (values := _shares(results, metric))
    }


def forms(arm: Arm, metric: Metric) -> dict[str, float]:
    """How often each case was answered in the right form. No answer has no form."""
    return {
        item: sum(_shares(results, metric)) / len(results)
        for item, results in arm.results.items()
    }


def agreements(arm: Arm, metric: Metric) -> dict[str, float]:
    """Of each case that was tried more than once, the share of pairs of trials that came out
    alike.
    """
    found: dict[str, float] = {}
    for item, results in arm.results.items():
        values = _shares(results, metric)
        if len(values) > 1:
            found[item] = fmean(float(a == b) for a, b in combinations(values, 2))
    return found


def left(of: Mapping[str, float], ceiling: float) -> dict[str, float]:
    """The part of a ceiling that is left of each case: 1 for nothing spent, 0 from there on."""
    return {item: min(1.0, max(0.0, 1 - spent / ceiling)) for item, spent in of.items()}


def means_of(arm: Arm, metric: str) -> dict[str, float]:
    """The mean over the trials of each case that has `metric`."""
    return {
        item: fmean(values)
        for item, results in arm.results.items()
        if (values := [v for one in results if (v := one.value(metric)) is not None])
    }


def measure(worth: Worth) -> Measure | None:
    """The mean of a share over cases; None for less than two."""
    values = list(worth.values())
    if len(values) < 2:
        return None
    return Measure(value=fmean(values), interval=mean_share(values, level=LEVEL), n=len(values))


def measure_judged(said: Worth, judge: JudgeOf) -> Measure | None:
    """The true mean of a share that a judge gave; None for less than two cases."""
    if len(said) < 2:
        return None
    interval = judging.share(said, judge, lambda some: mean_share(some, level=LEVEL))
    mean = fmean(judging.corrected(said, judge).values())
    value = min(interval.high, max(interval.low, mean))
    return Measure(value=value, interval=interval, n=len(said))


def beyond(said: Worth, judge: JudgeOf) -> set[str]:
    """The domains in which a judge said of these cases what its errors do not allow."""
    return judging.beyond(said, judge, lambda some: mean_share(some, level=LEVEL))


def known(worth: Worth, cases: int) -> bool:
    """Whether enough cases have it to speak for all of them."""
    return len(worth) > 1 and len(worth) >= (1 - MAX_MISSING) * cases


def usable(
    wanted: Weights, sides: Sequence[Side]
) -> tuple[dict[Dimension, float], set[Dimension]]:
    """The weights of what was measured of anybody, adding up to 1, and what was of nobody."""
    there = {one for side in sides for one in side.worth}
    counted = {one: weight for one, weight in wanted.items() if weight > 0 and one in there}
    whole = sum(counted.values())
    gone = {one for one, weight in wanted.items() if weight > 0} - set(counted)
    return {one: round(weight / whole, 12) for one, weight in counted.items()}, gone


def total(side: Side, weights: Weights, shared: Iterable[str]) -> Total:
    """The weighted total of a candidate on `shared` cases, and on its edge cases."""
    unknown = tuple(one for one in weights if one not in side.worth)
    parts: list[tuple[float, Interval]] = []
    for strata in _strata(weights, side.worth, side.said):
        worth = _combined(side, strata, weights, set(shared))
        if len(worth) < 2:
            raise NothingToCompare("cases with every figure", len(worth), 2)
        most = sum(weights[one] for one in strata)
        values = [one / most for one in worth.values()]
        mean = fmean(values)
        if strata[0] in side.said:
            said, judge = side.said[strata[0]]
            interval = judging.share(
                {item: said[item] for item in worth},
                judge,
                lambda some: mean_share(some, level=LEVEL),
            )
            mean = min(interval.high, max(interval.low, mean))
        else:
            interval = mean_share(values, level=LEVEL)
        parts.append((mean * most, _scaled(interval, most)))
    doubt = sum(weights[one] for one in unknown)
    found = _together(parts, side.said, LEVEL)
    return Total(
        value=sum(estimate for estimate, _ in parts),
        interval=_widened(found, 0, doubt),
        unknown=unknown,
    )


def contrast(a: Side, b: Side, weights: Weights, *, level: float) -> Contrast:
    """The total of `a` less that of `b`, on all cases that both answered.

    Without anything in common it is undecided, from the lowest to the highest there is.
    """
    both = {one: weights[one] for one in weights if one in a.worth and one in b.worth}
    doubt = sum(weights.values()) - sum(both.values())
    parts: list[tuple[float, Interval]] = []
    pairs, p = 0, None
    for strata in _strata(weights, both, a.said):
        mine, others = (_combined(side, strata, weights) for side in (a, b))
        items = sorted(mine.keys() & others.keys())
        if Dimension.EDGE not in strata:
            pairs = len(items)
        most = sum(weights[one] for one in strata)
        if len(items) < 2:
            doubt += most
            continue
        if strata[0] in a.said:
            seen = _judged(a, b, strata[0], level)
            parts.append((seen.difference * most, _scaled(seen.interval, most)))
            continue
        found = _compared(
            [mine[i] / most for i in items], [others[i] / most for i in items], level
        )
        parts.append((found[0] * most, _scaled(found[1], most)))
        p = found[2]
    interval = _widened(_together(parts, a.said, level), -doubt, doubt)
    said = verdict_of(interval, direction=Direction.HIGHER, p=p if len(parts) == 1 else None)
    return Contrast(
        a=a.name,
        b=b.name,
        pairs=pairs,
        difference=sum(estimate for estimate, _ in parts),
        interval=interval,
        verdict=said if said in {Verdict.BETTER, Verdict.WORSE} else Verdict.UNDECIDED,
    )


def _judged(a: Side, b: Side, one: Dimension, level: float) -> Seen:
    (mine, judge), (others, _) = a.said[one], b.said[one]
    return judging.difference(
        mine, others, judge, lambda x, y: _compared(x, y, level)[:2], level
    )


def _together(
    parts: Sequence[tuple[float, Interval]], said: Collection[Dimension], level: float
) -> Interval:
    """The interval of a sum of parts: of other cases, hence independent; or of the same ones,
    where a judged part stands apart, and then as wide as if all erred the same way.
    """
    if not parts:
        return Interval(low=0, high=0, level=level, method="")
    if not said:
        return added(parts, level=level)
    return Interval(
        low=sum(one.low for _, one in parts),
        high=sum(one.high for _, one in parts),
        level=level,
        method="+".join(dict.fromkeys(one.method for _, one in parts)),
    )


def _shares(results: Sequence[Result], metric: Metric) -> list[float]:
    values: list[float] = []
    for one in results:
        value = one.value(metric.name)
        if value is None:
            continue
        if not 0 <= value <= 1:
            raise NotAShare(metric.name, one.item_id, value)
        values.append(1 - value if metric.direction is Direction.LOWER else value)
    return values


def _strata(
    weights: Weights, there: Iterable[Dimension], said: Collection[Dimension]
) -> list[list[Dimension]]:
    """What is measured on the cases of the task, and what on the edge cases; what a judge gave
    is corrected by itself.
    """
    have = [one for one in weights if one in set(there)]
    alone = [[one] for one in have if one in said]
    split: tuple[list[Dimension], list[Dimension]] = ([], [])
    for one in have:
        if one not in said:
            split[one is Dimension.EDGE].append(one)
    return [*alone, *(some for some in split if some)]


def _combined(
    side: Side, strata: Sequence[Dimension], weights: Weights, among: set[str] | None = None
) -> dict[str, float]:
    """What each case is worth in these dimensions together, where it has all of them."""
    items = set.intersection(*(set(side.worth[one]) for one in strata))
    if among is not None and Dimension.EDGE not in strata:
        items &= among
    return {
        item: sum(weights[one] * side.worth[one][item] for one in strata)
        for item in sorted(items)
    }


def _compared(
    mine: Sequence[float], others: Sequence[float], level: float
) -> tuple[float, Interval, float]:
    """The mean difference on the same cases, its interval and its exact p."""
    if all_or_nothing(mine) and all_or_nothing(others):
        counts = count_pairs([one == 1 for one in others], [one == 1 for one in mine])
        found = compare_binary(counts, level=level)
        return found.difference, found.interval, found.p
    numbers = compare_numeric(others, mine, level=level)
    interval = numbers.interval
    if interval.method == "constant":
        interval = of_equal(numbers.difference, -1.0, len(mine), level=level)
    return numbers.difference, interval, numbers.p


def _scaled(one: Interval, by: float) -> Interval:
    return Interval(low=one.low * by, high=one.high * by, level=one.level, method=one.method)


def _widened(one: Interval, least: float, most: float) -> Interval:
    if not least and not most:
        return one
    return Interval(
        low=one.low + least,
        high=one.high + most,
        level=one.level,
        method="+".join(filter(None, (one.method, "bounds"))),
    )
