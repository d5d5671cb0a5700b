"""The steps that are taken with an entry: by themselves as far as was set, or by people.

Nothing is approved here, for nobody.
"""

from collections.abc import Callable
from dataclasses import replace

from opsroom.corrections.model import dataset_of
from opsroom.improvement import commands as improvement
from opsroom.improvement.model import Plan
from opsroom.kit.db import Actor, Tx
from opsroom.kit.errors import OpsroomError
from opsroom.registry import Kinds, Ref, VersionDraft, proposals
from opsroom.registry import commands as registry_commands
from opsroom.registry.model import PRODUCTION
from opsroom.releases import commands as releases
from opsroom.releases import queries as release_queries
from opsroom.releases.model import Draft

from . import reckoning, store
from .errors import NeverReleased
from .holding import SYSTEM, facts, hold, moved, of, open_with, waiting
from .model import Asked, Entry, State, Step, Wait, Watch, decide, short

DOING = {
    Step.START: "the search could not be started",
    Step.ASK_GATE: "the gate could not be asked",
    Step.MERGE: "its proposal could not be merged",
    Step.RELEASE: "its release could not be started",
}


def advance_agent(tx: Tx, agent: str, *, kinds: Kinds) -> None:
    """Take the open entry of an agent as far as it goes by itself, if there is one."""
    entry = of(tx, agent)
    if entry is not None:
        advance(tx, entry.id, kinds=kinds)


def advance_with(tx: Tx, proposal_id: str, *, kinds: Kinds) -> None:
    """Take the entry that rests on a proposal as far as it goes by itself, if there is one."""
    entry = open_with(tx, proposal=proposal_id)
    if entry is not None:
        advance(tx, entry.id, kinds=kinds)


def advance(tx: Tx, entry_id: str, *, kinds: Kinds) -> Entry:
    """Take every step that is to be taken by itself now, and say what is waited for then.

    Safe to repeat. What a step is refused for is kept as what it waits for, and the step is
    tried again when something new is known of the entry. Nothing is approved.
    """
    entry, watch = hold(tx, entry_id)
    carry_out: dict[Step, Callable[[Tx, Entry, Watch], Entry]] = {
        Step.START: start,
        Step.ASK_GATE: _ask_gate,
        Step.MERGE: lambda tx, entry, _: _merge(tx, entry),
        Step.RELEASE: lambda tx, entry, watch: release(tx, entry, watch, kinds),
    }
    for _ in Step:
        step = decide(entry, watch.settings.mode, reckoning.known(tx, entry))
        if isinstance(step, Wait):
            return waiting(tx, entry, step.because)
        try:
            with tx.part():
                # Who set this up answers for it, so that somebody else has to approve.
                tx.actor = Actor(SYSTEM, tx.project, human=False, owner=watch.set_by)
                entry = carry_out[step](tx, entry, watch)
        except OpsroomError as error:
            held = short(f"{DOING[step]}: {error}")
            if held == entry.waits:
                return entry
            entry = waiting(tx, entry, held)
            tx.record("retraining.held", entry.subject, **facts(entry), because=held)
            return entry
    return entry


def start(tx: Tx, entry: Entry, watch: Watch) -> Entry:
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
    now = moved(
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
    tx.record("retraining.started", now.subject, **facts(now), improvement=found.id)
    return now


def _ask_gate(tx: Tx, entry: Entry, _: Watch) -> Entry:
    now = moved(tx, replace(entry, gate=Asked.ASKED))
    tx.record("retraining.gating", now.subject, **facts(now), proposal=entry.proposal)
    return now


def _merge(tx: Tx, entry: Entry) -> Entry:
    proposals.merge(tx, entry.proposal)
    return entry


def release(tx: Tx, entry: Entry, watch: Watch, kinds: Kinds) -> Entry:
    """Make a version of the agent that differs in its prompt alone, and release it as the last
    one was. What guards the agent today is asked of it, and what was recorded of other versions
    is asked of a model.
    """
    version, spec = reckoning.serving(tx, entry.agent)
    last = release_queries.releases(
        tx, kind="agent", name=entry.agent, environment=PRODUCTION, limit=1
    )
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
    now = moved(tx, replace(entry, release=release.id))
    tx.record(
        "retraining.releasing",
        now.subject,
        **facts(now),
        version=made.ref,
        release=release.id,
    )
    return now
