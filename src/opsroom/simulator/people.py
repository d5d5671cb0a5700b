"""Who takes part in a simulated team, and what they do: ana makes, ben reviews, traffic reports."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsroom.access.commands import DEFAULT_PROJECT
from opsroom.access.model import permissions_of
from opsroom.approvals import Answer
from opsroom.kit.clock import Clock
from opsroom.kit.db import Actor, Database
from opsroom.kit.errors import Conflict
from opsroom.registry import Kinds, Ref, proposals
from opsroom.releases import commands as releases
from opsroom.releases import observing
from opsroom.releases import queries as release_queries
from opsroom.releases.model import Because, Release, State
from opsroom.releases.observation import MAX_BATCH, Observation, ShadowPair

TURN = timedelta(minutes=30)
_OVER = frozenset({State.PROMOTED, State.SUPERSEDED, State.ABORTED, State.ROLLED_BACK})


def person(name: str, *roles: str) -> Actor:
    return Actor(name, DEFAULT_PROJECT, permissions_of(roles), roles)


AUTHOR = person("ana", "author", "operator")
REVIEWER = person("ben", "reviewer", "risk")
TRAFFIC = Actor(
    "token:desk", DEFAULT_PROJECT, permissions_of(("agent",)), ("agent",), human=False
)
ADMIN = Actor("system:simulator", DEFAULT_PROJECT, permissions_of(("admin",)), human=False)


def clerk(name: str) -> Actor:
    """An agent with a token of its own, which ana answers for."""
    return Actor(
        f"agent:{name}",
        DEFAULT_PROJECT,
        permissions_of(("agent",)),
        ("agent",),
        human=False,
        owner=AUTHOR.name,
        agent=name,
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a release ended, or stands."""

    release: str
    name: str
    state: State
    because: str


class Stop:
    """Tells a simulated team to go home."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        return self.asked


def into_production(db: Database, ref: Ref, *, kinds: Kinds) -> None:
    """A first version: proposed by one, approved by the other, merged."""
    with db.write(AUTHOR) as tx:
        title = f"Put {ref.name} into production"
        proposal = proposals.propose(tx, ref, label="production", title=title, kinds=kinds)
    with db.write(REVIEWER) as tx:
        proposals.review(
            tx, proposal.id, answer=Answer.APPROVE, reason="reads well, tried on ten cases"
        )
    with db.write(AUTHOR) as tx:
        proposals.merge(tx, proposal.id)


def report(
    db: Database, release_id: str, canary: Sequence[Observation], shadow: Sequence[ShadowPair]
) -> None:
    """Report what happened, in batches as large as one request may be."""
    for start in range(0, len(canary), MAX_BATCH):
        with db.write(TRAFFIC) as tx:
            observing.observe_canary(tx, release_id, canary[start : start + MAX_BATCH])
    for start in range(0, len(shadow), MAX_BATCH):
        with db.write(TRAFFIC) as tx:
            observing.observe_shadow(tx, release_id, shadow[start : start + MAX_BATCH])


def review(db: Database, release_id: str, *, good: Callable[[ShadowPair], bool]) -> None:
    """What the reviewer does when it is their turn: approve after the gate, judge the sample."""
    with db.read(REVIEWER) as tx:
        standing = release_queries.standing(tx, release_id)
        sample = release_queries.sample(tx, release_id)
    in_review = standing.release.state is State.IN_REVIEW
    waiting = [one.pair for one in sample if one.good is None and in_review]
    try:
        if standing.next.code is Because.APPROVALS:
            with db.write(REVIEWER) as tx:
                releases.review(
                    tx, release_id, answer=Answer.APPROVE, reason="the gate shows it holds"
                )
        for pair in waiting:
            fine = good(pair)
            with db.write(REVIEWER) as tx:
                observing.judge_pair(
                    tx, release_id, pair.key, good=fine, reason="" if fine else "wrong"
                )
    except Conflict:
        return  # the release has moved on meanwhile


def work_until_over(
    work: Callable[[], Sequence[Release]],
    clock: Clock,
    *,
    until: datetime | None,
    stop: Stop | None,
) -> list[Outcome]:
    """Let the team work until every release is over, the clock is at `until`, or it is told
    to stop.
    """
    while True:
        found = work()
        late = until is not None and clock.now() > until
        if all(one.state in _OVER for one in found) or late or (stop is not None and stop()):
            return [Outcome(one.id, one.name, one.state, one.because) for one in found]
        time.sleep(max(clock.real(TURN), 0.02))
