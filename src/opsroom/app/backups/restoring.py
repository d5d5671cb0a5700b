"""Putting a backup back where nothing is, and looking whether it is whole."""

import shutil
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

from .model import Manifest, NoBackup, SomethingThere, checked, copied


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

    Raises `NoBackup`, `SomethingThere`, and what opening an installation raises: a database that
    was sealed by a key of the environment needs that key.
    """
    data = settings.data
    if data.is_symlink() or (data.exists() and (not data.is_dir() or any(data.iterdir()))):
        raise SomethingThere(str(data))
    manifest = checked(folder)
    data.parent.mkdir(parents=True, exist_ok=True)
    fresh = data.with_name(f".{data.name}.part")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        _put(folder, fresh, manifest)
        found = _verified(folder, manifest, replace(settings, data=fresh))
        if data.exists():
            data.rmdir()
        fresh.rename(data)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    sync_folder(data.parent)
    return replace(found, data=str(data))


def verify(folder: Path, settings: Settings) -> Restored:
    """Put a backup back where nobody looks, verify it, and take it away again."""
    with TemporaryDirectory(prefix="opsroom-verify-") as away:
        found = restore(folder, replace(settings, data=Path(away) / "data"))
    return replace(found, data="")


def _put(folder: Path, data: Path, manifest: Manifest) -> None:
    data.mkdir(mode=0o700)
    for name in manifest.files:
        copied(inside(folder, name), inside(data, name))
    if manifest.database:
        home = data / FOLDER
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
