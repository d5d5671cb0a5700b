"""A customs desk that people correct, whose prompt can be made better, and that was released."""

from dataclasses import replace
from typing import Any

from tests.corrections.world import person
from tests.improvement.world import SPEC
from tests.releases.world import SMALL

from opsroom.app.kinds import KINDS
from opsroom.corrections.reactions import reactions as corrections
from opsroom.datasets import commands as datasets
from opsroom.evals.comparison import MetricRule
from opsroom.evals.gate import GateRules
from opsroom.improvement.model import Budget
from opsroom.improvement.running import carry_out
from opsroom.journal import outbox
from opsroom.journal import queries as journal
from opsroom.kit.db import Actor, Database
from opsroom.models import Models
from opsroom.registry import ArtifactDraft, Criticality, Ref, VersionDraft, proposals
from opsroom.registry import commands as registry
from opsroom.registry import queries as registry_queries
from opsroom.releases import commands as releases
from opsroom.releases.model import Draft, Release
from opsroom.releases.plan import GatePlan, Plan
from opsroom.retraining import commands, queries, store, workflow
from opsroom.retraining.model import Entry, Mode, Settings, State
from opsroom.retraining.reactions import reactions
from opsroom.simulator import goods

AGENT = "customs"
ADA = person("ada", "author", "operator", "admin")
BEN = person("ben", "reviewer")
RIA = person("ria", "risk")
SYSTEM = Actor("system:test", "default", human=False)
CASES = 260  # half to learn from, a quarter each to choose by and for the gate
ENOUGH = 900  # for a gate that nobody has asked for less
PLAN = replace(
    SMALL,
    gate=GatePlan(
        dataset=f"corrections-{AGENT}",
        rules=GateRules(metrics=(MetricRule(metric="correct", margin=0.05),), floor=40),
        split="test",
    ),
)


def desk(
    db: Database,
    *,
    prompt: Criticality = Criticality.ADVISORY,
    agent: Criticality = Criticality.ADVISORY,
    cases: int = CASES,
    by: Actor = ADA,
) -> None:
    """The prompt and the agent in production, and a dataset of what people corrected."""
    with db.write(by) as tx:
        for kind, criticality in (
            ("prompt", prompt),
            ("agent", agent),
            ("evaluator", Criticality.ADVISORY),
        ):
            name = "right" if kind == "evaluator" else AGENT
            draft = ArtifactDraft(kind=kind, name=name, criticality=criticality)
            registry.create_artifact(tx, draft, kinds=KINDS)
        right = {"type": "equals", "metric": "correct"}
        registry.create_version(tx, "evaluator", "right", VersionDraft(spec=right), kinds=KINDS)
        registry.create_version(tx, "prompt", AGENT, VersionDraft(spec=SPEC), kinds=KINDS)
        manifest = {
            "model": {"model": "apprentice"},
            "prompts": {"system": f"{AGENT}@1"},
            "settings": {"desk": 4},
        }
        registry.create_version(tx, "agent", AGENT, VersionDraft(spec=manifest), kinds=KINDS)
        for kind in ("prompt", "agent"):
            of = registry_queries.artifact(tx, kind, AGENT)
            registry.move_label(tx, of, "production", 1, how="import", reason="it serves")
        if cases:
            datasets.put(
                tx,
                f"corrections-{AGENT}",
                goods.cases(count=cases),
                kinds=KINDS,
                evaluators=["right"],
                keeper="corrections",
            )


def was_released(
    db: Database, plan: Plan = PLAN, *, environment: str = "production"
) -> Release:
    """A release that the agent once had, and that is over: later ones go by its plan."""
    with db.write(ADA) as tx:
        spec = registry_queries.version(tx, Ref("agent", AGENT, "1")).spec | {
            "settings": {"desk": 5, "environment": environment}
        }
        made = registry.create_version(tx, "agent", AGENT, VersionDraft(spec=spec), kinds=KINDS)
        of = registry_queries.artifact(tx, "agent", AGENT)
        if registry_queries.label(tx, "agent", AGENT, environment) is None:
            registry.move_label(tx, of, environment, 1, how="import", reason="it serves")
        draft = Draft(version=made.ref, plan=plan, environment=environment)
        release = releases.start(tx, draft, kinds=KINDS)
    with db.write(ADA) as tx:
        return releases.abort(tx, release.id, reason="not today")


def given(db: Database, mode: Mode = Mode.OFF, **more: Any) -> Settings:
    wanted: dict[str, Any] = {
        "budget": Budget(max_calls=40_000),
        "accepted": 2,
        "share": 0.0,
        **more,
    }
    with db.write(ADA) as tx:
        return commands.set_settings(tx, AGENT, Settings(mode=mode, **wanted))


def learn(db: Database) -> None:
    """Let everybody hear of what happened, until nothing more follows."""
    while True:
        with db.read(SYSTEM) as tx:
            before = journal.head(tx).seq
        outbox.pump(db, (*corrections(KINDS), *reactions(KINDS)))
        with db.read(SYSTEM) as tx:
            if journal.head(tx).seq == before:
                return


def added(db: Database, because: str = "it is slow at tariffs") -> Entry:
    with db.write(ADA) as tx:
        made = commands.add(tx, AGENT, because=because)
    learn(db)
    return look(db, made.id)


def look(db: Database, entry_id: str = "") -> Entry:
    with db.read(ADA) as tx:
        if entry_id:
            return queries.entry(tx, entry_id)
        return queries.entries(tx, everything=True, limit=1)[0]


def searched(db: Database, models: Models, entry: Entry) -> Entry:
    """Carry out the search of an entry, as the background does, and what follows from it."""
    carry_out(db, "default", look(db, entry.id).improvement, models=models, kinds=KINDS)
    learn(db)
    return look(db, entry.id)


def found(db: Database, entry: Entry) -> Entry:
    """The entry as a search leaves it that found something."""
    text = SPEC | {"text": f"{SPEC['text']} Look twice."}
    with db.write(ADA) as tx:
        made = registry.create_version(
            tx, "prompt", AGENT, VersionDraft(spec=text), kinds=KINDS
        )
        proposal = proposals.propose(
            tx,
            Ref("prompt", AGENT, str(made.number)),
            label="production",
            title="look twice",
            description="it was found",
            kinds=KINDS,
        )
        store.save(
            tx,
            replace(
                store.entry(tx, entry.id) or entry,
                state=State.CANDIDATE,
                improvement="imp_1",
                version=made.ref,
                proposal=proposal.id,
            ),
        )
    learn(db)
    return look(db, entry.id)


def merged(db: Database, entry: Entry) -> None:
    with db.write(BEN) as tx:
        proposals.merge(tx, entry.proposal)
    learn(db)


def gated(db: Database, models: Models, entry: Entry) -> Entry:
    workflow.Driver(db, models).look(entry.id)
    learn(db)
    return look(db, entry.id)


def events(db: Database, event: str) -> list[dict[str, Any]]:
    with db.read(ADA) as tx:
        return [dict(one.facts) for one, _ in journal.entries(tx, event=event)]
