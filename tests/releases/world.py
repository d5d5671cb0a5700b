"""A clerk with three versions, people around it, and traffic that can be had again.

Version 1 serves, 2 is better and 3 is worse on the clerk's dataset. How live requests come
out is up to the test.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from opsroom.access.model import permissions_of
from opsroom.app.kinds import KINDS
from opsroom.approvals import Answer
from opsroom.datasets import Item
from opsroom.datasets import commands as datasets
from opsroom.evals.comparison import MetricRule as GateRule
from opsroom.evals.comparison import Role
from opsroom.evals.gate import GateRules, Outcome
from opsroom.evidence import Direction
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, Tx
from opsroom.models import Find, Model, NoModelConfigured, Output, Recording
from opsroom.models import store as recordings
from opsroom.registry import ArtifactDraft, Criticality, Ref, VersionDraft
from opsroom.registry import commands as registry
from opsroom.registry import queries as registry_queries
from opsroom.releases import commands, observing, queries
from opsroom.releases.evidence import GateResult
from opsroom.releases.model import Arm, Draft, Release, State
from opsroom.releases.observation import Observation, Observed, ShadowPair
from opsroom.releases.plan import (
    CanaryStep,
    GatePlan,
    MetricRule,
    Plan,
    SamplePlan,
    ShadowPlan,
)

KIND, NAME = "agent", "clerk"
CASES = 240


def person(name: str, *roles: str) -> Actor:
    return Actor(name, "default", permissions_of(roles), roles)


ADA = person("ada", "author", "operator")
BOB = person("bob", "reviewer")
RITA = person("rita", "risk")
AGENT = Actor("token:clerk", "default", permissions_of(("agent",)), ("agent",), human=False)


class NoModels:
    """Nothing can be asked live."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Find]:
        yield _nothing


def _nothing(name: str) -> Model:
    raise NoModelConfigured(name)


MODELS = NoModels()
GATE = GatePlan(dataset=NAME, rules=GateRules(metrics=(GateRule(metric="right", margin=0.05),)))

# Everything a release goes through, with numbers that a test reaches.
SMALL = Plan(
    gate=GATE,
    shadow=ShadowPlan(min_pairs=40),
    sample=SamplePlan(size=5, min_pass=0.5),
    steps=(CanaryStep(weight=0.25, min_n=30), CanaryStep(weight=0.5, min_n=60)),
    metrics=(
        MetricRule(metric="success", margin=0.25, role=Role.PRIMARY),
        MetricRule(metric="error", direction=Direction.LOWER),
    ),
)
PASSED = GateResult(outcome=Outcome.PASSED, digest="9" * 64, because="it holds")
BARE = replace(SMALL, gate=None)


def build(
    db: Database, criticality: Criticality = Criticality.ASSISTIVE, *, cases: int = CASES
) -> None:
    """The world as it is before any release; all cases let a gate decide. Safe to repeat."""
    items = [Item(id=f"i{n}", input=f"question {n}", expected="yes") for n in range(cases)]
    with db.write(ADA) as tx:
        for kind, name in ((KIND, NAME), ("evaluator", "right")):
            draft = ArtifactDraft(kind=kind, name=name, criticality=criticality)
            registry.create_artifact(tx, draft, kinds=KINDS)
        spec = {"type": "equals", "metric": "right"}
        registry.create_version(tx, "evaluator", "right", VersionDraft(spec=spec), kinds=KINDS)
        datasets.put(tx, NAME, items, kinds=KINDS, evaluators=["right"])
        for number, right in ((1, 200), (2, 230), (3, 150)):
            _version(tx, number, right, items)
        of = registry_queries.artifact(tx, KIND, NAME)
        if registry_queries.label(tx, KIND, NAME, "production") is None:
            registry.move_label(tx, of, "production", 1, how="import", reason="it serves")


def _version(tx: Tx, number: int, right: int, items: list[Item]) -> None:
    draft = VersionDraft(spec={"model": {"model": f"m{number}"}}, source=f"world:{number}")
    made = registry.create_version(tx, KIND, NAME, draft, kinds=KINDS)
    recordings.add(
        tx,
        [
            Recording(
                subject=made.digest,
                item=item.hash,
                output=Output(text="yes" if n < right else "no", latency=1.0),
            )
            for n, item in enumerate(items)
        ],
    )


def correct(db: Database, right: int | None) -> None:
    """Ten cases that people corrected, of which version 1 gets none right and version 2 so many;
    None is where nobody recorded what they answer.
    """
    items = [Item(id=f"c{n}", input=f"odd {n}", expected="no") for n in range(10)]
    with db.write(ADA) as tx:
        datasets.put(
            tx,
            f"corrections-{NAME}",
            items,
            kinds=KINDS,
            evaluators=["right"],
            keeper="corrections",
        )
        if right is None:
            return
        for number, some in ((1, 0), (2, right)):
            of = registry_queries.version(tx, Ref(KIND, NAME, str(number)))
            said = ["no" if n < some else "yes" for n in range(10)]
            recordings.add(
                tx,
                [
                    Recording(subject=of.digest, item=item.hash, output=Output(text=text))
                    for item, text in zip(items, said, strict=True)
                ],
            )


def start(db: Database, *, number: int = 2, plan: Plan = SMALL) -> Release:
    with db.write(ADA) as tx:
        return commands.start(
            tx, Draft(version=f"{KIND}/{NAME}@{number}", plan=plan), kinds=KINDS
        )


def approve(db: Database, release_id: str, by: Actor = BOB) -> None:
    with db.write(by) as tx:
        commands.review(tx, release_id, answer=Answer.APPROVE, reason="looks right")


def pair(key: str, *, champion: bool = True, challenger: bool = True) -> ShadowPair:
    """A pair; an arm that is not fine failed with an error."""
    return ShadowPair(
        key=key,
        champion=values(fine=champion),
        challenger=values(fine=challenger),
        input=f"question {key}",
        champion_output="yes",
        challenger_output="yes",
    )


def values(*, fine: bool) -> dict[str, float]:
    return {"success": float(fine), "error": float(not fine)}


def shadow(db: Database, release_id: str, pairs: Iterable[ShadowPair]) -> Observed:
    with db.write(AGENT) as tx:
        return observing.observe_shadow(tx, release_id, list(pairs))


def serve(
    db: Database, release_id: str, subjects: Iterable[str], *, broken: bool = False
) -> Observed:
    """Let the version that `resolve` names answer each subject, and report how it went. A
    `broken` challenger fails every request.
    """
    outcomes: list[Observation] = []
    with db.read(AGENT) as tx:
        now = queries.serving(tx, KIND, NAME)
        for subject in subjects:
            found = now.to(subject)
            fine = not (broken and found.arm is Arm.CHALLENGER)
            if found.leg is not None:
                outcomes.append(
                    Observation(subject=subject, values=values(fine=fine), leg=found.leg)
                )
    with db.write(AGENT) as tx:
        return observing.observe_canary(tx, release_id, outcomes)


def judge_all(db: Database, release_id: str, by: Actor = BOB, *, good: bool = True) -> None:
    """Judge what is in the sample, as long as it is under review."""
    with db.read(by) as tx:
        sample = queries.sample(tx, release_id)
    for one in sample:
        with db.write(by) as tx:
            if one.judged_by is None:
                observing.judge_pair(tx, release_id, one.pair.key, good=good, reason="read it")


def state(db: Database, release_id: str) -> State:
    with db.read(ADA) as tx:
        return queries.release(tx, release_id).state


def label(db: Database) -> int:
    with db.read(ADA) as tx:
        found = registry_queries.label(tx, KIND, NAME, "production")
        assert found is not None
        return found.number


def label_moves(db: Database) -> list[tuple[int | None, int, str]]:
    """Where production was moved, oldest first."""
    with db.read(ADA) as tx:
        moves = registry_queries.label_history(tx, KIND, NAME, "production")
        return [(move.before, move.after, move.how) for move in reversed(moves)]


def gated(db: Database, release_id: str, result: GateResult = PASSED) -> None:
    with db.write(ADA) as tx:
        commands.gated(tx, release_id, result)


def advance(db: Database, release_id: str) -> str:
    with db.write(ADA) as tx:
        return commands.advance(tx, release_id).kind


def reach_shadow(db: Database, *, number: int = 2, plan: Plan = SMALL) -> Release:
    release = start(db, number=number, plan=plan)
    gated(db, release.id)
    approve(db, release.id)
    advance(db, release.id)
    return _found(db, release.id, State.SHADOWING)


def reach_canary(
    db: Database, clock: ManualClock, *, number: int = 2, plan: Plan = SMALL
) -> Release:
    """A release whose candidate has just met its first request."""
    release = reach_shadow(db, number=number, plan=plan)
    clock.move(plan.shadow.min_time)
    shadow(db, release.id, [pair(f"p{n}") for n in range(plan.shadow.min_pairs)])
    advance(db, release.id)
    judge_all(db, release.id)
    advance(db, release.id)
    return _found(db, release.id, State.CANARYING)


def through(db: Database, clock: ManualClock, release: Release) -> None:
    """Serve until every step has what it asks for."""
    for turn, step in enumerate(release.plan.steps):
        clock.move(step.min_duration)
        serve(db, release.id, [f"s{turn}-{n}" for n in range(240)])
        advance(db, release.id)


def _found(db: Database, release_id: str, expected: State) -> Release:
    with db.read(ADA) as tx:
        found = queries.release(tx, release_id)
    assert found.state is expected
    return found


HOUR = timedelta(hours=1)
