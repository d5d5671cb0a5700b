"""Bringing a database up to date."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text

from opsroom.kit.db import translated

from .errors import DatabaseTooNew

SCRIPTS = Path(__file__).parent / "scripts"
BOOKKEEPING = "alembic_version"
# Any number will do, as long as no other program uses it as an advisory lock.
LOCK = 7_130_204_611
PATIENCE_MS = 10 * 60 * 1000


def migrate(engine: Engine) -> None:
    """Make the database behind `engine` what this version of opsroom expects.

    Safe to repeat, to kill and to run in several processes at once: one does the work, the
    others wait for it. Costs one query where nothing is to do. Raises `DatabaseTooNew`, and
    changes nothing, where a newer opsroom has been at work.
    """
    with translated():
        with engine.connect() as conn, conn.begin():
            if _is_current(conn):
                return
        with _alone(engine) as conn:
            if not _is_current(conn):  # nobody was faster while we waited
                _upgrade(conn)


def standing(engine: Engine) -> str:
    """The number of the step that a database is at, empty for one that has none; changes nothing.

    Raises `DatabaseTooNew`, and `DatabaseUnavailable` for what is no database.
    """
    with translated(), engine.connect() as conn, conn.begin():
        return _at(conn) or ""


def head() -> str:
    """The number of the newest step that this version of opsroom knows."""
    return max(path.name[1:5] for path in (SCRIPTS / "versions").glob("r[0-9]*.py"))


def _is_current(conn: Connection) -> bool:
    return _at(conn) == head()


def _at(conn: Connection) -> str | None:
    known = head()
    if not inspect(conn).has_table(BOOKKEEPING):
        return None
    found: str | None = conn.execute(text(f"SELECT version_num FROM {BOOKKEEPING}")).scalar()  # noqa: S608  # our own constant
    if found is not None and (not found.isdecimal() or int(found) > int(known)):
        raise DatabaseTooNew(found, known)
    return found


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other migration, and on SQLite no other writer, runs beside."""
    with engine.connect() as conn:
        conn.detach()  # what we set on it must not reach the next user of the pool
        conn = conn.execution_options(opsroom_write=True)  # noqa: PLW2901
        if conn.dialect.name == "sqlite":
            with _without_foreign_keys(conn), conn.begin():
                yield conn
        else:
            with conn.begin():
                conn.execute(text(f"SET LOCAL statement_timeout = {PATIENCE_MS}"))
                conn.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
                yield conn


@contextmanager
def _without_foreign_keys(conn: Connection) -> Iterator[None]:
    """SQLite changes a table by building a new one; rows that refer to it must live through it."""
    raw: Any = conn.connection.dbapi_connection
    assert raw is not None
    raw.execute(f"PRAGMA busy_timeout={PATIENCE_MS}").close()
    raw.execute("PRAGMA foreign_keys=OFF").close()
    yield


def _upgrade(conn: Connection) -> None:
    from alembic import command  # noqa: PLC0415  # a quarter of a second that few starts need
    from alembic.config import Config  # noqa: PLC0415

    settings = Config()
    settings.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    settings.attributes["connection"] = conn
    command.upgrade(settings, "head")
    if conn.dialect.name == "sqlite":
        broken = conn.execute(text("PRAGMA foreign_key_check")).all()
        assert not broken, f"a migration left rows that refer to nothing: {broken[:3]}"
