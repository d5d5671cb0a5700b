"""Texts as features, without a model: words to read, and hashed rows to measure distance by.

The same text has the same features in every process and version of Python.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]

FEATURES = 1 << 15
LONGEST = 2_000  # characters of a text that are read
_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    return _WORD.findall(text[:LONGEST].lower())


def terms(text: str) -> frozenset[str]:
    """The words and neighbouring pairs of words of a text."""
    found = words(text)
    return frozenset([*found, *(f"{one} {two}" for one, two in pairwise(found))])


def count(texts: Iterable[frozenset[str]]) -> Counter[str]:
    """In how many texts each term occurs."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(text)
    return found


def distances(texts: Sequence[str], known: Sequence[str], *, near: int = 2) -> Array:
    """How far each text is from the `near` nearest `known` ones: 0 the same, 1 nothing shared.

    Cosines of hashed words and of sequences of three to five characters within them, weighted
    by how rare they are among the known (inverse document frequency, Spärck Jones 1972).
    """
    have = _hashed(known)
    occur = np.asarray((have > 0).sum(axis=0), dtype=np.float64).ravel()
    rare = np.log((1 + len(known)) / (1 + occur)) + 1
    left, right = _unit(_hashed(texts), rare), _unit(have, rare)
    alike = (left @ right.T).toarray()
    near = min(near, len(known))
    nearest = np.partition(alike, -near, axis=1)[:, -near:]
    found: Array = 1 - nearest.mean(axis=1)
    return found


def _hashed(texts: Sequence[str]) -> sparse.csr_matrix:
    rows: list[int] = []
    places: list[int] = []
    weights: list[float] = []
    for row, text in enumerate(texts):
        found = Counter(crc32(part.encode()) % FEATURES for part in _parts(text))
        rows += [row] * len(found)
        places += found
        weights += np.log1p(list(found.values())).tolist()
    return sparse.csr_matrix((weights, (rows, places)), shape=(len(texts), FEATURES))


def _parts(text: str) -> Iterator[str]:
    for word in words(text):
        whole = f"<{word}>"
        yield f"={word}"
        for size in (3, 4, 5):
            for at in range(len(whole) - size + 1):
                yield whole[at : at + size]


def _unit(rows: sparse.csr_matrix, rare: Array) -> sparse.csr_matrix:
    """Rows of length one, each feature weighted by how rare it is."""
    weighted = sparse.csr_matrix(rows.multiply(rare))
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    scale = 1 / np.where(lengths > 0, lengths, 1)
    return sparse.csr_matrix(weighted.multiply(scale[:, None]))
