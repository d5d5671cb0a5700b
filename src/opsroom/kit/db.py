"""One request, one task or one command is one transaction.

`Database` opens transactions on SQLite and PostgreSQL with the same promises: a write is
durable when `write()` has returned, it happened entirely or not at all, and what it recorded
for the journal is part of it. Reads see one consistent moment.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    Table,
    TypeDecorator,
    create_engine,
    event,
    exc,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from .clock import Clock
from .errors import Conflict, Invalid, Unavailable
from .faults import boundary
from .ids import Ids
from .sealing import DataKeys, Keyring, NoMasterKey

SQLITE_FLOOR = (3, 51, 3)
WAIT_MS = 10_000
UNIQUE_VIOLATION = "23505"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


@dataclass(eq=False)
class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
    text = "the database did not answer: {0.why}"
    hint = "try again in a second; if it lasts, run `opsroom doctor`"
    why: str


@dataclass(eq=False)
class UnsafeSqlite(Invalid):
    code = "unsafe_sqlite"
    text = "SQLite {0.found} can corrupt its write-ahead log under several writers"
    hint = "install pysqlite3 0.6.1 or later, which brings SQLite 3.51.3 or later"
    found: str


@dataclass(eq=False)
class NotStorable(Invalid):
    code = "not_storable"
    text = "no database of ours can hold this value: {0.why}"
    hint = "leave out NUL characters, halves of surrogate pairs and numbers beyond 2^63"
    why: str


@dataclass(eq=False)
class Raced(Conflict):
    code = "raced"
    text = "somebody else made the same thing at the same moment"
    hint = "look at what is there now, and repeat the command if you still want to"


class Utc(TypeDecorator[datetime]):
    """An aware UTC time on every engine; SQLite would hand back a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone never reaches the database")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a name for the record, the project they act in, and what they may do there.

    A program acts for its `owner`, the person who answers for what it makes. `agent` is the
    one agent that it may act as; people and ordinary programs are none. `token` is the id of the
    token that it showed, where it showed one, and `environment` the only one that token is for.
    """

    name: str
    project: str
    may: frozenset[str] = frozenset()
    roles: tuple[str, ...] = ()
    human: bool = True
    owner: str = ""
    agent: str = ""
    token: str = ""
    environment: str = ""

    @property
    def person(self) -> str:
        """Who answers for what is made here: the actor, or the owner of the program."""
        return self.owner or self.name


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, on its way into the journal."""

    actor: Actor
    name: str
    subject: str
    facts: dict[str, Any]


@dataclass(slots=True)
class Tx:
    """An open transaction: who acts, what time it is, and the connection.

    `lasting` turns a span of people's time into one of the clock that `now` was read from.
    `redacted` counts what was taken out of texts, by project, door and rule.
    """

    conn: Connection
    actor: Actor
    now: datetime
    ids: Ids
    lasting: Callable[[timedelta], timedelta]
    master: Keyring | None = field(default=None, repr=False)
    events: list[Event] = field(default_factory=list[Event])
    redacted: Counter[tuple[str, str, str]] = field(
        default_factory=Counter[tuple[str, str, str]]
    )
    data_keys: DataKeys = field(default_factory=DataKeys, repr=False)

    @property
    def project(self) -> str:
        return self.actor.project

    @property
    def keyring(self) -> Keyring:
        """The master keys. Raises `NoMasterKey` where the database was opened without."""
        if self.master is None:
            raise NoMasterKey
        return self.master

    def record(self, event: str, subject: str, /, **facts: Any) -> None:
        """Put an event into the journal of this transaction.

        Audit trail, outbox and history are this one row, so they cannot disagree.
        """
        self.events.append(Event(self.actor, event, subject, facts))

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of the transaction that is undone alone, with its events, when it raises."""
        actor, events, redacted = self.actor, len(self.events), self.redacted.copy()
        try:
            with self.conn.begin_nested():
                yield
        except BaseException:
            del self.events[events:]
            self.redacted = redacted
            self.data_keys.forget()  # the rows of those that were made in it are gone
            raise
        finally:
            self.actor = actor

    @contextmanager
    def undone(self) -> Iterator[None]:
        """A part that is always taken back: for seeing what would come of it."""
        with suppress(_Undone), self.part():
            yield
            raise _Undone


class _Undone(Exception):
    """A part ended as it was meant to, and is taken back."""


class Database:
    """Transactions on one engine. `on_commit` writes what the transaction recorded and counted;
    what may be shredded is sealed by `keyring`.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Clock,
        ids: Ids,
        on_commit: Callable[[Tx], None],
        keyring: Keyring | None = None,
    ) -> None:
        self.engine = engine
        self.keyring = keyring
        self.clock = clock
        self.ids = ids
        self._on_commit = on_commit

    def _tx(self, conn: Connection, actor: Actor) -> Tx:
        now = self.clock.now()
        return Tx(conn, actor, now, self.ids, self.clock.lasting, self.keyring)

    @contextmanager
    def write(self, actor: Actor) -> Iterator[Tx]:
        """A transaction that changes things; durable once the `with` block has ended."""
        with translated(), self.engine.connect() as conn:
            conn = conn.execution_options(opsroom_write=True)  # noqa: PLW2901
            with conn.begin():
                tx = self._tx(conn, actor)
                yield tx
                if tx.events or tx.redacted:
                    self._on_commit(tx)
                boundary("tx.before_commit")
            boundary("tx.after_commit")

    @contextmanager
    def read(self, actor: Actor) -> Iterator[Tx]:
        """A read-only transaction over one consistent moment. The database holds it to that."""
        with translated(), self.engine.connect() as conn:
            conn = conn.execution_options(opsroom_read=True)  # noqa: PLW2901
            if conn.dialect.name == "postgresql":
                conn = conn.execution_options(  # noqa: PLW2901
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with conn.begin():
                tx = self._tx(conn, actor)
                yield tx
                assert not tx.events, "a read-only transaction has nothing to put on record"
                assert not tx.redacted, "a read-only transaction has nothing to count"


def alone(tx: Tx, names: Iterable[str]) -> None:
    """Let nobody else do what goes by these names until the transaction ends.

    For what has no row yet that one could lock. Where several are needed, ask for them at once:
    they are taken in one order, so that nobody waits for somebody who waits for them.
    """
    if tx.conn.dialect.name != "postgresql":
        return  # SQLite has one writer at a time
    hashes = (hashlib.sha256(one.encode()).digest()[:8] for one in names)
    keys = sorted({int.from_bytes(one, signed=True) for one in hashes})
    if keys:
        tx.conn.execute(_ALONE, {"keys": keys})


_ALONE = text("SELECT pg_advisory_xact_lock(one) FROM unnest(CAST(:keys AS bigint[])) AS one")


def insert_missing(
    tx: Tx, table: Table, rows: Sequence[dict[str, Any]], *, chunk: int = 500
) -> int:
    """Insert the rows whose primary key is not there yet; return how many were new.

    For content-addressed tables, where the same key always means the same content.
    """
    build = postgresql.insert if tx.conn.dialect.name == "postgresql" else sqlite.insert
    new = 0
    for start in range(0, len(rows), chunk):
        statement = build(table).values(list(rows[start : start + chunk]))
        # Without the option Postgres answers -1, and callers would take new rows for old ones.
        done = statement.on_conflict_do_nothing().execution_options(preserve_rowcount=True)
        new += tx.conn.execute(done).rowcount
    return new


def overwrite(
    tx: Tx,
    table: Table,
    row_id: str,
    *where: ColumnElement[bool],
    revision: int,
    values: Mapping[str, Any],
) -> bool:
    """Write `values` over the row that was read with this revision; False where somebody else
    wrote it since, or where it is not there.
    """
    mine = (table.c.id == row_id, table.c.revision == revision, *where)
    return tx.conn.execute(update(table).where(*mine).values(**values)).rowcount == 1


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql+psycopg://…`, set up to be durable.

    Raises `UnsafeSqlite` when the SQLite library is older than 3.51.3.
    """
    if make_url(url).get_backend_name() == "sqlite":
        engine = _sqlite(url)
    else:
        engine = create_engine(
            url,
            hide_parameters=True,  # what users wrote does not belong into logs
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=10,
            pool_timeout=5,
            connect_args={"connect_timeout": 5, "options": "-c statement_timeout=30000"},
        )
    event.listen(engine, "handle_error", _values_of_the_user)
    return engine


def sqlite_module() -> Any:
    """The SQLite binding to use everywhere, checked for the write-ahead log fix."""
    binding: Any = import_module("pysqlite3")  # PostgreSQL deployments need not have it
    if binding.sqlite_version_info < SQLITE_FLOOR:
        raise UnsafeSqlite(binding.sqlite_version)
    return binding


def sqlite_pragmas(connection: Any) -> None:
    """Write-ahead log, a full sync at every commit, foreign keys held, patience with locks."""
    # What is deleted is overwritten: keys that were destroyed must not lie about in free pages.
    for pragma in (
        f"busy_timeout={WAIT_MS}",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()
    # Of several that open a new database at once, SQLite lets only one change the mode and
    # tells the others at once that it is locked, whatever their patience.
    deadline = time.monotonic() + WAIT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except connection.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        module=sqlite_module(),
        pool_size=8,
        max_overflow=24,
        connect_args={"check_same_thread": False, "timeout": WAIT_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, and mean it
        sqlite_pragmas(connection)

    @event.listens_for(engine, "begin")
    def _begun(conn: Connection) -> None:
        # A writer takes the lock at once: a read that later turns into a write could
        # otherwise find that somebody else has written in between.
        options = conn.get_execution_options()
        conn.exec_driver_sql(
            f"PRAGMA query_only={'ON' if 'opsroom_read' in options else 'OFF'}"
        )
        conn.exec_driver_sql("BEGIN IMMEDIATE" if "opsroom_write" in options else "BEGIN")

    return engine


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the driver says of a database that does not answer into our own error."""
    try:
        yield
    except exc.IntegrityError as error:
        # Only PostgreSQL lets two writers get this far; every check comes before its insert.
        if getattr(error.orig, "sqlstate", "") == UNIQUE_VIOLATION:
            raise Raced from error
        raise
    except (exc.OperationalError, exc.TimeoutError, exc.DBAPIError) as error:
        if isinstance(error, exc.ProgrammingError):
            raise
        why = str(getattr(error, "orig", error)).strip().splitlines()
        raise DatabaseUnavailable(why[0] if why else type(error).__name__) from error


def _values_of_the_user(failure: ExceptionContext) -> None:
    """Values that arrive from outside and that a driver refuses are wrong input, not a bug."""
    error = failure.original_exception
    if isinstance(failure.sqlalchemy_exception, exc.DataError):
        raise NotStorable(str(error).strip().splitlines()[0]) from error
    if isinstance(error, OverflowError | UnicodeEncodeError):
        raise NotStorable(str(error)) from error
