"""A freight office at work: customers send tasks, agents do them, people decide.

The office uses opsroom the way a team would: it imports what it has, two people take one
another's changes into production, one good and one bad release are started, live traffic asks
which version serves whom and reports how it came out. Everything that decides is opsroom's.
"""

import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from opsroom.access import commands as access
from opsroom.actions.turning import Serve
from opsroom.evals.comparison import MetricRule as GateMetric
from opsroom.evals.comparison import Role
from opsroom.evals.gate import GateRules
from opsroom.evals.gating import gate_versions
from opsroom.evals.measure import Measurement
from opsroom.evals.model import Scale
from opsroom.evidence import Direction
from opsroom.importing import commands as importing
from opsroom.kit.db import Database
from opsroom.models import Models
from opsroom.registry import Kinds, Ref, proposals
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

from . import floor, paying, tasks, world
from .people import (
    ADMIN,
    AUTHOR,
    REVIEWER,
    TRAFFIC,
    TURN,
    Outcome,
    Stop,
    into_production,
    report,
    review,
    work_until_over,
)
from .tasks import Task
from .world import CUSTOMS, DESKS, INVOICES, QUOTES, Desk

PER_HOUR = 400
SHADOWED = 0.05  # the share of tasks that the candidate does too, unseen
LONGEST_TURN = timedelta(hours=2)


def plan(desk: Desk) -> Plan:
    """How this office releases: two days of shadow, twenty samples, three canary steps."""
    rules = GateRules(metrics=(GateMetric(metric="correct", margin=0.05),))
    return Plan(
        gate=GatePlan(dataset=desk.name, rules=rules),
        shadow=ShadowPlan(min_time=timedelta(hours=48), min_pairs=200),
        sample=SamplePlan(size=20, min_pass=0.6),
        steps=(
            CanaryStep(weight=0.10, min_duration=timedelta(hours=4), min_n=150),
            CanaryStep(weight=0.25, min_duration=timedelta(hours=4), min_n=400),
            CanaryStep(weight=0.50, min_duration=timedelta(hours=4), min_n=600),
        ),
        metrics=(
            MetricRule(metric="correct", margin=0.05, role=Role.PRIMARY),
            MetricRule(metric="disputed", direction=Direction.LOWER, must_have_data=False),
            MetricRule(
                metric="latency",
                scale=Scale.NUMBER,
                direction=Direction.LOWER,
                margin=0.5,
                must_have_data=False,
            ),
        ),
    )


class Office:
    """One simulated office over one installation. `open` it once, then let it `work`."""

    def __init__(
        self, db: Database, kinds: Kinds, models: Models, serve: Serve, *, seed: int = 7
    ) -> None:
        self._db = db
        self._kinds = kinds
        self._models = models
        self._seed = seed
        self._draw = random.Random(seed)  # noqa: S311  # repeatable on purpose
        self._streams: dict[str, Iterator[Task]] = {
            desk.name: tasks.stream(f"{desk.name}-live-{seed}", desk.make) for desk in DESKS
        }
        self._releases: dict[str, str] = {}
        self._payments = paying.Payments(db, serve, seed=seed)
        self._floor = floor.Floor(db, serve, seed=seed)
        self._until = db.clock.now()

    def open(self) -> None:
        """Bring everything in, put the first versions into production, start both releases.

        One more change is proposed and gated, and waits for somebody to review it.
        """
        others = floor.bundle(frozenset(desk.name for desk in DESKS))
        with self._db.write(ADMIN) as tx:
            access.create_user(tx, AUTHOR.name, AUTHOR.roles)
            access.create_user(tx, REVIEWER.name, REVIEWER.roles)
            importing.take_in(tx, world.bundle(self._seed), kinds=self._kinds)
            importing.take_in(tx, paying.bundle(), kinds=self._kinds)
            importing.take_in(tx, others, kinds=self._kinds)
        for desk in DESKS:
            for kind in ("prompt", "agent"):
                into_production(self._db, Ref(kind, desk.name, "1"), kinds=self._kinds)
        for one in (*others.artifacts, *paying.bundle().artifacts):
            if one.kind == "agent":
                into_production(self._db, Ref("agent", one.name, "1"), kinds=self._kinds)
        self._payments.open()
        with self._db.write(AUTHOR) as tx:
            waiting = proposals.propose(
                tx,
                Ref("agent", QUOTES.name, "2"),
                label="production",
                title="Say what the price includes",
                description="Customers asked about tolls and insurance eleven times last week.",
                kinds=self._kinds,
            )
            for desk in (CUSTOMS, INVOICES):
                draft = Draft(version=f"agent/{desk.name}@2", plan=plan(desk))
                self._releases[desk.name] = releases.start(tx, draft, kinds=self._kinds).id
        gate_versions(
            self._db,
            AUTHOR,
            Measurement(subject=f"agent/{QUOTES.name}@1"),
            Measurement(subject=f"agent/{QUOTES.name}@2"),
            proposal=waiting.id,
            models=self._models,
        )
        self._until = self._db.clock.now()

    def work(self) -> list[Release]:
        """Let the time since the last call pass in the office; return its releases as they stand.

        A call never does more than two hours' worth of tasks: what a slow machine does not
        manage in time is left out, as in any office.
        """
        now = self._db.clock.now()
        span = min(now - self._until, LONGEST_TURN)
        self._until = now
        number = int(PER_HOUR * span / timedelta(hours=1))
        self._payments.work()
        self._floor.work()
        found: list[Release] = []
        for desk in (CUSTOMS, INVOICES):
            self._serve(desk, number)
            review(self._db, self._releases[desk.name], good=_no_worse)
            with self._db.read(TRAFFIC) as tx:
                found.append(release_queries.release(tx, self._releases[desk.name]))
        return found

    def run(self, *, until: datetime | None = None, stop: Stop | None = None) -> list[Outcome]:
        """Work until both releases have come to their end, or the clock has come to `until`.

        Where somebody can `stop` it, the floor works on until they do.
        """
        found = work_until_over(self.work, self._db.clock, until=until, stop=stop)
        while stop is not None and not stop():
            self._payments.work()
            self._floor.work()
            time.sleep(max(self._db.clock.real(TURN), 0.02))
        return found

    def _serve(self, desk: Desk, number: int) -> None:
        """Do tasks with whichever version serves each customer, and report the outcomes."""
        release_id = self._releases[desk.name]
        canary: list[Observation] = []
        shadow: list[ShadowPair] = []
        with self._db.read(TRAFFIC) as tx:
            serving = release_queries.serving(tx, "agent", desk.name)
            for task in islice(self._streams[desk.name], number):
                asked = serving.to(task.subject)
                done = world.do(desk, asked.number, task)
                if asked.leg is not None:
                    canary.append(
                        Observation(
                            subject=task.subject,
                            key=task.id,
                            leg=asked.leg,
                            values=done.metrics(),
                        )
                    )
                elif asked.shadow is not None and self._draw.random() < SHADOWED:
                    shadow.append(_pair(desk, task, asked.number))
        report(self._db, release_id, canary, shadow)


def _pair(desk: Desk, task: Task, champion: int) -> ShadowPair:
    """Both versions on one task. What customers dispute later, a shadow run cannot see."""
    both = [world.do(desk, number, task) for number in (champion, 2)]
    values = [
        {key: value for key, value in done.metrics().items() if key != "disputed"}
        for done in both
    ]
    answers = [task.expected if done.right else "unsure" for done in both]
    return ShadowPair(
        key=task.id,
        champion=values[0],
        challenger=values[1],
        input=dict(task.input),
        champion_output=answers[0],
        challenger_output=answers[1],
    )


def _no_worse(pair: ShadowPair) -> bool:
    """The reviewer accepts what is no worse than the answer that was used."""
    return pair.challenger["correct"] >= pair.champion["correct"]
