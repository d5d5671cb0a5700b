"""One file that holds a project's registry: a gzipped tar with three members, nothing else.

    manifest.json    how many of what, and size and SHA-256 of the other two
    items.jsonl      the contents that datasets cite, each once
    registry.jsonl   an artifact a line, its versions in the lines after it

The same registry makes the same bytes: no names of people who carry it, no times of export, no
order that a database chose. The digest of the manifest names the whole.

What is read is compared, byte by byte, with the headers that we would have written. So there are
no links, devices, other names, second members or extensions to be careful about, and nothing is
ever written to a path. Memory stays small whatever the archive claims: it is unpacked in pieces,
a line at a time, and given up on at the first thing that is wrong.
"""

import hashlib
import json
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from opsroom.kit.canonical import canonical, sha256
from opsroom.kit.files import JsonWrong, read_object
from opsroom.kit.wire import Wire, adapter, plain

from .errors import ArchiveBomb, ArchiveRefused, WorkspaceTooLarge

MEGABYTE = 1024 * 1024
FORMAT = "opsroom-workspace/1"
MANIFEST, ITEMS, REGISTRY = "manifest.json", "items.jsonl", "registry.jsonl"
MEMBERS = (ITEMS, REGISTRY)
MAX_PACKED = 16 * MEGABYTE
MAX_UNPACKED = 64 * MEGABYTE
MAX_RATIO = 100
MAX_LINE = 8 * MEGABYTE
MAX_VALUES = 400_000
MAX_RECORDS = 200_000
MAX_MANIFEST = 4096

_BLOCK = 512
_PIECE = 64 * 1024
_END = bytes(2 * _BLOCK)
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"5": "a folder",
    b"6": "a pipe",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Wire):
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest(Wire):
    """What an archive holds. Its digest is that of everything in it."""

    format: str
    artifacts: int
    versions: int
    items: int
    members: dict[str, Member]

    @property
    def digest(self) -> str:
        return sha256(canonical(plain(self)))


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a member."""

    member: str
    line: int
    data: dict[str, Any]


def write(
    items: Iterable[Any], registry: Iterable[Any], *, artifacts: int
) -> tuple[Manifest, bytes]:
    """The archive of these records, and its manifest. Raises `WorkspaceTooLarge`."""
    with tempfile.TemporaryFile() as first, tempfile.TemporaryFile() as second:
        one, contents = _spool(first, items, MAX_UNPACKED)
        other, lines = _spool(second, registry, MAX_UNPACKED - one.size)
        manifest = Manifest(
            format=FORMAT,
            artifacts=artifacts,
            versions=lines - artifacts,
            items=contents,
            members={ITEMS: one, REGISTRY: other},
        )
        told = canonical(plain(manifest))
        unpacked = one.size + other.size
        for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY):
            packed = b"".join(
                _packed(
                    _tarred(told, ((ITEMS, one, first), (REGISTRY, other, second))), strategy
                )
            )
            # Versions that are almost equal pack better than we are willing to unpack.
            if unpacked <= max(MEGABYTE, MAX_RATIO * len(packed)):
                break
    if len(packed) > MAX_PACKED:
        raise WorkspaceTooLarge("the archive", f"{MAX_PACKED // MEGABYTE} MB")
    return manifest, packed


def read_manifest(packed: bytes) -> Manifest:
    """What an archive says that it holds."""
    return _Reader(packed).manifest()


def walk(packed: bytes) -> Iterator[Record]:
    """Every record of an archive, in order, and at the end whether it was all there.

    Raises `ArchiveRefused` or `ArchiveBomb` at the first thing that is wrong; so whoever stores
    what comes here does it in a transaction, and has walked to the end once before.
    """
    reader = _Reader(packed)
    manifest = reader.manifest()
    promised = manifest.items + manifest.artifacts + manifest.versions
    if promised > MAX_RECORDS:
        raise ArchiveBomb(f"it holds more than {MAX_RECORDS:,} records")
    records = 0
    for name in MEMBERS:
        told = manifest.members[name]
        for line, raw in enumerate(reader.lines(name, told), 1):
            records += 1
            if records > promised:
                raise ArchiveRefused("it holds more records than its manifest says")
            yield Record(name, line, _object(raw, name, line))
    reader.end()
    if records < promised:
        raise ArchiveRefused("it holds fewer records than its manifest says")


def wrong(record: Record, why: str) -> ArchiveRefused:
    """A complaint about one line of an archive."""
    return ArchiveRefused(f"{record.member}, line {record.line}: {why}")


# -- writing --


def _spool(file: IO[bytes], records: Iterable[Any], limit: int) -> tuple[Member, int]:
    hashed, size, count = hashlib.sha256(), 0, 0
    for count, one in enumerate(records, 1):  # how many there were
        line = _line(one)
        size += len(line)
        if size > limit or len(line) > MAX_LINE or _values(line) > MAX_VALUES:
            raise WorkspaceTooLarge("a version or the whole", f"{limit // MEGABYTE} MB")
        if count > MAX_RECORDS:
            raise WorkspaceTooLarge("the project", f"{MAX_RECORDS:,} records")
        hashed.update(line)
        file.write(line)
    return Member(size=size, sha256=hashed.hexdigest()), count


def _line(record: Any) -> bytes:
    text = json.dumps(
        plain(record),
        sort_keys=True,
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )
    return text.encode() + b"\n"


def _tarred(
    manifest: bytes, members: Iterable[tuple[str, Member, IO[bytes]]]
) -> Iterator[bytes]:
    yield _header(MANIFEST, len(manifest)) + manifest + _padding(len(manifest))
    for name, member, file in members:
        yield _header(name, member.size)
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece
        yield _padding(member.size)
    yield _END


def _packed(pieces: Iterable[bytes], strategy: int) -> Iterator[bytes]:
    deflate = zlib.compressobj(6, zlib.DEFLATED, 31, 8, strategy)
    for piece in pieces:
        yield deflate.compress(piece)
    yield deflate.flush()


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member.tobuf(tarfile.USTAR_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)


# -- reading --


class _Reader:
    """An archive from its beginning to its end, in pieces."""

    def __init__(self, packed: bytes) -> None:
        if len(packed) > MAX_PACKED:
            raise ArchiveBomb(f"it is larger than {MAX_PACKED // MEGABYTE} MB")
        self._pieces = _inflated(packed)
        self._kept = b""

    def manifest(self) -> Manifest:
        size = self._begin(MANIFEST)
        if size > MAX_MANIFEST:
            raise ArchiveRefused(f"its {MANIFEST} is larger than {MAX_MANIFEST} bytes")
        raw = self._take(size)
        self._skip_padding(size)
        data = _object(raw, MANIFEST, 1)
        try:
            found = adapter(Manifest).validate_python(data)
        except ValueError as error:
            raise ArchiveRefused(f"its {MANIFEST} is not one of ours") from error
        if found.format != FORMAT or set(found.members) != set(MEMBERS):
            raise ArchiveRefused(f"its format is not {FORMAT}")
        if canonical(data) != raw:
            raise ArchiveRefused(f"its {MANIFEST} is not written as we write it")
        return found

    def lines(self, name: str, told: Member) -> Iterator[bytes]:
        """The lines of a member, held against what the manifest says of it at its end."""
        if self._begin(name) != told.size:
            raise ArchiveRefused(f"{name} has another size than the manifest says")
        hashed, left, begun = hashlib.sha256(), told.size, b""
        while left:
            piece = self._some(min(left, _PIECE))
            left -= len(piece)
            hashed.update(piece)
            *complete, rest = piece.split(b"\n")
            for part in complete:
                yield begun + part
                begun = b""
            begun += rest
            if len(begun) > MAX_LINE:
                raise ArchiveBomb(f"a line of {name} is larger than {MAX_LINE // MEGABYTE} MB")
        if begun:
            raise ArchiveRefused(f"{name} ends within a line")
        if hashed.hexdigest() != told.sha256:
            raise ArchiveRefused(f"{name} has another digest than the manifest says")
        self._skip_padding(told.size)

    def end(self) -> None:
        if self._take(len(_END)) != _END or self._kept or any(self._pieces):
            raise ArchiveRefused("something follows where it should end")

    def _begin(self, name: str) -> int:
        """The size of the next member, which has to be `name` and written as we write it."""
        header = self._take(_BLOCK)
        odd = _KINDS.get(header[156:157])
        if odd:
            raise ArchiveRefused(f"it holds {odd}")
        if header[: len(name) + 1] != name.encode() + b"\0":
            raise ArchiveRefused(f"something else stands where {name} should")
        digits = header[124:135]
        size = int(digits, 8) if digits.isdigit() and not set(digits) & set(b"89") else -1
        if not 0 <= size <= MAX_UNPACKED or _header(name, size) != header:
            raise ArchiveRefused(f"the header of {name} is not one of ours")
        return size

    def _skip_padding(self, size: int) -> None:
        padding = _padding(size)
        if self._take(len(padding)) != padding:
            raise ArchiveRefused("something stands between its members")

    def _take(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            parts.append(self._some(size))
            size -= len(parts[-1])
        return b"".join(parts)

    def _some(self, most: int) -> bytes:
        while not self._kept:
            piece = next(self._pieces, None)
            if piece is None:
                raise ArchiveRefused("it ends too early")
            self._kept = piece
        found, self._kept = self._kept[:most], self._kept[most:]
        return found


def _inflated(packed: bytes) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    limit = min(MAX_UNPACKED + MEGABYTE, max(MAX_RATIO * len(packed), MEGABYTE) + MEGABYTE)
    given, at, left = 0, 0, b""
    while not inflate.eof:
        if not left:
            left = packed[at : at + _PIECE]
            at += len(left)
            if not left:
                raise ArchiveRefused("it ends too early")
        try:
            piece = inflate.decompress(left, _PIECE)
        except zlib.error as error:
            raise ArchiveRefused(f"it is no gzip file, or damaged: {error}") from error
        left = inflate.unconsumed_tail
        given += len(piece)
        if given > limit:
            raise ArchiveBomb(f"it unpacks to more than {limit // MEGABYTE} MB")
        if piece:
            yield piece
    if inflate.unused_data or at < len(packed):
        raise ArchiveRefused("something follows its end")


def _object(raw: bytes, member: str, line: int) -> dict[str, Any]:
    if _values(raw) > MAX_VALUES:
        raise ArchiveBomb(f"line {line} of {member} holds more than {MAX_VALUES:,} values")
    try:
        return read_object(raw.decode())
    except UnicodeDecodeError as error:
        raise ArchiveRefused(f"line {line} of {member} is not UTF-8") from error
    except JsonWrong as error:
        raise ArchiveRefused(f"line {line} of {member}: {error.why}") from error


def _values(raw: bytes) -> int:
    """At least as many values as a JSON text holds."""
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{") + 1
