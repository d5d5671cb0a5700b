"""Do two raters agree: a judge and a person, an agent and its reviewer?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opsroom.kit.wire import Wire

from .errors import NothingToCompare, UnequalSamples
from .model import Interval, Tally, check_level
from .rates import clopper_pearson

Array = NDArray[np.float64]

_PSEUDO = 2.0  # imagined items, spread evenly over the table


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement(Wire):
    """How often two raters agree, and how much of that is more than chance.

    `confusion[i][j]` counts items that the left rater called `labels[i]` and the right one
    `labels[j]`.
    """

    items: int
    agreed: int
    rate: float
    rate_interval: Interval
    kappa: float
    kappa_interval: Interval
    labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]


def agreement(left: Sequence[str], right: Sequence[str], *, level: float = 0.95) -> Agreement:
    """Agreement of two raters on the same items, with Cohen's κ.

    Cohen (1960); standard error of Fleiss, Cohen and Everitt (1969), Psychological Bulletin
    72:323, taken on the table with two imagined items spread evenly over its cells. Without
    them a perfect sample of thirty would claim κ = 1 ± 0, and 95 % intervals covered as
    little as 15 %; with them 94 % and more from thirty items on. Where both raters only
    ever used one label there is no chance to beat and κ is 1.

    Raises `UnequalSamples`, and `NothingToCompare` without items.
    """
    check_level(level)
    if len(left) != len(right):
        raise UnequalSamples(len(left), len(right))
    if not left:
        raise NothingToCompare("items", 0, 1)
    labels = sorted({*left, *right})
    place = {label: number for number, label in enumerate(labels)}
    table = np.zeros((len(labels), len(labels)))
    for one, other in zip(left, right, strict=True):
        table[place[one], place[other]] += 1
    agreed = int(np.trace(table))
    return Agreement(
        items=len(left),
        agreed=agreed,
        rate=agreed / len(left),
        rate_interval=clopper_pearson(Tally(n=len(left), hits=agreed), level=level),
        kappa=_kappa(table / len(left)),
        kappa_interval=_kappa_interval(table, level),
        labels=tuple(labels),
        confusion=tuple(tuple(int(cell) for cell in row) for row in table),
    )


def _kappa(shares: Array) -> float:
    chance = float(shares.sum(axis=1) @ shares.sum(axis=0))
    if chance > 1 - 1e-12:
        return 1.0
    return (float(np.trace(shares)) - chance) / (1 - chance)


def _kappa_interval(table: Array, level: float) -> Interval:
    from scipy.special import ndtri  # noqa: PLC0415  # 0.3 s that starting need not wait for

    padded = table if len(table) > 1 else np.pad(table, (0, 1))  # one label: imagine another
    total = padded.sum() + _PSEUDO
    shares = (padded + _PSEUDO / padded.size) / total
    centre, observed = _kappa(shares), _kappa(table / table.sum())
    half = float(ndtri((1 + level) / 2)) * float(np.sqrt(_variance(shares, centre) / total))
    return Interval(
        low=max(-1.0, min(centre - half, observed)),
        high=min(1.0, max(centre + half, observed)),
        level=level,
        method="kappa",
    )


def _variance(shares: Array, kappa: float) -> float:
    """N times the variance of κ̂ (Fleiss, Cohen and Everitt)."""
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    chance = float(rows @ columns)
    same = np.diag(shares) * (1 - (rows + columns) * (1 - kappa)) ** 2
    cross = shares * (columns[:, None] + rows[None, :]) ** 2
    apart = (1 - kappa) ** 2 * (cross.sum() - np.trace(cross))
    return float(same.sum() + apart - (kappa - chance * (1 - kappa)) ** 2) / (1 - chance) ** 2
