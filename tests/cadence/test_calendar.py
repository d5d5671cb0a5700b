"""Occasions come up by the clock, once; they lapse, are asked for, and are called for by events."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, update
from tests.cadence.world import (
    ADA,
    BEN,
    act,
    close,
    desk,
    hear,
    live,
    on,
    only,
    project,
    start,
    tick,
    told,
)

from opsroom.access import MayNot, organisations_store, services
from opsroom.access import commands as access
from opsroom.access import queries as access_queries
from opsroom.access import store as access_store
from opsroom.agents import commands as agents
from opsroom.app.kinds import KINDS
from opsroom.cadence import commands, looking, planning, queries, reviewing, store
from opsroom.cadence.errors import (
    NoSuchRecord,
    NothingToLearnFrom,
    NotNow,
    OccasionNotFound,
    OwnAccess,
    PeopleJudge,
    StillHeld,
    StillSearching,
)
from opsroom.cadence.looking import Stretch, Work
from opsroom.cadence.model import Kind, Rule, Settings, State, end_of
from opsroom.improvement import commands as improvement
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.reasons import ReasonMissing
from opsroom.overview import queries as overview
from opsroom.registry import Ref, VersionDraft
from opsroom.registry import commands as registry
from opsroom.registry import queries as registry_queries

WATCHER = Actor("system:drift", "default", human=False)


@pytest.fixture
def office(db: Database) -> Database:
    project(db)
    desk(db, cases=40)
    return db


@pytest.fixture
def small(sqlite_db: Database) -> Database:
    project(sqlite_db)
    desk(sqlite_db, cases=40)
    return sqlite_db


def test_what_serves_comes_up_once_in_its_period(office: Database, clock: ManualClock) -> None:
    tick(office)
    kinds = {one.kind: one for one in live(office)}
    assert set(kinds) == {Kind.PROMPT_AUDIT, Kind.OPTIMISATION, Kind.ACCESS_REVIEW}
    audit = kinds[Kind.PROMPT_AUDIT]
    assert (audit.subject, audit.period, audit.owner) == (
        "prompt/customs",
        "2026-11/P1M",
        "ada",
    )
    assert audit.due_at == end_of(clock.now() + timedelta(days=7))  # nobody had two weeks
    clock.move(timedelta(hours=3))
    assert tick(office) == 0
    assert len(live(office)) == 3
    stranger = replace(ADA, project="elsewhere")
    assert live(office, by=stranger) == []
    with office.read(stranger) as tx, pytest.raises(OccasionNotFound):
        queries.occasion(tx, audit.id)


def test_a_project_without_anything_in_production_reviews_access_alone(
    sqlite_db: Database,
) -> None:
    project(sqlite_db)
    project(sqlite_db, "other")
    tick(sqlite_db)
    assert [one.kind for one in live(sqlite_db)] == [Kind.ACCESS_REVIEW]
    assert [one.subject for one in live(sqlite_db, by=replace(ADA, project="other"))] == [
        "project/other"
    ]


def test_a_project_that_cannot_be_planned_keeps_no_other_from_it(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(sqlite_db, "broken")
    project(sqlite_db, "default")
    settings = store.settings

    def breaks(tx: Tx) -> Settings:
        if tx.project == "broken":
            raise RuntimeError
        return settings(tx)

    monkeypatch.setattr(store, "settings", breaks)
    with pytest.raises(RuntimeError):
        planning.look(sqlite_db)
    planning.look(sqlite_db)
    assert only(sqlite_db, Kind.ACCESS_REVIEW).subject == "project/default"


def test_nobody_there_is_missed_and_begun_stays(office: Database, clock: ManualClock) -> None:
    tick(office)
    first = only(office, Kind.PROMPT_AUDIT)
    on(clock, "2026-12-02")
    tick(office)
    second = only(office, Kind.PROMPT_AUDIT)
    assert second.period == "2026-12/P1M"
    with office.read(ADA) as tx:
        assert queries.occasion(tx, first.id).state is State.MISSED
    start(office, second)
    on(clock, "2027-01-02")
    tick(office)
    assert {one.period for one in live(office, Kind.PROMPT_AUDIT)} == {
        "2026-12/P1M",
        "2027-01/P1M",
    }


def choose(db: Database, clock: ManualClock, settings: Settings) -> None:
    with db.write(ADA) as tx:
        commands.set_settings(tx, settings)
    clock.move(timedelta(hours=1))
    tick(db)


def test_another_length_of_periods_misses_nothing_and_asks_anew(
    office: Database, clock: ManualClock
) -> None:
    on(clock, "2027-01-02")
    tick(office)
    first = only(office, Kind.PROMPT_AUDIT)
    close(office, start(office, first))
    choose(office, clock, Settings(prompt_audit=Rule(every_months=3)))
    second = only(office, Kind.PROMPT_AUDIT)
    assert second.period == "2027-01/P3M"  # it begins in the same month
    choose(office, clock, Settings(prompt_audit=Rule(every_months=6)))
    assert only(office, Kind.PROMPT_AUDIT).period == "2027-01/P6M"
    with office.read(ADA) as tx:
        assert queries.occasion(tx, second.id).state is State.CANCELLED
        (kept,) = [one for one in queries.streaks(tx) if one.kind is Kind.PROMPT_AUDIT]
        assert (kept.streak, kept.ended) == (1, 1)


def test_what_came_up_before_keys_said_their_length_is_of_this_period(
    office: Database, clock: ManualClock
) -> None:
    tick(office)
    with office.write(ADA) as tx:
        at = store.occasions.c
        tx.conn.execute(update(store.occasions).values(period=func.substr(at.period, 1, 7)))
    before = {one.id for one in live(office)}
    clock.move(timedelta(hours=1))
    assert tick(office) == 0
    assert {one.id for one in live(office)} == before


def test_what_does_not_serve_any_more_is_cancelled(office: Database) -> None:
    tick(office)
    audit = only(office, Kind.PROMPT_AUDIT)
    with office.write(ADA) as tx:
        commands.set_settings(tx, Settings(prompt_audit=Rule(on=False)))
    office.clock.move(timedelta(hours=1))  # type: ignore[attr-defined]
    tick(office)
    assert live(office, Kind.PROMPT_AUDIT) == []
    with office.read(ADA) as tx:
        assert queries.occasion(tx, audit.id).state is State.CANCELLED


def test_overdue_is_said_once_and_every_week(office: Database, clock: ManualClock) -> None:
    tick(office)
    audit = only(office, Kind.PROMPT_AUDIT)
    start(office, audit)
    on(clock, "2026-11-28")
    tick(office)
    clock.move(timedelta(hours=2))
    tick(office)
    mine = f"occasion/{audit.id}"
    assert told(office, "cadence.overdue").count(mine) == 1
    on(clock, "2026-12-06")
    tick(office)
    assert told(office, "cadence.overdue").count(mine) == 2
    with office.read(ADA) as tx:
        assert queries.count_mine(tx) >= 1
        tasks = {one.href: (one.title, one.wants) for one in overview.tasks(tx)}
        assert tasks[f"/cadence/{audit.id}"] == (
            "Prompt audit: customs",
            "is overdue since 2026-11-27",
        )
        (kept,) = [one for one in queries.streaks(tx) if one.kind is Kind.PROMPT_AUDIT]
        assert (kept.streak, kept.overdue) == (0, 1)


def test_an_audit_rests_on_evidence_that_nobody_picked(
    office: Database, clock: ManualClock
) -> None:
    tick(office)
    month = Stretch(
        since=clock.now(), runs=40, calls=80, failed_calls=1,
        cost=looking.mean_of([0.01, 0.02, 0.03] * 12), tokens=looking.mean_of([100.0, 120.0] * 20),
    )  # fmt: skip
    work = (Work(agent="customs", now=month, before=replace(month, runs=30, cost=None)),)
    begun = start(office, only(office, Kind.PROMPT_AUDIT), by=BEN, work=work)
    assert (begun.state, begun.started_by) == (State.STARTED, "ben")
    with office.read(ADA) as tx:
        version = registry_queries.in_force(tx, "prompt", "customs")
    shown = {(one.record, one.about): one for one in begun.evidence}
    assert shown["prompt/customs@1", ""].digest == version.digest
    says = "\n".join(one.says for one in begun.evidence)
    assert "customs cites it in production" in says
    assert "40 runs in 30 days, 30 in the 30 before; 1 of 80 model calls failed" in says
    assert "USD of a run 0.02 [" in says
    assert "not known in the 30 before" in says
    assert "0 of the 40 cases of dataset/corrections-customs@1 were asked of it" in says
    closed = close(office, begun, BEN, {"relevance": act("half of the goods are gone")})
    assert closed.kept
    assert closed.answers["relevance"].because == "half of the goods are gone"
    with office.write(BEN) as tx, pytest.raises(NotNow):
        commands.close(tx, begun.id, answers={}, note="again")


def test_telemetry_that_is_away_is_evidence_too(small: Database) -> None:
    tick(small)
    begun = start(small, only(small, Kind.PROMPT_AUDIT))
    assert "telemetry could not be read" in [one.says for one in begun.evidence]


def test_people_judge_and_give_reasons(small: Database) -> None:
    tick(small)
    audit = only(small, Kind.PROMPT_AUDIT)
    program = replace(BEN, human=False)
    with small.write(program) as tx, pytest.raises(PeopleJudge):
        commands.start(tx, audit.id, kinds=KINDS)
    begun = start(small, audit)
    with small.write(ADA) as tx, pytest.raises(ReasonMissing):
        commands.close(tx, begun.id, answers={}, note="  ")
    with small.write(ADA) as tx, pytest.raises(ReasonMissing):
        commands.reschedule(tx, begun.id, to=tx.now + timedelta(days=9), because="")
    with small.write(ADA) as tx:
        to = end_of(tx.now + timedelta(days=20))
        moved = commands.reschedule(tx, begun.id, to=to, because="the desk moves house")
    assert (moved.due_at, moved.first_due) == (to, audit.due_at)
    assert moved.moves[0].because == "the desk moves house"


def test_records_are_attached_as_they_are(small: Database) -> None:
    tick(small)
    audit = only(small, Kind.PROMPT_AUDIT)
    with small.write(replace(BEN, human=False)) as tx:
        commands.attach(tx, audit.id, "prompt/customs@1", note="it was short")
        again = commands.attach(tx, audit.id, "prompt/customs@1")
    assert [one.says for one in again.evidence] == ["it was short"]
    for record in ("run/nobody", "nobody", "user/ada", "prompt/customs@99"):
        with small.write(ADA) as tx, pytest.raises(NoSuchRecord):
            commands.attach(tx, audit.id, record)


def test_an_access_review_takes_away_what_nobody_confirms(office: Database) -> None:
    with office.write(ADA) as tx:
        for name, role in (("ada", "admin"), ("cat", "reviewer"), ("dan", "viewer")):
            access_store.add_user(tx, name, None)
            access_store.set_roles(tx, "default", name, (role,))
        token, _ = access.issue_token(tx, "old", ("viewer",))
    tick(office)
    review = only(office, Kind.ACCESS_REVIEW)
    with office.write(BEN) as tx, pytest.raises(MayNot):
        commands.start(tx, review.id, kinds=KINDS)
    begun = start(office, review)
    assert set(begun.questions) == {"user/ada", "user/cat", "user/dan", f"token/{token.id}"}
    says = {one.record: one.says for one in begun.evidence}
    assert says["user/ada"].startswith("admin; last on record 2026-11-20")
    assert says["user/dan"] == "viewer; nothing on record ever"
    with office.read(BEN) as tx:
        assert queries.occasion(tx, review.id).evidence == ()
    answers = dict.fromkeys(begun.questions, act())
    with office.write(ADA) as tx, pytest.raises(OwnAccess):
        commands.close(tx, begun.id, answers=answers, note="all")
    close(office, begun, answers={"user/dan": act("left"), f"token/{token.id}": act("unused")})
    with office.read(ADA) as tx:
        assert access_queries.roles_of(tx, "dan") == ()
        assert access_queries.roles_of(tx, "cat") == ("reviewer",)
        assert [one.alive(tx.now) for one in access_queries.tokens(tx)] == [False]


def test_an_access_review_shows_and_never_claims_to_take_what_comes_by_the_organisation(
    office: Database,
) -> None:
    with office.write(ADA) as tx:
        for name, role in (("ada", "admin"), ("dan", "viewer")):
            access_store.add_user(tx, name, None)
            access_store.set_roles(tx, "default", name, (role,))
        access_store.add_user(tx, "vic", None)
        for name in ("dan", "vic"):
            organisations_store.set_member(tx, "default", name, ("auditor",))
    tick(office)
    begun = start(office, only(office, Kind.ACCESS_REVIEW))
    says = {one.record: one.says for one in begun.evidence}
    assert says["user/vic"].startswith("auditor by the organisation; ")
    assert says["user/dan"].startswith("viewer, auditor by the organisation; ")
    for name in ("dan", "vic"):
        with pytest.raises(StillHeld, match="auditor"):
            close(office, begun, answers={f"user/{name}": act("left")})
    with office.write(ADA) as tx:
        for name in ("dan", "vic"):
            organisations_store.remove_member(tx, "default", name)
    close(office, begun, answers={f"user/{name}": act("left") for name in ("dan", "vic")})
    with office.read(ADA) as tx:
        assert not access_queries.roles_of(tx, "dan")


def test_an_access_review_asks_for_services_and_ends_those_nobody_confirms(
    small: Database,
) -> None:
    with small.write(ADA) as tx:
        access_store.add_user(tx, "ada", None)
        access_store.set_roles(tx, "default", "ada", ("admin",))
        for name in ("billing", "backup"):
            services.open_service(
                tx, name, owner="ada", purpose="reads what it cost", roles=("viewer",)
            )
        token, _ = access.issue_token(tx, "of billing", (), service="billing")
    tick(small)
    begun = start(small, only(small, Kind.ACCESS_REVIEW))
    says = {one.record: one.says for one in begun.evidence}
    assert says["service/billing"].startswith("viewer; ada answers for it; nothing on record")
    assert "as service/billing" in says[f"token/{token.id}"]
    with small.write(ADA) as tx:
        services.close_service(tx, "backup", reason="it was broken into")
    unused = act("nobody uses it")
    close(small, begun, answers={"service/billing": unused, "service/backup": unused})
    with small.read(ADA) as tx:
        assert all(one.closed_at for one in access_queries.services(tx))


def test_an_access_review_that_is_too_long_goes_on_until_everybody_was_asked_for(
    office: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewing, "MOST_IDENTITIES", 2)
    names = ["ada", "bob", "cat", "dan", "eva"]
    with office.write(ADA) as tx:
        for name in names:
            access_store.add_user(tx, name, None)
            access_store.set_roles(tx, "default", name, ("admin",))
    tick(office)
    asked: list[str] = []
    for part in ("default", "default, part 2", "default, part 3"):
        one = only(office, Kind.ACCESS_REVIEW)
        assert one.title == f"Access review: {part}"
        begun = start(office, one)
        clock.move(timedelta(hours=1))
        tick(office)  # a part is nothing that the calendar would end, or ask for twice
        close(office, begun)
        asked += begun.questions
    assert live(office, Kind.ACCESS_REVIEW) == []
    assert asked == [f"user/{name}" for name in names]
    on(clock, "2027-01-02")
    tick(office)
    assert only(office, Kind.ACCESS_REVIEW).subject == "project/default"


def test_open_reviews_of_an_agent_end_with_it(office: Database) -> None:
    with office.write(WATCHER) as tx:
        tx.record("drift.found", "drift/drf_1", agent="customs", because="other questions")
    hear(office)
    review = only(office, Kind.EVENT_REVIEW)
    with office.write(ADA) as tx:
        agents.retire(tx, "customs", reason="nobody calls it any more")
    hear(office)
    with office.read(ADA) as tx:
        assert queries.occasion(tx, review.id).state is State.CANCELLED
    assert told(office, "cadence.cancelled") == [review.ref]


def test_an_optimisation_starts_a_search_and_waits_for_its_end(small: Database) -> None:
    tick(small)
    one = only(small, Kind.OPTIMISATION)
    with small.write(BEN) as tx, pytest.raises(MayNot):
        commands.start(tx, one.id, kinds=KINDS)
    begun = start(small, one)
    (search,) = [each.record for each in begun.evidence if each.record.startswith("imp")]
    with pytest.raises(StillSearching):
        close(small, begun)
    with small.write(ADA) as tx:
        improvement.stop(tx, search.partition("/")[2])
    closed = close(small, begun)
    says = [each.says for each in closed.evidence if each.record == search]
    assert says[-1].endswith("stopped")


def test_what_happens_calls_for_one_review(office: Database, clock: ManualClock) -> None:
    with office.write(WATCHER) as tx:
        for number in (1, 2):
            tx.record(
                "drift.found", f"drift/dft_{number}", agent="customs", because="longer answers"
            )
        tx.record("drift.found", "drift/dft_3", agent="nobody", because="x")
        calm = {"rule": "r", "agent": "customs", "because": "b"}
        tx.record("alert.opened", "alert/al_1", urgency="warning", **calm)
    hear(office)
    review = only(office, Kind.EVENT_REVIEW)
    assert (review.subject, review.because) == ("agent/customs", "longer answers")
    assert review.due_at == end_of(clock.now() + timedelta(days=7))
    assert len(review.evidence) == 2
    begun = start(office, review)
    with office.write(WATCHER) as tx:
        tx.record("alert.opened", "alert/al_2", urgency="critical", **calm)
    hear(office)
    assert len(live(office, Kind.EVENT_REVIEW)) == 2
    close(office, begun)
    hear(office)
    assert len(live(office, Kind.EVENT_REVIEW)) == 1


def test_nothing_to_learn_from_is_said(sqlite_db: Database) -> None:
    project(sqlite_db)
    desk(sqlite_db, cases=40)
    tick(sqlite_db)
    one = only(sqlite_db, Kind.OPTIMISATION)
    with sqlite_db.write(ADA) as tx:
        of = registry_queries.artifact(tx, "agent", "customs")
        made = registry_queries.version(tx, Ref("agent", "customs", "1"))
        draft = VersionDraft(spec={**made.spec, "prompts": {}, "cites": {}})
        number = registry.create_version(tx, "agent", "customs", draft, kinds=KINDS).number
        registry.move_label(tx, of, "production", number, how="import", reason="x")
    with sqlite_db.write(ADA) as tx, pytest.raises(NothingToLearnFrom):
        commands.start(tx, one.id, kinds=KINDS)
