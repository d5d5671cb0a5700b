"""Evidence on both engines: what is there is found, what speaks against it, and what is missing."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from opsroom.assurance import looks, queries
from opsroom.assurance.errors import NoFramework, NoPeriod, TooManyChanges
from opsroom.assurance.frameworks import FRAMEWORKS
from opsroom.assurance.model import Found, Report, Verdict
from opsroom.journal import ChainBroken
from opsroom.journal import queries as journal
from opsroom.journal.vocabulary import WORDS
from opsroom.journal.words import NOBODY, Called
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, Tx

DAY = timedelta(days=1)


def called(_tx: Tx, _subjects: Collection[str]) -> Called:
    return NOBODY


def ask(db: Database, actor: Actor, name: str, since: datetime, until: datetime) -> Report:
    with db.read(actor) as tx:
        return queries.report(
            tx, name, since=since, until=until, site="http://here", called=called
        )


def found(report: Report, look: str) -> Found:
    return next(one for control in report.controls for one in control.found if one.look == look)


@pytest.fixture
def busy(db: Database, clock: ManualClock, make_actor: Callable[..., Actor]) -> datetime:
    """Three days: a quiet one, one with work, and one after it. The answer is the second."""
    ada, elsewhere = make_actor("author", name="ada"), make_actor("author", project="other")
    with db.write(ada) as tx:
        tx.record("label.moved", "prompt/a", label="production", after=1, how="merge")
    clock.move(DAY)
    began = clock.now()
    for number in range(3):
        with db.write(ada) as tx:
            tx.record("label.moved", "prompt/a", label="production", after=2, how="release")
            tx.record("turn.begun", f"turn/{number}", agent="clerk", intent="x")
        with db.write(elsewhere) as tx:
            tx.record("label.moved", "prompt/b", label="production", after=2, how="by hand")
    with db.write(ada) as tx:
        tx.record("label.moved", "prompt/a", label="production", after=3, how="by hand")
        tx.record("action.executing", "action/1", attempt=1)
        tx.record("action.unknown", "action/1", attempt=1)
        tx.record("action.permitted", "action/2", by="policy")
        tx.record("action.executing", "action/2", attempt=1)
        tx.record("action.unknown", "action/2", attempt=1)
        tx.record("action.reconciled", "action/2", found="succeeded")
    with db.write(make_actor(name="token:bot", human=False)) as tx:
        tx.record("approval.given", "proposal/1", answer="approve")
    clock.move(DAY)
    with db.write(ada) as tx:
        tx.record("label.moved", "prompt/a", label="production", after=4, how="merge")
    clock.move(DAY)
    return began


def test_the_population_is_complete_and_nothing_else(
    db: Database, make_actor: Callable[..., Actor], busy: datetime
) -> None:
    report = ask(db, make_actor("risk"), "soc2", busy, busy + DAY)
    assert [one.event for one in report.changes] == ["label.moved"] * 4 + ["approval.given"]
    assert [one.seq for one in report.changes] == [2, 5, 8, 11, 18]
    gaps = report.gaps
    assert (gaps.after, gaps.until, gaps.walked) == (1, 18, 17)
    assert (gaps.in_project, gaps.changes) == (14, 5)
    with db.read(make_actor("risk")) as tx:
        assert gaps.behind == journal.entries(tx, before=19, limit=1)[0][1]


def test_a_gap_is_no_report(
    db: Database, make_actor: Callable[..., Actor], busy: datetime
) -> None:
    with db.write(make_actor("risk")) as tx:
        tx.conn.execute(text("DELETE FROM journal WHERE seq = 6"))
    with pytest.raises(ChainBroken):
        ask(db, make_actor("risk"), "soc2", busy, busy + DAY)


def test_what_speaks_against_it_is_said(
    db: Database, make_actor: Callable[..., Actor], busy: datetime
) -> None:
    risk = make_actor("risk")
    report = ask(db, risk, "soc2", busy, busy + DAY)
    moved = found(report, "labels_moved")
    assert (moved.count, moved.tested) == (4, 4)
    assert [one.seq for one in moved.exceptions] == [11]
    assert "without a proposal, a release or a rollback" in moved.exceptions[0].says
    [change] = [one for one in report.controls if one.id == "CC8.1"]
    assert change.verdict is Verdict.EXCEPTIONS
    report = ask(db, risk, "aarm", busy, busy + DAY)
    assert [one.seq for one in found(report, "decided_first").exceptions] == [12]
    assert [one.seq for one in found(report, "unknown").exceptions] == [13]
    report = ask(db, risk, "aiact", busy, busy + DAY)
    assert "a program approved" in found(report, "approvals").exceptions[0].says


def test_what_finds_nothing_says_so(
    db: Database, make_actor: Callable[..., Actor], busy: datetime
) -> None:
    report = ask(db, make_actor("risk"), "nist", busy, busy + DAY)
    verdicts = {one.id: one.verdict for one in report.controls}
    assert verdicts["MEASURE 3.3"] is Verdict.NOTHING
    assert verdicts["MEASURE 2.4"] is Verdict.RECORDS
    elsewhere = ask(db, make_actor("risk", project="empty"), "nist", busy, busy + DAY)
    assert {one.verdict for one in elsewhere.controls} == {Verdict.NOTHING}
    assert elsewhere.changes == ()


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_every_framework_asks_what_there_are_words_for(
    name: str, sqlite_db: Database, make_actor: Callable[..., Actor], clock: ManualClock
) -> None:
    known = {event.partition(":")[0] for event in WORDS}
    for control in FRAMEWORKS[name].controls:
        for look in set(control.looks) - {looks.JOURNAL, looks.REACH}:
            assert set(looks.LOOKS[look].events) <= known, look
    report = ask(sqlite_db, make_actor("risk"), name, clock.now() - DAY, clock.now())
    assert len(report.controls) == len(FRAMEWORKS[name].controls)


def test_every_look_is_asked_and_changes_have_words() -> None:
    asked = {
        look
        for one in FRAMEWORKS.values()
        for control in one.controls
        for look in control.looks
    }
    assert asked - {looks.JOURNAL, looks.REACH} == set(looks.LOOKS)
    assert {event.partition(":")[0] for event in WORDS} >= looks.CHANGES


def test_bad_questions_are_refused(
    sqlite_db: Database,
    make_actor: Callable[..., Actor],
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    risk, now = make_actor("risk"), clock.now()
    with pytest.raises(NoFramework):
        ask(sqlite_db, risk, "iso9001", now - DAY, now)
    with pytest.raises(NoPeriod):
        ask(sqlite_db, risk, "soc2", now, now - DAY)
    with pytest.raises(NoPeriod):
        ask(sqlite_db, risk, "soc2", now.replace(tzinfo=None) - DAY, now)
    with sqlite_db.write(risk) as tx:
        for _ in range(3):
            tx.record("label.moved", "prompt/a", label="production", after=1, how="merge")
    monkeypatch.setattr(queries, "MOST_CHANGES", 2)
    with pytest.raises(TooManyChanges):
        ask(sqlite_db, risk, "soc2", now - DAY, now + DAY)


def test_a_moment_finds_its_place(
    sqlite_db: Database, make_actor: Callable[..., Actor], clock: ManualClock
) -> None:
    risk, began = make_actor("risk"), clock.now()
    for _ in range(10):
        with sqlite_db.write(risk) as tx:
            tx.record("budget.set", "budget/1")
        clock.move(DAY)
    with sqlite_db.read(risk) as tx:
        for day in range(12):
            assert journal.seq_at(tx, began + day * DAY) == min(day, 10)
            assert journal.seq_at(tx, began + day * DAY - DAY / 2) == min(day, 10)
