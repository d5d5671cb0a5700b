"""Searches from their start to their end, on a model whose answers depend on the prompt."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.conftest import MakeActor
from tests.improvement.world import (
    CANARY,
    CASES,
    DATASET,
    desk,
    finished,
    plan,
    searched,
    started,
    with_canaries,
)

from opsroom.app.kinds import KINDS
from opsroom.approvals import Answer
from opsroom.approvals.errors import ApproverIsRequester
from opsroom.datasets import Item
from opsroom.datasets import commands as datasets
from opsroom.evals.comparison import MetricRule
from opsroom.evals.gate import GateRules, Outcome
from opsroom.evals.gating import gate_versions
from opsroom.evals.measure import Measurement
from opsroom.improvement import commands, queries
from opsroom.improvement.errors import (
    BadPlan,
    HeldOut,
    ImprovementNotFound,
    ImprovementOver,
    OptimiserMissing,
    SplitMissing,
)
from opsroom.improvement.examples import as_text
from opsroom.improvement.material import Material
from opsroom.improvement.model import Budget, Method, Standing, State
from opsroom.improvement.running import Driver
from opsroom.kit import faults
from opsroom.kit.db import Actor, Database
from opsroom.registry import Ref, proposals
from opsroom.registry import queries as registry
from opsroom.simulator import goods
from opsroom.simulator.apprentice import Apprentices

PLANS: list[Any] = [
    pytest.param({}, id="examples"),
    pytest.param(
        {
            "method": Method.PARAMETERS,
            "target": "agent/customs",
            "grid": {"temperature": (0, 0.4)},
        },
        id="parameters",
    ),
    pytest.param({"method": Method.REFLECT, "rounds": 5}, id="reflect"),
]


def needs_gepa(wanted: dict[str, Any]) -> None:
    if wanted.get("method") is Method.REFLECT:
        pytest.importorskip("gepa")


@pytest.mark.parametrize("wanted", PLANS)
def test_a_search_finds_something_better_and_proposes_it(
    db: Database, actor: Actor, wanted: dict[str, Any]
) -> None:
    needs_gepa(wanted)
    desk(db, actor)
    models = Apprentices()
    done, candidates = searched(db, actor, plan(**wanted), models)
    assert done.state is State.FINISHED
    assert "better than the base" in done.reason
    (chosen,) = [one for one in candidates if one.standing is Standing.CHOSEN]
    assert chosen.score is not None
    assert chosen.score.interval is not None
    assert candidates[0].score is not None
    assert chosen.score.value > candidates[0].score.value
    assert done.spent.calls == len(models.asked)
    assert done.tried == len(candidates) - 1
    with db.read(actor) as tx:
        version = registry.version(tx, Ref.parse(done.version))
        proposal = registry.proposal(tx, done.proposal)
        label = registry.label(tx, version.kind, version.name, "production")
    assert (version.source, version.author) == (f"improvement/{done.id}", "ada")
    assert version.digest == chosen.digest == proposal.digest
    assert label is None  # nothing is promoted


def test_who_started_a_search_cannot_approve_what_it_found(
    db: Database, actor: Actor, make_actor: MakeActor
) -> None:
    desk(db, actor)
    ada = make_actor("author", "reviewer", name="ada")
    done, _ = searched(db, ada, plan(max_examples=4), Apprentices())
    with pytest.raises(ApproverIsRequester), db.write(ada) as tx:
        proposals.review(tx, done.proposal, answer=Answer.APPROVE, reason="it is mine")
    with db.write(make_actor("reviewer", name="ben")) as tx:
        proposals.review(tx, done.proposal, answer=Answer.APPROVE, reason="looked at it")


def test_the_gate_measures_what_was_found_on_items_that_the_search_has_not_seen(
    sqlite_db: Database, actor: Actor
) -> None:
    desk(sqlite_db, actor)
    models = Apprentices()
    done, _ = searched(sqlite_db, actor, plan(), models)
    sides = [
        Measurement(subject=one, dataset=DATASET, split="test", source="apprentice")
        for one in (done.base, done.version)
    ]
    with sqlite_db.write(actor) as tx:  # the label is new, so the base is only cited
        assert registry.proposal(tx, done.proposal).base is None
    rules = GateRules(metrics=(MetricRule(metric="correct", margin=0.0),), floor=30)
    verdict = gate_versions(sqlite_db, actor, *sides, rules=rules, models=models)
    assert verdict.outcome is Outcome.PASSED
    assert "better" in verdict.metrics[0].verdict


@pytest.mark.parametrize("wanted", PLANS)
def test_no_held_out_item_reaches_a_model_in_any_search(
    sqlite_db: Database, actor: Actor, wanted: dict[str, Any]
) -> None:
    needs_gepa(wanted)
    items = with_canaries(goods.cases(count=CASES))
    assert any(CANARY in str(one.input) for one in items)
    desk(sqlite_db, actor, items=items)
    models = Apprentices()
    done, candidates = searched(sqlite_db, actor, plan(**wanted), models)
    assert models.asked
    said = [message.content for one in models.asked for message in one.messages]
    assert not any(CANARY in text for text in said)
    assert not any(CANARY in str(one.spec) for one in candidates)
    assert done.state is State.FINISHED


def test_material_cannot_hold_a_held_out_item() -> None:
    one = Item(id="i", input="x", expected="y", split="test")
    with pytest.raises(HeldOut):
        Material(train=(one,), selection=())
    with pytest.raises(HeldOut):
        Material(train=(), selection=(replace(one, split="train"),))


@pytest.mark.parametrize("wanted", PLANS)
@pytest.mark.parametrize("calls", [70, pytest.param(130, marks=pytest.mark.slow)])
def test_a_search_ends_with_its_budget_and_keeps_what_it_found(
    sqlite_db: Database, actor: Actor, wanted: dict[str, Any], calls: int
) -> None:
    needs_gepa(wanted)
    desk(sqlite_db, actor)
    models = Apprentices()
    budget = Budget(max_calls=calls)
    done, candidates = searched(sqlite_db, actor, plan(**wanted, budget=budget), models)
    assert len(models.asked) <= calls
    assert done.spent.calls == len(models.asked)
    assert done.state is State.FINISHED
    assert "budget" in done.reason or len(candidates) == 3
    assert candidates[0].score is not None


def test_a_budget_in_dollars_holds(sqlite_db: Database, actor: Actor) -> None:
    desk(sqlite_db, actor)
    budget = Budget(max_calls=5000, max_usd=Decimal("0.02"))
    models = Apprentices(price=Decimal("0.000002"))
    done, _ = searched(sqlite_db, actor, plan(budget=budget), models)
    assert done.state is State.FINISHED
    assert Decimal(0) < done.spent.usd <= Decimal("0.02")
    assert "USD are spent" in done.reason


def test_a_budget_too_small_for_the_base_fails_and_says_so(
    sqlite_db: Database, actor: Actor
) -> None:
    desk(sqlite_db, actor)
    models = Apprentices()
    done, candidates = searched(sqlite_db, actor, plan(budget=Budget(max_calls=10)), models)
    assert (done.state, candidates, models.asked) == (State.FAILED, [], [])
    assert "36 more calls are needed, and 10 are left" in done.reason


@pytest.mark.parametrize("wanted", PLANS)
@pytest.mark.parametrize("at", [3, pytest.param(9, marks=pytest.mark.slow)])
def test_an_interrupted_search_asks_nothing_twice(
    sqlite_db: Database, actor: Actor, wanted: dict[str, Any], at: int
) -> None:
    needs_gepa(wanted)
    desk(sqlite_db, actor)
    whole, wholly = searched(sqlite_db, actor, plan(**wanted), counted := Apprentices())
    # The same cases in other words, so that nothing of the first search is found again.
    others = [
        replace(one, input={"description": f"{as_text(one.input)}!"})
        for one in goods.cases(count=CASES)
    ]
    with sqlite_db.write(actor) as tx:
        datasets.put(tx, "others", others, kinds=KINDS, evaluators=["right"])
    found = started(sqlite_db, actor, plan(**wanted, dataset="others"))
    commits = [0]

    def strike() -> None:
        commits[0] += 1
        if commits[0] == at:
            raise KeyboardInterrupt

    models = Apprentices()
    faults.arm("tx.after_commit", strike)
    with pytest.raises(KeyboardInterrupt):
        finished(sqlite_db, actor, found, models)
    faults.disarm()
    done, candidates = finished(sqlite_db, actor, found, models)
    assert (done.state, whole.state) == (State.FINISHED, State.FINISHED)
    assert [one.change for one in candidates] == [one.change for one in wholly]
    if wanted.get("method") is not Method.PARAMETERS:  # chance goes by the words as well
        assert [one.score for one in candidates] == [one.score for one in wholly]
    in_flight = 16
    assert len(models.asked) <= len(counted.asked) + in_flight


def test_a_search_that_is_over_is_left_as_it_is(sqlite_db: Database, actor: Actor) -> None:
    desk(sqlite_db, actor)
    done, _ = searched(sqlite_db, actor, plan(max_examples=4), models := Apprentices())
    asked = len(models.asked)
    assert finished(sqlite_db, actor, done, models)[0] == done
    Driver(sqlite_db, models, KINDS).look(done.id)
    Driver(sqlite_db, models, KINDS).look("imp_nobody")
    assert len(models.asked) == asked
    with pytest.raises(ImprovementOver), sqlite_db.write(actor) as tx:
        commands.stop(tx, done.id)


def test_a_search_that_is_stopped_ends_and_proposes_nothing(
    sqlite_db: Database, actor: Actor
) -> None:
    desk(sqlite_db, actor)
    found = started(sqlite_db, actor, plan())
    kept = [0]

    def stop() -> None:
        kept[0] += 1
        if kept[0] == 3:
            faults.disarm()
            with sqlite_db.write(actor) as tx:
                commands.stop(tx, found.id)

    faults.arm("measure.kept", stop)
    models = Apprentices()
    done, candidates = finished(sqlite_db, actor, found, models)
    assert (done.state, done.proposal) == (State.STOPPED, "")
    assert len(candidates) <= 3
    assert "stopped by ada" in done.reason


def test_what_a_reflecting_model_spoils_is_refused_counted_and_never_asked(
    sqlite_db: Database, actor: Actor
) -> None:
    pytest.importorskip("gepa")
    desk(sqlite_db, actor)
    models = Apprentices(spoils=True)
    done, candidates = searched(
        sqlite_db, actor, plan(Method.REFLECT, reflection_model="r", rounds=4), models
    )
    refused = [one for one in candidates if one.standing is Standing.REFUSED]
    assert refused
    assert done.refused == len(refused)
    assert {one.reason for one in refused} == {"it drops the variable 'description'"}
    assert not any(one.run or one.score for one in refused)
    assert done.proposal == ""


def test_without_gepa_the_error_says_what_to_install(
    sqlite_db: Database, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk(sqlite_db, actor)
    monkeypatch.setattr(commands, "find_spec", {}.get)
    with pytest.raises(OptimiserMissing) as caught:
        started(sqlite_db, actor, plan(Method.REFLECT))
    assert "opsroom[optimise]" in caught.value.hint


def test_a_base_that_cannot_be_measured_fails_the_search(
    sqlite_db: Database, actor: Actor
) -> None:
    items = [
        Item(id=f"i{n}", input={"something": f"else {n}"}, expected="x", split=split)
        for n, split in enumerate(("train", "selection", "test"))
    ]
    desk(sqlite_db, actor, items=items)
    done, _ = searched(sqlite_db, actor, plan(), Apprentices())
    assert done.state is State.FAILED
    assert "1 of 1 answers failed" in done.reason


@pytest.mark.parametrize("missing", ["train", "selection", "test"])
def test_all_three_splits_are_asked_for(
    sqlite_db: Database, actor: Actor, missing: str
) -> None:
    items = [one for one in goods.cases(count=60) if one.split != missing]
    desk(sqlite_db, actor, items=items)
    with pytest.raises(SplitMissing, match=missing):
        started(sqlite_db, actor, plan())


def test_unknown_metrics_and_huge_grids_are_refused(sqlite_db: Database, actor: Actor) -> None:
    desk(sqlite_db, actor)
    done, _ = searched(sqlite_db, actor, plan(metric="charm"), Apprentices())
    assert (done.state, "'charm'" in done.reason) == (State.FAILED, True)
    grid = {name: tuple(range(20)) for name in ("top_k", "top_p")}
    with pytest.raises(BadPlan, match="200 combinations"):
        started(sqlite_db, actor, plan(Method.PARAMETERS, grid=grid))


def test_searches_are_those_of_a_project(
    sqlite_db: Database, actor: Actor, make_actor: MakeActor
) -> None:
    desk(sqlite_db, actor)
    found = started(sqlite_db, actor, plan())
    stranger = make_actor("author", name="eve", project="elsewhere")
    with sqlite_db.read(stranger) as tx:
        assert queries.improvements(tx) == []
        with pytest.raises(ImprovementNotFound):
            queries.improvement(tx, found.id)
