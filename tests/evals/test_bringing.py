"""Answers that somebody brings: one run a session, the first answer counts, and a gate at the end."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.conftest import MakeActor

from opsroom.app.kinds import KINDS
from opsroom.datasets import Item
from opsroom.datasets import commands as datasets
from opsroom.evals import bringing, finding, store
from opsroom.evals.bringing import Against, Brought, Session
from opsroom.evals.errors import (
    BadRules,
    NotACase,
    NotBrought,
    RunMoved,
    RunNotFound,
    RunNotWhole,
)
from opsroom.evals.gate import Outcome
from opsroom.evals.gating import Ask
from opsroom.evals.measure import Measurement, measure
from opsroom.evals.model import EvalRun, RunState
from opsroom.kit.db import Actor, Database
from opsroom.models import Find, Model, NoModelConfigured, Output, Recording
from opsroom.models import store as recordings
from opsroom.registry import ArtifactDraft, Criticality, Ref, VersionDraft, queries
from opsroom.registry import commands as registry

CASES = 12
ITEMS = [Item(id=f"i{n}", input=f"question {n}", expected="yes") for n in range(CASES)]
SESSION = Session(session="session-1", subject="clerk")


class NoModels:
    """Nothing can be asked live."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Find]:
        yield _nothing


def _nothing(name: str) -> Model:
    raise NoModelConfigured(name)


MODELS = NoModels()


@pytest.fixture
def world(db: Database, actor: Actor) -> Database:
    with db.write(actor) as tx:
        for kind, name in (("agent", "clerk"), ("evaluator", "right")):
            draft = ArtifactDraft(kind=kind, name=name, criticality=Criticality.ASSISTIVE)
            registry.create_artifact(tx, draft, kinds=KINDS)
        spec = {"type": "equals", "metric": "right"}
        registry.create_version(tx, "evaluator", "right", VersionDraft(spec=spec), kinds=KINDS)
        datasets.put(tx, "clerk", ITEMS, kinds=KINDS, evaluators=["right"])
        for number in (1, 2):
            manifest = VersionDraft(spec={"model": {"model": f"m{number}"}})
            registry.create_version(tx, "agent", "clerk", manifest, kinds=KINDS)
    return db


def begin(db: Database, actor: Actor, wanted: Session = SESSION) -> EvalRun:
    with db.write(actor) as tx:
        return bringing.begin(tx, wanted)


def answered(right: int = CASES, *, trial: int = 0) -> list[Brought]:
    return [
        Brought(
            item=item.hash,
            trial=trial,
            output=Output(text="yes" if n < right else "no", cost=Decimal("0.1")),
        )
        for n, item in enumerate(ITEMS)
    ]


def finish(db: Database, actor: Actor, wanted: Session, right: int = CASES) -> EvalRun:
    run = begin(db, actor, wanted)
    bringing.judge(db, actor, run.id, answered(right), models=MODELS)
    with db.write(actor) as tx:
        return bringing.end(tx, run.id).run


def test_a_session_has_one_run_whatever_moves(world: Database, actor: Actor) -> None:
    first = begin(world, actor)
    assert (first.subject_name, first.state) == ("agent/clerk@2", RunState.RUNNING)
    with world.write(actor) as tx:
        manifest = VersionDraft(spec={"model": {"model": "m3"}})
        registry.create_version(tx, "agent", "clerk", manifest, kinds=KINDS)
    assert begin(world, actor) == first
    other = begin(world, actor, replace(SESSION, session="session-2"))
    assert (other.id != first.id, other.subject_name) == (True, "agent/clerk@3")


def test_processes_that_begin_at_once_begin_one_run(world: Database, actor: Actor) -> None:
    found: list[str] = []
    every = [
        threading.Thread(target=lambda: found.append(begin(world, actor).id)) for _ in range(4)
    ]
    for one in every:
        one.start()
    for one in every:
        one.join()
    assert (len(found), len(set(found))) == (4, 1)


@pytest.mark.parametrize("output", [Output(text="half \ud83d"), Output(latency=float("nan"))])
def test_an_answer_that_cannot_be_stored_is_an_error_of_its_case(
    world: Database, actor: Actor, output: Output
) -> None:
    """As where it comes from a model: JavaScript cuts texts in the middle of an emoji."""
    run = begin(world, actor)
    odd = replace(answered()[0], output=output)
    found = bringing.judge(world, actor, run.id, [odd, *answered()[1:]], models=MODELS)
    assert [(one.error or "")[:13] for one in found[:2]] == ["not_canonical", ""]
    with world.write(actor) as tx:
        ended = bringing.end(tx, run.id).run
    assert (ended.totals.answered, ended.totals.errors) == (CASES - 1, 1)


def test_the_first_answer_counts(world: Database, actor: Actor) -> None:
    run = begin(world, actor)
    right, wrong = answered(CASES)[0], answered(0)[0]
    (first,) = bringing.judge(world, actor, run.id, [right], models=MODELS)
    (again,) = bringing.judge(world, actor, run.id, [wrong], models=MODELS)
    assert first == again
    assert first.scores["right"].passed
    with world.read(actor) as tx:
        there = finding.answered(tx, run, run, right.item)
        assert [one.text for one in there.outputs_a] == ["yes"]
        assert there.item == ITEMS[0]


def test_a_run_ends_once_and_says_what_it_lacks(world: Database, actor: Actor) -> None:
    run = begin(world, actor, replace(SESSION, trials=2))
    bringing.judge(world, actor, run.id, answered(9), models=MODELS)
    broken = Brought(item=ITEMS[0].hash, trial=1, output=Output(error="it crashed"))
    bringing.judge(world, actor, run.id, [broken], models=MODELS)
    with world.write(actor) as tx:
        ended = bringing.end(tx, run.id)
        assert bringing.end(tx, run.id) == ended
    assert ended.run.state is RunState.INCONCLUSIVE
    assert ended.run.reason == f"{CASES + 1} of {2 * CASES} answers were brought"
    assert (ended.run.totals.answered, ended.run.totals.errors) == (CASES, 1)
    assert ended.run.totals.cost == Decimal("1.2")
    (rate, *_) = ended.metrics
    assert (rate.metric, rate.n, rate.missing, rate.interval) == ("right", CASES, 1, None)
    with pytest.raises(RunMoved):
        bringing.judge(world, actor, run.id, answered(), models=MODELS)
    with pytest.raises(RunNotWhole):
        bringing.gate_run(world, actor, run.id, Against(baseline="clerk"), models=MODELS)


@pytest.mark.parametrize(("right", "outcome"), [(CASES, Outcome.PASSED), (2, Outcome.FAILED)])
def test_a_run_is_gated_against_the_one_before(
    world: Database, actor: Actor, right: int, outcome: Outcome
) -> None:
    before = finish(world, actor, replace(SESSION, subject="clerk@1"), right=10)
    run = finish(world, actor, SESSION, right=right)
    ask = Ask(min_samples=CASES, strict=True)
    verdicts = [
        bringing.gate_run(
            world, actor, run.id, Against(baseline=baseline, ask=ask), models=MODELS
        )
        for baseline in ("clerk@1", before.id)
    ]
    assert [one.outcome for one in verdicts] == [outcome, outcome]
    assert verdicts[0].digest == verdicts[1].digest
    assert verdicts[0].evidence.baseline.name == "agent/clerk@1"
    with pytest.raises(BadRules):
        bringing.gate_run(world, actor, run.id, Against(baseline=run.id), models=MODELS)


def test_recorded_answers_are_a_baseline_too(world: Database, actor: Actor) -> None:
    with world.write(actor) as tx:
        subject = queries.version(tx, Ref.parse("agent/clerk@1")).digest
        new = [
            Recording(subject=subject, item=one.item, output=one.output) for one in answered()
        ]
        recordings.add(tx, new)
    run = finish(world, actor, SESSION)
    ask = Ask(min_samples=CASES, strict=True)
    against = Against(baseline="clerk@1", ask=ask)
    verdict = bringing.gate_run(world, actor, run.id, against, models=MODELS)
    assert verdict.outcome is Outcome.PASSED


def test_only_what_belongs_there_is_taken(
    world: Database, actor: Actor, make_actor: MakeActor
) -> None:
    run = begin(world, actor)
    strange = Brought(item="0" * 64, output=Output(text="yes"))
    for one in (strange, replace(answered()[0], trial=1)):
        with pytest.raises(NotACase):
            bringing.judge(world, actor, run.id, [one], models=MODELS)
    stranger = make_actor("author", project="another")
    with pytest.raises(RunNotFound):
        bringing.judge(world, stranger, run.id, answered(), models=MODELS)
    with world.write(actor) as tx:
        subject = queries.version(tx, Ref.parse("agent/clerk@1")).digest
        one = answered()[0]
        recordings.add(tx, [Recording(subject=subject, item=one.item, output=one.output)])
    own = measure(world, actor, Measurement(subject="clerk@1"), models=MODELS)
    with pytest.raises(NotBrought):
        bringing.judge(world, actor, own.id, answered(), models=MODELS)
    with world.read(actor) as tx:
        assert store.results_for(tx, run.id, [one.hash for one in ITEMS]) == {}
