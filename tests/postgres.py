"""A real PostgreSQL server for tests: private, on a Unix socket, gone with the process.

`start()` raises `NoPostgres` with a reason where there is no server to be had; fixtures turn
that into a skip. PostgreSQL refuses to run as root, so as root it runs as its own user.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg.sql import SQL, Identifier
from tests.patience import PATIENCE

TEMPLATE = "opsroom_template"


class NoPostgres(Exception):
    """There is no PostgreSQL server here; the message says why."""


class Postgres:
    """A running server. Databases are copies of one template that is filled once."""

    def __init__(self, binaries: Path, home: Path, user: str | None) -> None:
        self._binaries = binaries
        self._home = home
        self._user = user
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://opsroom@/{database}?host={self._home}"

    def create_template(self) -> None:
        """An empty database for the caller to fill; `create` copies it."""
        self._say("CREATE DATABASE {}", Identifier(TEMPLATE))

    def create(self, *, template: str = TEMPLATE) -> str:
        """A fresh database as a copy of the template; returns its name."""
        name = f"t{next(self._numbers)}"
        self._say(
            "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY",  # a third of the time
            Identifier(name),
            Identifier(template),
        )
        return name

    def drop(self, database: str) -> None:
        self._say("DROP DATABASE {} WITH (FORCE)", Identifier(database))

    def boot(self, *settings: str) -> None:
        """Start the server process on its data and wait until it answers."""
        command = [str(self._binaries / "postgres"), "-D", str(self._home / "data")]
        command += [part for one in settings for part in ("-c", one)]
        if setpriv := shutil.which("setpriv"):
            command = [setpriv, "--pdeathsig", "INT", "--", *command]  # no server outlives us
        with (self._home / "log").open("ab") as log:
            self._process = process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self._home,
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._say("SELECT 1")
            except psycopg.OperationalError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise NoPostgres((self._home / "log").read_text()[-2000:]) from None
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT closes it properly, SIGQUIT is the crash it recovers from."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def _say(self, statement: LiteralString, *names: Identifier) -> None:
        with psycopg.connect(
            host=str(self._home), user="opsroom", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(SQL(statement).format(*names))


@contextmanager
def start(*, durable: bool = False) -> Iterator[Postgres]:
    """A server with an empty data directory. `durable` keeps fsync, for tests about kills."""
    binaries = _binaries()
    user = _server_user()
    home = Path(tempfile.mkdtemp(prefix="opsroom-pg-"))
    server = Postgres(binaries, home, user)
    try:
        if user:
            shutil.chown(home, user)
        subprocess.run(
            [
                binaries / "initdb",
                *("-D", home / "data", "-U", "opsroom", "-A", "trust"),
                *("-E", "UTF8", "--locale=C", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=home,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )
        sync = "on" if durable else "off"
        server.boot(
            f"unix_socket_directories={home}",
            "listen_addresses=",
            f"fsync={sync}",
            f"synchronous_commit={sync}",
            f"full_page_writes={sync}",
            "shared_buffers=64MB",
            "max_connections=200",
        )
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _binaries() -> Path:
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"),
        key=lambda path: [int(part) for part in path.parts[4].split(".") if part.isdigit()],
    )
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    if on_path and shutil.which("initdb"):
        return Path(on_path).resolve().parent
    raise NoPostgres("no PostgreSQL server here; tools/debian-packages installs one")


def _server_user() -> str | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise NoPostgres("PostgreSQL refuses root, and there is no user postgres") from None
