"""Reading files that somebody else made: never more than we said, and never half.

Plain or gzip (told by the first bytes, not by the name). A file is read in small pieces, so a
file that is too large, inflates too far or is cut off is found out while memory is small.
Every complaint names the file and, where there is one, the line.

What is missing on purpose: guessing. Text is UTF-8, a JSON line is one object with each key
once, and a CSV file has a header.
"""

import csv
import os
import re
import stat
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from .errors import Invalid, TooLarge

MEGABYTE = 1024 * 1024
MAX_INFLATED = 64 * MEGABYTE
MAX_LINE = 16 * MEGABYTE
MAX_RATIO = 100
MAX_DEPTH = 64

_PIECE = 64 * 1024
_GZIP = b"\x1f\x8b"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\:]")


@dataclass(eq=False)
class FileUnreadable(Invalid):
    code = "file_unreadable"
    text = "{0.file} cannot be read: {0.why}"
    hint = "name a regular file that you may read"
    file: str
    why: str


@dataclass(eq=False)
class FileTooLarge(TooLarge):
    code = "file_too_large"
    text = "{0.file} holds more than {0.limit} bytes (line {0.line})"
    hint = "split it into several files"
    file: str
    line: int
    limit: int


@dataclass(eq=False)
class FileBomb(TooLarge):
    code = "file_bomb"
    text = "{0.file} inflates to more than {0.ratio} times its size (line {0.line})"
    hint = "inflate it yourself and look at it; give the plain file if it is what you expect"
    file: str
    line: int
    ratio: int


@dataclass(eq=False)
class LineTooLong(TooLarge):
    code = "line_too_long"
    text = "{0.file}, line {0.line} is longer than {0.limit} bytes"
    hint = "one line holds one record; check that the file has line ends"
    file: str
    line: int
    limit: int


@dataclass(eq=False)
class FileTruncated(Invalid):
    code = "file_truncated"
    text = "{0.file} ends in the middle of its compressed data, in line {0.line}"
    hint = "it was not copied completely; copy it again"
    file: str
    line: int


@dataclass(eq=False)
class FileCorrupt(Invalid):
    code = "file_corrupt"
    text = "{0.file} is damaged in line {0.line}: {0.why}"
    hint = "copy it again, and compare its checksum with the original's"
    file: str
    line: int
    why: str


@dataclass(eq=False)
class NotUtf8(Invalid):
    code = "file_not_utf8"
    text = "{0.file}, line {0.line} is not UTF-8 text"
    hint = "convert it, for example with `iconv -t utf-8`"
    file: str
    line: int


@dataclass(eq=False)
class LineWrong(Invalid):
    code = "line_wrong"
    text = "{0.file}, line {0.line}, column {0.column}: {0.why}"
    hint = "correct the line; nothing after it was looked at"
    file: str
    line: int
    column: int
    why: str


@dataclass(eq=False)
class PathLeaves(Invalid):
    code = "path_leaves_folder"
    text = "{0.name!r} cannot name a file here: {0.why}"
    hint = "use a plain relative name, without '..', links or special characters"
    name: str
    why: str


def read_text(path: Path, *, max_inflated: int = MAX_INFLATED) -> str:
    """The whole text of a file, without a byte-order mark."""
    return "".join(_text_lines(path, max_inflated, max_line=max_inflated))


def read_lines(path: Path, *, max_inflated: int = MAX_INFLATED) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers from 1, without their ends."""
    for number, line in enumerate(_text_lines(path, max_inflated), 1):
        yield number, line.removesuffix("\n").removesuffix("\r")


def read_jsonl(
    path: Path, *, max_inflated: int = MAX_INFLATED
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file with one JSON object a line, with their line numbers.

    Empty lines are passed over. Raises `LineWrong` for what is no JSON, no object, has a key
    twice, NaN or an infinity, is nested deeper than 64, or holds half a surrogate pair.
    """
    for number, line in read_lines(path, max_inflated=max_inflated):
        if line and not line.isspace():
            try:
                yield number, read_object(line)
            except JsonWrong as error:
                raise LineWrong(path.name, number, error.column, error.why) from error


def read_csv(
    path: Path, *, max_inflated: int = MAX_INFLATED
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file under the names in its header, with the line each starts in."""
    csv.field_size_limit(MAX_LINE)  # the module's own limit is 128 kB, for the whole process
    rows = csv.reader(_text_lines(path, max_inflated), strict=True)
    number = 1
    try:
        header = next(rows, [])
        if not any(header) or "" in header or len(set(header)) < len(header):
            raise LineWrong(path.name, 1, 1, "the header names every column, each once")
        number = rows.line_num + 1
        for row in rows:
            if row:
                if len(row) != len(header):
                    why = f"{len(row)} values under {len(header)} names"
                    raise LineWrong(path.name, number, 1, why)
                yield number, dict(zip(header, row, strict=True))
            number = rows.line_num + 1
    except csv.Error as error:
        raise LineWrong(path.name, number, 1, str(error)) from error


@dataclass(eq=False)
class JsonWrong(Exception):
    """A text is not the JSON object that we read."""

    why: str
    column: int = 1


def read_json(path: Path, *, max_inflated: int = MAX_INFLATED) -> Any:
    """The one JSON value of a file, read as strictly as a line of JSON lines is."""
    text = read_text(path, max_inflated=max_inflated)
    try:
        return read_value(text)
    except JsonWrong as error:
        line = text.count("\n", 0, error.column - 1) + 1
        begin = text.rfind("\n", 0, error.column - 1) + 1
        raise LineWrong(path.name, line, error.column - begin, error.why) from error


def read_object(text: str) -> dict[str, Any]:
    """The JSON object that `text` holds, read strictly. Raises `JsonWrong`."""
    found = read_value(text)
    if type(found) is not dict:
        raise JsonWrong("a line holds one object in braces")
    return found


def read_value(text: str) -> Any:
    """The JSON value that `text` holds, read strictly. Raises `JsonWrong`."""
    try:
        value = _DECODER.decode(text)
    except JSONDecodeError as error:
        raise JsonWrong(f"this is no JSON: {error.msg}", error.pos + 1) from error
    except RecursionError as error:
        raise JsonWrong(f"it is nested deeper than {MAX_DEPTH}") from error
    except ValueError as error:
        raise JsonWrong(str(error)) from error
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(value)
    if _SURROGATE.search(text):
        _check_surrogates(value)
    return value


def write_private(path: Path, text: str) -> None:
    """Put a file there that only its owner may read: all of it, or what was there before.

    It is durable when this has returned.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Let the names in a folder outlive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def inside(folder: Path, name: str) -> Path:
    """The path of `name` in `folder`, for names that a file or a stranger gave us.

    Raises `PathLeaves` where it is absolute, climbs out, goes through a link that leads
    elsewhere, or has characters that mean something to a shell or another system.
    """
    parts = parts_of(name)
    if any(len(part.encode()) > 255 for part in parts):
        raise PathLeaves(name, "a part of it is too long")
    home = folder.resolve()
    path = folder.joinpath(*parts)
    if not path.resolve().is_relative_to(home) or path.resolve() == home:
        raise PathLeaves(name, "it leads out of the folder")
    return path


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a relative name. Raises `PathLeaves` where it is absolute, climbs out, is too
    long, or has characters that mean something to a shell or another system.
    """
    if not name or _CONTROL.search(name) or len(name) > 1000:
        raise PathLeaves(name[:1000], "it is empty, too long or has special characters")
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts:
        raise PathLeaves(name, "it leads out of the folder")
    return parts


def files_below(folder: Path, *suffixes: str, most: int = 10_000) -> list[Path]:
    """The regular files below a folder with one of these endings, by name. Follows no links."""
    found: list[Path] = []
    todo = [folder]
    while todo:
        for path in todo.pop().iterdir():
            if path.is_symlink():
                continue
            if path.is_dir():
                todo.append(path)
            elif path.is_file() and path.name.endswith(suffixes):
                found.append(path)
            if len(found) + len(todo) > most:
                raise FileUnreadable(str(folder), f"there are more than {most} files")
    return sorted(found)


# -- from bytes to lines --


@dataclass(eq=False)
class _Damaged(Exception):
    """The bytes stopped making sense; the reader of lines knows where."""

    why: str


class _TooMuch(Exception):
    """More bytes than we are willing to read."""


class _Bomb(Exception):
    """Far more bytes than the file is large."""


class _Endless(Exception):
    """A line that does not end."""


class _CutOff(Exception):
    """The compressed data has no end."""


def _text_lines(path: Path, max_inflated: int, max_line: int = MAX_LINE) -> Iterator[str]:
    """The lines of a file as text, each with its end."""
    number = 1
    try:
        for raw in _raw_lines(_inflated(path, max_inflated), max_line):
            text = raw.decode()
            yield text.removeprefix("\ufeff") if number == 1 else text
            number += 1
    except _TooMuch:
        raise FileTooLarge(path.name, number, max_inflated) from None
    except _Bomb:
        raise FileBomb(path.name, number, MAX_RATIO) from None
    except _CutOff:
        raise FileTruncated(path.name, number) from None
    except _Damaged as error:
        raise FileCorrupt(path.name, number, error.why) from error
    except _Endless:
        raise LineTooLong(path.name, number, max_line) from None
    except UnicodeDecodeError as error:
        raise NotUtf8(path.name, number) from error
    except OSError as error:
        raise FileUnreadable(path.name, error.strerror or str(error)) from error


def _raw_lines(pieces: Iterable[bytes], max_line: int) -> Iterator[bytes]:
    begun: list[bytes] = []
    length = 0
    for piece in pieces:
        *complete, rest = piece.split(b"\n")
        for part in complete:
            if length + len(part) > max_line:
                raise _Endless
            yield b"".join((*begun, part, b"\n"))
            begun, length = [], 0
        if rest:
            begun.append(rest)
            length += len(rest)
            if length > max_line:
                raise _Endless
    if begun:
        yield b"".join(begun)


def _inflated(path: Path, limit: int) -> Iterator[bytes]:
    """The content of a file in small pieces, inflated where it is compressed."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(0, "it is no regular file")
    given = 0
    with path.open("rb") as stream:
        head = stream.read(len(_GZIP))
        stream.seek(0)
        raw = iter(lambda: stream.read(_PIECE), b"")
        for piece in _gunzipped(raw) if head == _GZIP else raw:
            given += len(piece)
            if given > limit:
                raise _TooMuch
            yield piece


def _gunzipped(raw: Iterator[bytes]) -> Iterator[bytes]:
    taken = given = 0
    member = zlib.decompressobj(wbits=31)
    for piece in raw:
        left = piece
        while left:
            if member.eof:
                left = left.lstrip(b"\0")  # tapes and some tools pad with zeros
                if not left:
                    break
                member = zlib.decompressobj(wbits=31)
            before = len(left)
            try:
                out = member.decompress(left, _PIECE)
            except zlib.error as error:
                raise _Damaged(str(error)) from error
            left = member.unused_data if member.eof else member.unconsumed_tail
            taken += before - len(left)
            given += len(out)
            if given > MEGABYTE and given > MAX_RATIO * taken:
                raise _Bomb
            if out:
                yield out
    if not member.eof:
        raise _CutOff


# -- strict JSON --


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _value in pairs:
            if key in seen:
                raise ValueError(f"the key {key[:80]!r} stands here twice")
            seen.add(key)
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"the number {text[:40]} is too large")
    return value


_DECODER = JSONDecoder(
    object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite, strict=True
)


def _check_depth(value: object) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            part
            for one in level
            for part in (one.values() if isinstance(one, dict) else one)
            if isinstance(part, dict | list)
        ]
        if not level:
            return
    raise JsonWrong(f"it is nested deeper than {MAX_DEPTH}")


def _check_surrogates(value: object) -> None:
    todo: list[object] = [value]
    while todo:
        match todo.pop():
            case str() as text if not text.isascii():
                try:
                    text.encode()
                except UnicodeEncodeError as error:
                    raise JsonWrong("a text holds half of a surrogate pair") from error
            case dict() as found:
                todo.extend(found)
                todo.extend(found.values())
            case list() as found:
                todo.extend(found)
            case _:
                pass
