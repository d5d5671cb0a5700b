"""A freight office in the middle of a working day, for the tests of pages.

One release is in its canary, one waits for people to judge its sample, one was rolled back by
itself and one promoted; a proposal waits with its gate verdict, a prompt went back and forth.
Built once per process and copied, so a test may change what it likes.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import islice
from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.api import Api, Caller
from tests.browser import check_page, serving
from tests.keyring import KEYRING
from tests.releases.world import MODELS

from opsroom.access.http import COOKIE
from opsroom.access.model import permissions_of
from opsroom.app import guarded
from opsroom.app.kinds import KINDS
from opsroom.approvals import Answer
from opsroom.datasets import Item
from opsroom.evals import queries as evals
from opsroom.evals.comparison import MetricRule as GateMetric
from opsroom.evals.comparison import Role
from opsroom.evals.gate import GateRules
from opsroom.evals.gating import gate_versions
from opsroom.evals.measure import Measurement
from opsroom.evals.model import Scale
from opsroom.evidence import Direction
from opsroom.importing import commands as importing
from opsroom.journal import attesting
from opsroom.journal import queries as journal_queries
from opsroom.journal import store as journal_store
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, open_engine
from opsroom.kit.ids import seeded_ids
from opsroom.models import Output, Recording
from opsroom.models import store as recordings
from opsroom.registry import (
    ArtifactDraft,
    Criticality,
    Ref,
    VersionDraft,
    discussing,
    proposals,
)
from opsroom.registry import commands as registry
from opsroom.releases import commands as releases
from opsroom.releases import observing, queries
from opsroom.releases.model import Arm, Draft, split
from opsroom.releases.observation import Observation, ShadowPair
from opsroom.releases.plan import CanaryStep, GatePlan, MetricRule, Plan, SamplePlan, ShadowPlan
from opsroom.releases.workflow import Driver
from opsroom.simulator import tasks, world
from opsroom.simulator.tasks import Task
from opsroom.simulator.world import CUSTOMS, INVOICES, QUOTES, Desk, Skill

START = datetime.fromisoformat("2026-11-17T06:00:00+00:00")
CASES = 240


def person(name: str, *roles: str) -> Actor:
    return Actor(name, "default", permissions_of(roles), roles)


ANA = person("ana", "author", "operator")
BEN = person("ben", "reviewer", "risk")
CAT = person("cat", "author")
DESK = Actor("token:desk", "default", permissions_of(("agent",)), ("agent",), human=False)
ADMIN = Actor("root", "default", permissions_of(("admin",)), ("admin",))

# The third text of the customs desk does as well as the second, and costs less.
THIRD = replace(
    CUSTOMS,
    skills=(CUSTOMS.skills[1], Skill(right=0.94, disputed=0.011, latency=0.8, cost=0.0009)),
)


def plan(desk: Desk) -> Plan:
    rules = GateRules(metrics=(GateMetric(metric="correct", margin=0.05),))
    return Plan(
        gate=GatePlan(dataset=desk.name, rules=rules),
        shadow=ShadowPlan(min_time=timedelta(hours=24), min_pairs=120),
        sample=SamplePlan(size=20, min_pass=0.6),
        steps=(
            CanaryStep(weight=0.10, min_duration=timedelta(hours=4), min_n=150),
            CanaryStep(weight=0.25, min_duration=timedelta(hours=4), min_n=300),
            CanaryStep(weight=0.50, min_duration=timedelta(hours=4), min_n=600),
        ),
        metrics=(
            MetricRule(metric="correct", margin=0.06, role=Role.PRIMARY),
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


class Day:
    """What happened, step by step."""

    def __init__(self, db: Database, clock: ManualClock) -> None:
        self.db = db
        self.clock = clock
        self.driver = Driver(db, MODELS)
        self._drawn = 0

    def open(self) -> None:
        """Everything is brought in, and the first versions serve."""
        bundle = world.bundle(7)
        kept = tuple(replace(one, items=one.items[:CASES]) for one in bundle.datasets)
        hashes = {item.hash for one in kept for item in one.items}
        answers = tuple(one for one in bundle.recordings if one.item in hashes)
        with self.db.write(ANA) as tx:
            importing.take_in(
                tx, replace(bundle, datasets=kept, recordings=answers), kinds=KINDS
            )
        for desk in (CUSTOMS, INVOICES, QUOTES):
            for kind in ("prompt", "agent"):
                self.into_production(Ref(kind, desk.name, "1"))

    def into_production(self, ref: Ref, title: str = "") -> None:
        with self.db.write(CAT) as tx:
            made = proposals.propose(
                tx,
                ref,
                label="production",
                title=title or f"Put {ref.name} into production",
                kinds=KINDS,
            )
        with self.db.write(BEN) as tx:
            proposals.review(tx, made.id, answer=Answer.APPROVE, reason="tried on ten cases")
        with self.db.write(CAT) as tx:
            proposals.merge(tx, made.id)

    def house_tone(self) -> None:
        """A prompt with a past: three versions, the last one back to the first."""
        texts = (
            "Write plainly. One thought a sentence. No promises about dates.\n\nReader: {{ reader }}",
            "Write warmly and plainly. One thought a sentence.\n\nReader: {{ reader }}",
            "Write plainly. One thought a sentence. No promises about dates.\n\nReader: {{ reader }}",
        )
        messages = ("first version", "warmer, as sales asked", "back: it promised dates")
        with self.db.write(CAT) as tx:
            draft = ArtifactDraft(
                kind="prompt",
                name="house-tone",
                purpose="how everything we send to customers sounds",
                criticality=Criticality.ADVISORY,
                tags=("style",),
            )
            registry.create_artifact(tx, draft, kinds=KINDS)
        for text, message in zip(texts, messages, strict=True):
            with self.db.write(CAT) as tx:
                spec = {
                    "format": "text",
                    "text": text,
                    "variables": {
                        "reader": {"type": "text", "description": "who will read it"}
                    },
                    "model": {"temperature": 0.2, "max_tokens": 400},
                }
                made = registry.create_version(
                    tx,
                    "prompt",
                    "house-tone",
                    VersionDraft(spec=spec, message=message),
                    kinds=KINDS,
                )
                registry.set_label(
                    tx, "prompt", "house-tone", "staging", made.number, reason=message
                )
            self.clock.move(timedelta(hours=5))
        self.into_production(Ref("prompt", "house-tone", "1"), "Say it plainly")
        self.into_production(Ref("prompt", "house-tone", "2"), "Warmer letters")
        with self.db.write(ANA) as tx:
            registry.roll_back(
                tx,
                "prompt",
                "house-tone",
                "production",
                reason="a customer was promised a date",
            )

    def third_customs(self) -> None:
        """Another version of the customs desk, on top of the one that was promoted."""
        text = (
            CUSTOMS.texts[1].replace("First name", "Name first")
            + "\nIf two headings fit, give both."
        )
        with self.db.write(ANA) as tx:
            prompt = {
                "format": "text",
                "text": text,
                "variables": {"description": {"type": "text", "max_length": 4000}},
            }
            agent = {
                "description": CUSTOMS.purpose,
                "model": {
                    "model": "desk-tiny",
                    "parameters": {"temperature": 0},
                    "fallbacks": ["desk-small"],
                },
                "prompts": {"system": "customs-classifier@3"},
                "thresholds": {"escalate_below": 0.7},
            }
            for kind, spec in (("prompt", prompt), ("agent", agent)):
                draft = VersionDraft(
                    spec=spec, message="ask when two headings fit; smaller model"
                )
                made = registry.create_version(tx, kind, CUSTOMS.name, draft, kinds=KINDS)
            recordings.add(tx, [_answer(made.digest, task) for task in _cases()])

    def start(self, name: str, number: int, wanted: Plan) -> str:
        with self.db.write(ANA) as tx:
            release = releases.start(
                tx, Draft(version=f"agent/{name}@{number}", plan=wanted), kinds=KINDS
            )
        self.drive(release.id)
        return release.id

    def drive(self, release_id: str) -> None:
        while self.driver.look(release_id) == 0.0:
            pass

    def approve(self, release_id: str) -> None:
        with self.db.write(BEN) as tx:
            releases.review(
                tx, release_id, answer=Answer.APPROVE, reason="the gate shows it holds"
            )
        self.drive(release_id)

    def shadow(self, release_id: str, desk: Desk, number: int = 140) -> None:
        pairs = [_pair(desk, task) for task in self._tasks(desk, number)]
        with self.db.write(DESK) as tx:
            observing.observe_shadow(tx, release_id, pairs)
        self.clock.move(timedelta(hours=24, minutes=10))
        self.drive(release_id)

    def judge(self, release_id: str, most: int = 100) -> None:
        with self.db.read(BEN) as tx:
            waiting = [one.pair for one in queries.sample(tx, release_id)][:most]
        for place, pair in enumerate(waiting):
            good = place != 4
            with self.db.write(BEN) as tx:
                observing.judge_pair(
                    tx, release_id, pair.key, good=good, reason="" if good else "wrong"
                )
        self.drive(release_id)

    def serve(self, release_id: str, desk: Desk, number: int) -> None:
        """Live requests, in batches, until there are enough or the release is over."""
        for task_batch in range(0, number, 200):
            with self.db.read(ANA) as tx:
                release = queries.release(tx, release_id)
            if release.leg is None:
                return
            batch: list[Observation] = []
            for task in self._tasks(desk, min(200, number - task_batch)):
                arm = split(release_id, task.subject, release.leg.weight)
                done = world.do(desk, 2 if arm is Arm.CHALLENGER else 1, task)
                batch.append(
                    Observation(
                        subject=task.subject,
                        key=task.id,
                        leg=release.leg.number,
                        values=done.metrics(),
                    )
                )
            with self.db.write(DESK) as tx:
                observing.observe_canary(tx, release_id, batch)
            self.clock.move(timedelta(minutes=20))

    def step(self, release_id: str, desk: Desk, number: int) -> None:
        self.serve(release_id, desk, number)
        self.clock.move(timedelta(hours=4))
        self.drive(release_id)

    def to_canary(self, desk: Desk, number: int) -> str:
        release_id = self.start(desk.name, number, plan(desk))
        self.clock.move(timedelta(hours=1))
        self.approve(release_id)
        self.shadow(release_id, desk)
        self.judge(release_id)
        return release_id

    def propose(self) -> tuple[str, str]:
        """Somebody tries the invoice desk once more, the reviewed way; and a prompt."""
        with self.db.write(CAT) as tx:
            agent = proposals.propose(
                tx,
                Ref("agent", INVOICES.name, "2"),
                label="production",
                title="Cheaper invoice matching",
                description="A third of the time at an eighth of the cost.\n\nThe release was "
                "stopped for complaints; since then suppliers were told.",
                kinds=KINDS,
            )
            prompt = proposals.propose(
                tx,
                Ref("prompt", QUOTES.name, "2"),
                label="production",
                title="Say what the price includes",
                description="Customers asked about tolls and insurance eleven times last week.",
                kinds=KINDS,
            )
            discussing.comment(
                tx,
                prompt.id,
                text="Is insurance included as well?",
                kinds=KINDS,
            )
        return agent.id, prompt.id

    def ask_gate(self, proposal: str) -> str:
        """The gate on the invoice desk, with a guardrail; returns its verdict's digest."""
        rules = GateRules(
            metrics=(
                GateMetric(metric="correct", margin=0.05),
                GateMetric(
                    metric="latency",
                    margin=0.2,
                    direction=Direction.LOWER,
                    role=Role.GUARDRAIL,
                    scale=Scale.NUMBER,
                ),
            )
        )
        return gate_versions(
            self.db,
            CAT,
            Measurement(subject="agent/invoice-matcher@1"),
            Measurement(subject="agent/invoice-matcher@2"),
            rules=rules,
            proposal=proposal,
            models=MODELS,
        ).digest

    def _tasks(self, desk: Desk, number: int) -> list[Task]:
        self._drawn += 1
        return list(islice(tasks.stream(f"{desk.name}-{self._drawn}", desk.make), number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """What the day brought forth."""

    promoted: str
    rolled_back: str
    canary: str
    review: str
    gating: str
    proposal: str
    prompt_proposal: str
    verdict: str
    run: str


def live_through(db: Database, clock: ManualClock) -> Ids:
    """The day, from the first hour to now."""
    day = Day(db, clock)
    day.open()
    clock.move(timedelta(hours=3))
    promoted = day.to_canary(CUSTOMS, 2)
    for number in (1600, 1300, 1300):
        day.step(promoted, CUSTOMS, number)
    bad = day.to_canary(INVOICES, 2)
    for number in (1600, 1600, 1600):
        day.step(bad, INVOICES, number)
    attesting.attest(db, BEN)
    day.house_tone()
    day.third_customs()
    canary = day.to_canary(THIRD, 3)
    day.step(canary, THIRD, 1600)
    review = day.start(QUOTES.name, 2, plan(QUOTES))
    clock.move(timedelta(hours=1))
    day.approve(review)
    day.shadow(review, QUOTES)
    day.judge(review, most=7)
    day.drive(canary)
    day.serve(canary, THIRD, 500)
    proposal, prompt_proposal = day.propose()
    verdict = day.ask_gate(proposal)
    gating = day.start(INVOICES.name, 2, plan(INVOICES))
    clock.move(timedelta(minutes=12))
    with db.read(ADMIN) as tx:
        run = evals.runs(tx, limit=1)[0].id
    return Ids(
        promoted=promoted,
        rolled_back=bad,
        canary=canary,
        review=review,
        gating=gating,
        proposal=proposal,
        prompt_proposal=prompt_proposal,
        verdict=verdict,
        run=run,
    )


def _cases() -> list[Task]:
    """The test cases of the customs desk, each content once."""
    stream = tasks.stream(f"{CUSTOMS.name}-cases-7", CUSTOMS.make)
    return list({_item(task).hash: task for task in islice(stream, 2 * CASES)}.values())


def _item(task: Task) -> Item:
    return Item(id=task.id, input=dict(task.input), expected=task.expected)


def _answer(subject: str, task: Task) -> Recording:
    done = world.do(THIRD, 2, task)
    return Recording(
        subject=subject,
        item=_item(task).hash,
        output=Output(
            text=task.expected if done.right else "unsure",
            latency=round(done.latency, 4),
            cost=Decimal(repr(done.cost)),
            served_model="desk-tiny",
        ),
    )


def _pair(desk: Desk, task: Task) -> ShadowPair:
    both = [world.do(desk, number, task) for number in (1, 2)]
    values = [{k: v for k, v in done.metrics().items() if k != "disputed"} for done in both]
    answers = [task.expected if done.right else "unsure" for done in both]
    return ShadowPair(
        key=task.id,
        champion=values[0],
        challenger=values[1],
        input=dict(task.input),
        champion_output=answers[0],
        challenger_output=answers[1],
    )


class Site:
    """The pages over one copy of the day, and people who look at them."""

    def __init__(self, api: Api, ids: Ids) -> None:
        self.api = api
        self.ids = ids
        self._people: dict[tuple[str, ...], Caller] = {}

    def person(self, *roles: str, name: str = "") -> Caller:
        """Somebody with these roles, always the same."""
        key = (name, *roles)
        if key not in self._people:
            self._people[key] = self.api.person(*roles, name=name)
        return self._people[key]

    def known(self, name: str) -> Caller:
        """One of those who worked through the day."""
        return self.person(*{"ana": ANA, "ben": BEN, "cat": CAT}[name].roles, name=name)

    def path(self, pattern: str) -> str:
        """`/releases/{canary}` with the id in it."""
        return pattern.format(**asdict(self.ids))

    def read(self, path: str, *, by: Caller | None = None, status: int = 200) -> str:
        """The HTML of a page, as an administrator or somebody else gets it."""
        who = by or self.person("admin")
        answer = who.send("GET", self.path(path), headers={"Accept": "text/html"})
        assert answer.status_code == status, answer.text
        return str(answer.text)

    def post(
        self,
        path: str,
        *,
        by: Caller,
        status: int = 303,
        form: Mapping[str, str] | None = None,
        **fields: str,
    ) -> str:
        """Send a form. Returns where it leads, or what the page says that refuses it."""
        answer = by.send(
            "POST",
            self.path(path),
            data={**(form or {}), **fields},
            headers={"Accept": "text/html"},
            follow_redirects=False,
        )
        assert answer.status_code == status, answer.text
        return str(answer.headers.get("location", answer.text))

    def head(self) -> int:
        """How many entries the journal has."""
        with self.api.db.read(ADMIN) as tx:
            return journal_queries.head(tx).seq


@cache
def built(template: Path, folder: Path) -> tuple[Path, Ids, datetime]:
    """The day in a database of its own."""
    path = folder / "day.db"
    shutil.copyfile(template, path)
    clock = ManualClock(START)
    with opened(path, clock, seed=1) as db:
        ids = live_through(db, clock)
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return path, ids, clock.now()


@pytest.fixture(scope="session")
def day(sqlite_template: Path) -> tuple[Path, Ids, datetime]:
    """The day, built once per process however many folders ask for it."""
    return built(sqlite_template, sqlite_template.parent)


@pytest.fixture
def site(day: tuple[Path, Ids, datetime], tmp_path: Path) -> Iterator[Site]:
    """A copy of the day that a test may change."""
    yield from _site(day, tmp_path / "site.db")


@pytest.fixture(scope="module")
def shown(
    day: tuple[Path, Ids, datetime], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A copy of the day that the tests of a module only look at."""
    yield from _site(day, tmp_path_factory.mktemp("shown") / "site.db")


@pytest.fixture(scope="module")
def base(shown: Site) -> Iterator[str]:
    """The address of a server with `shown` behind it."""
    with serving(guarded(shown.api.app)) as address:
        yield address


def sign_in(page: Page, who: Caller, base: str) -> None:
    """Give a browser somebody's session."""
    value = who.headers["Cookie"].partition("=")[2]
    page.context.add_cookies([{"name": COOKIE, "value": value, "url": base}])


def holds(page: Page, site: Site, base: str, path: str) -> None:
    """Hold a page to what every page promises, as an administrator sees it."""
    sign_in(page, site.person("admin"), base)
    check_page(page, base + site.path(path))


def _site(day: tuple[Path, Ids, datetime], path: Path) -> Iterator[Site]:
    built_at, ids, now = day
    shutil.copyfile(built_at, path)
    clock = ManualClock(now)
    with opened(path, clock, seed=2) as db:
        yield Site(Api(db, clock), ids)


@contextmanager
def opened(path: Path, clock: ManualClock, *, seed: int) -> Iterator[Database]:
    engine = open_engine(f"sqlite:///{path}")
    ids = seeded_ids(clock, seed)
    yield Database(
        engine, clock=clock, ids=ids, on_commit=journal_store.append, keyring=KEYRING
    )
    engine.dispose()
