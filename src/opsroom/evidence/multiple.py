"""Several claims at once.

Passing a gate needs *every* primary metric to be not worse, and an all-of rule needs no
correction: it passes wrongly only if one of its parts does (intersection–union test, Berger,
1982, Technometrics 24:295). Claims of *any of* (any metric better, any metric worse, any
slice regressed) do need one.
"""

from collections.abc import Mapping
from typing import TypeVar

from .errors import OutOfRange

Key = TypeVar("Key")


def holm(p: Mapping[Key, float]) -> dict[Key, float]:
    """Adjusted p by name: claim everything at or below α, and at most α of such sets err.

    Holm (1979), Scandinavian Journal of Statistics 6:65; valid under any dependence. Keeps
    the order of `p`; no adjusted value is below its own p. Raises `OutOfRange`.
    """
    for value in p.values():
        if not 0 <= value <= 1:
            raise OutOfRange("p", value, "between 0 and 1")
    adjusted: dict[Key, float] = {}
    worst = 0.0
    for rank, (key, value) in enumerate(sorted(p.items(), key=lambda item: item[1])):
        worst = max(worst, min(1.0, (len(p) - rank) * value))
        adjusted[key] = worst
    return {key: adjusted[key] for key in p}
