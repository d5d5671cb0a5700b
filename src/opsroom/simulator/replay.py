"""A release over recorded runs: what would have happened, with answers that really were given.

Both versions answered the same tasks at some time. Traffic draws tasks at random and takes
the recorded outcome of whichever version the split sends it to; the shadow run has both.
"""

import random
from datetime import datetime, timedelta
from pathlib import Path

from opsroom.access import commands as access
from opsroom.evals import store as eval_store
from opsroom.evals.comparison import MetricRule as GateMetric
from opsroom.evals.comparison import Role
from opsroom.evals.gate import GateRules
from opsroom.evals.measure import Measurement, measure
from opsroom.importing import commands as importing
from opsroom.importing.readers import read
from opsroom.kit.db import Database
from opsroom.models import Models
from opsroom.registry import Kinds, Ref
from opsroom.registry import queries as registry
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

from .people import (
    ADMIN,
    AUTHOR,
    REVIEWER,
    TRAFFIC,
    Outcome,
    Stop,
    into_production,
    report,
    review,
    work_until_over,
)

PER_HOUR = 120
SHADOWED = 0.1
LONGEST_TURN = timedelta(hours=2)


def plan(dataset: str, metric: str, floor: int) -> Plan:
    """The standing plan with a floor that small benchmarks can reach; it is shown as lowered."""
    return Plan(
        gate=GatePlan(
            dataset=dataset,
            rules=GateRules(metrics=(GateMetric(metric=metric, margin=0.05),), floor=floor),
        ),
        shadow=ShadowPlan(min_time=timedelta(hours=48), min_pairs=200),
        sample=SamplePlan(size=30, min_pass=0.7),
        steps=(
            CanaryStep(weight=0.10, min_duration=timedelta(hours=6), min_n=60),
            CanaryStep(weight=0.25, min_duration=timedelta(hours=6), min_n=150),
            CanaryStep(weight=0.50, min_duration=timedelta(hours=6), min_n=300),
        ),
        metrics=(
            MetricRule(metric=metric, margin=0.05, role=Role.PRIMARY),
            MetricRule(metric=metric, margin=0.05),
        ),
    )


class Replay:
    """One release from `champion` to `challenger` (labels of an agent), over recorded runs."""

    def __init__(self, db: Database, kinds: Kinds, models: Models, *, seed: int = 7) -> None:
        self._db = db
        self._kinds = kinds
        self._models = models
        self._draw = random.Random(seed)  # noqa: S311  # repeatable on purpose
        self._outcomes: dict[int, dict[str, float]] = {}
        self._items: list[str] = []
        self._metric = ""
        self._agent = ""
        self._release = ""
        self._requests = 0
        self._until = db.clock.now()

    def open(
        self, format_: str, path: Path, agent: str, champion: str, challenger: str, metric: str
    ) -> str:
        """Import the runs, put the champion into production and start the release; its id."""
        with self._db.write(ADMIN) as tx:
            access.create_user(tx, AUTHOR.name, AUTHOR.roles)
            access.create_user(tx, REVIEWER.name, REVIEWER.roles)
            importing.take_in(tx, read(format_, path), kinds=self._kinds)
        self._agent, self._metric = agent, metric
        numbers = [self._measure(f"agent/{agent}@{label}") for label in (champion, challenger)]
        shared = self._outcomes[numbers[0]].keys() & self._outcomes[numbers[1]].keys()
        self._items = sorted(shared)
        into_production(self._db, Ref("agent", agent, str(numbers[0])), kinds=self._kinds)
        with self._db.write(AUTHOR) as tx:
            draft = Draft(
                version=f"agent/{agent}@{numbers[1]}",
                plan=plan(agent, metric, floor=min(200, len(self._items))),
            )
            self._release = releases.start(tx, draft, kinds=self._kinds).id
        self._until = self._db.clock.now()
        return self._release

    def work(self) -> list[Release]:
        """Let the time since the last call pass; return the release as it stands."""
        now = self._db.clock.now()
        span = min(now - self._until, LONGEST_TURN)
        self._until = now
        self._serve(int(PER_HOUR * span / timedelta(hours=1)))
        review(self._db, self._release, good=self._no_worse)
        with self._db.read(TRAFFIC) as tx:
            return [release_queries.release(tx, self._release)]

    def run(self, *, until: datetime | None = None, stop: Stop | None = None) -> list[Outcome]:
        return work_until_over(self.work, self._db.clock, until=until, stop=stop)

    def _measure(self, reference: str) -> int:
        """Judge the recorded answers of a version, once; its number."""
        run = measure(self._db, AUTHOR, Measurement(subject=reference), models=self._models)
        with self._db.read(AUTHOR) as tx:
            number = registry.version(tx, Ref.parse(reference)).number
            self._outcomes[number] = {
                one.item: value
                for one in eval_store.results_of(tx, run.id)
                if one.trial == 0 and (value := one.value(self._metric)) is not None
            }
        return number

    def _serve(self, number: int) -> None:
        canary: list[Observation] = []
        shadow: list[ShadowPair] = []
        with self._db.read(TRAFFIC) as tx:
            serving = release_queries.serving(tx, "agent", self._agent)
            candidate = release_queries.release(tx, self._release).number
        for _ in range(number):
            self._requests += 1
            item, subject = self._draw.choice(self._items), f"request-{self._requests}"
            asked = serving.to(subject)
            value = self._outcomes[asked.number][item]
            if asked.leg is not None:
                found = Observation(
                    subject=subject, leg=asked.leg, values={self._metric: value}
                )
                canary.append(found)
            elif asked.shadow is not None and self._draw.random() < SHADOWED:
                shadow.append(
                    ShadowPair(
                        key=subject,
                        champion={self._metric: value},
                        challenger={self._metric: self._outcomes[candidate][item]},
                        input=item,
                    )
                )
        report(self._db, self._release, canary, shadow)

    def _no_worse(self, pair: ShadowPair) -> bool:
        """The reviewer accepts what is no worse than the answer that was used."""
        return pair.challenger[self._metric] >= pair.champion[self._metric]
