"""Which agents need attention: how their last hour departs from their own past.

An agent is compared with itself: the turns that ended in the last hour with those that ended
in the same hour of the last four weeks' days of the same kind, working days or weekends. Only
what is worse is told, and only where a quiet hour is that far off once in ten thousand: with
nine agents and two rates, about one false word in three weeks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsroom.actions import queries as actions
from opsroom.actions.queries import Ended
from opsroom.evidence import Tally
from opsroom.evidence.baseline import days_alike, rate_deviation
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire

HOUR = timedelta(hours=1)
ONCE_IN = 0.0001
WORDS = {"failed": "failed or was abandoned", "escalated": "had to go to a person"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention(Wire):
    """A rate of an agent that is worse than is usual for it at this hour. `usual_low` to
    `usual_high` holds all but one in ten thousand of quiet hours; `days` are compared with.
    """

    agent: str
    metric: str
    hits: int
    n: int
    rate: float
    usual: float
    usual_low: float
    usual_high: float
    p: float
    days: int

    @property
    def words(self) -> str:
        return (
            f"{self.rate:.1%} of {self.n} turns {WORDS[self.metric]}; "
            f"{self.usual:.1%} [{self.usual_low:.1%}, {self.usual_high:.1%}] is usual now"
        )


def attention(tx: Tx) -> list[Attention]:
    """Agents that are worse than usual now, the most surprising first."""
    windows = [(tx.now - HOUR, tx.now), *alike(tx.now)]
    found = actions.ended(tx, windows)
    seen = [one for agent, counts in found.items() for one in judge(agent, counts)]
    return sorted(seen, key=lambda one: (one.p, one.agent, one.metric))


def alike(now: datetime) -> Sequence[tuple[datetime, datetime]]:
    """The same hour of the days before that are of the same kind."""
    ends = (now - timedelta(days=days) for days in days_alike(now))
    return [(end - HOUR, end) for end in ends]


def judge(agent: str, counts: Mapping[int, Ended]) -> Sequence[Attention]:
    """What is worse than usual about an agent; window 0 is now, the others are its past."""
    now = counts.get(0)
    if now is None:
        return ()
    found: list[Attention] = []
    for metric in WORDS:
        hits: int = getattr(now, metric)
        past = [
            Tally(n=one.turns, hits=getattr(one, metric))
            for window, one in counts.items()
            if window
        ]
        deviation = rate_deviation(past, Tally(n=now.turns, hits=hits), alpha=ONCE_IN)
        if deviation is None or deviation.p >= ONCE_IN or deviation.z <= 0:
            continue
        found.append(
            Attention(
                agent=agent,
                metric=metric,
                hits=hits,
                n=now.turns,
                rate=deviation.value,
                usual=deviation.expected,
                usual_low=deviation.low,
                usual_high=deviation.high,
                p=deviation.p,
                days=deviation.stretches,
            )
        )
    return found
