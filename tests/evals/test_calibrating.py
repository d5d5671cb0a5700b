"""Calibrating on a database: every verdict asked for once, kept for good, told in the journal."""

import json
from typing import Any

import pytest
from tests.evals.judging import (
    Having,
    Speaks,
    labelled,
    live,
    put,
    put_judge,
    verdict,
)

from opsroom.app.kinds import KINDS
from opsroom.datasets import Item
from opsroom.evals import judges
from opsroom.evals.calibrating import Calibrating, calibrate
from opsroom.evals.calibration import Report
from opsroom.evals.errors import (
    CalibrationIncomplete,
    CalibrationNotFound,
    NotAJudge,
    NotLabelled,
)
from opsroom.journal import queries as journal
from opsroom.kit import faults
from opsroom.kit.db import Actor, Database
from opsroom.models import Models
from opsroom.registry import ArtifactDraft, BadReference, Criticality, VersionDraft
from opsroom.registry import commands as registry

WANTED = Calibrating(evaluator="polite", dataset="labels")


def answers(good: int, bad: int, **more: Any) -> list[Item]:
    return [
        *[labelled(f"g{n}", True, answer=f"good {n}", **more) for n in range(good)],
        *[labelled(f"b{n}", False, answer=f"bad {n}", **more) for n in range(bad)],
    ]


@pytest.fixture
def world(db: Database, actor: Actor) -> Database:
    """A judge, and answers of two domains that people labelled."""
    put_judge(db, actor)
    airline = [labelled(f"a{n}", n % 2 == 0, domain="airline", answer="good") for n in range(4)]
    put(db, actor, "labels", [*answers(20, 16), *airline])
    return db


def calibrated(db: Database, actor: Actor, models: Models, **of: str) -> Report:
    wanted = Calibrating(**{"evaluator": "polite", "dataset": "labels", **of})
    with db.read(actor) as tx:
        return judges.calibration(tx, calibrate(db, actor, wanted, models=models).digest)


def test_each_domain_has_its_own_verdict(world: Database, actor: Actor) -> None:
    found = calibrated(world, actor, Having(Speaks(wrong=["good 3"])))
    airline, desk = found.domains
    assert (airline.counts.domain, airline.standing.may_gate) == ("airline", False)
    assert "4 labels are too few" in airline.standing.reason
    assert desk.counts.good_passed == 19
    assert desk.counts.good_failed == 1
    assert desk.counts.bad_failed == 16
    assert desk.standing.may_gate
    assert found.overall.n == 40
    assert str(desk.counts.cost) == "0.072"
    with world.read(actor) as tx:
        [(entry, _)] = journal.entries(tx, event="judge.calibrated")
    assert entry.facts["domains"] == ["desk"]


def test_the_judge_is_never_shown_the_label(world: Database, actor: Actor) -> None:
    model = Speaks()
    calibrated(world, actor, Having(model))
    for asked in model.asked:
        material = json.loads(asked.messages[1].content)
        assert material.keys() == {"input", "expected", "answer", "tool_calls"}
        assert material["expected"] is None


def test_a_calibration_is_made_once_and_survives(world: Database, actor: Actor) -> None:
    model = Speaks()
    first = calibrated(world, actor, Having(model))
    asked = len(model.asked)
    assert calibrated(world, actor, Having(model)) == first
    assert len(model.asked) == asked
    with world.read(actor) as tx:
        assert judges.calibrations(tx) == [first]
        assert judges.calibrations(tx, "somebody-else") == []
        with pytest.raises(CalibrationNotFound):
            judges.calibration(tx, "0" * 64)
    elsewhere = Actor(actor.name, "another", actor.may)
    with world.read(elsewhere) as tx:
        assert judges.calibrations(tx) == []


def test_what_was_answered_is_not_asked_again(world: Database, actor: Actor) -> None:
    model = Speaks()
    model.fails_at = 11
    with pytest.raises(CalibrationIncomplete) as caught:
        calibrated(world, actor, Having(model))
    assert (caught.value.done, caught.value.of) == (11, 40)
    assert "timeout" in caught.value.why
    with world.read(actor) as tx:
        assert judges.calibrations(tx) == []
    again = Speaks()
    found = calibrated(world, actor, Having(again))
    assert len(again.asked) == 40 - 11
    assert found.overall.n == 40


def test_a_killed_calibration_goes_on(world: Database, actor: Actor) -> None:
    def strike() -> None:
        raise KeyboardInterrupt

    faults.arm("calibrate.asked", strike)
    with pytest.raises(KeyboardInterrupt):
        calibrated(world, actor, Having(Speaks()))
    faults.disarm()
    silent = Speaks()
    silent.fails_at = 0
    assert calibrated(world, actor, Having(silent)).overall.n == 40


def test_another_version_of_the_judge_is_another_judge(world: Database, actor: Actor) -> None:
    first = calibrated(world, actor, Having(Speaks()))
    put_judge(world, actor, rubric="The answer is very polite.")
    with world.read(actor) as tx:
        [airline, desk] = judges.judges(tx).items
    assert not airline.may_gate
    assert not desk.may_gate
    assert "was calibrated as polite@1" in desk.reason
    assert "has changed since" in desk.reason
    second = calibrated(world, actor, Having(Speaks()))
    assert first.digest != second.digest
    with world.read(actor) as tx:
        assert [one.may_gate for one in judges.judges(tx).items] == [False, True]


def test_a_judge_that_was_never_calibrated_is_listed(db: Database, actor: Actor) -> None:
    put_judge(db, actor)
    with db.read(actor) as tx:
        [one] = judges.judges(tx).items
    assert (one.may_gate, one.reason) == (False, "it was never calibrated")


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (Item(id="x", input="text", expected="pass"), "is not `input` and `answer`"),
        (Item(id="x", input={"input": 1, "answer": 2, "by": 3}, expected="pass"), "its input"),
        (
            Item(id="x", input={"input": "q", "answer": "a"}, expected="good"),
            "not pass or fail",
        ),
        (Item(id="x", input={"input": "q", "answer": "a"}), "not pass or fail"),
    ],
)
def test_what_is_not_labelled_is_refused_before_anybody_is_asked(
    db: Database, actor: Actor, item: Item, why: str
) -> None:
    put_judge(db, actor)
    put(db, actor, "labels", [labelled("fine", True), item])
    model = Speaks()
    with pytest.raises(NotLabelled, match=why):
        calibrate(db, actor, WANTED, models=Having(model))
    assert model.asked == []


def test_only_judges_are_calibrated(db: Database, actor: Actor) -> None:
    with db.write(actor) as tx:
        draft = ArtifactDraft(kind="evaluator", name="shape", criticality=Criticality.ADVISORY)
        registry.create_artifact(tx, draft, kinds=KINDS)
        spec = VersionDraft(spec={"type": "is-json"})
        registry.create_version(tx, "evaluator", "shape", spec, kinds=KINDS)
    put(db, actor, "labels", answers(1, 1))
    with pytest.raises(NotAJudge):
        calibrated(db, actor, Having(Speaks()), evaluator="shape")
    with pytest.raises(BadReference):
        calibrated(db, actor, Having(Speaks()), evaluator="prompt/shape")


def test_repeats_and_their_cost(db: Database, actor: Actor) -> None:
    """Three votes an answer: the majority counts, and what disagreed is counted too."""
    put_judge(db, actor, repeats=3)
    put(db, actor, "labels", answers(2, 1))

    class Wavers(Speaks):
        async def complete(self, request: Any) -> Any:
            said = await super().complete(request)
            return verdict("fail") if request.trial == 1 else said

    found = calibrated(db, actor, Having(Wavers()))
    [desk] = found.domains
    assert (desk.counts.good_passed, desk.counts.bad_failed) == (2, 1)
    assert desk.counts.unsteady == 2
    assert str(desk.counts.cost) == "0.018"


def test_a_preference_that_follows_the_order_is_outside(db: Database, actor: Actor) -> None:
    put_judge(db, actor, type="preference-judge")
    put(db, actor, "labels", answers(3, 2, expected="the reference"))

    class Prefers(Speaks):
        def says(self, material: dict[str, Any]) -> str:
            if "good 0" in material.values():
                return "first"
            return "first" if "good" in material["first"] or ("ref" in material["first"] and "bad" in material["second"]) else "second"  # fmt: skip

    found = calibrated(db, actor, Having(Prefers()))
    [desk] = found.domains
    assert (desk.counts.good_passed, desk.counts.good_outside, desk.counts.bad_failed) == (
        2,
        1,
        2,
    )
    assert (desk.counts.turned, desk.counts.turned_first) == (1, 1)
    put(db, actor, "bare", answers(1, 1))
    with pytest.raises(NotLabelled, match="what is expected"):
        calibrated(db, actor, Having(Prefers()), dataset="bare")


def test_live_over_http(world: Database, actor: Actor) -> None:
    """Through the real adapter: verdicts, words outside the form."""

    def says(material: dict[str, Any]) -> str:
        if material["answer"] == "bad 0":
            return "satisfactory"
        good = material["answer"].startswith("good")
        return json.dumps({"verdict": "pass" if good else "fail", "reason": "x"})

    with live(says) as (server, models):
        found = calibrated(world, actor, models)
        assert len(server.requests) == 40
    desk = found.domains[1]
    assert (desk.counts.bad_failed, desk.counts.bad_outside) == (15, 1)
    assert desk.cost_per_item is None  # nobody publishes a price for loopback
    assert desk.counts.unpriced == 36
