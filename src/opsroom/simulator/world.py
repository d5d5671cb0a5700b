"""The freight office: three agents that answer, their prompts, their manifests, and how well they do."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from opsroom.datasets import Item
from opsroom.importing import Bundle
from opsroom.importing.model import NewDataset, NewRecording, NewVersion
from opsroom.models import Output
from opsroom.registry import ArtifactDraft, Criticality, VersionDraft

from . import tasks
from .tasks import Task

CASES = 400
OWNER = "ana"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """How one version really does: what the desk would know after a year, and nobody knows
    before. `disputed` is how often a customer complains about work that went out.
    """

    right: float
    disputed: float
    latency: float
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One agent: its work, the two texts of its prompt, and the skill behind each."""

    name: str
    purpose: str
    criticality: Criticality
    make: Callable[[random.Random], tuple[dict[str, str], str]]
    texts: tuple[str, str]
    messages: tuple[str, str]
    model: tuple[str, str]
    skills: tuple[Skill, Skill]


CUSTOMS = Desk(
    name="customs-classifier",
    purpose="reads a description of goods and returns the customs heading",
    criticality=Criticality.ASSISTIVE,
    make=tasks.goods,
    texts=(
        (
            "You classify goods for customs.\n\n"
            "<description>\n{{ description }}\n</description>\n\n"
            "Answer with the four digits of the heading and nothing else."
        ),
        (
            "You classify goods for customs.\n\n"
            "<description>\n{{ description }}\n</description>\n\n"
            "First name the material, then the use, then the form in which it is traded.\n"
            "A part that is good for one machine only goes with that machine.\n"
            "Answer with the four digits of the heading on the last line."
        ),
    ),
    messages=("first version", "reason from material and use before answering"),
    model=("desk-small", "desk-small"),
    skills=(
        Skill(right=0.86, disputed=0.015, latency=0.9, cost=0.0011),
        Skill(right=0.93, disputed=0.012, latency=1.1, cost=0.0013),
    ),
)
INVOICES = Desk(
    name="invoice-matcher",
    purpose="matches supplier invoices with orders, and asks where they differ",
    criticality=Criticality.ASSISTIVE,
    make=tasks.invoice,
    texts=(
        (
            "You match invoices with orders.\n\n"
            "<invoice>\n{{ invoice }}\n</invoice>\n<order>\n{{ order }}\n</order>\n\n"
            "Answer match when they agree within the tolerance, otherwise ask."
        ),
        (
            "You match invoices with orders, quickly.\n\n"
            "<invoice>\n{{ invoice }}\n</invoice>\n<order>\n{{ order }}\n</order>\n\n"
            "Answer match when they agree. Small differences do not matter. Otherwise ask."
        ),
    ),
    messages=("first version", "fewer questions to suppliers, cheaper model"),
    model=("desk-large", "desk-small"),
    skills=(
        Skill(right=0.91, disputed=0.015, latency=2.4, cost=0.0080),
        Skill(right=0.92, disputed=0.060, latency=0.8, cost=0.0010),
    ),
)
QUOTES = Desk(
    name="quote-writer",
    purpose="drafts freight quotes; a person sends them",
    criticality=Criticality.ASSISTIVE,
    make=tasks.quote,
    texts=(
        (
            "You draft freight quotes.\n\n<request>\n{{ request }}\n</request>\n\n"
            "Give route, transit time and price on three lines."
        ),
        (
            "You draft freight quotes in a friendly tone.\n\n"
            "<request>\n{{ request }}\n</request>\n\n"
            "Give route, transit time and price on three lines. Say what the price includes."
        ),
    ),
    messages=("first version", "say what the price includes"),
    model=("desk-small", "desk-small"),
    skills=(
        Skill(right=0.95, disputed=0.010, latency=1.3, cost=0.0015),
        Skill(right=0.95, disputed=0.009, latency=1.4, cost=0.0016),
    ),
)
DESKS = (CUSTOMS, INVOICES, QUOTES)


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one task in the hands of one version."""

    right: bool
    disputed: bool
    latency: float
    cost: float

    def metrics(self) -> dict[str, float]:
        return {
            "correct": float(self.right),
            "disputed": float(self.disputed),
            "latency": self.latency,
        }


def do(desk: Desk, version: int, task: Task) -> Done:
    """Let version 1 or 2 of a desk do a task. The same task always comes out the same."""
    skill = desk.skills[version - 1]
    draw = random.Random(f"{task.id}/{desk.name}/{version}")  # noqa: S311
    return Done(
        right=task.hardness < skill.right,
        disputed=draw.random() < skill.disputed,
        latency=skill.latency * draw.lognormvariate(0, 0.25),
        cost=skill.cost,
    )


def bundle(seed: int) -> Bundle:
    """The office as one import: prompts, manifests, test cases and recorded answers."""
    parts = [_desk(desk, seed) for desk in DESKS]
    return Bundle(
        format="simulator",
        artifacts=tuple(one for part in parts for one in part.artifacts),
        versions=tuple(one for part in parts for one in part.versions),
        datasets=tuple(one for part in parts for one in part.datasets),
        recordings=tuple(one for part in parts for one in part.recordings),
    )


def _desk(desk: Desk, seed: int) -> Bundle:
    cases = list(islice(tasks.stream(f"{desk.name}-cases-{seed}", desk.make), CASES))
    by_hash: dict[str, tuple[Item, Task]] = {}
    for case in cases:
        item = Item(id=case.id, input=dict(case.input), expected=case.expected)
        by_hash.setdefault(item.hash, (item, case))
    evaluator = f"{desk.name}-correct"
    versions: list[NewVersion] = [
        _version("evaluator", evaluator, {"type": "equals", "metric": "correct"}, 1)
    ]
    for number in (1, 2):
        prompt = {
            "format": "text",
            "text": desk.texts[number - 1],
            "variables": {name: {"type": "text"} for name in cases[0].input},
        }
        manifest = {
            "description": desk.purpose,
            "model": {"model": desk.model[number - 1], "parameters": {"temperature": 0}},
            "prompts": {"system": f"{desk.name}@{number}"},
        }
        message = desk.messages[number - 1]
        versions.append(_version("prompt", desk.name, prompt, number, message))
        versions.append(_version("agent", desk.name, manifest, number, message))
    kinds = (("prompt", desk.name), ("agent", desk.name), ("evaluator", evaluator))
    return Bundle(
        format="simulator",
        artifacts=tuple(
            ArtifactDraft(
                kind=kind,
                name=name,
                owner=OWNER,
                purpose=desk.purpose,
                criticality=desk.criticality if kind == "agent" else Criticality.ADVISORY,
                tags=("freight",),
            )
            for kind, name in kinds
        ),
        versions=tuple(versions),
        datasets=(
            NewDataset(
                name=desk.name,
                items=tuple(item for item, _ in by_hash.values()),
                description=desk.purpose,
                evaluators=(evaluator,),
            ),
        ),
        recordings=tuple(
            _recording(desk, number, item, case)
            for number in (1, 2)
            for item, case in by_hash.values()
        ),
    )


def _version(
    kind: str, name: str, spec: dict[str, Any], number: int, message: str = ""
) -> NewVersion:
    draft = VersionDraft(spec=spec, message=message, author=OWNER, source=f"simulator:{number}")
    return NewVersion(kind=kind, name=name, draft=draft)


def _recording(desk: Desk, number: int, item: Item, case: Task) -> NewRecording:
    done = do(desk, number, case)
    return NewRecording(
        kind="agent",
        name=desk.name,
        source=f"simulator:{number}",
        item=item.hash,
        output=Output(
            text=case.expected if done.right else "unsure",
            latency=round(done.latency, 4),
            cost=Decimal(repr(done.cost)),
            served_model=desk.model[number - 1],
        ),
    )
