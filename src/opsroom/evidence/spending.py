"""One false-alarm probability for tests that are repeated for ever.

Look number t may use α / (ζ(1.25) · t^1.25) of α, which sums to α over all looks. By the union
bound that holds however the looks depend on each other. An e-process gathers evidence faster,
but needs each p to be valid given the looks before it; windows that are compared with the same
stretch of the past are not: what was unusual about that stretch would count anew at every look.
"""

import math

from .errors import OutOfRange

SLOWNESS = 1.25  # nearer 1: more for late looks, less for early ones
ZETA = 4.595111825842942  # Σ t^-1.25


def spend(alpha: float, look: int) -> float:
    """What look number `look`, counted from 1, may use of `alpha`. Raises `OutOfRange`."""
    if look < 1:
        raise OutOfRange("look", look, "1 or more")
    return alpha / (ZETA * math.pow(look, SLOWNESS))
