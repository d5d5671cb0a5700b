"""Looking at requests and overrides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire

from . import answer_store, keeping, override_store, rules, store, watch_store
from .errors import OverrideNotFound, RequestNotFound
from .model import Override, Request, Settings, State
from .watching import Check, Oversight, Share, oversight, share

PAGE = 50
MOST_COUNTED = 100
LOOKED_THROUGH = 500
MOST_QUEUED = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Wire):
    """A request in the list, and how many more like it stand under it."""

    request: Request
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """How many requests wait, by agent and risk; how many are past their time; and since when
    the oldest has waited.
    """

    waiting: Mapping[tuple[str, str], int]
    overdue: int
    oldest_at: datetime | None


def request(tx: Tx, request_id: str) -> Request:
    """One request of this project. Raises `RequestNotFound`."""
    found = store.request(tx, request_id)
    if found is None:
        raise RequestNotFound(request_id)
    return found


def requests(
    tx: Tx,
    *,
    state: State | None = None,
    agent: str | None = None,
    tool: str | None = None,
    risk: str | None = None,
    subject: str | None = None,
    under: str | None = None,
    after: str | None = None,
    limit: int = PAGE,
) -> list[Request]:
    """Requests of this project: pending ones by the time they are due, others newest first."""
    return store.page(
        tx,
        state=state,
        agent=agent,
        tool=tool,
        risk=risk,
        subject=subject,
        under=under,
        after=after,
        limit=limit,
    )


def waiting(
    tx: Tx,
    *,
    mine: bool = False,
    agent: str | None = None,
    tool: str | None = None,
    risk: str | None = None,
    under: str | None = None,
    after: str | None = None,
    limit: int = PAGE,
) -> list[Waiting]:
    """What is pending, by the time it is due; what is like another stands under it.

    `mine` leaves only what waits for the person who looks. `under` lists what stands under
    one request.
    """
    found: list[Request] = []
    seen = 0
    while len(found) < limit and seen < LOOKED_THROUGH:
        page = store.page(
            tx,
            state=State.PENDING,
            agent=agent,
            tool=tool,
            risk=risk,
            under=under,
            leads=under is None,
            after=after,
            limit=PAGE,
        )
        if not page:
            break
        seen += len(page)
        after = store.cursor_of(page[-1], State.PENDING)
        found += _mine(tx, page) if mine else page
        if len(page) < PAGE:
            break
    counted = store.followers(tx, [one.id for one in found])
    return [Waiting(request=one, more=counted.get(one.id, 0)) for one in found[:limit]]


def count_mine(tx: Tx) -> int:
    """How many entries of the list wait for the person who looks, up to a hundred."""
    if rules.ANSWER not in tx.actor.may or not tx.actor.human:
        return 0
    return len(waiting(tx, mine=True, limit=MOST_COUNTED))


def queue(tx: Tx) -> Queue:
    """What waits in this project, whoever has to answer it; up to a hundred thousand."""
    found = store.queue(tx, limit=MOST_QUEUED)
    first = min((row[4] for row in found), default=None)
    return Queue(
        waiting={(agent, risk): times for agent, risk, times, _, _ in found},
        overdue=sum(late for _, _, _, late, _ in found),
        oldest_at=None if first is None else request(tx, first).asked_at,
    )


def over(
    tx: Tx,
    *,
    agent: str | None = None,
    tool: str | None = None,
    after: str | None = None,
    limit: int = PAGE,
) -> list[Request]:
    """What no longer waits, newest first."""
    return store.page(tx, over=True, agent=agent, tool=tool, after=after, limit=limit)


def cursor(of: Request, state: State | None) -> str:
    return store.cursor_of(of, state)


def to_take_back(tx: Tx) -> Request | None:
    """What the person who looks has approved and can still take back."""
    return store.to_take_back(tx, tx.actor.name)


def likes_of(tx: Tx, of: Request) -> Mapping[str, int]:
    """How people answered what this agent asked for this tool."""
    return answer_store.tally(tx, of.agent, of.tool)


def check(tx: Tx, request_id: str) -> Check | None:
    """What a request was there to find out. Not for those who have yet to answer it."""
    return watch_store.check(tx, request_id)


def opened(tx: Tx, request_id: str) -> bool:
    """Whether the person who looks has had a request before them earlier."""
    return watch_store.opening(tx, request_id, tx.actor.name) is not None


def evidence_opened(tx: Tx, request_id: str) -> bool:
    """Whether the person who looks has had the evidence of a request before them."""
    seen = watch_store.opening(tx, request_id, tx.actor.name)
    return seen is not None and seen[1] is not None


def overdue(tx: Tx) -> bool:
    """Whether the clock has anything to do, in this project or, for an actor of none, in any."""
    if store.on_the_clock(tx, limit=1):
        return True
    actor = tx.actor
    try:
        for project, request_id in store.granted(tx, limit=LOOKED_THROUGH):
            tx.actor = replace(actor, project=project)
            if keeping.lapsed(tx, request(tx, request_id)):
                return True
    finally:
        tx.actor = actor
    return False


def settings(tx: Tx) -> Settings:
    return watch_store.load_settings(tx)


def watched(tx: Tx, *, days: int = 30) -> Oversight:
    """How well people watched over agents in the last days."""
    rows = answer_store.answers_since(tx, tx.now - timedelta(days=days))
    return oversight([dict(row) for row in rows], days=days)


def missed_probes(tx: Tx, *, days: int = 30) -> Share:
    """How many known-bad requests were approved in the last days, of those that were answered."""
    n, missed = answer_store.checked_since(tx, tx.now - timedelta(days=days), "probe")
    return share(missed, n)


def overrides(
    tx: Tx,
    *,
    agent: str | None = None,
    tool: str | None = None,
    category: str | None = None,
    subject: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
) -> list[Override]:
    """What people decided otherwise, newest first, without what they took back."""
    return override_store.page(
        tx,
        agent=agent,
        tool=tool,
        category=category,
        subject=subject,
        before=before,
        limit=limit,
    )


def override(tx: Tx, override_id: str) -> Override:
    found = override_store.override(tx, override_id)
    if found is None:
        raise OverrideNotFound(override_id)
    return found


def some_overrides(tx: Tx, ids: Sequence[str]) -> list[Override]:
    """The overrides of those ids, as far as there are any, newest first."""
    return override_store.some(tx, ids)


def overridden(
    tx: Tx, windows: Sequence[tuple[datetime, datetime]]
) -> dict[str, dict[int, int]]:
    """Of how many turns or actions people decided otherwise in each window of time, by agent
    and place of the window.
    """
    found: dict[str, dict[int, int]] = {}
    for agent, window, many in override_store.overridden(tx, windows):
        found.setdefault(agent, {})[window] = many
    return found


def overridden_subjects(tx: Tx, *, since: datetime, limit: int) -> list[str]:
    """The turns, actions and traces (`turn/…`) about which people decided otherwise since."""
    return override_store.subjects(tx, since, limit=limit)


def overridden_actions(
    tx: Tx, *, since: datetime, until: datetime
) -> dict[tuple[str, str], int]:
    """Of actions that were proposed in this time, how many people decided otherwise, by agent
    and tool.
    """
    rows = override_store.overridden_actions(tx, since, until)
    return {(agent, tool): many for agent, tool, many in rows}


def override_categories(tx: Tx) -> list[tuple[str, int]]:
    """How many overrides there are of each kind."""
    return override_store.counts(tx)


def looked_at(tx: Tx) -> dict[str, datetime]:
    """When people last answered or overrode what each agent did."""
    answered, overrode = answer_store.last_by_agent(tx), override_store.last_by_agent(tx)
    return {
        agent: max(at for at in (answered.get(agent), overrode.get(agent)) if at is not None)
        for agent in answered.keys() | overrode.keys()
    }


def barred(tx: Tx, request_id: str) -> tuple[str, ...]:
    """Who has answered the original of a copy."""
    found = watch_store.check(tx, request_id)
    return found.barred if found else ()


def _mine(tx: Tx, page: list[Request]) -> list[Request]:
    checks = watch_store.checks_of(tx, [one.id for one in page])
    none: tuple[str, ...] = ()
    return [
        one
        for one in page
        if rules.waits_on(
            one, tx.actor, tx.now, checks[one.id].barred if one.id in checks else none
        )
    ]
