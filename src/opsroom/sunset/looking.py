"""A look at every agent of a project: does it linger, and in which way?

Facts come from the registry, from tokens and their use, from turns and answers, and from
telemetry, which is read outside any transaction. What was found is taken in agent by agent.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsroom.access import queries as access
from opsroom.actions import queries as actions
from opsroom.actions.model import Final
from opsroom.agents import queries as agents
from opsroom.inbox import queries as inbox
from opsroom.kit import rounds
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.errors import OpsroomError
from opsroom.registry import listing
from opsroom.registry.listing import Row
from opsroom.traces.queries import Reads
from opsroom.traces.spending import Spent, spent

from . import queries, reviewing, zombie_store
from .commands import SYSTEM
from .zombies import EVERY, IDLE, MONTH, UNSEEN, Facts, State, lingers

log = logging.getLogger(__name__)
LEASE = timedelta(hours=1)
PAGE = 200
MOST_AGENTS = 5_000


def overdue(db: Database) -> bool:
    """Whether any project is due to be looked at."""
    return rounds.overdue(db, zombie_store.clocks, SYSTEM, access.projects)


def look(db: Database, telemetry: Reads | None) -> int:
    """Look at the agents of the project that is longest due; return how many were looked at.

    Safe to repeat, and in several processes at once.
    """
    actor = rounds.take(db, zombie_store.clocks, SYSTEM, access.projects, lease=LEASE)
    if actor is None:
        return 0
    looked = look_around(db, telemetry, actor)
    with db.write(actor) as tx:
        rounds.wind(tx, zombie_store.clocks, actor.project, at=tx.now + EVERY)
    return looked


def look_around(db: Database, telemetry: Reads | None, actor: Actor) -> int:
    """Look at every agent of a project now; return how many were looked at."""
    with db.read(actor) as tx:
        now = tx.now
    costs = _spent(telemetry, actor.project, now)
    with db.read(actor) as tx:
        every = list(_facts(tx, costs))
    for one in every:
        with db.write(actor) as tx:
            reviewing.take_in(tx, one, lingers(one, now=now))
    with db.read(actor) as tx:
        over = reviewing.flagged(tx).keys() - {one.agent for one in every}
    for agent in sorted(over):
        with db.write(actor) as tx:
            reviewing.settle_all(tx, agent, "it is retired, or being ended")
    return len(every)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a few statements say of all agents at once."""

    people: frozenset[str]
    tokens: Mapping[str, list[datetime]]
    uses: Mapping[str, tuple[datetime, datetime]]
    turns: Mapping[str, int]
    done: Mapping[str, int]
    worked: Mapping[str, int]
    lively: frozenset[str]
    looked: Mapping[str, datetime]
    costs: Mapping[str, Mapping[int, Spent]] | None


def _facts(tx: Tx, costs: Mapping[str, Mapping[int, Spent]] | None) -> Iterator[Facts]:
    known = _known(tx, costs)
    after, seen = "", 0
    ending = queries.ending(tx)
    while seen < MOST_AGENTS:
        page = listing.rows(tx, "agent", after=after, limit=PAGE)
        for row in page:
            name = row.artifact.name
            if name not in ending and agents.retired(tx, name) is None and row.versions:
                yield _of(tx, row, known)
        if len(page) < PAGE:
            return
        after, seen = page[-1].artifact.name, seen + len(page)


def _known(tx: Tx, costs: Mapping[str, Mapping[int, Spent]] | None) -> _Known:
    tokens: dict[str, list[datetime]] = {}
    for token in access.tokens(tx):
        if token.agent and token.alive(tx.now):
            tokens.setdefault(token.agent, []).append(token.created_at)
    turns, done = Counter[str](), Counter[str]()
    for row in actions.finals(tx, since=tx.now - MONTH):
        turns[row.agent] += row.times
        done[row.agent] += row.times * (row.final == Final.DONE)
    worked = Counter[str]()
    for row in actions.finals(tx, since=tx.now - UNSEEN):
        worked[row.agent] += row.times
    lively = {row.agent for row in actions.finals(tx, since=tx.now - IDLE)} | set(costs or ())
    return _Known(
        people=frozenset(one.name for one in access.people(tx) if one.held),
        tokens=tokens,
        uses=access.last_uses(tx),
        turns=turns,
        done=done,
        worked=worked,
        lively=frozenset(lively),
        looked=inbox.looked_at(tx),
        costs=costs,
    )


def _of(tx: Tx, row: Row, known: _Known) -> Facts:
    of = row.artifact
    moved = [label.moved_at for label in row.labels.values()]
    made = [row.newest.created_at] if row.newest else []
    kept = [
        one.closed_at
        for one in zombie_store.newest_of(tx, of.name).values()
        if one.state is State.KEPT and one.closed_at is not None
    ]
    reviewed: datetime = max([of.created_at, *moved, *made, *kept])
    answered = known.looked.get(of.name)
    tokens = known.tokens.get(of.name, [])
    use = known.uses.get(of.name)
    called = tx.now if of.name in known.lively else (use[1] if use else None)
    cost = None if known.costs is None else known.costs.get(of.name, {}).get(0, Spent())
    return Facts(
        agent=of.name,
        criticality=of.criticality,
        owner=of.owner,
        owner_here=of.owner in known.people,
        created_at=of.created_at,
        tokens=len(tokens),
        oldest_token=min(tokens, default=None),
        watched_since=min((first for first, _ in known.uses.values()), default=None),
        called_at=called,
        turns=known.turns.get(of.name, 0),
        done=known.done.get(of.name, 0),
        usd=None if cost is None else cost.usd,
        reviewed_at=reviewed,
        looked_at=max(reviewed, answered) if answered else reviewed,
        worked=known.worked.get(of.name, 0),
    )


def _spent(
    telemetry: Reads | None, project: str, now: datetime
) -> Mapping[str, Mapping[int, Spent]] | None:
    """By agent, what it cost in the last month (0), and that it was at work in the time before
    in which a token may be idle (1); None where telemetry does not answer.
    """
    if telemetry is None:
        return None
    try:
        return spent(telemetry, project, [(now - MONTH, now), (now - IDLE, now - MONTH)])
    except OpsroomError as error:
        log.warning("what the agents of %s cost could not be read: %s", project, error)
        return None
