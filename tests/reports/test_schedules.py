"""What a schedule sends goes out once, is kept as it was, and says why it does not go."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api import Api
from tests.cadence.world import ADA, project, told
from tests.channels.world import Receiver, deliveries, receiver, sender, store, webhook
from tests.channels.world import send as deliver

from opsroom.channels.model import State
from opsroom.kit.canonical import canonical, digest
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.kit.wire import plain
from opsroom.registry.errors import ArtifactNotFound
from opsroom.reports import commands, queries, sending
from opsroom.reports import store as tables
from opsroom.reports.errors import NoReport, NoStretch, ScheduleOver, TooManySchedules
from opsroom.reports.model import (
    LONGEST,
    Every,
    Schedule,
    ScheduleDraft,
    complete,
    due_after,
    stretch,
)

WEEKLY = ScheduleDraft(report="prompts", every=Every.WEEK, channel="on-call")
MOMENTS = st.integers(1_700_000_000, 1_900_000_000).map(
    lambda one: datetime.fromtimestamp(one, UTC)
)


@given(now=MOMENTS, every=st.sampled_from(Every))
def test_what_is_sent_is_about_the_time_that_is_over(now: datetime, every: Every) -> None:
    since, until = complete(every, now)
    assert since < until <= now
    assert complete(every, until - timedelta(seconds=1))[1] == since, "no day is left out"
    due = due_after(every, now)
    assert now < due <= now + timedelta(days=31)
    assert complete(every, due)[1] == due.replace(hour=0)
    assert (due.day if every is Every.MONTH else due.isoweekday()) == 1


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [("", "", 30), ("7d", "", 7), ("2w", "2026-11-15", 14), ("2026-11-01", "2026-11-15", 14)],
)
def test_a_time_is_said_in_words_of_the_trade(since: str, until: str, days: int) -> None:
    now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    begin, end = stretch(since, until, now=now)
    assert end - begin == timedelta(days=days)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("yesterday", ""),
        ("2026-11-21", ""),
        ("400d", ""),
        ("", "soon"),
        ("9999w", "0001-01-02"),
    ],
)
def test_what_is_no_time_is_refused(since: str, until: str) -> None:
    with pytest.raises(NoStretch):
        stretch(since, until, now=datetime(2026, 11, 20, tzinfo=UTC))
    assert timedelta(days=366) == LONGEST


@pytest.fixture
def here(db: Database) -> Iterator[Receiver]:
    project(db)
    with receiver() as found:
        store(db, "on-call", webhook(found))
        yield found


def scheduled(db: Database, draft: ScheduleDraft = WEEKLY) -> Schedule:
    with db.write(ADA) as tx:
        return commands.set_schedule(tx, draft)


def again(db: Database, one: Schedule) -> Schedule:
    with db.read(ADA) as tx:
        return queries.schedule(tx, one.id)


def on(clock: ManualClock, moment: datetime) -> None:
    clock.move(moment - clock.now())


def test_a_report_is_sent_once_and_kept_as_it_was(
    db: Database, clock: ManualClock, here: Receiver
) -> None:
    one = scheduled(db)
    assert scheduled(db).id == one.id, "the same again is the same"
    assert sending.look(db, None) == 0
    on(clock, one.next_at)
    with db.read(ADA) as tx:
        (due,) = tables.due(tx)
    system = Actor(sending.SYSTEM, "default", human=False)
    assert sending.look(db, None) == 1
    assert not sending.send(db, system, due, None), "a second process that saw it due as well"
    clock.move(timedelta(hours=1))
    assert sending.look(db, None) == 0
    assert again(db, one).next_at == one.next_at + timedelta(days=7)
    with db.read(ADA) as tx:
        (copy,) = queries.copies(tx)
        kept, answer, whole = queries.copy(tx, copy.id)
    assert (kept, whole) == (copy, True)
    assert (answer.since, answer.until) == complete(Every.WEEK, one.next_at)
    assert told(db, "report.sent") == [copy.ref]
    assert deliver(db, sender(allow=(here.host,))) == 1
    (_, body), *rest = here.seen
    assert not rest
    heard = json.loads(body)
    assert heard["link"] == f"https://ops.example.org/reports/copies/{copy.id}"
    assert heard["facts"]["digest"] == copy.digest == answer.digest
    assert "prompts: 0" in heard["note"]
    assert deliveries(db)[0].id == copy.delivery
    with db.write(ADA) as tx:  # as a version wrote it that did not know of shapes yet
        early = plain(answer)
        for one in early["facts"]:
            one.pop("shape")
        was = tx.conn.execute(tables.copies_.select()).mappings().one()
        older = {"body": canonical(early).decode(), "digest": digest(early)}
        tx.conn.execute(tables.copies_.update().values(older))
    with db.read(ADA) as tx:
        assert queries.copy(tx, copy.id)[2], "a field that came since is no forgery"
    with db.write(ADA) as tx:
        tx.conn.execute(tables.copies_.update().values(body=was["body"], digest=was["digest"]))
        text = tx.conn.execute(tables.copies_.select()).mappings().one()["body"]
        forged = text.replace("Prompts and agent coverage", "Something else")
        tx.conn.execute(tables.copies_.update().values(body=forged))
    with db.read(ADA) as tx:
        assert not queries.copy(tx, copy.id)[2], "what was changed since is not passed off"


def test_why_it_is_not_sent_is_said_once_and_it_goes_when_it_can(
    db: Database, clock: ManualClock, here: Receiver
) -> None:
    one = scheduled(db, replace(WEEKLY, every=Every.MONTH))
    with db.write(ADA) as tx:
        there = tables.schedule(tx, one.id)
        assert there is not None
        tables.save(tx, replace(there, channel="gone"), was=there)
    on(clock, one.next_at)
    for _ in range(2):
        assert sending.look(db, None) == 0
        clock.move(timedelta(hours=1))
    assert "gone" in again(db, one).said
    assert told(db, "report.not_sent") == [one.ref]
    with db.write(ADA) as tx:
        moved = commands.move_schedule(tx, one.id, replace(WEEKLY, every=Every.MONTH))
    assert (moved.channel, moved.said) == ("on-call", "")
    clock.move(timedelta(hours=1))
    assert sending.look(db, None) == 1
    with db.read(ADA) as tx:
        (copy,) = queries.copies(tx)
    assert (copy.since, copy.until) == complete(Every.MONTH, one.next_at), (
        "about the same month"
    )
    here.next(410)
    deliver(db, sender(allow=(here.host,)))
    assert deliveries(db)[0].state is State.ABANDONED, "as with everything that channels send"
    with db.write(ADA) as tx:
        commands.end_schedule(tx, one.id)
    with pytest.raises(ScheduleOver), db.write(ADA) as tx:
        commands.end_schedule(tx, one.id)
    clock.move(timedelta(days=40))
    assert sending.look(db, None) == 0
    events = ("report.scheduled", "report.schedule_changed", "report.schedule_ended")
    assert [told(db, event) for event in events] == [[one.ref]] * 3


def test_schedules_and_copies_are_bounded_and_belong_to_a_project(
    db: Database, clock: ManualClock, here: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MOST_SCHEDULES", 2)
    first = scheduled(db)
    scheduled(db, replace(WEEKLY, report="changes"))
    for draft, error in (
        (replace(WEEKLY, report="exposure"), TooManySchedules),
        (replace(WEEKLY, report="horoscope"), NoReport),
        (replace(WEEKLY, channel="nowhere"), ArtifactNotFound),
    ):
        with pytest.raises(error):
            scheduled(db, draft)
    other = replace(ADA, project="other")
    project(db, "other")
    on(clock, first.next_at)
    assert sum(sending.look(db, None) for _ in range(3)) == 2
    with db.read(other) as tx:
        assert queries.schedules(tx) == []
        assert queries.copies(tx) == []
    with db.write(ADA) as tx:
        assert tables.forget(tx, before=tx.now - timedelta(days=1), most=1) == 1
        (last,) = queries.copies(tx)
    clock.move(commands.KEPT_FOR + timedelta(days=8))
    with db.write(ADA) as tx:
        assert commands.forget(tx) == 1
    assert len(told(db, "report.sent")) == 2, "the journal keeps what was sent, and its digest"
    assert last.ref in told(db, "report.sent")


def test_doors_are_for_those_who_may(sqlite_api: Api, here_on: Any) -> None:
    operator, viewer = sqlite_api.person("operator"), sqlite_api.person("viewer")
    draft = {"report": "changes", "every": "week", "channel": "on-call", "agent": ""}
    assert viewer.refused("POST", "/v1/report-schedules", draft).status == 403
    made = operator.post("/v1/report-schedules", draft)
    there = f"/v1/report-schedules/{made['id']}"
    assert operator.put(there, {**draft, "every": "month"})["every"] == "month"
    assert [one["id"] for one in viewer.get("/v1/report-schedules")] == [made["id"]]
    assert len(viewer.get("/v1/reports")) == 6
    assert viewer.refused("GET", "/v1/reports/horoscope").code == "no_report"
    assert viewer.refused("GET", "/v1/reports/changes?since=soon").code == "no_stretch"
    for place in ("9" * 30, "٣", "x"):
        went = viewer.refused("GET", f"/v1/reports/changes?after={place}")
        assert (went.status, went.code) == (422, "no_report_place")
    form = {"report": "exposure", "every": "week", "channel": "on-call"}
    went = operator.send("POST", "/reports/schedules", data=form, follow_redirects=False)
    assert went.status_code == 303
    assert "Critical workflows" in viewer.send("GET", "/reports").text
    end = f"/reports/schedules/{made['id']}/end"
    assert operator.send("POST", end, follow_redirects=False).status_code == 303
    assert [one["report"] for one in viewer.get("/v1/report-schedules")] == ["exposure"]
    (left,) = viewer.get("/v1/report-schedules")
    sqlite_api.db.clock.move(  # type: ignore[attr-defined]  # tests stop the clock
        datetime.fromisoformat(left["next_at"]) - sqlite_api.db.clock.now()
    )
    assert sending.look(sqlite_api.db, None) == 1
    viewer = sqlite_api.person("viewer")  # the sessions of last week are over
    (copy,) = viewer.get("/v1/report-copies", report="exposure")["items"]
    assert viewer.get("/v1/report-copies", report="changes")["items"] == []
    here = f"/v1/report-copies/{copy['id']}"
    assert viewer.get(here)["whole"]
    assert viewer.send("GET", f"{here}?format=html").text.startswith("<!doctype html>")
    assert viewer.send("GET", f"{here}?format=csv").text.startswith("agent,criticality,")
    assert copy["digest"] in viewer.send("GET", f"/reports/copies/{copy['id']}").text
    assert viewer.refused("GET", "/v1/report-copies/rpt_0").code == "report_copy_not_found"


@pytest.fixture
def here_on(sqlite_api: Api) -> None:
    sqlite_api.project("default")
    spec = {
        "to": {"kind": "webhook", "url": "http://127.0.0.1:9/x", "secret": "OPSROOM_SECRET_X"}
    }
    store(sqlite_api.db, "on-call", spec)
