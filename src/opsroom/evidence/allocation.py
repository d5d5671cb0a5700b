"""Did the split send the traffic where it was told to?

A split that loses or duplicates requests on one arm (a crashed candidate, a cache, a retry)
breaks every comparison made on it, so a mismatch holds the canary before anything else is
read.
"""

from collections import defaultdict
from collections.abc import Sequence
from math import lgamma, log, log1p

from .model import Stretch, finite_e

_CONCENTRATION = 1_000.0  # the alternative: weights within about ±3 points of the intended one


def sample_ratio_e(stretches: Sequence[Stretch]) -> float:
    """The e-value against "each request went to B with the stretch's weight".

    Hold at e ≥ 1/α, at any time; 1/e is a p-value that may be looked at continuously. The
    Bayes factor of a Dirichlet-multinomial centred on the intended weight (Lindon and
    Malek, 2022, "Anytime-valid inference for multinomial count data", arXiv 2011.03567),
    multiplied over the weights that were used. `hits` are not looked at. Count
    subjects where subjects stick to an arm: their requests are not independent draws.
    """
    arms: defaultdict[float, list[int]] = defaultdict(lambda: [0, 0])
    for stretch in stretches:
        arms[stretch.weight][0] += stretch.a.n
        arms[stretch.weight][1] += stretch.b.n
    return finite_e(sum(_log_factor(weight, a, b) for weight, (a, b) in arms.items()))


def _log_factor(weight: float, a: int, b: int) -> float:
    prior_a, prior_b = _CONCENTRATION * (1 - weight), _CONCENTRATION * weight
    mixture = (
        lgamma(prior_a + a)
        - lgamma(prior_a)
        + lgamma(prior_b + b)
        - lgamma(prior_b)
        - lgamma(_CONCENTRATION + a + b)
        + lgamma(_CONCENTRATION)
    )
    return mixture - a * log1p(-weight) - b * log(weight)
