"""Transactions keep their promises on both engines."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier

import pytest
from sqlalchemy import exc, insert, select, text

from opsroom.access.store import projects, users
from opsroom.journal import queries as journal
from opsroom.kit import db as kit
from opsroom.kit import faults
from opsroom.kit.canonical import NotCanonical
from opsroom.kit.db import (
    Actor,
    Database,
    DatabaseUnavailable,
    NotStorable,
    Raced,
    UnsafeSqlite,
    insert_missing,
    open_engine,
)


def names(db: Database, actor: Actor) -> list[str]:
    with db.read(actor) as tx:
        return list(tx.conn.execute(select(users.c.name).order_by(users.c.name)).scalars())


def add(db: Database, actor: Actor, name: str) -> None:
    with db.write(actor) as tx:
        tx.conn.execute(insert(users).values(name=name, created_at=tx.now))
        tx.record("user.created", f"user/{name}")


def test_a_write_happens_entirely_or_not_at_all(db: Database, actor: Actor) -> None:
    def fail() -> None:
        with db.write(actor) as tx:
            tx.conn.execute(insert(users).values(name="bob", created_at=tx.now))
            tx.record("user.created", "user/bob")
            raise KeyError

    add(db, actor, "ada")
    with pytest.raises(KeyError):
        fail()
    assert names(db, actor) == ["ada"]
    with db.read(actor) as tx:
        assert journal.head(tx).seq == 1


def test_a_failing_journal_takes_the_change_with_it(db: Database, actor: Actor) -> None:
    def fail() -> None:
        with db.write(actor) as tx:
            tx.conn.execute(insert(users).values(name="bob", created_at=tx.now))
            tx.record("user.created", "user/bob", reason="\0")

    with pytest.raises(NotCanonical):
        fail()
    assert names(db, actor) == []


def test_a_read_cannot_write(db: Database, actor: Actor) -> None:
    def sneak() -> None:
        with db.read(actor) as tx:
            tx.conn.execute(insert(users).values(name="eve", created_at=tx.now))

    with pytest.raises(DatabaseUnavailable, match=r"read-?only"):
        sneak()
    assert names(db, actor) == []
    add(db, actor, "ada")
    assert names(db, actor) == ["ada"]


def test_a_read_sees_one_moment(db: Database, actor: Actor) -> None:
    add(db, actor, "ada")
    with db.read(actor) as tx:
        before = tx.conn.execute(select(users.c.name)).all()
        add(db, actor, "bob")
        assert tx.conn.execute(select(users.c.name)).all() == before
    assert names(db, actor) == ["ada", "bob"]


def test_writers_wait_for_each_other(db: Database, actor: Actor) -> None:
    """Read, think, write: nobody's addition is lost."""
    with db.write(actor) as tx:
        tx.conn.execute(text("CREATE TABLE counter (n INTEGER)"))
        tx.conn.execute(text("INSERT INTO counter VALUES (0)"))

    def add_one(_: int) -> None:
        lock = "" if db.engine.dialect.name == "sqlite" else " FOR UPDATE"
        with db.write(actor) as tx:
            n = tx.conn.execute(text(f"SELECT n FROM counter{lock}")).scalar_one()
            tx.conn.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(80)))
    with db.read(actor) as tx:
        assert tx.conn.execute(text("SELECT n FROM counter")).scalar() == 80


def test_a_lost_race_is_a_conflict_not_a_bug(db: Database, actor: Actor) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time: nobody can race")
    both = Barrier(2)

    def claim(_: int) -> type[Exception] | None:
        try:
            with db.write(actor) as tx:
                tx.conn.execute(select(projects)).all()
                both.wait()
                tx.conn.execute(insert(projects).values(id="x", created_at=tx.now))
        except Raced as error:
            return type(error)
        return None

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(claim, range(2)))
    assert sorted(map(str, outcomes)) == sorted(map(str, [None, Raced]))


def test_a_broken_rule_of_the_tables_stays_loud(db: Database, actor: Actor) -> None:
    def forget() -> None:
        with db.write(actor) as tx:
            tx.conn.execute(insert(users).values(name="ada"))

    with pytest.raises(exc.IntegrityError):
        forget()


@pytest.mark.parametrize("name", ["half \ud800", "nul \0"])
def test_text_that_cannot_be_stored_is_wrong_input(
    db: Database, actor: Actor, name: str
) -> None:
    if db.engine.dialect.name == "sqlite" and "\0" in name:
        pytest.skip("SQLite stores NUL")
    with pytest.raises(NotStorable):
        add(db, actor, name)
    assert names(db, actor) == []


def test_numbers_that_cannot_be_stored_are_wrong_input(db: Database, actor: Actor) -> None:
    def move() -> None:
        with db.write(actor) as tx:
            tx.conn.execute(text("UPDATE journal_head SET seq = :n"), {"n": 10**30})

    with pytest.raises(NotStorable):
        move()


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 11, 20, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=2))),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, tzinfo=UTC),
    ],
)
def test_times_come_back_aware_and_in_utc(db: Database, actor: Actor, at: datetime) -> None:
    with db.write(actor) as tx:
        tx.conn.execute(insert(users).values(name="ada", created_at=at))
    with db.read(actor) as tx:
        found = tx.conn.execute(select(users.c.created_at)).scalar_one()
    assert found == at
    assert found.tzinfo is UTC


def test_a_time_without_a_zone_never_gets_in(db: Database, actor: Actor) -> None:
    def write_naive() -> None:
        with db.write(actor) as tx:
            naive = datetime(2026, 11, 20)  # noqa: DTZ001  # the point
            tx.conn.execute(insert(users).values(name="ada", created_at=naive))

    with pytest.raises(exc.StatementError, match="without a zone"):
        write_naive()


def test_a_database_that_is_not_there_is_unavailable(actor: Actor) -> None:
    engine = open_engine("postgresql+psycopg://nobody@/nothing?host=/nowhere")
    missing = Database(engine, clock=None, ids=None, on_commit=print)  # type: ignore[arg-type]  # never reached
    with pytest.raises(DatabaseUnavailable), missing.read(actor):
        pass
    engine.dispose()


def test_sqlite_that_can_corrupt_its_log_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit, "SQLITE_FLOOR", (99, 0, 0))
    with pytest.raises(UnsafeSqlite) as refused:
        open_engine("sqlite:///x.db")
    assert "can corrupt" in str(refused.value)


def test_sqlite_is_set_up_to_be_durable(sqlite_db: Database, actor: Actor) -> None:
    with sqlite_db.read(actor) as tx:
        read = {
            name: tx.conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert read == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }


def test_a_fault_point_before_the_commit_undoes_and_one_after_it_does_not(
    db: Database, actor: Actor
) -> None:
    def strike() -> None:
        raise KeyboardInterrupt

    run: Callable[[], None] = lambda: add(db, actor, "ada")  # noqa: E731
    faults.arm("tx.before_commit", strike)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert names(db, actor) == []
    faults.disarm()
    faults.arm("tx.after_commit", strike)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert names(db, actor) == ["ada"]


def test_what_is_new_is_counted(db: Database, actor: Actor) -> None:
    with db.write(actor) as tx:
        rows = [{"name": name, "created_at": tx.now} for name in ("ada", "bob", "cat")]
        assert insert_missing(tx, users, rows[:2]) == 2
        assert insert_missing(tx, users, rows, chunk=2) == 1
        assert insert_missing(tx, users, rows) == 0
