"""Fit that a judge gives, with what the judge is known to get wrong taken out. Pure.

A judge that calls a share `se` of the good answers good and a share `fp` of the bad ones sees a
true share t as fp + t · (se − fp). Undoing that (Rogan and Gladen, 1978, American Journal of
Epidemiology 107:71) is linear, so it can be done case by case: single cases leave 0 to 1, their
mean is right. Only what was calibrated as it is now, in the domain of every case, is corrected.
What a judge said that no true share explains is taken at its word: it errs otherwise there.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
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


def words(judge: JudgeOf, beyond: Collection[str] = ()) -> str:
    """What a reader has to know of a fit that a judge gave, and of the domains where that lies
    `beyond` what its errors allow.
    """
    if trusted(judge):
        least = min(_error(judge, domain).informedness for domain in judge.trust)
        said = (
            f"fit is what {cited(judge.evaluator)} said, corrected for its known errors: it sees "
            f"{least:.0%} of a difference"
        )
        if beyond:
            where = ", ".join(sorted(beyond))
            said += (
                f"; but in {where} it said what these errors do not allow, and a share is taken "
                "at its word: calibrate it again"
            )
        return said
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
        seen = _seen(values, said)
        level = seen.level
        least, most = _ends(seen, _error(judge, domain))
        if _no_share(least, most):
            least, most = seen.low, seen.high
        part = len(values) / len(worth)
        low += part * _share(least)
        high += part * _share(most)
    return Interval(low=low, high=high, level=level, method="judged")


def beyond(worth: Worth, judge: JudgeOf, said: Said) -> set[str]:
    """The domains in which no true share explains what the judge said, given its errors."""
    return {
        domain
        for domain, values in _by_domain(worth, judge).items()
        if _no_share(*_ends(_seen(values, said), _error(judge, domain)))
    }


def _seen(values: Sequence[float], said: Said) -> Interval:
    return said(values) if len(values) > 1 else Interval(low=0, high=1, level=0.95, method="")


def _ends(seen: Interval, error: KnownError) -> tuple[float, float]:
    """The lowest and the highest true share behind it, beyond 0 to 1 where there is none."""
    good = clopper_pearson(error.good, level=seen.level)
    bad = clopper_pearson(error.bad, level=seen.level)
    if good.low + bad.low <= 1:
        return 0.0, 1.0  # all there is, where it may be no better than a coin
    ends = [
        (value + right - 1) / (sees + right - 1)
        for value, sees, right in product(
            (seen.low, seen.high), (good.low, good.high), (bad.low, bad.high)
        )
    ]
    return min(ends), max(ends)


def _no_share(least: float, most: float) -> bool:
    return least > 1 or most < 0


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
    inside = min(seen.interval.high, max(seen.interval.low, exact))
    return Seen(difference=inside, interval=seen.interval)


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
