"""A customs desk that learns: from the first correction of a person to an agent that acts alone.

The desk's agent has a poor prompt. A reviewer corrects what it declares, the corrections become
cases, a judge is held against people, what serves fails the cases, a search finds a better prompt,
a release proves it step by step, and people who agree with it let it act alone. Everything that
decides is opsroom's; the people and the goods are made up, and nobody has to lend a hand.
"""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from opsroom.access.commands import DEFAULT_PROJECT
from opsroom.actions.turning import Serve
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
from opsroom.evals.gate import GateVerdict
from opsroom.evals.gating import gate_versions
from opsroom.evals.regressing import check_proposal, guards, regress
from opsroom.improvement import commands as improvement
from opsroom.improvement.model import Improvement, Method
from opsroom.improvement.model import Plan as SearchPlan
from opsroom.improvement.running import carry_out
from opsroom.inbox import queries as inbox_queries
from opsroom.journal import queries as journal
from opsroom.kit.db import Database
from opsroom.kit.wire import Wire
from opsroom.models import Models
from opsroom.registry import Kinds, Ref, proposals
from opsroom.registry import queries as registered
from opsroom.releases import commands as releases
from opsroom.releases.model import Draft

from . import goods
from .apprentice import Apprentice
from .customs import (
    CARLA,
    CONTRACT,
    FIRST,
    MODEL,
    NAME,
    PLAN,
    RISK,
    RULES,
    Desk,
    description_of,
    input_of,
    manifest,
    measurement,
)
from .people import ADMIN, AUTHOR, REVIEWER, work_until_over

JUDGE = "expert"
SCOPE = f"contract/{CONTRACT}"
EACH, MOST = 40, 800  # declarations in a round, and at most until people have seen enough
PATIENCE = 60.0  # real seconds for what happens beside
JUDGED_WRONG = 0.06  # of a hundred answers, so many are judged wrongly
RUBRIC = "The answer is the heading of the Harmonized System under which the goods belong."


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter(Wire):
    """One thing that happened on the way: what, how it came out, and where to look."""

    title: str
    says: str
    at: str


class Learning:
    """A customs desk over one installation; `run` takes it all the way."""

    def __init__(
        self, db: Database, kinds: Kinds, models: Models, serve: Serve, *, seed: int = 7
    ) -> None:
        self._db = db
        self._kinds = kinds
        self._models = models
        self._desk = Desk(db, kinds, serve, seed=seed)
        self._told: list[Chapter] = []

    def run(self) -> list[Chapter]:
        """Everything from the first correction to acting alone. Raises where a step fails."""
        self._desk.open()
        self._declare_and_correct()
        self._take_in()
        self._calibrate()
        self._fails()
        self._improve()
        self._prove()
        self._widen()
        return self._told

    def _declare_and_correct(self) -> None:
        before = self._head()
        wrong = self._desk.declare(FIRST)
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
        self._desk.make(
            "evaluator",
            "right-heading",
            {"type": "llm-judge", "model": JUDGE, "rubric": RUBRIC, "metric": "judged"},
        )
        labels = [
            Item(
                id=f"label-{number}",
                input={"input": dict(input_of(one)), "answer": said},
                expected=PASS if said == one.expected else FAIL,
                metadata={"domain": NAME},
            )
            for number, one in enumerate(self._desk.measured)
            for said in [self._desk.answer(self._desk.version(), description_of(one))]
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
        serving = measurement(f"agent/{NAME}@1")
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
            measurement(f"prompt/{NAME}@1"),
            measurement(found.version),
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
        self._desk.make("agent", NAME, manifest(2))
        with self._db.write(AUTHOR) as tx:
            draft = Draft(version=f"agent/{NAME}@2", plan=PLAN)
            self._desk.release = releases.start(tx, draft, kinds=self._kinds).id
        (done,) = work_until_over(
            self._desk.work,
            self._db.clock,
            until=self._db.clock.now() + timedelta(days=20),
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
            wrong += self._desk.declare(EACH)
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
        self._desk.declare(EACH)
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
