"""Has what comes in changed? Two samples, one question: the same source or not?

A p-value says how surprising the difference is, the statistic how large. With enough
traffic everything is significant, so alarms should ask for both.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, kolmogorov

from opsroom.kit.wire import Wire

from .errors import NotFinite, NothingToCompare, OutOfRange

Array = NDArray[np.float64]

_PERMUTATIONS = 499
_MOST = 1_000  # items per sample that enter a kernel matrix
_FEATURES = 512
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift(Wire):
    """How far `current` items lie from `reference` items, and how surprising that is."""

    method: str
    statistic: float
    p: float
    reference: int
    current: int


def psi(reference: Sequence[float], current: Sequence[float], *, bins: int = 10) -> Shift:
    """The population stability index of a number, on quantile bins of the reference.

    Σ (current − reference) · ln(current / reference); the trade reads 0.1 as a change and
    0.25 as a large one. Both are symmetric Kullback–Leibler divergences and depend on n, so
    p comes with it: under no change PSI · nm / (n + m) is about χ² with bins − 1 degrees of
    freedom (Yurdakul and Naranjo, 2020, Journal of Risk Model Validation 14). Raises
    `NothingToCompare` for an empty sample, `NotFinite`.
    """
    if bins < 2:
        raise OutOfRange("bins", bins, "2 or more")
    left, right = _numbers("reference", reference), _numbers("current", current)
    edges = np.unique(np.quantile(left, np.linspace(0, 1, bins + 1)[1:-1]))
    before = np.bincount(np.searchsorted(edges, left, side="right"), minlength=len(edges) + 1)
    after = np.bincount(np.searchsorted(edges, right, side="right"), minlength=len(edges) + 1)
    return _stability(before.astype(float), after.astype(float))


def psi_labels(reference: Sequence[str], current: Sequence[str]) -> Shift:
    """The population stability index of a label, by label. Raises `NothingToCompare`."""
    _check_sizes(len(reference), len(current))
    before, after = Counter(reference), Counter(current)
    labels = sorted({*before, *after})
    return _stability(
        np.array([before[label] for label in labels], dtype=float),
        np.array([after[label] for label in labels], dtype=float),
    )


def ks(reference: Sequence[float], current: Sequence[float]) -> Shift:
    """The largest gap between two distribution functions (Kolmogorov, 1933; Smirnov, 1939).

    p from the limit distribution with the small-sample correction of Stephens (1970); it
    is on the safe side where values repeat. Raises `NothingToCompare`, `NotFinite`.
    """
    left = np.sort(_numbers("reference", reference))
    right = np.sort(_numbers("current", current))
    points = np.concatenate([left, right])
    gap = float(
        np.abs(
            np.searchsorted(left, points, side="right") / len(left)
            - np.searchsorted(right, points, side="right") / len(right)
        ).max()
    )
    root = float(np.sqrt(len(left) * len(right) / (len(left) + len(right))))
    return Shift(
        method="ks",
        statistic=gap,
        p=float(kolmogorov((root + 0.12 + 0.11 / root) * gap)),
        reference=len(left),
        current=len(right),
    )


def mmd(
    reference: Sequence[Sequence[float]], current: Sequence[Sequence[float]], *, seed: int = 0
) -> Shift:
    """The maximum mean discrepancy of rows of numbers (embeddings, several metrics).

    Gretton, Borgwardt, Rasch, Schölkopf and Smola (2012), JMLR 13:723, with a Gaussian
    kernel at the median distance and p by permutation, so it is exact at every size. At
    most 1,000 rows of each sample enter, drawn with `seed`. Columns are scaled to one
    standard deviation first. Raises `NothingToCompare`, `NotFinite`.
    """
    _check_sizes(len(reference), len(current))
    rows = np.asarray([*reference, *current], dtype=np.float64).reshape(
        len(reference) + len(current), -1
    )
    if not np.isfinite(rows).all():
        raise NotFinite("a sample")
    spread = rows.std(axis=0)
    return _mmd("mmd", rows / np.where(spread > 0, spread, 1), len(reference), seed)


def mmd_text(reference: Sequence[str], current: Sequence[str], *, seed: int = 0) -> Shift:
    """The maximum mean discrepancy of texts, by which words and word pairs they use.

    Words are hashed into 512 features (Weinberger et al., 2009), so no model is needed; use
    `mmd` where embeddings exist. Raises `NothingToCompare`.
    """
    _check_sizes(len(reference), len(current))
    rows = np.stack([_hashed(text) for text in [*reference, *current]])
    return _mmd("mmd_text", rows, len(reference), seed)


def _mmd(method: str, rows: Array, split: int, seed: int) -> Shift:
    rng = np.random.default_rng(seed)
    left, right = _sample(rows[:split], rng), _sample(rows[split:], rng)
    kernel = _kernel(np.concatenate([left, right]))
    weights = np.concatenate(
        [np.full(len(left), 1 / len(left)), np.full(len(right), -1 / len(right))]
    )
    tries = np.stack([weights, *(rng.permutation(weights) for _ in range(_PERMUTATIONS))])
    distances = ((tries @ kernel) * tries).sum(axis=1)
    as_far = int((distances[1:] >= distances[0] - 1e-12).sum())
    return Shift(
        method=method,
        statistic=float(np.sqrt(max(distances[0], 0.0))),
        p=(1 + as_far) / (1 + _PERMUTATIONS),
        reference=split,
        current=len(rows) - split,
    )


def _kernel(rows: Array) -> Array:
    lengths = (rows**2).sum(axis=1)
    squares = np.maximum(lengths[:, None] + lengths[None, :] - 2 * rows @ rows.T, 0)
    apart = squares[np.triu_indices(len(rows), 1)]
    scale = float(np.median(apart)) or float(apart.mean()) or 1.0
    kernel: Array = np.exp(-squares / scale)
    return kernel


def _sample(rows: Array, rng: np.random.Generator) -> Array:
    if len(rows) <= _MOST:
        return rows
    return rows[np.sort(rng.choice(len(rows), _MOST, replace=False))]


def _hashed(text: str) -> Array:
    words = _WORD.findall(text.lower())
    row = np.zeros(_FEATURES)
    for term in [*words, *(f"{one} {two}" for one, two in pairwise(words))]:
        code = crc32(term.encode())
        row[code % _FEATURES] += 1 if code & 0x8000_0000 else -1  # signs let collisions cancel
    length = float(np.sqrt((row**2).sum()))
    return row / length if length else row


def _stability(before: Array, after: Array) -> Shift:
    n, m = before.sum(), after.sum()
    used = (before + after) > 0
    shares = (before[used] + 0.5) / (n + 0.5 * used.sum())
    others = (after[used] + 0.5) / (m + 0.5 * used.sum())
    index = float(((others - shares) * np.log(others / shares)).sum())
    freedom = max(1, int(used.sum()) - 1)
    return Shift(
        method="psi",
        statistic=index,
        p=float(chdtrc(freedom, index * n * m / (n + m))),
        reference=int(n),
        current=int(m),
    )


def _numbers(what: str, values: Sequence[float]) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        raise NothingToCompare(f"{what} values", 0, 1)
    if not np.isfinite(array).all():
        raise NotFinite(what)
    return array


def _check_sizes(reference: int, current: int) -> None:
    if min(reference, current) == 0:
        raise NothingToCompare("items in each sample", 0, 1)
