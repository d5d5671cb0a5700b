"""Who calls an agent is noted while requests are answered, and kept soon after."""

from datetime import timedelta

import pytest
from tests.sunset.world import AGENT, NEXT, hire, olga, proposed

from opsroom.access import queries, uses
from opsroom.access.uses import Uses
from opsroom.journal import outbox
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.kit.faults import arm, disarm
from opsroom.sunset import commands
from opsroom.sunset.workflow import LOOP, reactions

CALLER = Actor("token:nightly", "default", human=False, token="tok_1")


def test_the_first_and_the_last_call_are_kept(db: Database, clock: ManualClock) -> None:
    notes, begin = Uses(), clock.now()
    for _ in range(3):
        notes.note(CALLER, AGENT, "POST /v1/turns", at=clock.now())
        clock.move(timedelta(minutes=1))
        assert notes.keep(db) == 1
    assert notes.keep(db) == 0
    with db.read(olga()) as tx:
        [kept] = queries.uses(tx, AGENT, since=begin)
        assert queries.uses(tx, AGENT, since=clock.now()) == []
    with db.read(olga("elsewhere")) as tx:
        assert queries.uses(tx, AGENT, since=begin) == []
    assert (kept.first_at, kept.last_at) == (begin, begin + timedelta(minutes=2))
    assert (kept.caller, kept.token) == ("token:nightly", "tok_1")


def test_what_cannot_be_kept_now_is_kept_later(sqlite_db: Database, clock: ManualClock) -> None:
    notes = Uses()
    notes.note(CALLER, AGENT, "POST /v1/turns", at=clock.now())
    arm("tx.before_commit", _away)
    with pytest.raises(OSError, match="away"):
        notes.keep(sqlite_db)
    disarm()
    assert notes.keep(sqlite_db) == 1


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, clock: ManualClock) -> None:
    monkeypatch.setattr(uses, "MOST", 3)
    notes = Uses()
    for number in range(9):
        notes.note(CALLER, f"agent-{number}", "POST /v1/turns", at=clock.now())
    assert len(notes._seen) == 3


def test_the_loop_hears_of_what_people_decide(sqlite_db: Database) -> None:
    told: list[tuple[str, str]] = []

    class Durable:
        def signal(self, loop: str, key: str, *, about: str) -> None:
            assert about
            told.append((loop, key))

    hire(sqlite_db, AGENT, NEXT)
    one = proposed(sqlite_db)
    heard = reactions(Durable())  # type: ignore[arg-type]
    outbox.pump(sqlite_db, heard)
    assert told == []
    with sqlite_db.write(olga()) as tx:
        commands.reinstate(tx, one.id, reason="not yet")
    outbox.pump(sqlite_db, heard)
    assert told == [(LOOP, one.id)]


def _away() -> None:
    raise OSError("away")
