"""A customs desk: an agent that puts consignments under headings, and people who look at it.

What it answers depends on its prompt and nothing else; what is right is so by construction.
"""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import chain, cycle, islice
from typing import Any

from opsroom.access import commands as access
from opsroom.actions import doors, executing, turning
from opsroom.actions.executing import Report
from opsroom.actions.model import Final, Pending, Proposal
from opsroom.actions.ports import nobody
from opsroom.actions.turning import Serve, TurnDraft
from opsroom.datasets import Item
from opsroom.datasets import commands as datasets
from opsroom.evals.comparison import MetricRule as GateMetric
from opsroom.evals.comparison import Role
from opsroom.evals.compose import composer, load_prompts
from opsroom.evals.gate import GateRules
from opsroom.evals.measure import Measurement
from opsroom.evidence import Direction
from opsroom.grounding.model import Piece, Voice
from opsroom.inbox import Request, Say, probing
from opsroom.inbox import commands as inbox
from opsroom.inbox import queries as inbox_queries
from opsroom.inbox.model import Settings as InboxSettings
from opsroom.kit.db import Database
from opsroom.registry import ArtifactDraft, Criticality, Kinds, Ref, Version, VersionDraft
from opsroom.registry import commands as registry
from opsroom.registry import queries as registered
from opsroom.releases import queries as release_queries
from opsroom.releases.model import Release
from opsroom.releases.observation import Observation, ShadowPair
from opsroom.releases.plan import CanaryStep, GatePlan, MetricRule, Plan, SamplePlan, ShadowPlan

from . import goods
from .apprentice import Apprentice
from .people import ADMIN, AUTHOR, REVIEWER, clerk, into_production, person, review
from .people import report as report_to

NAME = "customs"
MODEL = "apprentice"
CONTRACT = "declare-goods"
MEASURED = 240  # cases of the dataset that the gate asks
FIRST = 320  # declarations before there is anything to learn from
PER_HOUR = 400
SHADOWED = 0.05
LONGEST_TURN = timedelta(hours=2)

CARLA = person("carla", "reviewer")
RISK = person("rita", "risk")
CLERK = clerk(NAME)
TEXT = (
    "You classify goods for customs.\n\n"
    "<description>\n{{ description }}\n</description>\n\n"
    "Answer with the four digits of the heading and nothing else."
)
DECLARE: dict[str, Any] = {
    "tool": "declare_goods",
    "description": "Declare a consignment to customs under a heading.",
    "risk": "write",
    "effects": {"reversible": "until the consignment is released"},
    "integration": "customs",
    "input": {
        "type": "object",
        "properties": {"heading": {"type": "string"}, "goods": {"type": "string"}},
        "required": ["heading", "goods"],
        "additionalProperties": False,
    },
}
RULES = GateRules(metrics=(GateMetric(metric="correct", margin=0.05),))
PLAN = Plan(
    gate=GatePlan(dataset=NAME, rules=RULES, source=MODEL),
    shadow=ShadowPlan(min_time=timedelta(hours=48), min_pairs=200),
    sample=SamplePlan(size=20, min_pass=0.6),
    steps=(
        CanaryStep(weight=0.25, min_duration=timedelta(hours=4), min_n=300),
        CanaryStep(weight=0.5, min_duration=timedelta(hours=4), min_n=500),
    ),
    metrics=(
        MetricRule(metric="correct", margin=0.05, role=Role.PRIMARY),
        MetricRule(metric="error", direction=Direction.LOWER),
    ),
)


class Desk:
    """The desk over one installation. `open` it once; `release` is the one that it works for."""

    def __init__(self, db: Database, kinds: Kinds, serve: Serve, *, seed: int) -> None:
        self._db = db
        self._kinds = kinds
        self._serve = serve
        self._draw = random.Random(f"customs-{seed}")  # noqa: S311  # repeatable on purpose
        every = goods.cases(seed=seed, count=1_200)
        self.measured = every[:MEASURED]
        # What people correct first does not come again: later traffic is no memory of it.
        first, later = every[MEASURED : MEASURED + FIRST], every[MEASURED + FIRST :]
        self._traffic: Iterator[Item] = chain(first, cycle(later))
        self._answered: dict[tuple[str, str], str] = {}
        self._until = db.clock.now()
        self.release = ""

    def open(self) -> None:
        """What the desk has: a prompt, a contract, an agent, and cases to measure on."""
        prompt = {
            "format": "text",
            "text": TEXT,
            "variables": {"description": {"type": "text", "max_length": 4000}},
        }
        with self._db.write(ADMIN) as tx:
            for who in (AUTHOR, REVIEWER, CARLA, RISK):
                access.create_user(tx, who.name, who.roles)
            # Five real seconds in which ben may take an answer back are half of a working week here.
            probing.set_settings(tx, InboxSettings(grace=0.0))
        self.make("contract", CONTRACT, DECLARE)
        self.make("prompt", NAME, prompt)
        self.make("evaluator", "heading", {"type": "equals", "metric": "correct"})
        self.make("agent", NAME, manifest(1))
        with self._db.write(AUTHOR) as tx:
            items = [replace(one, split="test") for one in self.measured]
            datasets.put(tx, NAME, items, kinds=self._kinds, evaluators=["heading@1"])
        for kind in ("prompt", "agent"):
            into_production(self._db, Ref(kind, NAME, "1"), kinds=self._kinds)

    def declare(self, count: int) -> int:
        """Let the agent declare so many consignments; how often somebody corrected it."""
        return sum(self._one(item) for item in islice(self._traffic, count))

    def _one(self, item: Item) -> bool:
        description = description_of(item)
        with self._db.write(CLERK) as tx:
            turn = turning.begin_turn(
                tx,
                TurnDraft(agent=NAME, intent="Classify a consignment", human=AUTHOR.name),
                serve=self._serve,
            )
            turning.hear(tx, turn.id, [Piece(voice=Voice.USER, text=description)])
        code = self.answer(self.version(turn.version), description)
        proposal = Proposal(
            tool="declare_goods",
            arguments={"heading": code, "goods": description},
            confidence=round(self._draw.uniform(0.7, 0.99), 2),
        )
        outcome = doors.propose(self._db, CLERK, turn.id, proposal, executors=nobody)
        corrected = False
        if isinstance(outcome, Pending):
            corrected = self._look(outcome.request, str(item.expected))
            outcome = doors.begin(self._db, CLERK, outcome.id, executors=nobody)
        with self._db.write(CLERK) as tx:
            executing.report(
                tx, outcome.id, Report(state="succeeded", result={"declared": True})
            )
            turning.end(tx, turn.id, Final.DONE, "declared")
        return corrected

    def _look(self, request_id: str, right: str) -> bool:
        """What ben says to a declaration: yes, or what it should have been."""
        with self._db.write(REVIEWER) as tx:
            request: Request = inbox_queries.request(tx, request_id)
            inbox.opened(tx, request_id, evidence=True)
            said = request.arguments["heading"]
            if said == right:
                inbox.answer(tx, request_id, Say.APPROVE, binding=request.shown)
                return False
            inbox.answer(
                tx,
                request_id,
                Say.EDIT,
                binding=request.shown,
                arguments={**request.arguments, "heading": right},
                reason=f"these goods belong under {right}, not {said}",
            )
            return True

    def work(self) -> list[Release]:
        """Let the time since the last call pass at the desk."""
        now = self._db.clock.now()
        span = min(now - self._until, LONGEST_TURN)
        self._until = now
        self._serve_traffic(int(PER_HOUR * span / timedelta(hours=1)))
        review(self._db, self.release, good=lambda pair: pair.challenger["correct"] == 1.0)
        with self._db.read(AUTHOR) as tx:
            return [release_queries.release(tx, self.release)]

    def _serve_traffic(self, number: int) -> None:
        canary: list[Observation] = []
        shadow: list[ShadowPair] = []
        with self._db.read(AUTHOR) as tx:
            serving = release_queries.serving(tx, "agent", NAME)
        for item in islice(self._traffic, number):
            key = f"{item.id}-{self._draw.getrandbits(40):x}"
            asked = serving.to(key)
            if asked.leg is not None:
                values = self._values(asked.number, item)
                canary.append(Observation(subject=key, key=key, leg=asked.leg, values=values))
            elif asked.shadow is not None and self._draw.random() < SHADOWED:
                shadow.append(self._pair(key, item))
        report_to(self._db, self.release, canary, shadow)

    def _values(self, number: int, item: Item) -> dict[str, float]:
        said = self.answer(self.version(f"agent/{NAME}@{number}"), description_of(item))
        return {"correct": float(said == item.expected), "error": 0.0}

    def _pair(self, key: str, item: Item) -> ShadowPair:
        versions = [self.version(f"agent/{NAME}@{number}") for number in (1, 2)]
        said = [self.answer(one, description_of(item)) for one in versions]
        return ShadowPair(
            key=key,
            champion=self._values(1, item),
            challenger=self._values(2, item),
            input=dict(input_of(item)),
            champion_output=said[0],
            challenger_output=said[1],
        )

    def answer(self, version: Version, description: str) -> str:
        """What a version answers; the same question is asked of the model once."""
        known = (version.digest, description)
        if known not in self._answered:
            with self._db.read(AUTHOR) as tx:
                compose = composer(version, load_prompts(tx, version), variant="")
            request = compose(Item(id="live", input={"description": description}), "", 0)
            output = asyncio.run(Apprentice(name=MODEL).complete(request))
            self._answered[known] = output.text
        return self._answered[known]

    def version(self, reference: str = f"agent/{NAME}@1") -> Version:
        with self._db.read(AUTHOR) as tx:
            return registered.version(tx, Ref.parse(reference))

    def make(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        with self._db.write(AUTHOR) as tx:
            draft = ArtifactDraft(kind=kind, name=name, criticality=Criticality.ASSISTIVE)
            registry.create_artifact(tx, draft, kinds=self._kinds)
            version = VersionDraft(spec=spec, message="for the customs desk")
            registry.create_version(tx, kind, name, version, kinds=self._kinds)


def manifest(prompt: int) -> dict[str, Any]:
    return {
        "description": "declares consignments to customs",
        "model": {"model": MODEL, "parameters": {"temperature": 0}},
        "prompts": {"system": f"{NAME}@{prompt}"},
        "contracts": [f"{CONTRACT}@1"],
    }


def measurement(subject: str) -> Measurement:
    return Measurement(subject=subject, dataset=NAME, source=MODEL)


def input_of(item: Item) -> dict[str, Any]:
    assert isinstance(item.input, dict)
    return item.input


def description_of(item: Item) -> str:
    return str(input_of(item)["description"])
