"""How a window differs from the days before it, and what becomes of that. No I/O, and light.

A drift opens when a look finds one. While it is open, later days are compared with the days
before it began, so that it does not become usual by lasting: it settles when what is seen is
again what was seen then, or a person accepts it as the new normal.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from opsroom.evidence import Interval, Tally
from opsroom.kit.wire import Wire

ALPHA = 0.05  # of each aspect of each agent: the chance of ever calling chance a drift
NOTICED = 0.05  # a p above this is no surprise at all
LEAST_SHARE = 0.05  # five points: a share that moved by less is no drift, however sure it is
LEAST_GAP = 0.15  # of two distribution functions
WINDOW = timedelta(days=1)
BEFORE = timedelta(days=14)
EVERY = timedelta(days=1)
UNLIKE = "unlike anything before"
NO_TOOL = "(no tool)"


class Aspect(StrEnum):
    """What of an agent's work is compared."""

    INPUT = "input"
    OUTPUT = "output"
    LENGTH = "length"
    TOOLS = "tools"
    COST = "cost"
    CONFIDENCE = "confidence"


class State(StrEnum):
    OPEN = "open"
    SETTLED = "settled"
    ACCEPTED = "accepted"


class Step(StrEnum):
    """What a look at an aspect does to its drift."""

    OPEN = "open"
    SEEN = "seen"
    SETTLE = "settle"
    NOTHING = "nothing"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch(Wire):
    """How an aspect of an agent stands after `looks` looks. `since` is from when on the past may
    be compared with, where a person said so. `p` and `effect` are those of the last look that
    had enough to compare: of `reference` and `current` items.
    """

    agent: str
    aspect: Aspect
    looks: int = 0
    since: datetime | None = None
    looked_at: datetime | None = None
    reference: int = 0
    current: int = 0
    p: float | None = None
    effect: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift(Wire):
    """An aspect of an agent that is no longer what it was. `because` says it in words; the
    comparison is that of the last look that saw it (`seen_at`), and `began` is when its first
    window did. Look number `look` was allowed a chance of `allowed`. `traces_before` and
    `traces_now` are examples, which are kept in telemetry and nowhere else.
    """

    id: str
    agent: str
    aspect: Aspect
    state: State
    because: str
    compared: Comparison
    traces_before: tuple[str, ...]
    traces_now: tuple[str, ...]
    look: int
    allowed: float
    began: datetime
    opened_at: datetime
    seen_at: datetime
    closed_at: datetime | None = None
    closed_by: str = ""
    note: str = ""
    revision: int = 1

    @property
    def subject(self) -> str:
        return f"drift/{self.id}"

    @property
    def title(self) -> str:
        return f"{self.agent}: {self.aspect.value}"


def decide(drift: Drift | None, compared: Comparison | None, *, allowed: float) -> Step:
    """What a look does, given the drift of this aspect that is open, if any.

    Too little to compare changes nothing.
    """
    if compared is None:
        return Step.NOTHING
    if drift is None:
        return Step.OPEN if compared.p <= allowed else Step.NOTHING
    return Step.SETTLE if compared.p > NOTICED else Step.SEEN


def stretch(
    accepted: datetime | None, drift: Drift | None, now: datetime
) -> tuple[datetime, datetime]:
    """From when until when the past is that is compared with: the days before the window, or
    before the drift that is open; nothing from before what a person accepted.
    """
    until = now - WINDOW if drift is None else drift.began
    since = until - BEFORE
    if accepted is not None:
        since = max(since, accepted)
    return since, max(since, until)


def told(aspect: Aspect, compared: Comparison) -> str:
    """What moved in words. Words of texts are left out: it goes into the journal, for ever."""
    match aspect:
        case Aspect.INPUT | Aspect.OUTPUT:
            thing = "requests" if aspect is Aspect.INPUT else "answers"
            unlike = next((one for one in compared.shares if one.name == UNLIKE), None)
            if unlike is not None and unlike.p <= compared.p:
                before, now = _rates(unlike)
                return f"{now} of {thing} are unlike any before, {before} were"
            most = max((abs(one.by) for one in compared.shares), default=0.0)
            return f"the words of {thing} changed, one of them by {100 * most:.0f} points"
        case Aspect.TOOLS:
            large = [one for one in compared.shares if abs(one.by) >= LEAST_SHARE]
            first = max(large, key=lambda one: (round(abs(one.by), 9), one.by), default=None)
            if first is None:
                return "tools are used as before"
            before, now = _rates(first)
            return f"{first.name} is used in {now} of runs, {before} before"
        case Aspect.LENGTH | Aspect.COST | Aspect.CONFIDENCE:
            unit = {Aspect.LENGTH: " tokens", Aspect.COST: " USD"}.get(aspect, "")
            if compared.before is None or compared.now is None:
                return f"{aspect.value} changed"
            was, is_now = compared.before.median, compared.now.median
            return f"the median {aspect.value} is {is_now:.4g}{unit}, {was:.4g} before"


def _rates(one: Share) -> tuple[str, str]:
    before, now = (f"{tally.hits / tally.n:.1%}" for tally in (one.before, one.now))
    return before, now
