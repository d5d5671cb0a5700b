"""Two samples of texts, labels or numbers: has the source changed, by how much, and in what?

For texts two questions are asked, each at half of the false-alarm rate: whether terms moved
(exact tests of every term, Holm), and whether more texts than before are unlike any earlier
one (exact tests of how far the nearest ones are, on a half of the past that the other half is
held against). Both hold at every sample size as long as nothing but chance separates the
samples.

Days differ by more than chance, though. The past comes as days, and what they differ by among
themselves is taken from every finding: shares by a beta-binomial with the spread of the days
(`evidence.baseline`) and with Student's t where they plainly differ, numbers by dividing χ² of
today by what is usual of a day (genomic control, Devlin and Roeder 1999). With fewer than five days there is only chance to go by.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeVar

import numpy as np
from scipy.special import chdtrc, chdtri, stdtr

from opsroom.evidence import Tally
from opsroom.evidence.baseline import FEWEST as FEWEST_DAYS
from opsroom.evidence.baseline import rate_deviation
from opsroom.evidence.counts import fisher, shares
from opsroom.evidence.rates import clopper_pearson, median_interval
from opsroom.evidence.twosample import ks, psi, psi_labels

from .features import Array, count, distances, terms
from .model import LEAST_GAP, LEAST_SHARE, NOTICED, UNLIKE, Comparison, Level, Share

FEWEST = 20  # items on each side, below which nothing is said
FEWEST_A_DAY = 10  # of numbers, for a day to say what is usual
MOST_WEIGHED = 50  # names that are held against what days differ by
MOST_SHOWN = 8
MOST_EXAMPLES = 5
UPPER = (0.05, 0.15, 0.4)  # shares of all texts that are called unlike earlier ones
LOWEST = 1e-300
RESTLESS = 0.1  # days that differ by more than chance at this p are not all of one kind
Item = TypeVar("Item")
Days = Sequence[Sequence[Item]]


def texts(past: Days[str], current: Sequence[str]) -> Comparison | None:
    """Compare texts with those of past days; None where there are too few."""
    reference = list(chain.from_iterable(past))
    if min(len(reference), len(current)) < FEWEST:
        return None
    days = [[terms(text) for text in day] for day in past]
    now = [terms(text) for text in current]
    moved = _moved(
        [count(day) for day in days], [len(day) for day in days], count(now), len(now)
    )
    unlike, far = _novelty(past, current)
    both = [_doubled(one) for one in (*moved, unlike)]
    found = [one for one in both if one.p <= NOTICED]
    scores = _typical(moved, now)
    if unlike.p <= NOTICED and unlike.p <= min((one.p for one in moved), default=1.0):
        scores = far.tolist()
    before = _typical(moved, list(chain.from_iterable(days)))
    p, effect = _verdict(both)
    return Comparison(
        reference=len(reference),
        current=len(current),
        days=_days(past),
        p=p,
        effect=effect,
        shares=_telling(found),
        shown_before=_highest([-score for score in before]),
        shown_now=_highest(scores),
    )


def labels(past: Days[str], current: Sequence[str]) -> Comparison | None:
    """Compare labels (final states, products) with those of past days; None where there are too
    few.
    """
    days = [[frozenset({label}) for label in day] for day in past]
    return mixes(days, [frozenset({label}) for label in current])


def mixes(past: Days[frozenset[str]], current: Sequence[frozenset[str]]) -> Comparison | None:
    """Compare which of some names items have (the tools of a run) with those of past days; None
    where there are too few.
    """
    reference = list(chain.from_iterable(past))
    if min(len(reference), len(current)) < FEWEST:
        return None
    moved = _moved(
        [count(day) for day in past], [len(day) for day in past], count(current), len(current)
    )
    p, effect = _verdict(moved)
    return Comparison(
        reference=len(reference),
        current=len(current),
        days=_days(past),
        p=p,
        effect=effect,
        psi=_stability(reference, current),
        shares=tuple(moved[:MOST_SHOWN]),
        shown_before=_highest([-score for score in _typical(moved, reference)]),
        shown_now=_highest(_typical(moved, current)),
    )


def numbers(past: Days[float], current: Sequence[float]) -> Comparison | None:
    """Compare numbers (confidence, cost, tokens) with those of past days; None where there are
    too few.
    """
    reference = list(chain.from_iterable(past))
    if min(len(reference), len(current)) < FEWEST:
        return None
    gap = ks(reference, current)
    before, now = _level(reference), _level(current)
    up = 1 if now.median >= before.median else -1
    return Comparison(
        reference=len(reference),
        current=len(current),
        days=_days(past),
        p=_tempered(gap.p, _usual(past)) if gap.statistic >= LEAST_GAP else 1.0,
        effect=gap.statistic,
        psi=psi(reference, current).statistic,
        before=before,
        now=now,
        shown_before=_highest([-up * value for value in reference]),
        shown_now=_highest([up * value for value in current]),
    )


def _moved(
    days: Sequence[Mapping[str, int]], sizes: Sequence[int], now: Mapping[str, int], n: int
) -> list[Share]:
    """The names whose share moved by more than chance, and more than days differ by; the most
    surprising first.
    """
    before: Counter[str] = Counter()
    for day in days:
        before.update(day)
    of = (sum(sizes), n)
    p = shares(before, now, of=of)
    found: list[Share] = []
    for name in sorted(p, key=lambda name: (p[name], name))[:MOST_WEIGHED]:
        if p[name] > NOTICED:
            break
        past = [
            Tally(n=size, hits=day.get(name, 0)) for day, size in zip(days, sizes, strict=True)
        ]
        weighed = _weighed(past, Tally(n=n, hits=now.get(name, 0)), p[name], tests=len(p))
        found.append(_share(name, before[name], now.get(name, 0), of=of, p=weighed))
    return sorted((one for one in found if one.p <= NOTICED), key=_order)


def _novelty(past: Days[str], current: Sequence[str]) -> tuple[Share, Array]:
    """How many texts are far from the nearest of one half of the past: of the other half, and
    of now; and how far those of now are.

    The halves are every other text, so that both have the same days in them. Cuts lie at fixed
    shares of both samples pooled, which no relabelling changes.
    """
    placed = [(day, text) for day, texts in enumerate(past) for text in texts]
    known, held = [text for _, text in placed[::2]], placed[1::2]
    far = distances([*(text for _, text in held), *current], known)
    was, now = far[: len(held)], far[len(held) :]
    of = (len(held), len(current))
    sizes = Counter(day for day, _ in held)
    found: list[Share] = []
    for upper in UPPER:
        cut = float(np.quantile(far, 1 - upper, method="lower"))
        hits = Counter(day for (day, _), at in zip(held, was.tolist(), strict=True) if at > cut)
        beyond = int((now > cut).sum())
        p = fisher(np.array([hits.total()]), np.array([beyond]), of=of)[0] * len(UPPER)
        weighed = _weighed(
            [Tally(n=size, hits=hits[day]) for day, size in sizes.items()],
            Tally(n=len(current), hits=beyond),
            min(1.0, float(p)),
            tests=len(UPPER),
        )
        found.append(_share(UNLIKE, hits.total(), beyond, of=of, p=weighed))
    # Fewer unlike ones than before are no news of what is asked.
    rising = [one for one in found if one.by > 0]
    return min(rising, key=_order, default=_share(UNLIKE, 0, 0, of=of, p=1.0)), now


def _weighed(past: Sequence[Tally], now: Tally, p: float, *, tests: int) -> float:
    """The p of chance, or of what days differ by where that is less surprising."""
    found = rate_deviation(past, now)
    if found is None:
        return p
    return max(p, min(1.0, max(found.p, _restless(past, now)) * tests))


def _restless(past: Sequence[Tally], now: Tally) -> float:
    """The p of a share where days differ by more than chance; 0 where they do not.

    How much they differ is known from as many days as there are, so the tail is that of
    Student's t: a fortnight of days cannot tell one day in a million.
    """
    days = [one for one in past if one.n]
    n = np.array([one.n for one in days], dtype=float)
    hits = np.array([one.hits for one in days], dtype=float)
    rate = (hits.sum() + 0.5) / (n.sum() + 1)
    square = float(((hits - n * rate) ** 2 / (n * rate * (1 - rate))).sum())
    freedom = len(days) - 1
    if chdtrc(freedom, square) > RESTLESS:
        return 0.0
    spread = now.n * rate * (1 - rate) * square / freedom * (1 + 1 / len(days))
    return float(2 * stdtr(freedom, -abs(now.hits - now.n * rate) / np.sqrt(spread)))


def _usual(past: Days[float]) -> float:
    """How many times larger than by chance χ² of an ordinary day is, against the other days."""
    square = [
        float(chdtri(1, min(max(ks(rest, day).p, LOWEST), 1 - 1e-12)))
        for day, rest in _each(past)
        if len(day) >= FEWEST_A_DAY and len(rest) >= FEWEST_A_DAY
    ]
    if len(square) < FEWEST_DAYS:
        return 1.0
    # One day in four may be of another kind, weekends for one.
    return max(1.0, *(np.quantile(square, at) / chdtri(1, 1 - at) for at in (0.5, 0.75)))


def _each(past: Days[Item]) -> Iterator[tuple[Sequence[Item], list[Item]]]:
    for place, day in enumerate(past):
        yield day, [*chain.from_iterable(past[:place]), *chain.from_iterable(past[place + 1 :])]


def _tempered(p: float, usual: float) -> float:
    return max(float(chdtrc(1, chdtri(1, max(p, LOWEST)) / usual)), LOWEST)


def _telling(found: Sequence[Share]) -> tuple[Share, ...]:
    """The shares to show: the longest of terms that come together, as many new as gone ones."""
    alone: dict[tuple[int, int], Share] = {}
    for one in sorted(found, key=lambda one: (one.name != UNLIKE, -len(one.name), one.name)):
        alone.setdefault((one.before.hits, one.now.hits), one)
    ordered = sorted(alone.values(), key=_order)
    sides = [one for one in ordered if one.by > 0], [one for one in ordered if one.by <= 0]
    least = MOST_SHOWN // 2
    spare = [max(0, least - len(side)) for side in sides]
    shown = [*sides[0][: least + spare[1]], *sides[1][: least + spare[0]]]
    return tuple(sorted(shown, key=_order))


def _typical(moved: Sequence[Share], items: Sequence[frozenset[str]]) -> list[float]:
    """How much each item is of what came, minus of what went."""
    return [sum(one.by for one in moved if one.name in item) for item in items]


def _highest(scores: Sequence[float]) -> tuple[int, ...]:
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    return tuple(order[:MOST_EXAMPLES])


def _level(values: Sequence[float]) -> Level:
    return Level(median=float(np.median(values)), interval=median_interval(values))


def _share(name: str, before: int, now: int, *, of: tuple[int, int], p: float) -> Share:
    was, are = Tally(n=of[0], hits=before), Tally(n=of[1], hits=now)
    return Share(
        name=name,
        before=was,
        now=are,
        before_interval=clopper_pearson(was),
        now_interval=clopper_pearson(are),
        p=p,
    )


def _doubled(one: Share) -> Share:
    return replace(one, p=min(1.0, 2 * one.p))


def _verdict(found: Sequence[Share]) -> tuple[float, float]:
    """The p of the most surprising change that is large enough to matter, and the largest."""
    large = [one for one in found if abs(one.by) >= LEAST_SHARE and one.p <= NOTICED]
    return (
        min((one.p for one in large), default=1.0),
        max((abs(one.by) for one in large), default=0.0),
    )


def _stability(
    reference: Sequence[frozenset[str]], current: Sequence[frozenset[str]]
) -> float | None:
    before, now = sorted(chain.from_iterable(reference)), sorted(chain.from_iterable(current))
    return psi_labels(before, now).statistic if before and now else None


def _order(one: Share) -> tuple[float, float, str]:
    return one.p, -abs(one.by), one.name


def _days(past: Days[Item]) -> int:
    return sum(1 for day in past if day)
