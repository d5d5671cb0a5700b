"""What is said about how a window differs from the days before it. No I/O, and light."""

from dataclasses import dataclass
from enum import StrEnum

from opsroom.evidence import Interval, Tally
from opsroom.kit.wire import Wire

ALPHA = 0.05  # of each aspect of each agent: the chance of ever calling chance a drift
LEAST_SHARE = 0.05  # five points: a share that moved by less is no drift, however sure it is
LEAST_GAP = 0.15  # of two distribution functions


class Aspect(StrEnum):
    """What of an agent's work is compared."""

    INPUT = "input"
    OUTPUT = "output"
    LENGTH = "length"
    TOOLS = "tools"
    COST = "cost"
    CONFIDENCE = "confidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Wire):
    """A share of items before and now, with exact 95 % intervals. `p` is corrected for
    everything that was looked at with it, and for how much ordinary days differ.
    """

    name: str
    before: Tally
    now: Tally
    before_interval: Interval
    now_interval: Interval
    p: float

    @property
    def by(self) -> float:
        return self.now.hits / self.now.n - self.before.hits / self.before.n


@dataclass(frozen=True, slots=True, kw_only=True)
class Level(Wire):
    """The median of numbers, with the exact 95 % interval of its order statistics."""

    median: float
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Wire):
    """How a window differs from the days before it. `p` is how often changes that are large
    enough to matter arise by chance; `effect` is the largest of them: a change of a share, or
    the gap between the distribution functions of numbers. `psi` is the population stability
    index of labels and numbers. `shown_before` and `shown_now` are places of examples.
    """

    reference: int
    current: int
    days: int
    p: float
    effect: float
    psi: float | None = None
    shares: tuple[Share, ...] = ()
    before: Level | None = None
    now: Level | None = None
    shown_before: tuple[int, ...] = ()
    shown_now: tuple[int, ...] = ()
