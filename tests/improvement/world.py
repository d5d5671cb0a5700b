"""A customs desk whose prompt can be better, and a model that does better where it is."""

from typing import Any

from opsroom.app.kinds import KINDS
from opsroom.datasets import Item
from opsroom.datasets import commands as datasets
from opsroom.improvement import commands, queries
from opsroom.improvement.model import Budget, Candidate, Improvement, Method, Plan
from opsroom.improvement.running import carry_out
from opsroom.kit.db import Actor, Database
from opsroom.models import Models
from opsroom.registry import ArtifactDraft, Criticality, VersionDraft
from opsroom.registry import commands as registry
from opsroom.simulator import goods

TEXT = (
    "You classify goods for customs.\n\n"
    "<description>\n{{ description }}\n</description>\n\n"
    "Answer with the four digits of the heading and nothing else."
)
SPEC: dict[str, Any] = {
    "format": "text",
    "text": TEXT,
    "variables": {"description": {"type": "text", "max_length": 4000}},
}
DATASET = "corrections-customs"
CASES = 120
CANARY = "ZEBRA-QUAGGA"


def desk(db: Database, actor: Actor, *, items: list[Item] | None = None) -> None:
    """The prompt in production, its agent, and a dataset with the three splits."""
    with db.write(actor) as tx:
        for kind, name in (("prompt", "customs"), ("agent", "customs"), ("evaluator", "right")):
            draft = ArtifactDraft(kind=kind, name=name, criticality=Criticality.ASSISTIVE)
            registry.create_artifact(tx, draft, kinds=KINDS)
        right = {"type": "equals", "metric": "correct"}
        registry.create_version(tx, "evaluator", "right", VersionDraft(spec=right), kinds=KINDS)
        registry.create_version(tx, "prompt", "customs", VersionDraft(spec=SPEC), kinds=KINDS)
        manifest = {
            "model": {"model": "apprentice", "parameters": {"temperature": 1.0}},
            "prompts": {"system": "customs@1"},
        }
        registry.create_version(
            tx, "agent", "customs", VersionDraft(spec=manifest), kinds=KINDS
        )
        datasets.put(
            tx,
            DATASET,
            items or goods.cases(count=CASES),
            kinds=KINDS,
            evaluators=["right"],
            keeper="corrections",
        )


def with_canaries(items: list[Item]) -> list[Item]:
    """The same items, with a word in every held-out one that occurs nowhere else."""
    return [
        one
        if one.split != "test"
        else Item(
            id=one.id,
            input={"description": f"{one.input['description']} {CANARY}"},  # type: ignore[index,call-overload]
            expected=one.expected,
            split=one.split,
        )
        for one in items
    ]


def plan(method: Method = Method.EXAMPLES, **more: Any) -> Plan:
    wanted: dict[str, Any] = {
        "target": "prompt/customs",
        "dataset": DATASET,
        "model": "apprentice",
        "base": "1",
        "budget": Budget(max_calls=5000),
        "max_examples": 8,
        "breadth": 2,
    }
    return Plan(method=method, **{**wanted, **more})


def started(db: Database, actor: Actor, wanted: Plan) -> Improvement:
    with db.write(actor) as tx:
        return commands.start(tx, wanted, inline=True)


def searched(
    db: Database, actor: Actor, wanted: Plan, models: Models
) -> tuple[Improvement, list[Candidate]]:
    """A search from its start to its end."""
    found = started(db, actor, wanted)
    return finished(db, actor, found, models)


def finished(
    db: Database, actor: Actor, found: Improvement, models: Models
) -> tuple[Improvement, list[Candidate]]:
    done = carry_out(db, actor.project, found.id, models=models, kinds=KINDS)
    with db.read(actor) as tx:
        return done, queries.candidates(tx, done.id, limit=500)
