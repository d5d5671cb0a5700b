"""A drift is found once, lasts for as long as it does, settles or is accepted."""

from datetime import datetime, timedelta

import pytest
from tests.drift.world import DAY, look, work
from tests.telemetry import Room

from opsroom.access import store as access
from opsroom.drift import commands, looking, queries, store
from opsroom.drift.errors import AgentAtRest, DriftNotFound, DriftOver
from opsroom.drift.model import BEFORE, WINDOW, Aspect, State
from opsroom.journal import queries as journal
from opsroom.kit import rounds
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.traces import sampling

EVERYTHING = {"input", "output", "length", "tools", "cost", "confidence"}


def actor(room: Room) -> Actor:
    return Actor("olga", room.project, frozenset({"read", "operate"}), ("operator",))


def events(db: Database, room: Room, event: str) -> list[dict[str, object]]:
    with db.read(actor(room)) as tx:
        return [dict(entry.facts) for entry, _ in journal.entries(tx, event=event)]


@pytest.fixture
def fortnight(room: Room, clock: ManualClock) -> datetime:
    """When 14 quiet days of the clerk have passed, and a fifteenth that is quiet, too."""
    work(room, clock.now(), days=14)
    return clock.now()


def test_quiet_days_are_quiet(db: Database, room: Room, fortnight: datetime) -> None:
    assert look(db, room) == {}
    with db.read(actor(room)) as tx:
        watches = {one.aspect: one for one in queries.watches(tx)}
    assert set(watches) == set(Aspect)
    assert {one.looks for one in watches.values()} == {1}
    assert watches[Aspect.INPUT].current == 30
    assert watches[Aspect.INPUT].reference == 14 * 30
    assert watches[Aspect.INPUT].looked_at == fortnight


def test_a_change_is_found_once_and_told_without_anybodys_words(
    db: Database, room: Room, clock: ManualClock
) -> None:
    work(room, clock.now(), days=14, strange_share=0.6)
    found = look(db, room)
    assert set(found) == EVERYTHING
    asked = found["input"]
    assert asked.compared.effect > 0.4
    assert len(asked.traces_now) == len(asked.traces_before) == 5
    assert asked.began == clock.now() - WINDOW
    assert asked.compared.p <= asked.allowed
    assert found["tools"].because.startswith("refund is used in 60.0%")
    assert "before" in found["length"].because
    told = events(db, room, "drift.found")
    assert len(told) == 6
    assert "subscription" not in str(told)
    clock.move(timedelta(hours=1))
    again = look(db, room)
    assert {one.id for one in again.values()} == {one.id for one in found.values()}
    assert again["input"].seen_at == clock.now()
    assert len(events(db, room, "drift.found")) == 6


def test_lasting_does_not_make_it_usual_and_going_back_settles_it(
    sqlite_db: Database, room: Room, clock: ManualClock
) -> None:
    db = sqlite_db
    work(room, clock.now(), days=14, strange_share=0.6)
    first = look(db, room)
    for day in range(3):
        clock.move(DAY)
        work(room, clock.now(), strange_share=0.6, seed=10 + day)
    assert set(look(db, room)) == set(first)
    clock.move(DAY)
    work(room, clock.now(), seed=30)
    assert look(db, room) == {}
    assert len(events(db, room, "drift.settled")) == 6
    with db.read(actor(room)) as tx:
        assert {one.state for one in queries.drifts(tx, everything=True)} == {State.SETTLED}
        assert queries.drifts(tx) == []


def test_what_is_accepted_is_the_normal_from_then_on(
    db: Database, room: Room, clock: ManualClock
) -> None:
    work(room, clock.now(), days=14, strange_share=0.6)
    found = look(db, room)
    with db.write(actor(room)) as tx:
        done = commands.accept(tx, found["tools"].id, note="we sell refunds now")
    assert (done.state, done.closed_by, done.note) == (
        State.ACCEPTED,
        "olga",
        "we sell refunds now",
    )
    with db.write(actor(room)) as tx, pytest.raises(DriftOver):
        commands.accept(tx, found["tools"].id, note="again")
    with db.write(actor(room)) as tx, pytest.raises(DriftNotFound):
        commands.accept(tx, "dft_nobody", note="x")
    clock.move(DAY)
    work(room, clock.now(), strange_share=0.6, seed=3)
    later = look(db, room)
    assert "tools" not in later
    assert "cost" in later  # nobody accepted that
    with db.read(actor(room)) as tx:
        tools = next(one for one in queries.watches(tx) if one.aspect is Aspect.TOOLS)
    assert tools.reference == 30
    assert tools.p is not None
    clock.move(DAY)
    work(room, clock.now(), seed=4)
    assert "tools" in look(db, room)  # the old ways are news now


def test_an_agent_at_rest_has_nothing_to_look_at(
    sqlite_db: Database, room: Room, clock: ManualClock
) -> None:
    with pytest.raises(AgentAtRest) as refused:
        look(sqlite_db, room, "nobody")
    assert refused.value.hint


def test_too_little_says_nothing_and_spends_nothing(
    sqlite_db: Database, room: Room, clock: ManualClock
) -> None:
    work(room, clock.now(), days=14, a_day=10, strange_share=1.0)
    assert look(sqlite_db, room) == {}
    with sqlite_db.read(actor(room)) as tx:
        assert {(one.looks, one.p) for one in queries.watches(tx)} == {(0, None)}


def test_where_there_is_no_past_nothing_of_now_is_read(
    sqlite_db: Database, room: Room, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(room, clock.now(), days=0)
    monkeypatch.setattr(sampling, "runs", lambda *_, **__: pytest.fail("it was read"))
    assert look(sqlite_db, room) == {}
    with sqlite_db.read(actor(room)) as tx:
        assert {one.looked_at for one in queries.watches(tx)} == {clock.now()}


def test_the_clock_looks_once_a_day_at_every_agent_of_every_project(
    db: Database, room: Room, clock: ManualClock
) -> None:
    with db.write(actor(room)) as tx:
        access.add_project(tx, room.project)
    work(room, clock.now(), days=14, strange_share=0.6)
    work(room, clock.now(), days=14, agent="steady", seed=2)

    def round_() -> int:
        done = 0
        for _ in range(5):
            if not looking.overdue(db):
                break
            done += looking.look(db, room.traces)
        return done

    assert round_() == 2
    assert round_() == 0
    with db.read(actor(room)) as tx:
        assert {one.agent for one in queries.drifts(tx)} == {"clerk"}
    clock.move(timedelta(hours=12))
    assert round_() == 0
    clock.move(timedelta(hours=12))
    assert looking.overdue(db)
    with db.write(Actor("system:drift", room.project, human=False)) as tx:
        assert rounds.claim(tx, store.clocks, room.project, until=tx.now + DAY)
        assert not rounds.claim(tx, store.clocks, room.project, until=tx.now + DAY)


def test_a_look_that_rests_on_what_changed_meanwhile_is_dropped(
    sqlite_db: Database, room: Room, clock: ManualClock
) -> None:
    work(room, clock.now(), days=14, strange_share=0.6)
    found = look(sqlite_db, room)["tools"]
    stale = commands.Found(compared=found.compared, was=found.id, since=None)
    with sqlite_db.write(actor(room)) as tx:
        commands.accept(tx, found.id, note="fine")
    clock.move(timedelta(minutes=1))
    with sqlite_db.write(actor(room)) as tx:
        left = commands.take_in(tx, "clerk", {Aspect.TOOLS: stale}, at=tx.now)
    assert Aspect.TOOLS not in {one.aspect for one in left}


def test_looks_are_bounded(sqlite_db: Database, room: Room, clock: ManualClock) -> None:
    assert looking.MOST_BEFORE // (BEFORE // WINDOW) * 14 <= 2_000
    assert looking.MOST_NOW == 500
    assert look.__doc__


def test_projects_do_not_see_each_other(
    sqlite_db: Database, room: Room, clock: ManualClock
) -> None:
    work(room, clock.now(), days=14, strange_share=0.6)
    found = look(sqlite_db, room)["tools"]
    stranger = Actor("eve", "elsewhere", frozenset({"read", "operate"}))
    with sqlite_db.read(stranger) as tx:
        assert queries.drifts(tx, everything=True) == []
        assert queries.watches(tx) == []
    with sqlite_db.write(stranger) as tx, pytest.raises(DriftNotFound):
        commands.accept(tx, found.id, note="mine")
