"""What changes the queue: reasons that come in, what people do, and how what they began went on.

Whatever opens an entry, or changes what counts for one, is on record; the steps that follow by
themselves are taken in reaction to that (`steps.advance`), so that nothing is lost by a restart.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from opsroom.agents import queries as agents
from opsroom.corrections.model import dataset_of
from opsroom.kit.db import Actor, Tx
from opsroom.kit.errors import OpsroomError
from opsroom.kit.reasons import reason as given_reason
from opsroom.kit.wire import plain
from opsroom.registry import Kinds, Ref
from opsroom.registry import queries as registry

from . import reckoning, steps, store
from .errors import NothingToImprove, NotReleasable, WrongState
from .holding import SYSTEM, close, facts, hold, moved, of, open_with, waiting
from .model import (
    Asked,
    Entry,
    Reason,
    Settings,
    State,
    Trigger,
    Watch,
    check_settings,
    short,
    speaks,
    told_rate,
    why_not_released,
)

DAY = timedelta(days=1)
MOST_AT_ONCE = 50


def add(tx: Tx, agent: str, *, because: str) -> Entry:
    """Put an agent into the queue by hand, saying why; one more reason where it is there."""
    why = given_reason(because, to="put an agent into the queue")
    registry.artifact(tx, "agent", agent)
    return put(tx, agent, Reason(trigger=Trigger.MANUAL, because=short(why), at=tx.now))


def notice(tx: Tx, agent: str, reason: Reason) -> Entry | None:
    """Put an agent into the queue for what was noticed about it; None for one that nobody can
    make better, because it is retired or not in the registry.
    """
    if registry.found(tx, "agent", agent) is None or agents.retired(tx, agent) is not None:
        return None
    return put(tx, agent, reason)


def put(tx: Tx, agent: str, reason: Reason) -> Entry:
    """Open an entry for an agent, or let one more reason speak for the one that is open."""
    watch = store.locked_watch(tx, agent)
    there = store.open_of(tx, agent, lock=True)
    if there is not None:
        now = store.save(tx, there.stronger(reason, now=tx.now))
        tx.record("retraining.strengthened", now.subject, **facts(now), **_why(reason))
        return now
    cited, waits = _cited(tx, agent, watch.settings)
    made = Entry(
        id=tx.ids.new("rtr"),
        agent=agent,
        prompt=cited,
        state=State.QUEUED,
        reasons=(reason,),
        cost=reckoning.cost(tx, agent, cited, watch),
        opened_at=tx.now,
        changed_at=tx.now,
        opened_by=tx.actor.name,
        waits=waits,
    )
    store.add(tx, made)
    tx.record("retraining.queued", made.subject, **facts(made), **_why(reason))
    return made


def start(tx: Tx, entry_id: str) -> Entry:
    """Begin the search for something better. Raises `WrongState` unless it is queued,
    `NothingToImprove`, and what starting a search raises.
    """
    entry, watch = hold(tx, entry_id)
    if entry.state is not State.QUEUED:
        raise WrongState(entry.id, entry.state.value, "started")
    return steps.start(tx, entry, watch)


def release(tx: Tx, entry_id: str, *, kinds: Kinds) -> Entry:
    """Start the release of the agent with what was found, as its last release went.

    Who does so is the author of the version that is released. Raises `NotReleasable`,
    `NeverReleased`, and what starting a release raises.
    """
    entry, watch = hold(tx, entry_id)
    if why := why_not_released(entry, reckoning.known(tx, entry)):
        raise NotReleasable(entry.id, why)
    return waiting(tx, steps.release(tx, entry, watch, kinds), "its release is under way")


def dismiss(tx: Tx, entry_id: str, *, reason: str) -> Entry:
    """End an entry without a release, saying why. What it started goes on unless it is stopped,
    and corrections count anew from here.

    Raises `WrongState` for one that is over.
    """
    why = given_reason(reason, to="dismiss an entry")
    entry, watch = hold(tx, entry_id)
    if entry.over:
        raise WrongState(entry.id, entry.state.value, "dismissed")
    store.save_watch(tx, replace(watch, accepted=0))
    return close(tx, entry, State.DISMISSED, why)


def set_settings(tx: Tx, agent: str, settings: Settings) -> Settings:
    """Say when an agent is put into the queue, and how far that goes by itself.

    Whoever says so answers for what is done by itself, so somebody else has to approve it.
    Raises `BrokenSettings`.
    """
    check_settings(settings)
    registry.artifact(tx, "agent", agent)
    was = store.locked_watch(tx, agent)
    fresh = settings.every_days != was.settings.every_days
    watch = replace(
        was,
        settings=settings,
        set_by=tx.actor.person,
        since=tx.now if fresh else was.since,
    )
    store.save_watch(tx, watch, next_at=tx.now)
    there = store.open_of(tx, agent, lock=True)
    if there is not None and there.state is State.QUEUED:
        cited, waits = _cited(tx, agent, settings)
        cost = reckoning.cost(tx, agent, cited, watch)
        store.save(tx, replace(there, prompt=cited, cost=cost, waits=waits or there.waits))
    tx.record(
        "retraining.settings_set",
        f"agent/{agent}",
        agent=agent,
        mode=settings.mode.value,
        before=plain(was.settings),
        after=plain(settings),
    )
    return settings


def accepted(tx: Tx, agent: str) -> None:
    """Count a correction that was accepted. Enough of them are a reason."""
    was = store.locked_watch(tx, agent)
    watch = store.save_watch(tx, replace(was, accepted=was.accepted + 1))
    if watch.accepted == watch.settings.accepted:
        _weigh(tx, watch)


def tick(tx: Tx) -> int:
    """Look at the agents of all projects whose time has come: whether their corrections speak by
    now, and whether their schedule asks. Returns how many were looked at; safe to repeat.
    """
    due = store.due_watches(tx, limit=MOST_AT_ONCE)
    for one in due:
        tx.actor = Actor(SYSTEM, one.project, human=False)
        watch = _weigh(tx, store.locked_watch(tx, one.agent))
        if watch.scheduled is not None and watch.scheduled <= tx.now:
            every = f"every {watch.settings.every_days} days, as was set"
            notice(tx, one.agent, Reason(trigger=Trigger.SCHEDULE, because=every, at=tx.now))
            watch = replace(watch, since=tx.now)
        store.save_watch(tx, watch, next_at=min(tx.now + DAY, watch.scheduled or tx.now + DAY))
    return len(due)


def served_by(tx: Tx, agent: str, *, before: str, after: str, first: datetime) -> Entry | None:
    """Take in that another model than before serves an agent since `first`; once for each time
    that one begins to.
    """
    if not store.first_seen(tx, agent, after, first):
        return None
    because = f"{after} serves it since {first:%Y-%m-%d %H:%M} UTC, {before} did before"
    return notice(
        tx,
        agent,
        Reason(
            trigger=Trigger.MODEL, because=short(because), at=tx.now, models=(before, after)
        ),
    )


def costs(tx: Tx, agent: str, usd: Decimal) -> None:
    """Keep what a trace of an agent cost on average."""
    store.save_watch(tx, replace(store.locked_watch(tx, agent), usd=usd))


def search_ended(
    tx: Tx, improvement_id: str, *, proposal: str, version: str, because: str, failed: bool
) -> None:
    """Follow a search: what it found is a candidate, one that found nothing ends the entry, and
    one that failed leaves it to people to start another.
    """
    entry = open_with(tx, improvement=improvement_id)
    if entry is None or entry.state is not State.RUNNING:
        return
    if failed:
        waits = short(f"the search ended without a result: {because}")
        now = moved(tx, replace(entry, state=State.QUEUED, waits=waits))
        tx.record("retraining.held", now.subject, **facts(now), because=waits)
    elif not proposal:
        close(tx, entry, State.DISMISSED, f"the search found nothing better: {because}")
    else:
        now = moved(
            tx,
            replace(entry, state=State.CANDIDATE, version=version, proposal=proposal, waits=""),
        )
        tx.record(
            "retraining.found",
            now.subject,
            **facts(now),
            version=version,
            proposal=proposal,
            because=short(because),
        )


def withdrawn(tx: Tx, proposal_id: str, *, because: str) -> None:
    """End the entry whose proposal was withdrawn."""
    entry = open_with(tx, proposal=proposal_id)
    if entry is not None:
        close(tx, entry, State.DISMISSED, f"its proposal was withdrawn: {because}")


def release_stopped(tx: Tx, release_id: str, *, because: str) -> None:
    """End the entry whose release was aborted or rolled back."""
    entry = open_with(tx, release=release_id)
    if entry is not None:
        close(tx, entry, State.DISMISSED, f"{release_id} was stopped: {because}")


def serves(tx: Tx, agent: str) -> None:
    """End the entry of an agent whose version in production cites what was found for it, however
    it came there.
    """
    entry = of(tx, agent)
    if entry is None or not entry.version:
        return
    version, spec = reckoning.serving(tx, agent)
    cited = {str(Ref.parse(one, kind="prompt")) for one in spec.prompts.values()}
    if entry.version in cited:
        close(tx, entry, State.RELEASED, f"{version.ref} serves and cites {entry.version}")


def gate_failed(tx: Tx, entry_id: str, error: OpsroomError) -> None:
    """Note that the gate could not say anything of a candidate."""
    entry, _ = hold(tx, entry_id)
    if entry.gate is Asked.ASKED and not entry.over:
        waits = short(f"the gate could not measure it: {error}")
        now = moved(tx, replace(entry, gate=Asked.NO_ANSWER, waits=waits))
        tx.record("retraining.held", now.subject, **facts(now), because=waits)


def _weigh(tx: Tx, watch: Watch) -> Watch:
    """Let corrections speak once for an entry, when there is enough to learn from."""
    if watch.noted or watch.accepted < watch.settings.accepted:
        return watch
    rate = reckoning.rate(tx, watch.agent)
    if not speaks(watch.settings, watch.accepted, rate):
        return watch
    notice(
        tx,
        watch.agent,
        Reason(
            trigger=Trigger.OVERRIDES,
            because=told_rate(watch.accepted, rate),
            at=tx.now,
            evidence=(f"dataset/{dataset_of(watch.agent)}",),
            rate=rate,
            accepted=watch.accepted,
        ),
    )
    return store.save_watch(tx, replace(watch, noted=True))


def _cited(tx: Tx, agent: str, settings: Settings) -> tuple[str, str]:
    """The prompt that would be improved, or why there is none."""
    try:
        return reckoning.prompt(tx, agent, settings), ""
    except NothingToImprove as error:
        return "", str(error)


def _why(reason: Reason) -> dict[str, Any]:
    return {
        "trigger": reason.trigger.value,
        "because": reason.because,
        "evidence": list(reason.evidence),
    }
