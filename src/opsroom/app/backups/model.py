"""What a backup is: a folder of files, and a list of them with their hashes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from opsroom.app.settings import Settings
from opsroom.journal import Head
from opsroom.kit.errors import Conflict, Invalid, Unavailable
from opsroom.kit.files import inside, read_text, write_private
from opsroom.kit.wire import Wire

FORMAT = 1
MANIFEST = "backup.json"
STATE, WORK = "opsroom.db", "workflows.sqlite"
# The journal's last checkpoint comes first: none may speak of entries that the copy lacks.
BESIDE = ("checkpoint.txt", "journal.key", "master.key")
TELEMETRY = "telemetry"
_PIECE = 2**20


@dataclass(eq=False)
class BackedUpElsewhere(Conflict):
    code = "backed_up_elsewhere"
    text = "this installation keeps its {0.what} on a server of its own"
    hint = "back that server up with its own tools; docs/how-to/backup.md says how they go together"
    what: str


@dataclass(eq=False)
class NotWritten(Unavailable):
    code = "backup_not_written"
    text = "{0.folder} could not be written: {0.why}"
    hint = "make room there, and see that opsroom may write there; nothing was left behind"
    folder: str
    why: str


@dataclass(eq=False)
class NoBackup(Invalid):
    code = "no_backup"
    text = "{0.folder} is no backup that can be put back: {0.why}"
    hint = "give the folder that `opsroom backup` made, whole and as it was"
    folder: str
    why: str


@dataclass(eq=False)
class SomethingThere(Conflict):
    code = "something_there"
    text = "{0.folder} holds something already"
    hint = "put the backup back into a folder that is not there yet"
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Wire):
    """One file of a backup: its size in bytes, and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest(Wire):
    """What a backup holds. `journal` is where the record ended; `schema` is that of the database,
    `database` the folder of telemetry's tables, where there is telemetry.
    """

    format: int
    opsroom: str
    schema: str
    made_at: datetime
    journal: Head
    files: Mapping[str, Kept]
    database: str = ""

    @property
    def size(self) -> int:
        """All of its files together, in bytes."""
        return sum(one.size for one in self.files.values())


_MANIFEST = TypeAdapter(Manifest)


def check_all_in_folder(settings: Settings) -> None:
    """Raise `BackedUpElsewhere` where state or telemetry lies on a server."""
    if settings.database_url:
        raise BackedUpElsewhere("state")
    if settings.telemetry_url:
        raise BackedUpElsewhere("telemetry")


def written(folder: Path, manifest: Manifest) -> None:
    """Put the list where `checked` looks for it."""
    write_private(folder / MANIFEST, _MANIFEST.dump_json(manifest, indent=1).decode())


def checked(folder: Path) -> Manifest:
    """The manifest of a backup, once each of its files was found to be as it was.

    Raises `NoBackup`.
    """
    name = str(folder)
    try:
        found = _MANIFEST.validate_json(read_text(folder / MANIFEST))
    except (ValidationError, Invalid) as error:
        raise NoBackup(name, f"{MANIFEST} cannot be read") from error
    if found.format != FORMAT:
        raise NoBackup(name, f"its format is {found.format}, this opsroom reads {FORMAT}")
    for path, kept in found.files.items():
        file = inside(folder, path)
        if file.is_symlink() or not file.is_file():
            raise NoBackup(name, f"{path} is missing")
        if file.stat().st_size != kept.size or hashed(file) != kept:
            raise NoBackup(name, f"{path} is not what it was")
    return found


def hashed(file: Path) -> Kept:
    """Size and hash of a file, read once."""
    digest, size = sha256(), 0
    with file.open("rb") as source:
        while piece := source.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return Kept(size=size, sha256=digest.hexdigest())


def copied(source: Path, target: Path) -> None:
    """Copy a file for its owner alone; it is durable when this has returned."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as there, os.fdopen(descriptor, "wb") as here:
        while piece := there.read(_PIECE):
            here.write(piece)
        here.flush()
        os.fsync(descriptor)
