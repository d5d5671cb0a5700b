"""Everything the first page says, from what is stored; nothing is estimated."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from opsroom.alerts import queries as alerts
from opsroom.alerts.model import Alert
from opsroom.annotation import queries as annotation
from opsroom.annotation import samples
from opsroom.autonomy import queries as autonomy
from opsroom.cadence import queries as cadence
from opsroom.evals import queries as evals
from opsroom.evals.errors import RunNotFound
from opsroom.inbox import queries as inbox
from opsroom.inbox.errors import RequestNotFound
from opsroom.inbox.watching import Share
from opsroom.journal import Entry, Head
from opsroom.journal import queries as journal
from opsroom.journal.attesting import last_attested
from opsroom.journal.words import Told, tell
from opsroom.kit.db import Tx
from opsroom.registry import ProposalNotFound
from opsroom.registry import queries as registry
from opsroom.registry.listing import Live, count_live, live
from opsroom.registry.waiting import waiting
from opsroom.releases import queries as releases
from opsroom.releases.errors import ReleaseNotFound
from opsroom.releases.model import State
from opsroom.releases.watching import Watched, waits, watch
from opsroom.releases.words import moves
from opsroom.retraining import queries as retraining
from opsroom.retraining.model import Entry as Retraining
from opsroom.security import queries as security
from opsroom.sunset import queries as sunsets
from opsroom.sunset.model import State as Sunset

from .attention import Attention, attention

DAY = timedelta(hours=24)
MOST_RELEASES = 20
MOST_LIVE = 12
MOST_ALERTS = 5
MOST_RETRAINING = 5
MOST_ENTRIES = 500
MOST_NEWS = 8
MOST_ASKED = 3
SOON = timedelta(days=7)
RUN = 3  # so many entries of one kind in a row are told one by one

# What changed for everybody who works here. Logins are for the audit, steps in between are
# told by what they led to.
NEWS = frozenset(
    {
        "version.created",
        "label.moved",
        "proposal.opened",
        "proposal.merged",
        "proposal.withdrawn",
        "approval.given",
        "gate.decided",
        "eval.finished",
        "import.done",
        "release.started",
        "release.advanced",
        "release.paused",
        "release.resumed",
        "release.aborted",
        "release.rolled_back",
        "release.promoted",
        "release.superseded",
        "release.security_event",
        "journal.verified",
        "inbox.approved",
        "inbox.edited",
        "inbox.rejected",
        "inbox.responded",
        "inbox.flooded",
        "alert.opened",
        "alert.resolved",
        "drift.found",
        "drift.accepted",
        "retraining.queued",
        "retraining.found",
        "retraining.released",
        "cadence.closed",
        "cadence.overdue",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something that waits for the person who looks."""

    title: str
    wants: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What changed in the last day. `more` says that there was more than we looked through."""

    told: list[Told]
    count: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The first page."""

    moving: list[Watched]
    tasks: list[Task]
    news: News
    live: list[Live]
    live_count: int
    counts: Mapping[str, int]
    head: Head
    attested: tuple[Entry, Head] | None
    probes: Share
    attention: list[Attention]
    alerts: list[Alert]
    open_alerts: int
    attempts: Mapping[str, int]
    retraining: list[Retraining]
    open_retraining: int


def overview(tx: Tx) -> Overview:
    """What one should know on arriving, as of one moment."""
    return Overview(
        moving=[
            watch(tx, one) for one in releases.releases(tx, active=True, limit=MOST_RELEASES)
        ],
        tasks=tasks(tx),
        news=_news(tx),
        live=live(tx, limit=MOST_LIVE),
        live_count=count_live(tx),
        counts=registry.counts(tx),
        head=journal.head(tx),
        attested=last_attested(tx),
        probes=inbox.missed_probes(tx),
        attention=attention(tx),
        alerts=alerts.alerts(tx, limit=MOST_ALERTS),
        open_alerts=alerts.count_open(tx),
        attempts=security.counts(tx, back=DAY),
        retraining=retraining.entries(tx, limit=MOST_RETRAINING),
        open_retraining=retraining.count_open(tx),
    )


def tasks(tx: Tx) -> list[Task]:
    """What this person can move on: requests, proposals, approvals, samples, paused releases,
    ends of agents, and what is due to be looked at within a week.
    """
    found = _asked(tx)
    found += [
        Task(
            title=one.proposal.title,
            wants=f"{one.proposal.name} waits for {one.wants}"
            if one.wants.startswith("your")
            else f"{one.proposal.name} is ready {one.wants}",
            href=f"/proposals/{one.proposal.id}",
        )
        for one in waiting(tx)
    ]
    for release in releases.releases(tx, active=True, limit=MOST_RELEASES):
        here = f"/releases/{release.id}"
        if wants := waits(tx, release):
            sample = "/sample" if release.state is State.IN_REVIEW else ""
            found.append(
                Task(title=moves(release), wants=f"waits for {wants}", href=here + sample)
            )
        elif release.state is State.PAUSED and "operate" in tx.actor.may:
            found.append(Task(title=moves(release), wants="is paused until you say", href=here))
    found += [
        Task(
            title=f"The end of {one.agent}",
            wants="waits for your approval"
            if one.state is Sunset.PROPOSED
            else f"waits for your signature: nobody called for {one.plan.dormant:g} days",
            href=f"/sunsets/{one.id}",
        )
        for one in sunsets.waiting(tx)
    ]
    return found + _due(tx)


def _due(tx: Tx) -> list[Task]:
    """The first of what this person has to look at within a week, and how much more there is."""
    some = cadence.mine(tx, until=tx.now + SOON)
    found = [
        Task(
            title=one.title,
            wants=f"{'is overdue since' if one.late(tx.now) else 'is due by'} "
            f"{one.due_at:%Y-%m-%d}",
            href=f"/cadence/{one.id}",
        )
        for one in some[:MOST_ASKED]
    ]
    if left := len(some) - len(found):
        more = f"{left} more are due within a week"
        found.append(Task(title="The calendar", wants=more, href="/cadence"))
    return found


def _asked(tx: Tx) -> list[Task]:
    """The first of what agents ask this person, and how much more there is."""
    if not (count := inbox.count_mine(tx)):
        return []
    first = [one.request for one in inbox.waiting(tx, mine=True, limit=MOST_ASKED)]
    found = [
        Task(
            title=one.title,
            wants=f"{one.agent} waits for your answer",
            href=f"/inbox?request={one.id}",
        )
        for one in first
    ]
    if count > len(first):
        more = f"{count - len(first)} more requests wait for your answer"
        found.append(Task(title="The inbox", wants=more, href="/inbox"))
    return found


def badges(tx: Tx) -> dict[str, int]:
    """How many things wait for this person, by the place where they do."""
    found = {"inbox": inbox.count_mine(tx), "proposals": 0, "releases": 0}
    found["alerts"] = alerts.count_open(tx) if "operate" in tx.actor.may else 0
    found["autonomy"] = autonomy.waiting(tx) if "review" in tx.actor.may else 0
    found["cadence"] = cadence.count_mine(tx)
    found["sunsets"] = 0
    found["queues"] = annotation.count_mine(tx) + samples.count_mine(tx)
    for one in tasks(tx):
        place = one.href.split("/")[1]
        if place in {"proposals", "releases", "sunsets"}:
            found[place] += 1
    return found


def called(tx: Tx, subjects: Collection[str]) -> Mapping[str, str]:
    """What people call subjects that are only ids: releases, proposals and runs."""
    names: dict[str, str] = {}
    for subject in subjects:
        what, _, name = subject.partition("/")
        try:
            if what == "release":
                names[subject] = moves(releases.release(tx, name))
            elif what == "request":
                names[subject] = f"“{inbox.request(tx, name).title}”"
            elif what == "proposal":
                names[subject] = f"“{registry.proposal(tx, name).title}”"
            elif what == "run":
                run = evals.run(tx, name)
                names[subject] = f"{_short(run.subject_name)} on {_short(run.dataset_name)}"
        except (ReleaseNotFound, ProposalNotFound, RunNotFound, RequestNotFound):
            continue
    return names


def _short(reference: str) -> str:
    return reference.rpartition("/")[2]


def _news(tx: Tx) -> News:
    """The last day in words; long runs of one kind (an import) are told once."""
    page = [entry for entry, _ in journal.entries(tx, limit=MOST_ENTRIES)]
    recent = [entry for entry in page if tx.now - entry.at < DAY]
    loud = [entry for entry in recent if _loud(entry)]
    shown = list(_without_runs(loud))[:MOST_NEWS]
    names = called(tx, {entry.subject for entry, _ in shown})
    return News(
        told=[_told(entry, more, names) for entry, more in shown],
        count=len(loud),
        more=len(recent) == MOST_ENTRIES,
    )


def _loud(entry: Entry) -> bool:
    """Whether an entry is news; labels that nobody serves from, and waiting, are not."""
    waits = entry.event == "release.advanced" and entry.facts.get("to") == "gating"
    quiet = entry.event == "label.moved" and entry.facts.get("how") == "set"
    # What was said in the inbox is told once, and what only tests reviewers not at all.
    twice = entry.event == "approval.given" and entry.subject.startswith("request/")
    hidden = entry.subject.startswith("oversight/")
    return entry.event in NEWS and not (waits or quiet or twice or hidden)


def _without_runs(entries: list[Entry]) -> Iterator[tuple[Entry, int]]:
    """Entries, and for the first of a long run how many more like it there were."""
    for _, run in groupby(entries, key=lambda one: (one.event, one.actor)):
        same = list(run)
        if len(same) > RUN:
            yield same[0], len(same) - 1
        else:
            yield from ((one, 0) for one in same)


def _told(entry: Entry, more: int, names: Mapping[str, str]) -> Told:
    told = tell(entry, names)
    if not more:
        return told
    return Told(
        seq=told.seq,
        at=told.at,
        title=told.title,
        note=f"and {more:,} more like it",
        tone=told.tone,
        href=told.href,
    )
