"""Has a rate that was once shown to be low risen above its limit?

A certificate is about the past. Afterwards every decision may be the first of a worse time, so
evidence is gathered from many starts at once: an e-process for each block of observations,
betting that from there on the rate is above the limit. Their sum is an e-detector.

Shin, Ramdas and Rinaldo (2024), New England Journal of Statistics in Data Science 2:229
(arXiv 2203.03532), of the type of Shiryaev and Roberts; the stakes are a mixture of likelihood
ratios. While the rate stays at or below its limit, the sum minus the number of starts is a
supermartingale. So an alarm at `KEPT / alpha` comes within the first `KEPT` blocks with a
chance of at most alpha, and on average not before `KEPT / alpha` blocks, whatever was looked at
and when.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from opsroom.kit.wire import Wire

from .errors import OutOfRange
from .model import Tally, check_level, finite_e

BLOCK = 50  # a start for each observation would cost more evidence than it saves waiting
KEPT = 40
ODDS = np.array([1.5, 2.0, 3.0, 4.5, 7.0, 12.0])  # what the odds may have been multiplied by


@dataclass(frozen=True, slots=True, kw_only=True)
class Worsening(Wire):
    """Evidence of a rise above `rate`: an alarm where `evidence` reaches `needed`.

    `since` is what was seen since the start that speaks for it most.
    """

    rate: float
    evidence: float
    needed: float
    since: Tally

    @property
    def risen(self) -> bool:
        return self.evidence >= self.needed


def blocks(hits: Sequence[bool], *, before: int = 0) -> list[Tally]:
    """Observations in their order as blocks, where `before` others came earlier.

    The grid of starts must not depend on what was observed, so it is counted from the first.
    """
    first = -before % BLOCK
    ends = [*range(first, len(hits), BLOCK), len(hits)]
    parts = [hits[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return [Tally(n=len(part), hits=sum(part)) for part in parts if part]


def worsened(seen: Sequence[Tally], *, rate: float, alpha: float = 0.05) -> Worsening:
    """Whether the chance of a hit has risen above `rate`, given blocks of observations.

    Only the newest `KEPT` blocks are looked at; leaving starts out keeps the promise.
    Raises `OutOfRange` unless 0 < rate < 1.
    """
    check_level(alpha)
    if not 0 < rate < 1:
        raise OutOfRange("rate", rate, "more than 0 and less than 1")
    newest = list(seen)[-KEPT:]
    needed = KEPT / alpha
    if not newest:
        return Worsening(rate=rate, evidence=0.0, needed=needed, since=Tally(n=0, hits=0))
    hits = np.cumsum([one.hits for one in reversed(newest)])
    misses = np.cumsum([one.n - one.hits for one in reversed(newest)])
    odds = ODDS * rate / (1 - rate)
    raised = odds / (1 + odds)
    growth = np.outer(hits, np.log(raised / rate)) + np.outer(
        misses, np.log((1 - raised) / (1 - rate))
    )
    each = np.logaddexp.reduce(growth, axis=1) - np.log(len(ODDS))
    best = int(np.argmax(each))
    return Worsening(
        rate=rate,
        evidence=finite_e(float(np.logaddexp.reduce(each))),
        needed=needed,
        since=Tally(n=int(hits[best] + misses[best]), hits=int(hits[best])),
    )
