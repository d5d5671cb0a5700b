"""The journal on both engines: gapless under concurrency, and tampering shows."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from opsroom.journal import ChainBroken, Head, queries
from opsroom.journal.store import head_table, journal
from opsroom.kit.db import Actor, Database, Tx


def write(db: Database, actor: Actor, count: int, subject: str = "prompt/a") -> None:
    for number in range(count):
        with db.write(actor) as tx:
            tx.record("label.moved", subject, number=number)


def test_writers_at_once_leave_one_gapless_chain(
    db: Database, make_actor: Callable[..., Actor]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        for done in [
            pool.submit(write, db, make_actor("author", name=f"writer-{n}"), 50)
            for n in range(8)
        ]:
            done.result()
    with db.read(make_actor("admin")) as tx:
        assert queries.verify(tx).seq == 400
        newest_first = queries.entries(tx, limit=400)
        assert [one.seq for one, _ in newest_first] == list(range(400, 0, -1))
        for n in range(8):
            mine = queries.entries(tx, actor=f"writer-{n}", limit=400)
            assert [one.facts["number"] for one, _ in mine] == list(range(49, -1, -1))


def test_what_fails_leaves_nothing_behind(db: Database, actor: Actor) -> None:
    write(db, actor, 1)

    def fail() -> None:
        with db.write(actor) as tx:
            tx.record("label.moved", "prompt/a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with db.read(actor) as tx:
        assert queries.head(tx).seq == 1
        assert queries.verify(tx).seq == 1


def test_pages_go_on_where_the_last_one_ended(db: Database, actor: Actor) -> None:
    write(db, actor, 25)
    seen: list[int] = []
    before = None
    with db.read(actor) as tx:
        while page := queries.entries(tx, before=before, limit=10):
            seen += [one.seq for one, _ in page]
            before = seen[-1]
    assert seen == list(range(25, 0, -1))


def test_entries_are_filtered_and_stay_in_their_project(
    db: Database, make_actor: Callable[..., Actor]
) -> None:
    ada, bob = make_actor("author", name="ada"), make_actor("author", name="bob")
    eve = make_actor("admin", name="eve", project="elsewhere")
    write(db, ada, 2, "prompt/a")
    write(db, bob, 3, "prompt/b")
    write(db, eve, 4, "prompt/a")
    with db.write(bob) as tx:
        tx.record("proposal.opened", "prompt/a")
    with db.read(ada) as tx:
        assert len(queries.entries(tx)) == 6
        assert len(queries.entries(tx, subject="prompt/a")) == 3
        assert len(queries.entries(tx, subject="prompt/a", actor="ada")) == 2
        assert len(queries.entries(tx, event="proposal.opened")) == 1
        assert queries.latest(tx, ("proposal.opened", "label.moved")) == 10
        assert queries.latest(tx, ("nothing.like_it",)) == 0
    with db.read(eve) as tx:
        assert len(queries.entries(tx)) == 4


Tamper = Callable[[Tx, random.Random], object]


def pick(tx: Tx, rng: random.Random) -> Any:
    return tx.conn.execute(select(journal).where(journal.c.seq == rng.randint(1, 20))).one()


def edit(tx: Tx, rng: random.Random) -> None:
    row = pick(tx, rng)
    old, new = rng.choice(
        [
            ("ada", "eve"),
            ("label.moved", "label.stayed"),
            ("prompt/a", "prompt/b"),
            ("default", "other"),
            ("2026", "2025"),
        ]
    )
    assert old in row.record
    tx.conn.execute(
        update(journal)
        .where(journal.c.seq == row.seq)
        .values(record=row.record.replace(old, new))
    )


def edit_hash(tx: Tx, rng: random.Random) -> None:
    row = pick(tx, rng)
    tx.conn.execute(
        update(journal).where(journal.c.seq == row.seq).values(hash=row.hash[1:] + row.hash[0])
    )


def drop(tx: Tx, rng: random.Random) -> None:
    tx.conn.execute(delete(journal).where(journal.c.seq == pick(tx, rng).seq))


def cut_off(tx: Tx, rng: random.Random) -> None:
    tx.conn.execute(delete(journal).where(journal.c.seq >= pick(tx, rng).seq))


def swap(tx: Tx, rng: random.Random) -> None:
    one, other = rng.sample(range(1, 21), 2)
    for here, there in ((one, 1000), (other, one), (1000, other)):
        tx.conn.execute(update(journal).where(journal.c.seq == here).values(seq=there))


def add(tx: Tx, rng: random.Random) -> None:
    row = pick(tx, rng)
    tx.conn.execute(insert(journal).values(seq=21, record=row.record, hash=row.hash))


def move_head(tx: Tx, rng: random.Random) -> None:
    row = pick(tx, rng)
    tx.conn.execute(update(head_table).values(seq=row.seq, hash=row.hash[::-1]))


@pytest.mark.parametrize("tamper", [edit, edit_hash, drop, cut_off, swap, add, move_head])
def test_tampering_with_the_database_is_found(
    db: Database, actor: Actor, tamper: Tamper
) -> None:
    write(db, actor, 20)
    for seed in range(8):
        with db.write(actor) as tx, tx.conn.begin_nested() as savepoint:
            tamper(tx, random.Random(seed))
            with pytest.raises(ChainBroken):
                queries.verify(tx)
            savepoint.rollback()
    with db.read(actor) as tx:
        assert queries.verify(tx).seq == 20


def test_columns_that_are_no_longer_computed_are_found(db: Database, actor: Actor) -> None:
    write(db, actor, 3)
    with db.write(actor) as tx:
        if tx.conn.dialect.name == "postgresql":
            tx.conn.execute(text("ALTER TABLE journal ALTER COLUMN actor DROP EXPRESSION"))
        else:
            tx.conn.execute(text("CREATE TABLE copy AS SELECT * FROM journal"))
            tx.conn.execute(text("DROP TABLE journal"))
            tx.conn.execute(text("ALTER TABLE copy RENAME TO journal"))
        tx.conn.execute(text("UPDATE journal SET actor = 'eve' WHERE seq = 2"))
    with db.read(actor) as tx, pytest.raises(ChainBroken, match="entry 2: its columns"):
        queries.verify(tx)


def test_a_backup_from_before_is_found_with_the_head_from_after(
    db: Database, actor: Actor
) -> None:
    write(db, actor, 5)
    with db.read(actor) as tx:
        older = queries.head(tx)
    write(db, actor, 5)
    with db.read(actor) as tx:
        newer = queries.verify(tx, older=older)
    with db.write(actor) as tx:
        tx.conn.execute(delete(journal).where(journal.c.seq > older.seq))
        tx.conn.execute(update(head_table).values(seq=older.seq, hash=older.hash))
    with db.read(actor) as tx:
        assert queries.verify(tx) == older
        with pytest.raises(ChainBroken, match="5 entries at the end are missing"):
            queries.verify(tx, older=newer)


def test_an_empty_journal_verifies(db: Database, actor: Actor) -> None:
    with db.read(actor) as tx:
        assert queries.verify(tx) == Head()
