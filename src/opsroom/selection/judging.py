"""Fit that a judge gives, with what the judge is known to get wrong taken out. Pure.

A judge that calls a share `se` of the good answers good and a share `fp` of the bad ones sees a
true share t as fp + t · (se − fp). Undoing that (Rogan and Gladen, 1978, American Journal of
Epidemiology 107:71) is linear, so it can be done case by case: single cases leave 0 to 1, their
mean is right. Only what was calibrated as it is now, in the domain of every case, is corrected.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from statistics import fmean

from opsroom.evals.trust import JudgeOf, cited, split
from opsroom.evidence import Interval
from opsroom.evidence.judged import KnownError, Seen
from opsroom.evidence.rates import clopper_pearson

Worth = Mapping[str, float]
Said = Callable[[Sequence[float]], Interval]
Compared = Callable[[Sequence[float], Sequence[float]], tuple[float, Interval]]


def trusted(judge: JudgeOf | None) -> bool:
    """Whether the errors of a judge are known in every domain of the cases."""
    return judge is not None and all(one.error is not None for one in judge.trust.values())


def words(judge: JudgeOf) -> str:
    """What a reader has to know of a fit that a judge gave."""
    if trusted(judge):
        least = min(_error(judge, domain).informedness for domain in judge.trust)
        return (
            f"fit is what {cited(judge.evaluator)} said, corrected for its known errors: it sees "
            f"{least:.0%} of a difference"
        )
    why = "; ".join(one.why for one in judge.trust.values() if one.error is None)
    return f"fit is what {cited(judge.evaluator)} said, at its word: {why}"


def corrected(worth: Worth, judge: JudgeOf) -> dict[str, float]:
    """What each case is worth in truth, on average."""
    found: dict[str, float] = {}
    for item, value in worth.items():
        error = _error(judge, judge.domains[item])
        wrong = 1 - error.bad.hits / error.bad.n
        found[item] = (value - wrong) / error.informedness
    return found


def share(worth: Worth, judge: JudgeOf, said: Said) -> Interval:
    """The interval of the true mean of what a judge said of cases, by the interval of what it
    `said`. The ends of all three intervals are taken at their worst, which is conservative.
    """
    low = high = 0.0
    level = 0.95
    for domain, values in _by_domain(worth, judge).items():
        seen = (
            said(values) if len(values) > 1 else Interval(low=0, high=1, level=level, method="")
        )
        level, error = seen.level, _error(judge, domain)
        good = clopper_pearson(error.good, level=level)
        bad = clopper_pearson(error.bad, level=level)
        ends = [0.0, 1.0]  # all there is, where it may be no better than a coin
        if good.low + bad.low > 1:
            ends = [
                (value + right - 1) / (sees + right - 1)
                for value, sees, right in product(
                    (seen.low, seen.high), (good.low, good.high), (bad.low, bad.high)
                )
            ]
        part = len(values) / len(worth)
        low += part * _share(min(ends))
        high += part * _share(max(ends))
    return Interval(low=low, high=high, level=level, method="judged")


def difference(
    mine: Worth, others: Worth, judge: JudgeOf, compared: Compared, level: float
) -> Seen:
    """The true difference of two candidates on the cases that both have."""
    items = sorted(mine.keys() & others.keys())
    pairs = split(judge, items, [others[i] for i in items], [mine[i] for i in items])

    def see(a: Sequence[float], b: Sequence[float]) -> Seen | None:
        if len(a) < 2:
            return None
        found, interval = compared(b, a)
        return Seen(difference=found, interval=interval)

    seen = pairs.corrected(see, level)
    exact = fmean(corrected(mine, judge)[i] - corrected(others, judge)[i] for i in items)
    return Seen(difference=exact, interval=seen.interval)


def _by_domain(worth: Worth, judge: JudgeOf) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for item, value in worth.items():
        found.setdefault(judge.domains[item], []).append(value)
    return found


def _error(judge: JudgeOf, domain: str) -> KnownError:
    error = judge.trust[domain].error
    assert error is not None, "only judges whose errors are known are corrected"
    return error


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))
