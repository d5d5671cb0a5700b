"""Putting a backup back where nothing is, and looking whether it is whole."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from opsroom.access.http import NOBODY
from opsroom.app.runtime import open_runtime
from opsroom.app.settings import Settings
from opsroom.app.telemetry import FOLDER, traces
from opsroom.journal import checkpoints
from opsroom.journal.checkpoints import Notary
from opsroom.kit.files import inside, sync_folder
from opsroom.kit.wire import Wire

from .model import (
    STATE,
    Manifest,
    NoBackup,
    NotWritten,
    SomethingThere,
    check_all_in_folder,
    checked,
    copied,
)

_PART = ".part"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored(Wire):
    """What was put back: how much, where the journal ends, and how many spans there are."""

    data: str
    size: int
    files: int
    journal: str
    entries: int
    spans: int


def restore(folder: Path, settings: Settings) -> Restored:
    """Put a backup into the installation's folder, which must not be there yet or be empty, and
    verify it there. Where anything is wrong, nothing is left.

    Raises `NoBackup`, `SomethingThere`, `NotWritten`, `BackedUpElsewhere` where a server of its
    own is set for state or telemetry, and what opening an installation raises: a database that
    was sealed by a key of the environment needs that key.
    """
    check_all_in_folder(settings)
    data = settings.data
    new = not data.exists()
    if data.is_symlink() or not (new or data.is_dir()) or any(_others(data)):
        raise SomethingThere(str(data))
    manifest = checked(folder)
    # Inside of the folder: that may be a volume, which nothing can be put in the place of.
    fresh = data / _PART
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        _put(folder, fresh, manifest)
        found = _verified(folder, manifest, replace(settings, data=fresh))
        for one in sorted(fresh.iterdir(), key=lambda one: one.name == STATE):
            one.rename(data / one.name)
        sync_folder(data)
    except OSError as error:
        raise NotWritten(str(data), str(error)) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if new:
            with suppress(OSError):  # it is full now, as it should be
                data.rmdir()
    return replace(found, data=str(data))


def verify(folder: Path, settings: Settings) -> Restored:
    """Put a backup back where nobody looks, verify it, and take it away again."""
    with TemporaryDirectory(prefix="opsroom-verify-") as away:
        here = replace(settings, data=Path(away) / "data", database_url="", telemetry_url="")
        found = restore(folder, here)
    return replace(found, data="")


def _others(data: Path) -> Iterator[Path]:
    """What is in a folder, beside what a restore left there that was killed."""
    return (one for one in data.iterdir() if one.name != _PART) if data.is_dir() else iter(())


def _put(folder: Path, data: Path, manifest: Manifest) -> None:
    data.mkdir(mode=0o700)
    for name in manifest.files:
        copied(inside(folder, name), inside(data, name))
    if manifest.database:
        home = data / FOLDER
        if not any(
            name.startswith(f"{FOLDER}/{manifest.database}/") for name in manifest.files
        ):
            raise NoBackup(str(folder), "it lacks the tables of its telemetry")
        tables = inside(home, manifest.database)
        (home / "metadata").mkdir(mode=0o700)
        link = Path("..") / tables.relative_to(home)
        (home / "metadata" / "default").symlink_to(link, target_is_directory=True)
        (home / "data").mkdir(mode=0o700)


def _verified(folder: Path, manifest: Manifest, settings: Settings) -> Restored:
    """Open it as a server would, and hold it against what the backup says of itself."""
    runtime = open_runtime(settings)
    try:
        with runtime.db.read(NOBODY) as tx:
            end = checkpoints.verify(tx, Notary(settings.data))
        if end != manifest.journal:
            raise NoBackup(str(folder), "its journal ends elsewhere than it says")
        spans = 0
        if manifest.database:
            telemetry = traces(runtime)
            try:
                spans = int(telemetry.rows("SELECT count() AS spans FROM spans")[0]["spans"])
            finally:
                telemetry.close()
    finally:
        runtime.close()
    return Restored(
        data=str(settings.data),
        size=manifest.size,
        files=len(manifest.files),
        journal=str(end),
        entries=end.seq,
        spans=spans,
    )
