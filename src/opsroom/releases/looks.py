"""A guardrail that is asked at planned looks, with almost the power of a single test.

An e-process may be asked at any time, for ever, and pays for that: at the end of a canary of
2,000 requests it has missed one doubled error rate in ten. A canary has a planned size, so
most of alpha is spent here instead, at looks whose times depend on the number of requests
alone: little at first, 95 % by the planned end, the rest after it.

Of the failures so far, those of the challenger are a sum of coins with known chances, the
weights of the legs. That is the whole distribution, so the boundary of every look is exact,
however few failures there are. Lan and DeMets (1983), Biometrika 70:659, for spending alpha;
Jennison and Turnbull (2000), "Group Sequential Methods", chapter 7; the coins as in
`opsroom.evidence.guardrail`.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import exp, log, log1p
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .evidence import LegCounts
from .plan import Plan

Coins = tuple[tuple[float, int], ...]
LOOKS = 40  # to the planned end
_GROWTH = 1.1
_LAST = 2.0  # nothing worth mentioning is left to spend
_STEEP, _RATE = 3, log(20.0)


class Look(NamedTuple):
    """One look at one metric: how much of the plan was done, the failures of either arm by
    weight, and how many of them were the challenger's.
    """

    done: float
    failures: Coins
    challenger: int


class _Law(NamedTuple):
    """How the challenger's failures are distributed if it is no worse and nothing has crossed
    yet; the least number that crosses now; and how much of alpha that has used up.
    """

    first: int
    chances: NDArray[np.float64]
    crossing: int
    spent: float


def done(plan: Plan, legs: Sequence[LegCounts]) -> float:
    """How much of the planned canary is done, in information: 1 when every step has its
    minimum. Depends on numbers of requests, never on what came out of them.
    """
    planned = sum(step.min_n * (1 - step.weight) for step in plan.steps)
    return sum(leg.challenger.n * (1 - leg.weight) for leg in legs) / planned


def look_due(plan: Plan, before: Sequence[LegCounts], legs: Sequence[LegCounts]) -> bool:
    """Whether the counts should be looked at again, having last been as `before`."""
    last = done(plan, before)
    return done(plan, legs) >= max(last + 1 / LOOKS, last * _GROWTH)


def crossed(looks: Sequence[Look], alpha: float) -> bool:
    """Whether the challenger failed too often at any of the looks.

    For a challenger that fails no more often than the champion, the chance of this ever
    being so is `alpha` at most.
    """
    history: tuple[tuple[float, Coins], ...] = ()
    before: dict[float, int] = {}
    for look in looks:
        if look.done > _LAST:
            return False
        new = tuple((w, n - before.get(w, 0)) for w, n in look.failures)
        before = dict(look.failures)
        history = (*history, (look.done, new))
        if look.challenger >= _law(history, alpha).crossing:
            return True
    return False


def _budget(part: float, alpha: float) -> float:
    return alpha * (1 - exp(-_RATE * part**_STEEP))


@lru_cache(maxsize=20_000)
def _law(history: tuple[tuple[float, Coins], ...], alpha: float) -> _Law:
    if not history:
        return _Law(0, np.ones(1), 1, 0.0)
    before = _law(history[:-1], alpha)
    part, coins = history[-1]
    first, chances = before.first, before.chances
    for weight, count in coins:
        if count:
            low, law = _binomial(count, weight)
            first, chances = first + low, np.convolve(chances, law)
    tail = np.cumsum(chances[::-1])[::-1]
    affordable = np.flatnonzero(tail <= _budget(part, alpha) - before.spent)
    if not affordable.size:
        return _Law(first, chances, first + len(chances), before.spent)
    cut = int(affordable[0])
    return _Law(first, chances[:cut], first + cut, before.spent + float(tail[cut]))


def _binomial(n: int, p: float) -> tuple[int, NDArray[np.float64]]:
    """The binomial law within 10 standard deviations, and where that range begins."""
    from scipy.special import gammaln  # noqa: PLC0415  # 0.3 s that starting need not wait for

    reach = 10 * (n * p * (1 - p)) ** 0.5 + 10
    low, high = max(0, int(n * p - reach)), min(n, int(n * p + reach) + 1)
    k = np.arange(low, high + 1)
    logs = (
        gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + k * log(p) + (n - k) * log1p(-p)
    )
    law: NDArray[np.float64] = np.exp(logs)
    return low, law
