"""Asking the gate about what a search found, in the background.

What serves and what was found are measured on cases that the search has not seen: by the gate
of the agent's last release where it had one, and otherwise on the test cases of its corrections.
"""

from dataclasses import dataclass, replace

from opsroom.corrections.model import dataset_of
from opsroom.evals.gate import GateRules
from opsroom.evals.gating import gate_versions
from opsroom.evals.measure import Measurement
from opsroom.evals.regressing import check_proposal
from opsroom.improvement.model import HELD_OUT
from opsroom.journal import Entry as Told
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.durable import Durable
from opsroom.kit.errors import Conflict, OpsroomError, Unavailable
from opsroom.models import Models
from opsroom.registry import queries as registry
from opsroom.registry.model import PRODUCTION, ProposalState
from opsroom.releases import queries as releases

from . import commands, reckoning, store
from .holding import SYSTEM
from .model import Asked, Entry

LOOP = "retraining.gate"


@dataclass(frozen=True, slots=True)
class Asking:
    """What is measured against what, for which proposal, and under which rules if any are set."""

    baseline: Measurement
    candidate: Measurement
    proposal: str
    rules: GateRules | None


@dataclass(frozen=True, slots=True)
class Driver:
    """Asks the gate about candidates. `models` answer."""

    db: Database
    models: Models

    def look(self, entry_id: str) -> None:
        """Ask the gate about a candidate, once. Safe to repeat after an interruption.

        What makes it impossible is noted; an engine that does not answer is asked again.
        """
        with self.db.read(Actor(SYSTEM, "", human=False)) as tx:
            project = store.project_of(tx, entry_id)
        if project is None:
            return
        actor = Actor(SYSTEM, project, human=False)
        with self.db.read(actor) as tx:
            entry = store.entry(tx, entry_id)
            asking = None if entry is None else _asking(tx, entry)
        if asking is None:
            return
        try:
            self._ask(actor, asking)
        except (Unavailable, Conflict):  # not now, or somebody measures the same: ask again
            raise
        except OpsroomError as error:
            with self.db.write(actor) as tx:
                commands.gate_failed(tx, entry_id, error)

    def _ask(self, actor: Actor, asking: Asking) -> None:
        """The gate speaks last: what it says may let the proposal through at once."""
        check_proposal(
            self.db,
            actor,
            asking.baseline,
            asking.candidate,
            asking.proposal,
            models=self.models,
        )
        gate_versions(
            self.db,
            actor,
            asking.baseline,
            asking.candidate,
            rules=asking.rules,
            proposal=asking.proposal,
            models=self.models,
        )


def reactions(durable: Durable) -> tuple[Reaction, ...]:
    """How the loop hears of a candidate. The name is kept for ever: its cursor is under it."""

    def begin(_tx: Tx, told: Told) -> None:
        durable.begin(LOOP, told.subject.partition("/")[2])

    return (Reaction(name=LOOP, events=frozenset({"retraining.gating"}), react=begin),)


def _asking(tx: Tx, entry: Entry) -> Asking | None:
    """What to ask of the gate; None where it has spoken, or nobody waits for it any more."""
    if entry.over or entry.gate is not Asked.ASKED:
        return None
    proposal = registry.proposal(tx, entry.proposal)
    if proposal.state is not ProposalState.OPEN or reckoning.known(tx, entry).gate:
        return None
    watch = store.watch(tx, entry.agent)
    _, spec = reckoning.serving(tx, entry.agent)
    model = (watch.settings.model if watch else "") or spec.model.model
    replaced = entry.prompt
    if proposal.base is not None:
        replaced = f"{proposal.kind}/{proposal.name}@{proposal.base}"
    last = releases.releases(
        tx, kind="agent", name=entry.agent, environment=PRODUCTION, limit=1
    )
    gate = reckoning.live(last[0].plan.gate, model) if last and last[0].plan.gate else None
    baseline = Measurement(
        subject=replaced, dataset=dataset_of(entry.agent), split=HELD_OUT, source=model
    )
    if gate is not None:
        baseline = Measurement(
            subject=replaced,
            dataset=gate.dataset,
            evaluators=gate.evaluators,
            split=gate.split,
            trials=gate.trials,
            source=gate.source,
        )
    return Asking(
        baseline=baseline,
        candidate=replace(baseline, subject=entry.version),
        proposal=entry.proposal,
        rules=gate.rules if gate else None,
    )
