"""Split traffic with known rates, for tests with known answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from opsroom.evidence import Stretch, Tally

calm = settings(deadline=None)  # the first example pays for imports


def noise(chance: float, runs: int) -> float:
    """Three standard errors of a share that was simulated so often."""
    return 3 * float(np.sqrt(chance * (1 - chance) / runs))


@dataclass(frozen=True)
class Canary:
    """What simulated releases did: looks on the last axis, releases on the first."""

    weight: float
    n_a: np.ndarray
    hits_a: np.ndarray
    n_b: np.ndarray
    hits_b: np.ndarray

    def stretch(self, release: int, look: int) -> Stretch:
        at = (release, look)
        return Stretch(
            weight=self.weight,
            a=Tally(n=int(self.n_a[at]), hits=int(self.hits_a[at])),
            b=Tally(n=int(self.n_b[at]), hits=int(self.hits_b[at])),
        )


def canary(
    seed: int, *, a: float, b: float, weight: float, releases: int, looks: int, every: int = 100
) -> Canary:
    """Releases whose arms hit at rates `a` and `b`, seen after every `every` requests on B."""
    rng = np.random.default_rng(seed)
    requests = round(every / weight)
    new_b = rng.binomial(requests, weight, size=(releases, looks))
    new_a = requests - new_b
    return Canary(
        weight=weight,
        n_a=new_a.cumsum(axis=1),
        hits_a=rng.binomial(new_a, a).cumsum(axis=1),
        n_b=new_b.cumsum(axis=1),
        hits_b=rng.binomial(new_b, b).cumsum(axis=1),
    )


def first_alarms(run: Canary, e: Callable[[Sequence[Stretch]], float]) -> np.ndarray:
    """By release, the number of looks until e reached 20; 0 if it never did."""
    releases, looks = run.n_a.shape
    found = np.zeros(releases, dtype=int)
    for release in range(releases):
        for look in range(looks):
            if e([run.stretch(release, look)]) >= 20:
                found[release] = look + 1
                break
    return found


@st.composite
def tallies(draw: st.DrawFn, most: int = 5_000) -> Tally:
    n = draw(st.integers(0, most))
    return Tally(n=n, hits=draw(st.integers(0, n)))


def stretches() -> st.SearchStrategy[Stretch]:
    return st.builds(Stretch, weight=st.floats(0.01, 0.99), a=tallies(), b=tallies())
