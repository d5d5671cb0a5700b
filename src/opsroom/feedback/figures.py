"""What feedback and the work it is about come to, with intervals. Pure functions over rows.

Shares have exact 95 % intervals (Clopper and Pearson), medians and 90th percentiles those of
their order statistics. The difference of a result between two versions has an interval that
holds however often one looks (`evidence.means`), since people look when they like.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from math import ceil
from typing import Any

from opsroom.actions.queries import Ran
from opsroom.evidence import Interval, Moments, Tally
from opsroom.evidence.means import mean_difference_sequence
from opsroom.evidence.rates import clopper_pearson
from opsroom.kit.wire import Wire

TUNED_FOR = 100  # results of a version: they are fewer than turns, and come late
EXCEPTIONS = frozenset({"failed", "escalated", "abandoned"})


class Phase(StrEnum):
    """How far a version was rolled out when a turn began."""

    SHADOW = "shadow"  # the champion's turns while another version answers unseen
    CANARY = "canary"  # the new version's turns in its canary
    BESIDE = "beside canary"  # the champion's turns meanwhile
    PROMOTED = "promoted"  # no release was under way


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Wire):
    """How many of how many, with the exact interval; none where there was nobody."""

    tally: Tally
    interval: Interval | None

    @property
    def rate(self) -> float | None:
        return self.tally.hits / self.tally.n if self.tally.n else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Satisfaction(Wire):
    """What users said of a use case, or of a version in it. A user counts once a subject."""

    use_case: str
    agent: str
    version: str
    voices: int
    helpful: Share
    accurate: Share
    complete: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift(Wire):
    """How a result of an agent's work differs between two versions: `after` minus `before`.

    Versions that follow each other in time are not split at random, so whatever else changed
    is in the difference. `interval` is None while there is too little to say anything.
    """

    agent: str
    kpi: str
    unit: str
    before: str
    after: str
    before_moments: Moments
    after_moments: Moments
    difference: float
    interval: Interval | None
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile(Wire):
    """In seconds; the interval is None where there are too few to have both of its ends."""

    seconds: float
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle(Wire):
    """From the beginning of an agent's turns to their end, with what people took to answer."""

    agent: str
    turns: int
    median: Quantile
    p90: Quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceptions(Wire):
    """How many ended turns of an agent failed, were escalated or abandoned."""

    agent: str
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Interventions(Wire):
    """In how many turns people edited, rejected or decided otherwise."""

    agent: str
    phase: Phase
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Work(Wire):
    """What turns come to. `turns` were read, the newest first; `cut` where there are more."""

    turns: int
    cut: bool
    cycles: tuple[Cycle, ...]
    exceptions: tuple[Exceptions, ...]
    interventions: tuple[Interventions, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures(Wire):
    """Everything that is counted over what was said and done since."""

    since: datetime
    said: Mapping[str, int]
    quarantined: int
    overall: Satisfaction
    by_use_case: tuple[Satisfaction, ...]
    by_version: tuple[Satisfaction, ...]
    lifts: tuple[Lift, ...]
    work: Work


def share(hits: int, n: int) -> Share:
    tally = Tally(n=n, hits=hits)
    return Share(tally=tally, interval=clopper_pearson(tally) if n else None)


def satisfaction(rows: Iterable[Mapping[str, Any]]) -> tuple[Satisfaction, ...]:
    """What rows of counts come to, each of them a group of what users said."""
    return tuple(
        Satisfaction(
            **{name: str(row.get(name, "")) for name in ("use_case", "agent", "version")},
            voices=row["voices"],
            helpful=share(row["helpful_yes"], row["helpful_n"]),
            accurate=share(row["accurate_yes"], row["accurate_n"]),
            complete=share(row["complete_yes"], row["complete_n"]),
        )
        for row in rows
    )


def lifts(rows: Iterable[Mapping[str, Any]]) -> tuple[Lift, ...]:
    """Each result of each agent: its newest version with any, against the one before that."""

    def key(row: Mapping[str, Any]) -> tuple[str, str, str]:
        return (row["agent"], row["kpi"], row["unit"])

    found: list[Lift] = []
    for (agent, kpi, unit), group in groupby(sorted(rows, key=key), key=key):
        last = sorted(group, key=lambda row: _number(row["version"]))[-2:]
        if len(last) == 2:
            a, b = (_moments(row) for row in last)
            named = (last[0]["version"], last[1]["version"])
            found.append(lift(agent, kpi, unit, named, a, b))
    return tuple(found)


def lift(
    agent: str, kpi: str, unit: str, versions: tuple[str, str], a: Moments, b: Moments
) -> Lift:
    """What `b` differs from `a` by."""
    interval = mean_difference_sequence([(a, b)], tuned_for=TUNED_FOR)
    verdict = "undecided"
    if interval is not None and interval.low > 0:
        verdict = "higher"
    elif interval is not None and interval.high < 0:
        verdict = "lower"
    return Lift(
        agent=agent,
        kpi=kpi,
        unit=unit,
        before=versions[0],
        after=versions[1],
        before_moments=a,
        after_moments=b,
        difference=b.mean - a.mean,
        interval=interval,
        verdict=verdict,
    )


def work(
    turns: Sequence[Ran],
    touched: Collection[str],
    canaries: Mapping[str, datetime | None],
    *,
    cut: bool,
) -> Work:
    """What turns come to. People decided otherwise in those `touched`; `canaries` says since
    when the canary of a release has run.
    """
    by_agent: dict[str, list[Ran]] = defaultdict(list)
    for one in turns:
        by_agent[one.agent].append(one)
    agents = sorted(by_agent.items())
    return Work(
        turns=len(turns),
        cut=cut,
        cycles=tuple(
            cycle(agent, spans)
            for agent, found in agents
            if (spans := [one.ended_at - one.started_at for one in found if one.ended_at])
        ),
        exceptions=tuple(
            Exceptions(
                agent=agent,
                share=share(sum(one in EXCEPTIONS for one in finals), len(finals)),
            )
            for agent, found in agents
            if (finals := [one.final for one in found if one.final])
        ),
        interventions=tuple(
            Interventions(agent=agent, phase=phase, share=share(len(hit), len(mine)))
            for agent, found in agents
            for phase in Phase
            if (mine := [one.id for one in found if phase_of(one, canaries) is phase])
            for hit in [set(mine) & set(touched)]
        ),
    )


def phase_of(turn: Ran, canaries: Mapping[str, datetime | None]) -> Phase:
    """How far the release that had a say in a turn had come when it began."""
    if turn.release is None:
        return Phase.PROMOTED
    if turn.arm == "challenger":
        return Phase.CANARY
    since = canaries.get(turn.release)
    return Phase.SHADOW if since is None or turn.started_at < since else Phase.BESIDE


def cycle(agent: str, spans: Sequence[timedelta]) -> Cycle:
    """Of at least one span."""
    ordered = sorted(span.total_seconds() for span in spans)
    return Cycle(
        agent=agent,
        turns=len(ordered),
        median=quantile(ordered, 0.5),
        p90=quantile(ordered, 0.9),
    )


def quantile(ordered: Sequence[float], q: float, *, level: float = 0.95) -> Quantile:
    """A quantile of sorted values, with the exact interval of its order statistics.

    How many values lie below the quantile is binomial, so the places that its central 95 %
    leave are those of values around it, whatever the distribution (Conover, 1999, Practical
    Nonparametric Statistics, 3.2).
    """
    from scipy.stats import binom  # noqa: PLC0415  # half a second that starting need not wait for

    n = len(ordered)
    tail = (1 - level) / 2
    low = int(binom.ppf(tail, n, q)) - 1
    high = int(binom.ppf(1 - tail, n, q))
    return Quantile(
        seconds=ordered[max(0, ceil(q * n) - 1)],
        interval=Interval(
            low=ordered[low], high=ordered[high], level=level, method="order_statistics"
        )
        if low >= 0 and high < n
        else None,
    )


def _moments(row: Mapping[str, Any]) -> Moments:
    n = int(row["n"])
    variance = float(row["squares"] or 0) / (n - 1) if n > 1 else 0.0
    return Moments(n=n, mean=float(row["mean"]), variance=variance)


def _number(version: str) -> int:
    """`name@7` → 7; what cites no number comes first."""
    number = version.rpartition("@")[2]
    return int(number) if number.isdecimal() else 0
