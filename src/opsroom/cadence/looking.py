"""What telemetry says of agents for an audit: runs, cost and tokens, now and a month before.

It is read outside any transaction, and handed to the command that begins the audit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import fsum
from statistics import fmean, variance

from opsroom.evidence import Interval, Moments
from opsroom.evidence.means import mean_sequence
from opsroom.kit.wire import Wire
from opsroom.traces import sampling, spending
from opsroom.traces.queries import Reads
from opsroom.traces.spending import Spent

MONTH = timedelta(days=30)
MOST_RUNS = 500  # of which tokens are read, a random sample of each month
MOST_AGENTS = 10
USUAL_RUNS = 200  # where an interval is narrowest


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean(Wire):
    """A mean of `n` runs with its 95 % interval, where there is enough for one."""

    n: int
    value: float
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch(Wire):
    """Thirty days of one agent: how many runs, US dollars of a run, tokens that models wrote."""

    since: datetime
    runs: int
    failed_calls: int
    calls: int
    cost: Mean | None
    tokens: Mean | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work(Wire):
    """What an agent did in the last thirty days, and in the thirty before."""

    agent: str
    now: Stretch
    before: Stretch


def look(
    store: Reads, project: str, agents: Sequence[str], *, now: datetime
) -> tuple[Work, ...]:
    """The work of at most ten agents. Raises `TelemetryUnavailable`."""
    windows = [(now - MONTH, now), (now - 2 * MONTH, now - MONTH)]
    spent = spending.spent(store, project, windows) if agents else {}
    found: list[Work] = []
    for agent in agents[:MOST_AGENTS]:
        this, last = (
            _stretch(store, project, agent, window, spent.get(agent, {}).get(place, Spent()))
            for place, window in enumerate(windows)
        )
        found.append(Work(agent=agent, now=this, before=last))
    return tuple(found)


def mean_of(values: Sequence[float]) -> Mean | None:
    if not values:
        return None
    spread = variance(values) if len(values) > 1 else 0.0
    return _mean(Moments(n=len(values), mean=fmean(values), variance=spread))


def _stretch(
    store: Reads, project: str, agent: str, window: tuple[datetime, datetime], spent: Spent
) -> Stretch:
    since, until = window
    runs = sampling.runs(store, project, agent, since=since, until=until, most=MOST_RUNS)
    tokens = [float(one.output_tokens) for one in runs if one.output_tokens is not None]
    return Stretch(
        since=since,
        runs=spent.traces,
        failed_calls=spent.failed,
        calls=spent.calls,
        cost=_cost(spent),
        tokens=mean_of(tokens),
    )


def _cost(spent: Spent) -> Mean | None:
    """What a run cost; not known where the price of any call is not."""
    if not spent.traces or not spent.calls or spent.unpriced:
        return None
    mean = spent.usd / spent.traces
    squares = fsum((spent.squares, -spent.traces * mean * mean))
    spread = max(squares, 0.0) / (spent.traces - 1) if spent.traces > 1 else 0.0
    return _mean(Moments(n=spent.traces, mean=mean, variance=spread))


def _mean(moments: Moments) -> Mean:
    interval = mean_sequence(moments, tuned_for=USUAL_RUNS) if moments.variance > 0 else None
    return Mean(n=moments.n, value=moments.mean, interval=interval)
