"""Beginning looks for itself: integrations are visited, judges are put to their labels."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.cadence.world import ADA, only, project, tick
from tests.evals.judging import Having, Speaks, labelled, put, put_judge

from opsroom.access import MayNot
from opsroom.app.kinds import KINDS
from opsroom.cadence import commands
from opsroom.cadence.beginning import Beginning
from opsroom.cadence.errors import NotNow, PeopleJudge
from opsroom.cadence.model import Kind, Occasion, State
from opsroom.evals.calibrating import Calibrating, calibrate
from opsroom.integrations.model import Found, IntegrationSpec
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Database
from opsroom.models import Models
from opsroom.registry import ArtifactDraft, VersionDraft
from opsroom.registry import commands as registry

SPEC = {"endpoint": "https://orders.example", "source": {"kind": "none"}}


class Visits:
    """A prober that finds nothing wrong, and counts how often it was sent."""

    def __init__(self) -> None:
        self.times = 0

    def visit(self, spec: IntegrationSpec, *, project: str) -> Found:
        assert spec.endpoint == SPEC["endpoint"]
        self.times += 1
        return Found()


def beginning(db: Database, prober: Visits, models: Models | None = None) -> Beginning:
    return Beginning(db=db, telemetry=None, prober=prober, models=models, kinds=KINDS)  # type: ignore[arg-type]


def says(one: Occasion) -> str:
    return "\n".join(each.says for each in one.evidence)


def orders(db: Database) -> None:
    """An integration that can be visited."""
    with db.write(ADA) as tx:
        draft = ArtifactDraft(kind="integration", name="orders")
        registry.create_artifact(tx, draft, kinds=KINDS)
        registry.create_version(
            tx, "integration", "orders", VersionDraft(spec=SPEC), kinds=KINDS
        )


def test_contract_tests_are_run_by_beginning_them(sqlite_db: Database) -> None:
    project(sqlite_db)
    orders(sqlite_db)
    tick(sqlite_db)
    one = only(sqlite_db, Kind.CONTRACT_TESTS)
    prober = Visits()
    here = beginning(sqlite_db, prober)
    with pytest.raises(PeopleJudge):
        here.begin(replace(ADA, human=False), one.id)
    with pytest.raises(MayNot, match="operate"):
        here.begin(replace(ADA, may=ADA.may - {"operate"}), one.id)
    assert prober.times == 0  # who may not begin it sends nobody there
    assert "passed: 0 of 0 contract tests failed" in says(here.begin(ADA, one.id))
    with pytest.raises(NotNow):
        here.begin(ADA, one.id)
    assert prober.times == 1


def test_of_two_who_begin_at_once_one_pays(db: Database) -> None:
    project(db)
    put_judge(db, ADA)
    labels = [labelled(f"a{n}", n % 2 == 0, answer=f"good {n}") for n in range(4)]
    put(db, ADA, "labels", labels)
    wanted = Calibrating(evaluator="polite", dataset="labels")
    calibrate(db, ADA, wanted, models=Having(Speaks()))
    put(db, ADA, "labels", [*labels, labelled("b", False, answer="bad")])
    tick(db)
    one = only(db, Kind.JUDGE_CALIBRATION)

    class Clicks(Speaks):
        """While it is asked, somebody clicks again."""

        def says(self, material: dict[str, Any]) -> str:
            with pytest.raises(NotNow, match="being started by ada"):
                here.begin(replace(ADA, name="eve"), one.id)
            return super().says(material)

    model = Clicks()
    here = beginning(db, Visits(), Having(model))
    assert here.begin(ADA, one.id).state is State.STARTED
    assert len(model.asked) == 1


def test_what_fails_on_the_way_can_be_begun_again(sqlite_db: Database) -> None:
    project(sqlite_db)
    orders(sqlite_db)
    tick(sqlite_db)
    one = only(sqlite_db, Kind.CONTRACT_TESTS)

    class Breaks(Visits):
        def visit(self, spec: IntegrationSpec, *, project: str) -> Found:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        beginning(sqlite_db, Breaks()).begin(ADA, one.id)
    assert only(sqlite_db, Kind.CONTRACT_TESTS).state is State.OPEN
    assert beginning(sqlite_db, Visits()).begin(ADA, one.id).state is State.STARTED


def test_what_a_server_stopped_in_is_begun_again_after_an_hour(
    sqlite_db: Database, clock: ManualClock
) -> None:
    project(sqlite_db)
    tick(sqlite_db)
    one = only(sqlite_db, Kind.ACCESS_REVIEW)
    with sqlite_db.write(ADA) as tx:
        commands.claim(tx, one.id)
    here = beginning(sqlite_db, Visits())
    with pytest.raises(NotNow):
        here.begin(ADA, one.id)
    clock.move(timedelta(hours=1))
    assert here.begin(ADA, one.id).state is State.STARTED


def test_a_judge_is_put_to_the_labels_as_they_are_now(sqlite_db: Database) -> None:
    project(sqlite_db)
    put_judge(sqlite_db, ADA)
    labels = [labelled(f"a{n}", n % 2 == 0, answer=f"good {n}") for n in range(4)]
    put(sqlite_db, ADA, "labels", labels)
    models = Having(Speaks())
    calibrate(
        sqlite_db,
        ADA,
        Calibrating(evaluator="polite", dataset="labels"),
        models=models,
    )
    put(sqlite_db, ADA, "labels", [*labels, labelled("b", False, answer="bad")])
    tick(sqlite_db)
    one = only(sqlite_db, Kind.JUDGE_CALIBRATION)
    with pytest.raises(MayNot, match="author"):
        beginning(sqlite_db, Visits()).begin(replace(ADA, may=ADA.may - {"author"}), one.id)
    model = Speaks()
    begun = beginning(sqlite_db, Visits(), Having(model)).begin(ADA, one.id)
    assert len(model.asked) == 1  # the four before are known
    assert "dataset/labels@2" in says(begun)


def test_a_model_that_is_away_is_evidence_too(sqlite_db: Database) -> None:
    project(sqlite_db)
    put_judge(sqlite_db, ADA)
    labels = [labelled(f"a{n}", n % 2 == 0, answer=f"good {n}") for n in range(4)]
    put(sqlite_db, ADA, "labels", labels)
    wanted = Calibrating(evaluator="polite", dataset="labels")
    calibrate(sqlite_db, ADA, wanted, models=Having(Speaks()))
    put(sqlite_db, ADA, "labels", [*labels, labelled("b", False, answer="bad")])
    tick(sqlite_db)
    away = Speaks()
    away.fails_at = 0
    here = beginning(sqlite_db, Visits(), Having(away))
    begun = here.begin(ADA, only(sqlite_db, Kind.JUDGE_CALIBRATION).id)
    assert "not everything could be looked at now" in says(begun)
    assert "dataset/labels@1" in says(begun)
