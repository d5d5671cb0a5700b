"""What takes hours or days: looking after a release from its start to its end.

One durable loop per release. Each look is one transaction of `advance`; then it waits until
the clock alone would change the answer, or somebody signals that something is new. The only
other thing it does is to run the gate, which may take a while and is safe to repeat.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from opsroom.evals.gate import Outcome
from opsroom.evals.gating import gate_versions
from opsroom.evals.measure import Measurement
from opsroom.evals.regressing import regress, worst
from opsroom.journal import Entry
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.durable import SHORTEST, Durable
from opsroom.kit.errors import Conflict, OpsroomError, Unavailable
from opsroom.models import Models
from opsroom.registry import queries as registry
from opsroom.registry.rules import CHECKLIST

from . import commands, queries, store
from .commands import SYSTEM
from .evidence import GateResult
from .model import Because, Hold, Release
from .plan import GatePlan

log = logging.getLogger(__name__)

LOOP = "releases.drive"
LONGEST = timedelta(days=1)
STARTED = "release.started"
TELLING = frozenset(
    {
        STARTED,
        "release.due",
        "release.resumed",
        "release.aborted",
        "release.rolled_back",
        "approval.given",
    }
)


@dataclass(frozen=True, slots=True)
class Driver:
    """Looks after releases. `models` answer where a plan asks a live model at its gate."""

    db: Database
    models: Models

    def look(self, release_id: str) -> float | None:
        """Take a release as far as it goes now; say after how many seconds to look again, or
        None when it is over. Safe to repeat.
        """
        with self.db.read(Actor(SYSTEM, "", human=False)) as tx:
            project = store.project_of(tx, release_id)
        if project is None:
            return None
        actor = Actor(SYSTEM, project, human=False)
        try:
            with self.db.write(actor) as tx:
                decision = commands.advance(tx, release_id)
        except Conflict as moved:  # somebody changed it (or its label) meanwhile: look again
            log.info("%s changed while it was decided: %s", release_id, moved)
            return 0.0
        match decision:
            case Hold(code=Because.OVER):
                return None
            case Hold(code=Because.GATE):
                return self._gate(actor, release_id)
            case Hold(until=until):
                wait = LONGEST if until is None else until - self.db.clock.now()
                return max(self.db.clock.real(wait), SHORTEST)
            case _:
                return 0.0

    def _gate(self, actor: Actor, release_id: str) -> float:
        with self.db.read(actor) as tx:
            release = store.release(tx, release_id)
        if release is None or release.plan.gate is None:
            return 0.0
        result = self._ask_gate(actor, release, release.plan.gate)
        with self.db.write(actor) as tx:
            commands.gated(tx, release_id, result)
        return 0.0

    def _ask_gate(self, actor: Actor, release: Release, plan: GatePlan) -> GateResult:
        """Measure both versions and compare them; what passes is put to the cases that have to
        stay right. What cannot be computed is an error, which stops the release; an engine that
        does not answer is asked again later.
        """
        champion = _measurement(release.champion, plan)
        candidate = _measurement(release.candidate, plan)
        try:
            verdict = gate_versions(
                self.db, actor, champion, candidate, rules=plan.rules, models=self.models
            )
            if verdict.outcome is Outcome.PASSED and plan.regressions:
                kept = tuple(
                    regress(self.db, actor, champion, candidate, one, models=self.models)
                    for one in plan.regressions
                )
                last = worst(kept)
                return GateResult(
                    outcome=last.outcome,
                    digest=verdict.digest,
                    because=last.reasons[0],
                    regressions=tuple(one.digest for one in kept),
                )
        except (Unavailable, Conflict):  # not now, or somebody measures the same: ask again
            raise
        except OpsroomError as error:
            return GateResult(outcome=Outcome.ERROR, digest="", because=str(error))
        return GateResult(
            outcome=verdict.outcome, digest=verdict.digest, because=verdict.reasons[0]
        )


def reactions(durable: Durable) -> tuple[Reaction, ...]:
    """How the loops hear of news. Names are kept for ever: cursors are filed under them."""

    def tell(_tx: Tx, entry: Entry) -> None:
        noun, _, release_id = entry.subject.partition("/")
        if entry.event == STARTED:
            durable.begin(LOOP, release_id)
        elif noun == "release":
            durable.signal(LOOP, release_id, about=entry.id)

    def checked(tx: Tx, entry: Entry) -> None:
        if entry.facts["check"] != CHECKLIST:
            return
        of = registry.proposal(tx, entry.subject.partition("/")[2])
        for release in queries.releases(tx, active=True, kind=of.kind, name=of.name):
            durable.signal(LOOP, release.id, about=entry.id)

    return (
        Reaction(name=LOOP, events=TELLING, react=tell),
        Reaction(name="releases.checks", events=frozenset({"proposal.checked"}), react=checked),
        Reaction(name="releases.labels", events=frozenset({"label.moved"}), react=_label_moved),
    )


def _label_moved(tx: Tx, entry: Entry) -> None:
    kind, _, name = entry.subject.partition("/")
    commands.label_moved(tx, kind, name, entry.facts["label"])


def _measurement(subject: str, plan: GatePlan) -> Measurement:
    return Measurement(
        subject=subject,
        dataset=plan.dataset,
        evaluators=plan.evaluators,
        split=plan.split,
        variant=plan.variant,
        trials=plan.trials,
        source=plan.source,
    )
