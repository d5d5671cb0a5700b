"""What is sealed can be opened for as long as its key is there, and by nobody it is not for."""

import logging
from contextlib import suppress

import pytest
from sqlalchemy import event, update
from tests.conftest import MakeActor
from tests.keyring import KEYRING

from opsroom.journal import store as journal
from opsroom.kit import shredding
from opsroom.kit.db import Actor, Database
from opsroom.kit.sealing import Keyring, SealedByAnother, new_key


def test_a_key_that_was_undone_seals_nothing(db: Database, actor: Actor) -> None:
    with db.write(actor) as tx:
        with suppress(ZeroDivisionError), tx.part():
            shredding.seal(tx, "turn/1", "undone")
            raise ZeroDivisionError
        kept = {"text": shredding.seal(tx, "turn/1", "precious")}
    with db.read(actor) as tx:
        assert shredding.opened(tx, [kept]) == [{"text": "precious"}]


def test_ciphertext_of_another_project_is_no_way_to_its_text(
    sqlite_db: Database, actor: Actor, make_actor: MakeActor
) -> None:
    """Neither as a fact that nobody seals, nor in the place of one that is sealed."""
    other = make_actor("author", project="other")
    with sqlite_db.write(actor) as tx:
        sealed = shredding.seal(tx, "turn/1", "ours alone")
    with sqlite_db.write(other) as tx:
        tx.record("hold.placed", "hold/1", reason=sealed)
        tx.record("turn.begun", "turn/1", intent=sealed)
    with sqlite_db.write(other) as tx:
        entry, _ = journal.entries(tx, event="turn.begun", limit=1)[0]
        assert entry.facts == {"intent": sealed}
        placed, _ = journal.entries(tx, event="hold.placed", limit=1)[0]
        assert placed.facts == {"reason": sealed}
        row = next(iter(journal.chain(tx)))
        forged = row[1].replace("hold.placed", "action.denied").replace("reason", "because")
        tx.conn.execute(
            update(journal.journal).values(record=forged).where(journal.journal.c.seq == row[0])
        )
    with sqlite_db.read(other) as tx:
        entry, _ = journal.entries(tx, event="action.denied", limit=1)[0]
        assert "ours alone" not in str(entry.facts)
        assert entry.facts["because"].startswith("not readable (seal_broken)")


@pytest.mark.parametrize("end", ["AAAA", "A"])
def test_a_seal_that_somebody_wrote_stops_nobody_who_reads_the_journal(
    sqlite_db: Database, actor: Actor, end: str
) -> None:
    with sqlite_db.write(actor) as tx:
        key = shredding.seal(tx, "turn/1", "x").split(".")[3]
        said = f"p1.{'0' * 64}.s1.{key}.{end}"
        tx.record("hold.placed", "hold/1", reason=said)
        tx.record("inbox.asked", "inbox/1", reason=said)
    with sqlite_db.read(actor) as tx:
        found = journal.entries_after(tx, 0, limit=10)
        assert [one.facts for one in found] == [{"reason": said}] * 2


def test_what_a_missing_master_key_sealed_is_told_and_holds_up_nobody(
    sqlite_db: Database, actor: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite_db.write(actor) as tx:
        tx.record("turn.begun", "turn/1", intent="lost")
        lost = {"text": shredding.seal(tx, "turn/1", "lost")}
    sqlite_db.keyring = Keyring((new_key(),))
    with sqlite_db.write(actor) as tx:
        tx.record("turn.begun", "turn/2", intent="found")
    with sqlite_db.read(actor) as tx, caplog.at_level(logging.ERROR):
        first, second = journal.entries_after(tx, 0, limit=10)
        assert first.facts["intent"].startswith("not readable (sealed_by_another_key)")
        assert second.facts == {"intent": "found"}
        assert KEYRING.keys[0].id in caplog.text
        with pytest.raises(SealedByAnother):
            shredding.opened(tx, [lost])


def test_events_of_several_projects_are_sealed_by_the_keys_of_each(
    sqlite_db: Database, actor: Actor, make_actor: MakeActor
) -> None:
    with sqlite_db.write(actor) as tx:
        tx.record("turn.begun", "turn/1", intent="of the first")
        tx.actor = make_actor("author", project="other")
    with sqlite_db.read(actor) as tx:
        assert shredding.intact(tx, ["turn/1"]) == ["turn/1"]
        assert journal.entries(tx, limit=1)[0][0].facts == {"intent": "of the first"}


def test_a_key_is_fetched_once_and_not_after_it_was_shredded(
    sqlite_db: Database, actor: Actor
) -> None:
    asked: list[str] = []
    event.listen(
        sqlite_db.engine,
        "before_cursor_execute",
        lambda _conn, _cursor, statement, *_: asked.append(statement),
    )
    with sqlite_db.write(actor) as tx:
        row = shredding.seal_fields(tx, "turn/1", {"text": "hello"}, {"text"})
    with sqlite_db.write(actor) as tx:
        asked.clear()
        for _ in range(3):
            shredding.opened(tx, [row])
        shredding.seal(tx, "turn/1", "again")
        assert sum("payload_keys" in one for one in asked) == 1
        shredding.shred(tx, ["turn/1"])
        assert shredding.opened(tx, [row])[0]["text"].startswith(shredding.GONE)


def test_the_master_keys_in_use_are_found_without_reading_all_data_keys(
    sqlite_db: Database, actor: Actor
) -> None:
    with sqlite_db.write(actor) as tx:
        shredding.seal(tx, "turn/1", "kept")
        asked: list[str] = []
        event.listen(tx.conn, "before_cursor_execute", lambda *about: asked.append(about[2]))
        assert shredding.sealed_by(tx) == {KEYRING.keys[0].id}
        plan = tx.conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0]}", ("",)).fetchall()
    assert len(asked) == 3  # the first, none after it, and the plan
    assert "SEARCH payload_keys USING COVERING INDEX ix_payload_keys_sealer" in str(plan)
