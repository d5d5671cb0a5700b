"""Which decisions may be taken without a person?

An agent reports a confidence; above a cut-off it decides alone. A cut-off picked because
few errors were seen above it breaks its promise about half the time, because the luckiest
cut-off wins. Testing the cut-offs in a fixed order does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isfinite, log1p

from opsroom.kit.wire import Wire

from .errors import NotFinite, OutOfRange, UnequalSamples
from .model import Tally, check_level
from .rates import upper_bound

CUTOFFS = tuple(step / 100 for step in range(100, -1, -1))

# The walk starts where a fifth of the labels lie above the cut-off. Started with the fewest
# that could pass, one unlucky error ends it: measured on an agent that is 99.5 % right when
# it is sure, 2,000 labels then certified 5 % for 34 % of its traffic instead of 57 %.
_START = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff(Wire):
    """Decide alone at a confidence of `value` or more.

    With `confidence` over the draw of the labelled sample, the error rate of what is then
    decided alone is at most `target`. `decided` and `errors` are the sample above the
    cut-off, `labelled` is all of it, and `error_bound` is the exact upper bound at this
    cut-off (at most `target`).
    """

    value: float
    target: float
    confidence: float
    labelled: int
    decided: int
    errors: int
    error_bound: float


def certify(
    scores: Sequence[float],
    wrong: Sequence[bool],
    *,
    target: float,
    confidence: float = 0.95,
    cutoffs: Sequence[float] = CUTOFFS,
) -> Cutoff | None:
    """The lowest cut-off whose error rate is certified, or None if nothing can be.

    Learn then test (Angelopoulos, Bates, Candès, Jordan and Lei, 2021, arXiv 2110.01052):
    the cut-offs are walked from strict to lax, each is tested at 1 − `confidence` with the
    exact binomial test (Clopper–Pearson), and the walk ends at the first that fails, so no
    correction is needed. It starts where a fifth of the labels lie above, and never with so
    few that not even a perfect record would pass. `cutoffs` must not be chosen by looking
    at `wrong`. None is an answer: 200 labels can hardly certify 2 %, whatever the agent.

    Raises `UnequalSamples`, `NotFinite` for scores, `OutOfRange` for the target.
    """
    from scipy.special import bdtr  # noqa: PLC0415  # 0.3 s that starting need not wait for

    check_level(confidence)
    if not 0 < target < 1:
        raise OutOfRange("target", target, "more than 0 and less than 1")
    if len(scores) != len(wrong):
        raise UnequalSamples(len(scores), len(wrong))
    if not all(isfinite(score) for score in scores):
        raise NotFinite("the confidences")

    certified: Cutoff | None = None
    start = max(labels_needed(target=target, confidence=confidence), _START * len(scores))
    items = sorted(zip(scores, wrong, strict=True), reverse=True)
    decided = errors = 0
    for cutoff in sorted(cutoffs, reverse=True):
        while decided < len(items) and items[decided][0] >= cutoff:
            errors += bool(items[decided][1])
            decided += 1
        if decided < start:
            continue
        if bdtr(errors, decided, target) > 1 - confidence:
            break
        certified = Cutoff(
            value=cutoff,
            target=target,
            confidence=confidence,
            labelled=len(items),
            decided=decided,
            errors=errors,
            error_bound=upper_bound(Tally(n=decided, hits=errors), confidence=confidence),
        )
    return certified


def labels_needed(*, target: float, confidence: float = 0.95) -> int:
    """So many decisions above a cut-off, all right, are the least that can certify `target`."""
    check_level(confidence)
    if not 0 < target < 1:
        raise OutOfRange("target", target, "more than 0 and less than 1")
    return ceil(log1p(-confidence) / log1p(-target) - 1e-9)
