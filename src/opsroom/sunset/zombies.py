"""Agents that linger: five kinds, each decided from facts that nobody declared. No I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from opsroom.evidence import Tally
from opsroom.kit.wire import Wire
from opsroom.registry.model import Criticality

EVERY = timedelta(days=1)
MONTH = timedelta(days=30)
IDLE = timedelta(days=90)  # a token that nobody used for so long lives for nobody
UNSEEN = timedelta(days=60)
REVIEW = {
    Criticality.AUTONOMOUS: timedelta(days=90),
    Criticality.ASSISTIVE: timedelta(days=180),
    Criticality.ADVISORY: timedelta(days=365),
}
LEAST_TURNS = 20
LEAST_USD = 1.0  # in a month; below it nobody is helped by ending an agent
MOST_VALUE = 0.2  # of its turns come to something, at most: the upper bound of the share
KEPT_FOR = timedelta(days=90)


class Zombie(StrEnum):
    OWNER_GONE = "owner_gone"
    COST_WITHOUT_VALUE = "cost_without_value"
    CREDENTIALS_ALIVE = "credentials_alive"
    REVIEW_OVERDUE = "review_overdue"
    NOBODY_LOOKS = "nobody_looks"


WORDS = {
    Zombie.OWNER_GONE: "owner gone",
    Zombie.COST_WITHOUT_VALUE: "cost without value",
    Zombie.CREDENTIALS_ALIVE: "credentials alive",
    Zombie.REVIEW_OVERDUE: "review overdue",
    Zombie.NOBODY_LOOKS: "nobody looks",
}


class State(StrEnum):
    """Open until people have said that the agent ends or stays, or its facts no longer hold."""

    OPEN = "open"
    TO_END = "to_end"
    KEPT = "kept"
    SETTLED = "settled"


LIVE = frozenset({State.OPEN, State.TO_END})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts(Wire):
    """What is known of an agent. `watched_since` is since when calls are noted at all, `usd` what
    it cost in a month; None where that is not known, and then nothing follows from it.
    """

    agent: str
    criticality: Criticality
    owner: str
    owner_here: bool
    created_at: datetime
    tokens: int = 0
    oldest_token: datetime | None = None
    watched_since: datetime | None = None
    called_at: datetime | None = None
    turns: int = 0
    done: int = 0
    usd: float | None = None
    reviewed_at: datetime | None = None
    looked_at: datetime | None = None
    worked: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Wire):
    """Why an agent should be looked at. `facts` are those of the last look that saw it; `task` is
    the review task that asks people about it.
    """

    id: str
    agent: str
    kind: Zombie
    state: State
    because: str
    facts: Facts
    found_at: datetime
    seen_at: datetime
    queue: str = ""
    task: str = ""
    closed_at: datetime | None = None
    closed_by: str = ""
    note: str = ""
    revision: int = 1

    @property
    def subject(self) -> str:
        return f"zombie/{self.id}"


def lingers(facts: Facts, *, now: datetime) -> dict[Zombie, str]:
    """In which ways an agent lingers, each with the reason in words. Where a fact is missing,
    nothing is said.
    """
    return dict(_lingers(facts, now))


def _lingers(facts: Facts, now: datetime) -> Iterator[tuple[Zombie, str]]:
    if not facts.owner_here:
        yield (
            Zombie.OWNER_GONE,
            f"its owner {facts.owner!r} has no role in this project any more",
        )
    if because := _worthless(facts):
        yield Zombie.COST_WITHOUT_VALUE, because
    if because := _idle(facts, now):
        yield Zombie.CREDENTIALS_ALIVE, because
    reviewed = facts.reviewed_at or facts.created_at
    if now - reviewed > REVIEW[facts.criticality]:
        every = f"{facts.criticality.value} agents need it every {REVIEW[facts.criticality].days} days"
        yield Zombie.REVIEW_OVERDUE, f"nobody reviewed it since {reviewed:%Y-%m-%d}; {every}"
    looked = facts.looked_at or facts.created_at
    if facts.worked >= LEAST_TURNS and now - looked > UNSEEN:
        work = f"it handled {facts.worked:,} turns in {UNSEEN.days} days"
        yield Zombie.NOBODY_LOOKS, f"{work}, and nobody looked at any since {looked:%Y-%m-%d}"


def _worthless(facts: Facts) -> str:
    if facts.usd is None or facts.usd < LEAST_USD or facts.turns < LEAST_TURNS:
        return ""
    from opsroom.evidence.rates import clopper_pearson  # noqa: PLC0415  # loads scipy

    within = clopper_pearson(Tally(n=facts.turns, hits=facts.done))
    if within.high > MOST_VALUE:
        return ""
    return (
        f"it cost {facts.usd:,.2f} USD in {MONTH.days} days, and {facts.done:,} of "
        f"{facts.turns:,} turns were done [{within.low:.0%}, {within.high:.0%}]"
    )


def _idle(facts: Facts, now: datetime) -> str:
    """Silence counts from when anybody listened."""
    if not facts.tokens or facts.oldest_token is None or facts.watched_since is None:
        return ""
    quiet = max(
        one
        for one in (facts.oldest_token, facts.watched_since, facts.called_at)
        if one is not None
    )
    if now - quiet <= IDLE:
        return ""
    last = (
        f"since {facts.called_at:%Y-%m-%d}" if facts.called_at else "ever, as far as is known"
    )
    tokens = "1 token of it works" if facts.tokens == 1 else f"{facts.tokens} tokens of it work"
    return f"{tokens}, and nobody called it {last}"
