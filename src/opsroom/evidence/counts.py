"""Which of many shares moved between two samples: exact tests of counts, corrected together.

Fisher's exact test (1935) needs no normal approximation, so its p-values stay true in the far
tail, where `holm` over thousands of terms and looks repeated for months need them.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from .errors import NothingToCompare
from .multiple import holm

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


def shares(
    before: Mapping[str, int], now: Mapping[str, int], *, of: tuple[int, int], fewest: int = 5
) -> dict[str, float]:
    """The corrected p of every name with `fewest` hits or more in both samples together.

    A hit is an item with the name in it, so no name has more hits than its sample has items.
    Names are left out by their pooled count, which is the same under every relabelling: that
    does not bend the p-values. Raises `NothingToCompare`.
    """
    if min(of) == 0:
        raise NothingToCompare("items in each sample", 0, 1)
    names = sorted(
        name
        for name in {*before, *now}
        if before.get(name, 0) + now.get(name, 0) >= min(fewest, sum(of))
    )
    p = fisher(
        np.array([before.get(name, 0) for name in names], dtype=np.int64),
        np.array([now.get(name, 0) for name in names], dtype=np.int64),
        of=of,
    )
    return holm(dict(zip(names, p.tolist(), strict=True)))


def fisher(before: Counts, now: Counts, *, of: tuple[int, int]) -> Array:
    """Twice the smaller tail of the hypergeometric distribution, for many pairs of counts."""
    n, m = of
    marked = before + now
    found = np.empty(len(marked))
    for place in range(0, len(marked), 256):  # bounds the memory
        part = slice(place, place + 256)
        found[part] = _tails(marked[part], now[part], n, m)
    return found


def _tails(marked: Counts, now: Counts, n: int, m: int) -> Array:
    most = int(min(m, marked.max(initial=0)))
    k = np.arange(most + 1)[None, :]
    total = marked[:, None]
    possible = (k <= total) & (total - k <= n)
    rest = np.where(possible, total - k, 0)
    hits = np.where(possible, k, 0)
    chances = np.where(
        possible, np.exp(_ways(m, hits) + _ways(n, rest) - _ways(n + m, total)), 0.0
    )
    upper = np.where(k >= now[:, None], chances, 0).sum(axis=1)
    lower = np.where(k <= now[:, None], chances, 0).sum(axis=1)
    doubled: Array = np.clip(2 * np.minimum(upper, lower), 1e-300, 1.0)
    return doubled


def _ways(n: int, k: Counts) -> Array:
    found: Array = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return found
