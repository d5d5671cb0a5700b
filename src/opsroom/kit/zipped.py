"""Reading zip archives that somebody else made: members as text, nothing ever written to disk.

What a member says of its size is not believed: bytes are counted while they are inflated, those
of all members together. Archives inside of archives are members like any other and stay packed.
"""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .errors import Invalid
from .files import (
    MAX_INFLATED,
    MAX_RATIO,
    MEGABYTE,
    FileBomb,
    FileCorrupt,
    FileTooLarge,
    FileUnreadable,
    NotUtf8,
    parts_of,
)

MAX_PACKED = 16 * MEGABYTE
MAX_MEMBERS = 10_000
_PIECE = 64 * 1024


@dataclass(eq=False)
class MemberRefused(Invalid):
    code = "archive_member_refused"
    text = "{0.file} holds {0.member!r}, which is not read: {0.why}"
    hint = "pack the archive again with plain files in it"
    file: str
    member: str
    why: str


class Archive:
    """The members of one open archive. Of several with one name the last counts."""

    def __init__(self, name: str, packed: int, zipped: zipfile.ZipFile) -> None:
        self._file = name
        self._packed = packed
        self._zipped = zipped
        self._inflated = 0
        entries = zipped.infolist()
        if len(entries) > MAX_MEMBERS:
            raise FileUnreadable(name, f"it has more than {MAX_MEMBERS} members")
        self._entries = {one.filename: one for one in entries if not one.is_dir()}
        for one in entries:
            _check(name, one)

    @property
    def names(self) -> list[str]:
        return list(self._entries)

    def text(self, name: str) -> str:
        """A member's whole text. Raises `KeyError` where there is no such member."""
        entry = self._entries[name]
        parts: list[bytes] = []
        with self._open(entry) as stream:
            while piece := stream.read(_PIECE):
                self._inflated += len(piece)
                if self._inflated > MAX_INFLATED:
                    raise FileTooLarge(self._file, 1, MAX_INFLATED)
                if self._inflated > max(MEGABYTE, MAX_RATIO * self._packed):
                    raise FileBomb(self._file, 1, MAX_RATIO)
                parts.append(piece)
        try:
            return b"".join(parts).decode()
        except UnicodeDecodeError as error:
            raise NotUtf8(f"{self._file}:{name}", 1) from error

    @contextmanager
    def _open(self, entry: zipfile.ZipInfo) -> Iterator[zipfile.ZipExtFile]:
        try:
            with self._zipped.open(entry) as stream:
                yield stream  # type: ignore[misc]  # what is opened to be read is this
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise FileCorrupt(f"{self._file}:{entry.filename}", 1, str(error)) from error


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The archive at `path`, once all its names have been looked at.

    Raises `FileUnreadable`, `FileTooLarge` or `FileCorrupt` for what is no archive that we read,
    `PathLeaves` for names that lead out of it, and `MemberRefused` for links and locked members.
    """
    try:
        size = path.stat().st_size
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileUnreadable(path.name, "it is no regular file")
        if size > MAX_PACKED:
            raise FileTooLarge(path.name, 1, MAX_PACKED)
        zipped = zipfile.ZipFile(path)
    except OSError as error:
        raise FileUnreadable(path.name, error.strerror or str(error)) from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise FileCorrupt(path.name, 1, f"it is no zip archive: {error}") from error
    with zipped:
        yield Archive(path.name, size, zipped)


def _check(file: str, entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    parts_of(name)
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise MemberRefused(file, name, "it is a link")
    if entry.flag_bits & 1:
        raise MemberRefused(file, name, "it is locked with a password")
