"""What changes the queue: reasons that come in, what people do, and the steps taken by themselves.

Whatever opens an entry, or changes what counts for one, is on record; the steps that follow by
themselves are taken in reaction to that (`advance`), so that nothing is lost by a restart.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from opsroom.agents import queries as agents
from opsroom.corrections.model import dataset_of
from opsroom.improvement import commands as improvement
from opsroom.improvement.model import Plan
from opsroom.kit.db import Actor, Tx
from opsroom.kit.errors import OpsroomError
from opsroom.kit.reasons import reason as given_reason
from opsroom.kit.wire import plain
from opsroom.registry import Kinds, Ref, VersionDraft, proposals
from opsroom.registry import commands as registry_commands
from opsroom.registry import queries as registry
from opsroom.releases import commands as releases
from opsroom.releases import queries as release_queries
from opsroom.releases.model import Draft

from . import reckoning, store
from .errors import EntryNotFound, NeverReleased, NothingToImprove, WrongState
from .model import (
    Asked,
    Entry,
    Reason,
    Settings,
    State,
    Step,
    Trigger,
    Wait,
    Watch,
    check_settings,
    decide,
    short,
    speaks,
    told_rate,
)

SYSTEM = "system:retraining"
DAY = timedelta(days=1)
MOST_AT_ONCE = 50
DOING = {
    Step.START: "the search could not be started",
    Step.ASK_GATE: "the gate could not be asked",
    Step.MERGE: "its proposal could not be merged",
    Step.RELEASE: "its release could not be started",
}


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
        tx.record("retraining.strengthened", now.subject, **_facts(now), **_why(reason))
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
    tx.record("retraining.queued", made.subject, **_facts(made), **_why(reason))
    return made


def start(tx: Tx, entry_id: str) -> Entry:
    """Begin the search for something better. Raises `WrongState` unless it is queued,
    `NothingToImprove`, and what starting a search raises.
    """
    entry, watch = _held(tx, entry_id)
    if entry.state is not State.QUEUED:
        raise WrongState(entry.id, entry.state.value, "started")
    return _start(tx, entry, watch)


def dismiss(tx: Tx, entry_id: str, *, reason: str) -> Entry:
    """End an entry without a release, saying why. What it started goes on unless it is stopped.

    Raises `WrongState` for one that is over.
    """
    why = given_reason(reason, to="dismiss an entry")
    entry, _ = _held(tx, entry_id)
    if entry.over:
        raise WrongState(entry.id, entry.state.value, "dismissed")
    return _close(tx, entry, State.DISMISSED, why)


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
    entry = _open(tx, improvement=improvement_id)
    if entry is None or entry.state is not State.RUNNING:
        return
    if failed:
        waits = short(f"the search ended without a result: {because}")
        now = _moved(tx, replace(entry, state=State.QUEUED, waits=waits))
        tx.record("retraining.held", now.subject, **_facts(now), because=waits)
    elif not proposal:
        _close(tx, entry, State.DISMISSED, f"the search found nothing better: {because}")
    else:
        now = _moved(
            tx,
            replace(entry, state=State.CANDIDATE, version=version, proposal=proposal, waits=""),
        )
        tx.record(
            "retraining.found",
            now.subject,
            **_facts(now),
            version=version,
            proposal=proposal,
            because=short(because),
        )


def withdrawn(tx: Tx, proposal_id: str, *, because: str) -> None:
    """End the entry whose proposal was withdrawn."""
    entry = _open(tx, proposal=proposal_id)
    if entry is not None:
        _close(tx, entry, State.DISMISSED, f"its proposal was withdrawn: {because}")


def release_stopped(tx: Tx, release_id: str, *, because: str) -> None:
    """End the entry whose release was aborted or rolled back."""
    entry = _open(tx, release=release_id)
    if entry is not None:
        _close(tx, entry, State.DISMISSED, f"{release_id} was stopped: {because}")


def serves(tx: Tx, agent: str) -> None:
    """End the entry of an agent whose version in production cites what was found for it, however
    it came there.
    """
    entry = _of(tx, agent)
    if entry is None or not entry.version:
        return
    version, spec = reckoning.serving(tx, agent)
    cited = {str(Ref.parse(one, kind="prompt")) for one in spec.prompts.values()}
    if entry.version in cited:
        _close(tx, entry, State.RELEASED, f"{version.ref} serves and cites {entry.version}")


def gate_failed(tx: Tx, entry_id: str, error: OpsroomError) -> None:
    """Note that the gate could not say anything of a candidate."""
    entry, _ = _held(tx, entry_id)
    if entry.gate is Asked.ASKED and not entry.over:
        waits = short(f"the gate could not measure it: {error}")
        now = _moved(tx, replace(entry, gate=Asked.NO_ANSWER, waits=waits))
        tx.record("retraining.held", now.subject, **_facts(now), because=waits)


def advance_agent(tx: Tx, agent: str, *, kinds: Kinds) -> None:
    """Take the open entry of an agent as far as it goes by itself, if there is one."""
    entry = _of(tx, agent)
    if entry is not None:
        advance(tx, entry.id, kinds=kinds)


def advance_with(tx: Tx, proposal_id: str, *, kinds: Kinds) -> None:
    """Take the entry that rests on a proposal as far as it goes by itself, if there is one."""
    entry = _open(tx, proposal=proposal_id)
    if entry is not None:
        advance(tx, entry.id, kinds=kinds)


def advance(tx: Tx, entry_id: str, *, kinds: Kinds) -> Entry:
    """Take every step that is to be taken by itself now, and say what is waited for then.

    Safe to repeat. What a step is refused for is kept as what it waits for, and the step is
    tried again when something new is known of the entry. Nothing is approved.
    """
    entry, watch = _held(tx, entry_id)
    carry_out: dict[Step, Callable[[Tx, Entry, Watch], Entry]] = {
        Step.START: _start,
        Step.ASK_GATE: _ask_gate,
        Step.MERGE: lambda tx, entry, _: _merge(tx, entry),
        Step.RELEASE: lambda tx, entry, watch: _release(tx, entry, watch, kinds),
    }
    for _ in Step:
        step = decide(entry, watch.settings.mode, reckoning.known(tx, entry))
        if isinstance(step, Wait):
            return _waits(tx, entry, step.because)
        try:
            with tx.part():
                # Who set this up answers for it, so that somebody else has to approve.
                tx.actor = Actor(SYSTEM, tx.project, human=False, owner=watch.set_by)
                entry = carry_out[step](tx, entry, watch)
        except OpsroomError as error:
            held = short(f"{DOING[step]}: {error}")
            if held == entry.waits:
                return entry
            entry = _waits(tx, entry, held)
            tx.record("retraining.held", entry.subject, **_facts(entry), because=held)
            return entry
    return entry


def _start(tx: Tx, entry: Entry, watch: Watch) -> Entry:
    settings = watch.settings
    cited = reckoning.prompt(tx, entry.agent, settings)
    _, spec = reckoning.serving(tx, entry.agent)
    target, _, number = cited.partition("@")
    found = improvement.start(
        tx,
        Plan(
            target=target,
            method=settings.method,
            dataset=dataset_of(entry.agent),
            model=settings.model or spec.model.model,
            base=number,
            budget=settings.budget,
            reflection_model=settings.reflection_model,
        ),
    )
    store.save_watch(tx, replace(watch, accepted=0, noted=False, since=tx.now))
    now = _moved(
        tx,
        replace(
            entry,
            state=State.RUNNING,
            prompt=cited,
            cost=reckoning.cost(tx, entry.agent, cited, watch),
            improvement=found.id,
            waits="the search is under way",
        ),
    )
    tx.record("retraining.started", now.subject, **_facts(now), improvement=found.id)
    return now


def _ask_gate(tx: Tx, entry: Entry, _: Watch) -> Entry:
    now = _moved(tx, replace(entry, gate=Asked.ASKED))
    tx.record("retraining.gating", now.subject, **_facts(now), proposal=entry.proposal)
    return now


def _merge(tx: Tx, entry: Entry) -> Entry:
    proposals.merge(tx, entry.proposal)
    return entry


def _release(tx: Tx, entry: Entry, watch: Watch, kinds: Kinds) -> Entry:
    """Make a version of the agent that differs in its prompt alone, and release it as the last
    one was. What guards the agent today is asked of it, and what was recorded of other versions
    is asked of a model.
    """
    version, spec = reckoning.serving(tx, entry.agent)
    last = release_queries.releases(tx, kind="agent", name=entry.agent, limit=1)
    if not last:
        raise NeverReleased(entry.agent)
    better = Ref.parse(entry.version)
    cited = {
        role: f"{better.name}@{better.at}"
        if Ref.parse(one, kind="prompt").name == better.name
        else one
        for role, one in spec.prompts.items()
    }
    made = registry_commands.create_version(
        tx,
        "agent",
        entry.agent,
        VersionDraft(
            spec={**version.spec, "prompts": cited},
            message=f"{entry.version} instead of {entry.prompt}, by {entry.id}",
            source=entry.subject,
        ),
        kinds=kinds,
    )
    plan = last[0].plan
    if plan.gate is not None:
        plan = replace(
            plan, gate=reckoning.live(plan.gate, watch.settings.model or spec.model.model)
        )
    release = releases.start(tx, Draft(version=made.ref, plan=plan), kinds=kinds)
    now = _moved(tx, replace(entry, release=release.id))
    tx.record(
        "retraining.releasing",
        now.subject,
        **_facts(now),
        version=made.ref,
        release=release.id,
    )
    return now


def _weigh(tx: Tx, watch: Watch) -> Watch:
    """Let corrections speak once between two searches, when there is enough to learn from."""
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


def _close(tx: Tx, entry: Entry, state: State, note: str) -> Entry:
    now = _moved(
        tx,
        replace(entry, state=state, closed_by=tx.actor.name, note=short(note), waits=""),
    )
    tx.record(f"retraining.{state.value}", now.subject, **_facts(now), because=now.note)
    return now


def _waits(tx: Tx, entry: Entry, because: str) -> Entry:
    waits = "" if entry.over else short(because)
    return entry if entry.waits == waits else store.save(tx, replace(entry, waits=waits))


def _moved(tx: Tx, entry: Entry) -> Entry:
    return store.save(tx, replace(entry, changed_at=tx.now))


def _held(tx: Tx, entry_id: str) -> tuple[Entry, Watch]:
    """An entry that nobody else can change until the transaction ends. What is known of the
    agent is locked first, always, so that two never wait for each other.
    """
    found = store.entry(tx, entry_id)
    if found is None:
        raise EntryNotFound(entry_id)
    watch = store.locked_watch(tx, found.agent)
    entry = store.entry(tx, entry_id, lock=True)
    assert entry is not None, "entries are never deleted"
    return entry, watch


def _of(tx: Tx, agent: str) -> Entry | None:
    return _still_open(tx, store.open_of(tx, agent))


def _open(tx: Tx, **about: str) -> Entry | None:
    return _still_open(tx, store.open_with(tx, **about))


def _still_open(tx: Tx, found: Entry | None) -> Entry | None:
    """An entry that was found open, locked, unless it was closed until it was."""
    if found is None:
        return None
    entry, _ = _held(tx, found.id)
    return None if entry.over else entry


def _facts(entry: Entry) -> dict[str, Any]:
    return {"agent": entry.agent, "prompt": entry.prompt}


def _why(reason: Reason) -> dict[str, Any]:
    return {
        "trigger": reason.trigger.value,
        "because": reason.because,
        "evidence": list(reason.evidence),
    }
