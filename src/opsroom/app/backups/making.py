"""Making a backup while everything goes on.

The database is copied as it is at one moment, by SQLite itself. Telemetry is frozen: ClickHouse
links the files of that moment into a folder of their own, which costs no room and no time, and
they are copied from there. What was acknowledged before the backup began is in it.
"""

import os
import shutil
import threading
from contextlib import closing
from pathlib import Path

import opsroom
from opsroom.access.http import NOBODY
from opsroom.app.runtime import Runtime
from opsroom.app.telemetry import FOLDER
from opsroom.journal import queries as journal
from opsroom.kit.db import Database, open_engine, sqlite_module
from opsroom.kit.files import files_below, sync_folder
from opsroom.migrations import head
from opsroom.traces.ports import Telemetry
from opsroom.traces.telemetry import Traces

from .model import (
    BESIDE,
    FORMAT,
    STATE,
    TELEMETRY,
    WORK,
    BackedUpElsewhere,
    Manifest,
    NotWritten,
    SomethingThere,
    check_all_in_folder,
    copied,
    hashed,
    written,
)

MOST_FILES = 10_000_000
_FROZEN = "opsroom_backup"
_one_at_a_time = threading.Lock()
_TABLES = """
SELECT name, data_paths FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'
ORDER BY name != 'spans', name"""


def make(runtime: Runtime, traces: Traces, folder: Path) -> Manifest:
    """Back the installation up into a folder that is not there yet; all of it, or nothing.

    Raises `BackedUpElsewhere` where state or telemetry lies on a server, `SomethingThere`, and
    `NotWritten` where the disk is full.
    """
    check_all_in_folder(runtime.settings)
    if not (runtime.settings.data / STATE).is_file():
        raise BackedUpElsewhere("state")
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = folder.with_name(f".{folder.name}.part")
    with _one_at_a_time:
        if folder.exists():
            raise SomethingThere(str(folder))
        for left in folder.parent.glob(".*.part"):  # by a process that was killed meanwhile
            shutil.rmtree(left, ignore_errors=True)
        try:
            fresh.mkdir(mode=0o700)
            manifest = _filled(runtime, traces, fresh)
            fresh.rename(folder)
            sync_folder(folder.parent)
        except (OSError, sqlite_module().OperationalError) as error:
            raise NotWritten(str(folder), str(error)) from error
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return manifest


def _filled(runtime: Runtime, traces: Traces, fresh: Path) -> Manifest:
    data = runtime.settings.data
    for name in BESIDE:
        if (data / name).exists():
            copied(data / name, fresh / name)
    for name in (WORK, STATE):
        if (data / name).exists():
            _snapshot(data / name, fresh / name)
    database = ""
    if (data / FOLDER / "metadata").exists():
        database = _telemetry(traces.opened().store, data / FOLDER, fresh / TELEMETRY)
    manifest = _manifest(runtime, fresh, database)
    written(fresh, manifest)
    return manifest


def _snapshot(source: Path, target: Path) -> None:
    """The database as it is at one moment, without what lies in free pages."""
    with closing(sqlite_module().connect(str(source), timeout=60)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))
    target.chmod(0o600)
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def _telemetry(store: Telemetry, source: Path, target: Path) -> str:
    """Copy the tables as they are at one moment each, spans first: what is derived from spans
    may be newer than they are, never older. The folder of the tables' definitions.
    """
    shadow = source / "shadow" / _FROZEN
    shutil.rmtree(shadow, ignore_errors=True)  # what was deleted since must not come back
    try:
        for row in store.rows(_TABLES):
            store.run(f"ALTER TABLE {row['name']} FREEZE WITH NAME '{_FROZEN}'")
            for path in map(Path, row["data_paths"]):
                version = path / "format_version.txt"
                copied(version, target / version.relative_to(source.resolve()))
        for file in files_below(shadow, "", most=MOST_FILES):
            copied(file, target / file.relative_to(shadow))
    finally:
        shutil.rmtree(shadow, ignore_errors=True)
    definitions = (source / "metadata" / "default").resolve()
    for file in files_below(definitions, ".sql"):
        copied(file, target / file.relative_to(source.resolve()))
    return str(definitions.relative_to(source.resolve()))


def _manifest(runtime: Runtime, folder: Path, database: str) -> Manifest:
    db = runtime.db
    engine = open_engine(f"sqlite:///{folder / STATE}")
    try:
        copy = Database(engine, clock=db.clock, ids=db.ids, on_commit=lambda _: None)
        with copy.read(NOBODY) as tx:
            end = journal.head(tx)
    finally:
        engine.dispose()
    files = files_below(folder, "", most=MOST_FILES)
    return Manifest(
        format=FORMAT,
        opsroom=opsroom.__version__,
        schema=head(),
        made_at=db.clock.now(),
        journal=end,
        files={str(one.relative_to(folder)): hashed(one) for one in files},
        database=database,
    )
