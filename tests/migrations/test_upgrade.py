"""A database is as it was or as it should be, whatever happens in between."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, event, inspect, text
from tests.postgres import Postgres

from opsroom.kit.db import metadata, open_engine
from opsroom.migrations import DatabaseTooNew, head, migrate, tables

FreshEngine = Callable[[], Engine]
# Whether the table of migrations is there, and what it says; two more begin on SQLite.
MOST_QUESTIONS = 4


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FreshEngine]:
    """Makes engines on new, empty databases."""
    made: list[Engine] = []
    names: list[str] = []

    def fresh() -> Engine:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path}/{len(made)}.db"
        else:
            names.append(server.create(template="template0"))
            url = server.url(names[-1])
        made.append(open_engine(url))
        return made[-1]

    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
    yield fresh
    for engine in made:
        engine.dispose()
    for name in names:
        server.drop(name)


def schema(engine: Engine) -> dict[str, Any]:
    """Everything a database says about its tables, in a form that compares."""
    looked = inspect(engine)
    return {
        table: {
            "columns": [
                {**column, "type": str(column["type"])} for column in looked.get_columns(table)
            ],
            "key": looked.get_pk_constraint(table),
            "indexes": sorted(_index(one) for one in looked.get_indexes(table)),
            "foreign": sorted(looked.get_foreign_keys(table), key=lambda one: str(one["name"])),
        }
        for table in sorted(looked.get_table_names())
        if table != "alembic_version"
    }


def _index(found: Any) -> list[str]:
    """An index in words; the condition of a partial one is an object that compares by identity."""
    options = {name: str(value) for name, value in found.get("dialect_options", {}).items()}
    rest = {name: value for name, value in found.items() if name != "dialect_options"}
    return [str(found["name"]), str(rest), str(options)]


def test_migrations_make_exactly_the_tables_of_the_code(empty: FreshEngine) -> None:
    migrated, declared = empty(), empty()
    migrate(migrated)
    with declared.begin() as conn:
        tables.load().create_all(conn)

    assert schema(migrated) == schema(declared), "run tools/new-migration"
    with migrated.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_server_default": False})
        assert compare_metadata(context, metadata) == [], "run tools/new-migration"


def test_migrating_lays_the_journal_head_and_repeating_it_changes_nothing(
    empty: FreshEngine,
) -> None:
    engine = empty()
    for _ in range(3):
        migrate(engine)
        with engine.connect() as conn:
            assert conn.execute(text("SELECT id, seq, hash FROM journal_head")).all() == [
                (1, 0, "0" * 64)
            ]


def test_an_up_to_date_database_costs_almost_nothing(empty: FreshEngine) -> None:
    engine = empty()
    migrate(engine)
    migrate(engine)
    asked: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    migrate(engine)
    assert 0 < len(asked) <= MOST_QUESTIONS, asked


def test_the_fast_path_does_not_load_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/opsroom.db"
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()
    code = (
        "import sys; from opsroom.kit.db import open_engine; from opsroom.migrations import migrate\n"
        f"engine = open_engine({url!r}); migrate(engine); engine.dispose()\n"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=_environment())


def test_a_database_from_a_newer_version_is_refused_untouched(empty: FreshEngine) -> None:
    engine = empty()
    migrate(engine)
    before = schema(engine)
    for newer in (f"{int(head()) + 1:04}", "9999", "ae1027a6acf"):
        with engine.begin() as conn:
            conn.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": newer})
        with pytest.raises(DatabaseTooNew) as refused:
            migrate(engine)
        assert refused.value.found == newer
        assert refused.value.code == "database_too_new"
        with engine.connect() as conn:
            assert (
                conn.execute(text("SELECT version_num FROM alembic_version")).scalar() == newer
            )
    assert schema(engine) == before


def test_servers_that_start_together_migrate_once(empty: FreshEngine) -> None:
    engine = empty()
    ready = Barrier(4)

    def start_up() -> None:
        mine = open_engine(engine.url.render_as_string(hide_password=False))
        ready.wait()
        migrate(mine)
        mine.dispose()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(start_up) for _ in range(4)]:
            done.result()
    with engine.connect() as conn:
        assert conn.execute(text("SELECT count(*) FROM journal_head")).scalar() == 1
        assert conn.execute(text("SELECT version_num FROM alembic_version")).all() == [
            (head(),)
        ]


def test_a_kill_leaves_all_or_nothing_and_the_next_start_goes_through(
    empty: FreshEngine,
) -> None:
    _kill_at(empty, every=101)


@pytest.mark.slow
def test_a_kill_at_every_single_statement(empty: FreshEngine) -> None:
    _kill_at(empty, every=1)


def _kill_at(empty: FreshEngine, *, every: int) -> None:
    whole = empty()
    statements = _run_in_child(whole, kill_at=None)
    wanted = schema(whole)
    assert statements > 20
    engine = empty()
    for turn, number in enumerate(sorted({*range(1, statements + 1, every), statements}), 1):
        _run_in_child(engine, kill_at=number)
        left = schema(engine)
        assert left in ({}, wanted), f"half a database after statement {number}"
        if (
            left or number == statements or turn % 20 == 1
        ):  # else the next kill hits the same one
            migrate(engine)
            assert schema(engine) == wanted
            engine.dispose()
            engine = empty()
    engine.dispose()


def _run_in_child(engine: Engine, *, kill_at: int | None) -> int:
    """Migrate in a child process that is killed before its n-th statement or commit; without
    a number, return how many there are.
    """
    engine.dispose()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        seen = 0

        def count(*_: object, **__: object) -> None:
            nonlocal seen
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        def before_commit(_: Connection) -> None:
            count()

        event.listen(engine, "before_cursor_execute", count)
        event.listen(engine, "commit", before_commit)
        try:
            migrate(engine)
            os.write(writing, str(seen).encode())
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    assert bool(said) == (kill_at is None)
    return int(said or 0)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
