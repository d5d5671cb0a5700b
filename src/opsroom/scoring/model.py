"""Judging a share of what agents do while they do it: what is wanted, and what may be judged now.

Which traces are taken depends on their ids alone, so a round that is repeated takes the same.
Where a day's limit cuts, those with the smallest hash are taken, and each stands for more.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from opsroom.kit.wire import Wire

MOST_EVALUATORS = 5
MOST_A_DAY = 5_000
HASHES = 2**64
# What a trace does not carry as a dataset's case does: order and arguments of calls, how long it
# took, what was recorded or corrected, and an answer that is preferred to.
UNFIT = frozenset(
    {
        "tool-call", "not-tool-call", "tool-order", "not-tool-order", "latency", "recorded",
        "corrected", "preference-judge",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted(Wire):
    """Which evaluators (by name; their `production` version) judge which share of an agent's
    finished traces, and how many a day at most. Without evaluators nothing is judged.
    """

    evaluators: tuple[str, ...] = ()
    share: float = 0.05
    most_a_day: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring(Wire):
    """How an agent is judged, and how far that is. `judged` and `unjudged` are traces of `day`
    (UTC): `unjudged` are those of which no evaluator could say anything.
    """

    agent: str
    wanted: Wanted
    since: datetime
    day: str = ""
    judged: int = 0
    unjudged: int = 0
    because: str = ""
    revision: int = 0

    def left(self, now: datetime) -> int:
        """How many traces may still be judged today."""
        done = self.judged + self.unjudged if self.day == day_of(now) else 0
        return max(0, self.wanted.most_a_day - done)

    def after(
        self, *, judged: int, unjudged: int, until: datetime, now: datetime, because: str = ""
    ) -> "Scoring":
        """What a round leaves behind."""
        today = self.day == day_of(now)
        return replace(
            self,
            since=until,
            day=day_of(now),
            judged=judged + (self.judged if today else 0),
            unjudged=unjudged + (self.unjudged if today else 0),
            because=because,
        )


def day_of(now: datetime) -> str:
    return now.date().isoformat()


def below(share: float) -> int:
    """The hash below which a trace is taken, of 2^64."""
    return min(HASHES - 1, int(share * HASHES))


def weight(share: float, *, drawn: int, taken: int) -> float:
    """For how many traces each that is taken stands, where `drawn` fell under the share."""
    return round(drawn / taken / share, 6) if taken else 0.0
