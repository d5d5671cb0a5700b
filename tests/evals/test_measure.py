"""Measuring and gating on a database: durable as it goes, made once, bound to what it is about."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from opsroom.app.kinds import KINDS
from opsroom.datasets import Item
from opsroom.datasets import commands as datasets
from opsroom.evals import queries as evals
from opsroom.evals import regressing, store
from opsroom.evals.comparison import MetricRule
from opsroom.evals.errors import GateOfAnother, NotMeasurable
from opsroom.evals.gate import GateRules, Outcome
from opsroom.evals.gating import compare_versions, gate_versions
from opsroom.evals.measure import Measurement, measure
from opsroom.evals.model import ResultKey, RunState
from opsroom.journal import outbox
from opsroom.kit import faults
from opsroom.kit.db import Actor, Database
from opsroom.models import Find, Model, NoModelConfigured, Output, Recording
from opsroom.models import store as recordings
from opsroom.registry import (
    ArtifactDraft,
    Check,
    Criticality,
    Ref,
    VersionDraft,
    proposals,
    queries,
)
from opsroom.registry import commands as registry

CASES = 240


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
    """An agent with three versions and their recorded answers: good, better, worse."""
    items = [Item(id=f"i{n}", input=f"question {n}", expected="yes") for n in range(CASES)]
    with db.write(actor) as tx:
        for kind, name in (("agent", "clerk"), ("evaluator", "right")):
            draft = ArtifactDraft(kind=kind, name=name, criticality=Criticality.ASSISTIVE)
            registry.create_artifact(tx, draft, kinds=KINDS)
        spec = {"type": "equals", "metric": "right"}
        registry.create_version(tx, "evaluator", "right", VersionDraft(spec=spec), kinds=KINDS)
        datasets.put(tx, "clerk", items, kinds=KINDS, evaluators=["right"])
        for number, right in ((1, 200), (2, 230), (3, 150)):
            manifest = VersionDraft(spec={"model": {"model": f"m{number}"}})
            made = registry.create_version(tx, "agent", "clerk", manifest, kinds=KINDS)
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
    return db


def test_a_measurement_is_made_once(world: Database, actor: Actor) -> None:
    first = measure(world, actor, Measurement(subject="clerk@1"), models=MODELS)
    again = measure(world, actor, Measurement(subject="agent/clerk@1"), models=MODELS)
    assert first == again
    assert first.state is RunState.SUCCESSFUL
    assert (first.totals.answered, first.totals.errors) == (CASES, 0)


def test_an_interrupted_measurement_goes_on(world: Database, actor: Actor) -> None:
    passed = [0]

    def strike() -> None:
        passed[0] += 1
        if passed[0] == 1:
            raise KeyboardInterrupt

    faults.arm("measure.kept", strike)
    with pytest.raises(KeyboardInterrupt):
        measure(world, actor, Measurement(subject="clerk@1"), models=MODELS)
    faults.disarm()
    done = measure(world, actor, Measurement(subject="clerk@1"), models=MODELS)
    with world.read(actor) as tx:
        assert len(list(store.results_of(tx, done.id))) == CASES
        assert len(store.runs_page(tx, limit=10)) == 1
    assert (done.totals.answered, done.totals.skipped) == (CASES, 0)


def test_results_are_paged_by_their_key(world: Database, actor: Actor) -> None:
    run = measure(world, actor, Measurement(subject="clerk@1"), models=MODELS)
    with world.write(actor) as tx:
        every = list(store.results_of(tx, run.id))[:3]
        again = [replace(one, trial=trial) for one in every for trial in (1, 2)]
        assert store.add_results(tx, again) == 6
        first = list(evals.first_trials(tx, run.id, limit=3))
        assert first == every
        seen: list[ResultKey] = []
        for _ in range(3):
            page = evals.result_page(tx, run.id, after=seen[-1] if seen else None, limit=4)
            seen += [ResultKey(one.item, one.trial) for one in page]
    wanted = [ResultKey(one.item, trial) for one in every for trial in range(3)]
    assert seen[:9] == wanted
    assert len(set(seen)) == 12


def test_what_was_never_recorded_is_not_made_up(world: Database, actor: Actor) -> None:
    wanted = Measurement(subject="clerk@1", variant="temperature=1")
    with pytest.raises(NotMeasurable) as caught:
        measure(world, actor, wanted, models=MODELS)
    assert "''" in str(caught.value.as_dict()["hint"])


@pytest.mark.parametrize(
    ("candidate", "outcome"), [(2, Outcome.PASSED), (3, Outcome.FAILED), (1, Outcome.PASSED)]
)
def test_the_gate_decides_and_keeps_its_verdict(
    world: Database, actor: Actor, candidate: int, outcome: Outcome
) -> None:
    sides = (Measurement(subject="clerk@1"), Measurement(subject=f"clerk@{candidate}"))
    verdict = gate_versions(world, actor, *sides, models=MODELS)
    assert verdict.outcome is outcome
    assert gate_versions(world, actor, *sides, models=MODELS).digest == verdict.digest
    with world.read(actor) as tx:
        kept = store.verdict(tx, verdict.digest)
        assert kept is not None
        assert kept["outcome"] == outcome.value


def test_a_gate_speaks_only_for_what_is_proposed(world: Database, actor: Actor) -> None:
    with world.write(actor) as tx:
        proposal = proposals.propose(
            tx, Ref.parse("agent/clerk@2"), label="staging", kinds=KINDS
        )
    rules = GateRules(metrics=(MetricRule(metric="right", margin=0.05),))
    with pytest.raises(GateOfAnother):
        gate_versions(
            world,
            actor,
            Measurement(subject="clerk@1"),
            Measurement(subject="clerk@1"),
            rules=rules,
            proposal=proposal.id,
            models=MODELS,
        )
    gate_versions(
        world,
        actor,
        Measurement(subject="clerk@1"),
        Measurement(subject="clerk@2"),
        rules=rules,
        proposal=proposal.id,
        models=MODELS,
    )
    with world.read(actor) as tx:
        states = {one.name: one.state for one in queries.proposal(tx, proposal.id).checks}
    assert states == {"lint": "passed", "gate": "passed"}


def test_cases_that_got_worse_come_first(world: Database, actor: Actor) -> None:
    found = compare_versions(
        world,
        actor,
        Measurement(subject="clerk@1"),
        Measurement(subject="clerk@3"),
        models=MODELS,
    )
    changes = [case.changed for case in found.cases]
    assert changes[:50] == ["regressed"] * 50
    assert set(changes[50:]) == {"same"}
    assert [one.metric for one in found.metrics] == ["right", "latency"]


@pytest.mark.parametrize(("right", "state"), [(5, "passed"), (3, "failed")])
def test_a_proposal_is_put_to_what_people_corrected(
    world: Database, actor: Actor, right: int, state: str
) -> None:
    items = [Item(id=f"c{n}", input=f"odd {n}", expected="no") for n in range(5)]
    with world.write(actor) as tx:
        datasets.put(tx, "regressions-clerk", items, kinds=KINDS, evaluators=["right"])
        for number, some in ((1, 0), (2, right)):
            version = queries.version(tx, Ref("agent", "clerk", str(number)))
            said = ["no" if n < some else "yes" for n in range(5)]
            recordings.add(
                tx,
                [
                    Recording(subject=version.digest, item=item.hash, output=Output(text=text))
                    for item, text in zip(items, said, strict=True)
                ],
            )
        first = proposals.propose(
            tx, Ref.parse("agent/clerk@1"), label="production", kinds=KINDS
        )
        of = queries.artifact(tx, "agent", "clerk")
        registry.move_label(tx, of, "production", 1, how="import", reason="it serves")
        second = proposals.propose(
            tx, Ref.parse("agent/clerk@2"), label="production", kinds=KINDS
        )
        assert not any("regression" in one for one in proposals.missing(tx, first))
        assert "check 'regression' is missing" in proposals.missing(tx, second)
    sides = (Measurement(subject="agent/clerk@1"), Measurement(subject="agent/clerk@2"))
    found = regressing.check_proposal(world, actor, *sides, second.id, models=MODELS)
    with world.read(actor) as tx:
        check = queries.proposal(tx, second.id).checks[-1]
        assert (check.name, check.state) == ("regression", state)
        assert check.evidence == found[0].digest
        assert f"{right} of 5 cases are right" in found[0].reasons[1]
        unmet = [
            one
            for one in proposals.missing(tx, queries.proposal(tx, second.id))
            if "regression" in one
        ]
    assert bool(unmet) is (state == "failed")


def test_a_check_is_outdated_by_cases_that_came_after_it(world: Database, actor: Actor) -> None:
    def keep(*items: Item) -> None:
        with world.write(actor) as tx:
            datasets.put(tx, "regressions-clerk", items, kinds=KINDS, evaluators=["right"])
        outbox.pump(world, regressing.reactions())

    def state() -> str:
        with world.read(actor) as tx:
            return queries.proposal(tx, proposal.id).checks[-1].state

    first = Item(id="c0", input="odd 0", expected="no")
    example = Item(id="e0", input="even", expected="yes", split="train")
    keep(first)
    with world.write(actor) as tx:
        proposal = proposals.propose(
            tx, Ref.parse("agent/clerk@2"), label="production", kinds=KINDS
        )
        check = Check(name="regression", state="passed", summary="1 of 1")
        proposals.report_check(tx, proposal.id, check)
    keep(first, example)
    assert state() == "passed", "an example tests nobody"
    keep(first, example, Item(id="c1", input="odd 1", expected="no"))
    assert state() == "outdated"


def test_a_case_that_nobody_recorded_is_not_right(world: Database, actor: Actor) -> None:
    items = [Item(id=f"c{n}", input=f"odd {n}", expected="no") for n in range(5)]
    with world.write(actor) as tx:
        made = datasets.put(tx, "regressions-clerk", items, kinds=KINDS, evaluators=["right"])
        for number in (1, 2):
            version = queries.version(tx, Ref("agent", "clerk", str(number)))
            recordings.add(
                tx,
                [
                    Recording(subject=version.digest, item=one.hash, output=Output(text="no"))
                    for one in items[:3]
                ],
            )
    sides = (Measurement(subject="agent/clerk@1"), Measurement(subject="agent/clerk@2"))
    found = regressing.regress(world, actor, *sides, made.ref, models=MODELS)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "3 pairs are fewer than the floor of 5" in found.reasons[0]


def test_corrections_without_a_test_case_ask_for_nothing(world: Database, actor: Actor) -> None:
    items = [Item(id="c0", input="odd", expected="no", split="train")]
    with world.write(actor) as tx:
        datasets.put(tx, "regressions-clerk", items, kinds=KINDS, evaluators=["right"])
        proposal = proposals.propose(
            tx, Ref.parse("agent/clerk@2"), label="staging", kinds=KINDS
        )
        assert regressing.guards(tx, "agent", "clerk") == ()
    sides = (Measurement(subject="agent/clerk@1"), Measurement(subject="agent/clerk@2"))
    assert regressing.check_proposal(world, actor, *sides, proposal.id, models=MODELS) == ()
    with world.read(actor) as tx:
        assert queries.proposal(tx, proposal.id).checks[-1].state == "passed"
