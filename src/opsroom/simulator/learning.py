"""A customs desk that learns: from the first correction of a person to an agent that acts alone.

The desk's agent has a poor prompt. A reviewer corrects what it declares, the corrections become
cases, a judge is held against people, what serves fails the cases, a search finds a better prompt,
a release proves it step by step, and people who agree with it let it act alone. Everything that
decides is opsroom's; the people and the goods are made up, and nobody has to lend a hand.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import cycle, islice
from typing import Any

from opsroom.access import commands as access
from opsroom.access.commands import DEFAULT_PROJECT
from opsroom.access.model import permissions_of
from opsroom.actions import doors, executing, turning
from opsroom.actions.executing import Report
from opsroom.actions.model import Final, Pending, Proposal
from opsroom.actions.ports import nobody
from opsroom.actions.turning import Serve, TurnDraft
from opsroom.approvals import Answer
from opsroom.autonomy import Envelope, Level, WideningDraft
from opsroom.autonomy import commands as autonomy
from opsroom.autonomy.errors import NotEarned
from opsroom.autonomy.model import Grant
from opsroom.corrections import State as Taught
from opsroom.corrections import commands as corrections
from opsroom.corrections import queries as correction_queries
from opsroom.datasets import Item
from opsroom.datasets import commands as datasets
from opsroom.evals.calibrating import Calibrating, calibrate
from opsroom.evals.calibration import FAIL, PASS, report
from opsroom.evals.comparison import MetricRule as GateMetric
from opsroom.evals.comparison import Role
from opsroom.evals.compose import composer, load_prompts
from opsroom.evals.gate import GateRules, GateVerdict
from opsroom.evals.gating import gate_versions
from opsroom.evals.measure import Measurement
from opsroom.evals.regressing import check_proposal, guards, regress
from opsroom.evidence import Direction
from opsroom.grounding.model import Piece, Voice
from opsroom.improvement import commands as improvement
from opsroom.improvement.model import Improvement, Method
from opsroom.improvement.model import Plan as SearchPlan
from opsroom.improvement.running import carry_out
from opsroom.inbox import Request, Say, probing
from opsroom.inbox import commands as inbox
from opsroom.inbox import queries as inbox_queries
from opsroom.inbox.model import Settings as InboxSettings
from opsroom.journal import queries as journal
from opsroom.kit.db import Actor, Database
from opsroom.kit.wire import Wire
from opsroom.models import Models
from opsroom.registry import (
    ArtifactDraft,
    Criticality,
    Kinds,
    Ref,
    Version,
    VersionDraft,
    proposals,
)
from opsroom.registry import commands as registry
from opsroom.registry import queries as registered
from opsroom.releases import commands as releases
from opsroom.releases import queries as release_queries
from opsroom.releases.model import Draft, Release
from opsroom.releases.observation import Observation, ShadowPair
from opsroom.releases.plan import (
    CanaryStep,
    GatePlan,
    MetricRule,
    Plan,
    SamplePlan,
    ShadowPlan,
)

from . import goods
from .apprentice import Apprentice
from .people import ADMIN, AUTHOR, REVIEWER, into_production, person, review, work_until_over
from .people import report as report_to

NAME = "customs"
MODEL, JUDGE = "apprentice", "expert"
CONTRACT, SCOPE = "declare-goods", "contract/declare-goods"
MEASURED = 240  # cases of the dataset that the gate asks
FIRST = 320  # declarations before there is anything to learn from
EACH, MOST = 40, 800  # then in rounds, until people have seen enough
PER_HOUR = 400
SHADOWED = 0.05
LONGEST_TURN = timedelta(hours=2)
PATIENCE = 60.0  # real seconds for what happens beside
JUDGED_WRONG = 0.06  # of a hundred answers, so many are judged wrongly

CARLA = person("carla", "reviewer")
RISK = person("rita", "risk")
CLERK = Actor(
    f"agent:{NAME}",
    DEFAULT_PROJECT,
    permissions_of(("agent",)),
    ("agent",),
    human=False,
    owner=AUTHOR.name,
    agent=NAME,
)
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
RUBRIC = "The answer is the heading of the Harmonized System under which the goods belong."


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter(Wire):
    """One thing that happened on the way: what, how it came out, and where to look."""

    title: str
    says: str
    at: str


class Learning:
    """The desk over one installation; `run` takes it all the way."""

    def __init__(
        self, db: Database, kinds: Kinds, models: Models, serve: Serve, *, seed: int = 7
    ) -> None:
        self._db = db
        self._kinds = kinds
        self._models = models
        self._serve = serve
        self._draw = random.Random(f"learning-{seed}")  # noqa: S311  # repeatable on purpose
        every = goods.cases(seed=seed, count=1_200)
        self._measured = every[:MEASURED]
        self._traffic: Iterator[Item] = cycle(every[MEASURED:])
        self._answered: dict[tuple[str, str], str] = {}
        self._release = ""
        self._until = db.clock.now()
        self._told: list[Chapter] = []

    def run(self) -> list[Chapter]:
        """Everything from the first correction to acting alone. Raises where a step fails."""
        self._open()
        self._declare_and_correct()
        self._take_in()
        self._calibrate()
        self._fails()
        self._improve()
        self._prove()
        self._widen()
        return self._told

    def _open(self) -> None:
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
        self._make("contract", CONTRACT, DECLARE)
        self._make("prompt", NAME, prompt)
        self._make("evaluator", "heading", {"type": "equals", "metric": "correct"})
        self._make("agent", NAME, self._manifest(1))
        with self._db.write(AUTHOR) as tx:
            items = [replace(one, split="test") for one in self._measured]
            datasets.put(tx, NAME, items, kinds=self._kinds, evaluators=["heading@1"])
        for kind in ("prompt", "agent"):
            into_production(self._db, Ref(kind, NAME, "1"), kinds=self._kinds)

    def _declare_and_correct(self) -> None:
        before = self._head()
        wrong = self._declare(FIRST)
        self._tell(
            "People correct the agent",
            f"ben looked at {FIRST} declarations and corrected {wrong} of them",
            f"journal entries {before + 1:,} to {self._head():,}",
        )

    def _take_in(self) -> None:
        """Wait until every override has been heard of, and let somebody else take them in."""
        made = self._wait(self._heard, "the overrides to become corrections")
        with self._db.write(CARLA) as tx:
            done = corrections.accept(tx, made, kinds=self._kinds)
        with self._db.read(CARLA) as tx:
            version = registered.version(tx, Ref.parse(done.versions[0]))
        splits = [ref["split"] for ref in version.spec["items"]]
        self._tell(
            "Corrections become cases",
            f"carla took {len(done.accepted)} in: {splits.count('train')} examples, "
            f"{splits.count('selection')} to choose by, {splits.count('test')} tests",
            done.versions[0],
        )

    def _calibrate(self) -> None:
        """Hold a judge against what people said of the same answers."""
        self._make(
            "evaluator",
            "right-heading",
            {"type": "llm-judge", "model": JUDGE, "rubric": RUBRIC, "metric": "judged"},
        )
        labels = [
            Item(
                id=f"label-{number}",
                input={"input": dict(_input(one)), "answer": said},
                expected=PASS if said == one.expected else FAIL,
                metadata={"domain": NAME},
            )
            for number, one in enumerate(self._measured)
            for said in [self._answer(self._version(), _description(one))]
        ]
        with self._db.write(AUTHOR) as tx:
            datasets.put(tx, "customs-labels", labels, kinds=self._kinds)
        found = report(
            calibrate(
                self._db,
                AUTHOR,
                Calibrating(evaluator="right-heading@1", dataset="customs-labels"),
                models=self._models,
            )
        )
        of = found.domains[0]
        self._tell(
            "A judge is held against people",
            f"it agrees with {of.agreement.rate:.0%} of {of.n} labels, κ {of.kappa:.2f} "
            f"[{of.kappa_interval.low:.2f}, {of.kappa_interval.high:.2f}]: "
            + ("it may gate" if of.standing.may_gate else of.standing.reason),
            "evaluator/right-heading@1",
        )

    def _fails(self) -> None:
        """What serves is put to what people corrected."""
        with self._db.read(AUTHOR) as tx:
            (dataset,) = guards(tx, "agent", NAME)
        serving = self._measurement(f"agent/{NAME}@1")
        verdict = regress(self._db, AUTHOR, serving, serving, dataset, models=self._models)
        self._tell("What serves fails them", _said(verdict), f"verdict {verdict.digest[:12]}")

    def _improve(self) -> None:
        """Search for a better prompt, and take it into production the usual way."""
        plan = SearchPlan(
            target=f"prompt/{NAME}",
            method=Method.EXAMPLES,
            dataset=f"corrections-{NAME}",
            model=MODEL,
            max_examples=40,
            step=8,
        )
        with self._db.write(AUTHOR) as tx:
            started = improvement.start(tx, plan, inline=True)
        found = carry_out(
            self._db, DEFAULT_PROJECT, started.id, models=self._models, kinds=self._kinds
        )
        if not found.proposal:
            raise RuntimeError(f"the search found nothing: {found.reason}")
        self._tell(
            "A search finds a better prompt",
            f"{found.tried} candidates with {found.spent.calls:,} calls: {found.reason}",
            found.version,
        )
        self._take_over(found)

    def _take_over(self, found: Improvement) -> None:
        """Gate the proposal, review it, merge it."""
        sides = (
            self._measurement(f"prompt/{NAME}@1"),
            self._measurement(found.version),
        )
        verdict = gate_versions(
            self._db,
            AUTHOR,
            *sides,
            rules=RULES,
            proposal=found.proposal,
            models=self._models,
        )
        kept = check_proposal(self._db, AUTHOR, *sides, found.proposal, models=self._models)
        with self._db.write(REVIEWER) as tx:
            proposals.review(tx, found.proposal, answer=Answer.APPROVE, reason="read it whole")
        with self._db.write(AUTHOR) as tx:
            proposals.merge(tx, found.proposal)
        self._tell(
            "Gate and review agree",
            f"{verdict.reasons[0]}; on the corrections, {_said(kept[0])}",
            found.proposal,
        )

    def _prove(self) -> None:
        """A release of an agent with the new prompt: gate, shadow, sample, canary."""
        self._make("agent", NAME, self._manifest(2))
        with self._db.write(AUTHOR) as tx:
            draft = Draft(version=f"agent/{NAME}@2", plan=PLAN)
            self._release = releases.start(tx, draft, kinds=self._kinds).id
        self._until = self._db.clock.now()
        (done,) = work_until_over(
            self._work,
            self._db.clock,
            until=self._until + timedelta(days=20),
            stop=None,
        )
        if done.state.value != "promoted":
            raise RuntimeError(f"the release is {done.state.value}: {done.because}")
        self._tell(
            "A release proves it", f"it is {done.state.value}: {done.because}", done.release
        )

    def _widen(self) -> None:
        """Let people look on until what they agree with is enough, and widen by it."""
        looked = wrong = 0
        grant = None
        while grant is None:
            wrong += self._declare(EACH)
            looked += EACH
            try:
                grant = self._ask_for_more()
            except NotEarned:
                if looked >= MOST:
                    raise
        self._tell(
            "It may act alone",
            f"ben agreed with {looked - wrong} of {looked} declarations since; {RISK.name} widened "
            f"it to {grant.level.value}",
            grant.id,
        )
        self._declare(EACH)
        self._tell(
            "And does",
            f"{EACH} more declarations, asking nobody unless it is outside of its envelope",
            f"journal entry {self._head():,}",
        )

    def _ask_for_more(self) -> Grant:
        draft = WideningDraft(
            agent=NAME,
            scope=SCOPE,
            level=Level.BOUNDED,
            envelope=Envelope(max_per_day=2_000),
            reason="people agree with what it declares since the new prompt",
        )
        with self._db.write(AUTHOR) as tx:
            asked = autonomy.propose_widening(tx, draft)
        with self._db.write(RISK) as tx:
            return autonomy.widen(
                tx, asked.id, binding=asked.binding, reason="I read forty of them"
            )

    def _declare(self, count: int) -> int:
        """Let the agent declare so many consignments; how often somebody corrected it."""
        return sum(self._one(item) for item in islice(self._traffic, count))

    def _one(self, item: Item) -> bool:
        description = _description(item)
        with self._db.write(CLERK) as tx:
            turn = turning.begin_turn(
                tx,
                TurnDraft(agent=NAME, intent="Classify a consignment", human=AUTHOR.name),
                serve=self._serve,
            )
            turning.hear(tx, turn.id, [Piece(voice=Voice.USER, text=description)])
        code = self._answer(self._version(turn.version), description)
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

    def _work(self) -> list[Release]:
        """Let the time since the last call pass at the desk."""
        now = self._db.clock.now()
        span = min(now - self._until, LONGEST_TURN)
        self._until = now
        self._serve_traffic(int(PER_HOUR * span / timedelta(hours=1)))
        review(self._db, self._release, good=lambda pair: pair.challenger["correct"] == 1.0)
        with self._db.read(AUTHOR) as tx:
            return [release_queries.release(tx, self._release)]

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
        report_to(self._db, self._release, canary, shadow)

    def _values(self, number: int, item: Item) -> dict[str, float]:
        said = self._answer(self._version(f"agent/{NAME}@{number}"), _description(item))
        return {"correct": float(said == item.expected), "error": 0.0}

    def _pair(self, key: str, item: Item) -> ShadowPair:
        versions = [self._version(f"agent/{NAME}@{number}") for number in (1, 2)]
        said = [self._answer(one, _description(item)) for one in versions]
        return ShadowPair(
            key=key,
            champion=self._values(1, item),
            challenger=self._values(2, item),
            input=dict(_input(item)),
            champion_output=said[0],
            challenger_output=said[1],
        )

    def _answer(self, version: Version, description: str) -> str:
        """What a version answers; the same question is asked of the model once."""
        known = (version.digest, description)
        if known not in self._answered:
            with self._db.read(AUTHOR) as tx:
                compose = composer(version, load_prompts(tx, version), variant="")
            request = compose(Item(id="live", input={"description": description}), "", 0)
            output = asyncio.run(Apprentice(name=MODEL).complete(request))
            self._answered[known] = output.text
        return self._answered[known]

    def _version(self, reference: str = f"agent/{NAME}@1") -> Version:
        with self._db.read(AUTHOR) as tx:
            return registered.version(tx, Ref.parse(reference))

    def _make(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        with self._db.write(AUTHOR) as tx:
            draft = ArtifactDraft(kind=kind, name=name, criticality=Criticality.ASSISTIVE)
            registry.create_artifact(tx, draft, kinds=self._kinds)
            version = VersionDraft(spec=spec, message="for the customs desk")
            registry.create_version(tx, kind, name, version, kinds=self._kinds)

    def _manifest(self, prompt: int) -> dict[str, Any]:
        return {
            "description": "declares consignments to customs",
            "model": {"model": MODEL, "parameters": {"temperature": 0}},
            "prompts": {"system": f"{NAME}@{prompt}"},
            "contracts": [f"{CONTRACT}@1"],
        }

    def _measurement(self, subject: str) -> Measurement:
        return Measurement(subject=subject, dataset=NAME, source=MODEL)

    def _heard(self) -> list[str]:
        """The candidates, once every override has become one or strengthened one."""
        with self._db.read(CARLA) as tx:
            made = correction_queries.corrections(tx, agent=NAME, limit=500)
            overrides = inbox_queries.overrides(tx, agent=NAME, limit=500)
        if sum(one.times for one in made) < len(overrides):
            return []
        return [one.id for one in made if one.state is Taught.CANDIDATE]

    def _wait(self, look: Callable[[], list[str]], what: str) -> list[str]:
        until = time.monotonic() + PATIENCE
        while not (found := look()):
            if time.monotonic() > until:
                raise RuntimeError(f"waited {PATIENCE:g} s for {what}")
            time.sleep(0.05)
        return found

    def _head(self) -> int:
        with self._db.read(ADMIN) as tx:
            return journal.head(tx).seq

    def _tell(self, title: str, says: str, at: str) -> None:
        self._told.append(Chapter(title=title, says=says, at=at))


def expert(body: dict[str, Any]) -> str:
    """The model endpoint of the desk: the judge knows goods, mostly; others are apprentices."""
    messages = [(one["role"], one.get("content") or "") for one in body["messages"]]
    if body["model"] != JUDGE:
        return Apprentice(name=str(body["model"])).answer(messages)
    return judged(messages[-1][1])


def judged(asked: str) -> str:
    """What the expert says of an answer, right in all but a few cases, and always the same."""
    material = json.loads(asked)
    description = str(material["input"]["description"])
    right = goods.heading_of(description) == str(material["answer"]).strip()
    if random.Random(description).random() < JUDGED_WRONG:  # noqa: S311  # repeatable on purpose
        right = not right
    word = "pass" if right else "fail"
    return json.dumps({"verdict": word, "reason": "as the tariff says"})


def _said(verdict: GateVerdict) -> str:
    return f"{verdict.outcome.value}: {verdict.reasons[-1]}"


def _input(item: Item) -> dict[str, Any]:
    assert isinstance(item.input, dict)
    return item.input


def _description(item: Item) -> str:
    return str(_input(item)["description"])
