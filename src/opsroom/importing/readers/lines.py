"""What every reader needs: the files of a folder, their lines, and fields that are really there."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from opsroom.importing.errors import BadImport, NothingToImport
from opsroom.importing.model import SourceFile
from opsroom.kit.files import read_jsonl

MAX_INFLATED = 1 << 30


class Line:
    """One JSON line, and where it stands, so that a wrong field can be named by its place."""

    def __init__(self, file: str, number: int, data: dict[str, Any]) -> None:
        self._file = file
        self._number = number
        self._data = data

    def text(self, name: str) -> str:
        return str(self._typed(name, str))

    def number(self, name: str) -> float:
        return float(self._typed(name, (int, float)))

    def optional_number(self, name: str) -> float | None:
        return None if self._data.get(name) is None else self.number(name)

    def list(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._typed(name, list)
        return found

    def get(self, name: str) -> Any:
        """A field that may be missing."""
        return self._data.get(name)

    def wrong(self, problem: str) -> BadImport:
        return BadImport(self._file, self._number, problem)

    def _typed(self, name: str, kind: type | tuple[type, ...]) -> Any:
        if name not in self._data:
            raise self.wrong(f"the field {name!r} is missing")
        value = self._data[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong(f"the field {name!r} holds {type(value).__name__}")
        return value


def files(path: Path, format_: str, pattern: str = "*.jsonl*") -> list[Path]:
    """The file itself, or the matching files of a folder by name."""
    found = [path] if path.is_file() else sorted(path.glob(pattern))
    if not found:
        raise NothingToImport(str(path), format_, pattern)
    return found


def lines(path: Path) -> Iterator[Line]:
    """The JSON lines of a file, compressed or not."""
    for number, data in read_jsonl(path, max_inflated=MAX_INFLATED):
        yield Line(path.name, number, data)


def source_file(path: Path) -> SourceFile:
    with path.open("rb") as stream:
        hashed = sha256()
        while chunk := stream.read(1 << 20):
            hashed.update(chunk)
    return SourceFile(name=path.name, sha256=hashed.hexdigest())


def stem(path: Path) -> str:
    """The file's name without .jsonl and .gz."""
    return path.name.removesuffix(".gz").removesuffix(".jsonl")
