"""What every reader needs: the files of a folder, their lines, and fields that are really there."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from opsroom.importing.errors import BadImport, NothingToImport
from opsroom.importing.model import SourceFile
from opsroom.kit.files import files_below, read_csv, read_json, read_jsonl

MAX_INFLATED = 1 << 30


class Line:
    """One JSON line, and where it stands, so that a wrong field can be named by its place.

    What is one of many records in a single JSON value has a `record` number, from 1.
    """

    def __init__(
        self, file: str, number: int, data: dict[str, Any], *, record: int | None = None
    ) -> None:
        self._file = file
        self._number = number
        self._data = data
        self._record = record

    def text(self, name: str) -> str:
        return str(self._typed(name, str))

    def number(self, name: str) -> float:
        try:
            return float(self._typed(name, (int, float)))
        except OverflowError as error:
            raise self.wrong(f"the field {name!r} holds a number that is too large") from error

    def optional_number(self, name: str) -> float | None:
        return None if self._data.get(name) is None else self.number(name)

    def list(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._typed(name, list)
        return found

    def get(self, *names: str) -> Any:
        """A field that may be missing, under the first of these names that it has."""
        return next(
            (found for name in names if (found := self._data.get(name)) is not None), None
        )

    def has(self, *names: str) -> bool:
        """Whether all these fields are there, whatever they hold."""
        return all(name in self._data for name in names)

    def rest(self, *names: str) -> dict[str, Any]:
        """The fields but for these."""
        return {name: value for name, value in self._data.items() if name not in names}

    def wrong(self, problem: str) -> BadImport:
        where = "" if self._record is None else f"record {self._record}: "
        return BadImport(self._file, self._number, where + problem)

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


def exported(path: Path, format_: str, *endings: str) -> list[Path]:
    """The file itself, or the files with these endings below a folder by name; no links."""
    found = [path] if path.is_file() else files_below(path, *endings)
    if not found:
        raise NothingToImport(str(path), format_, " or ".join(f"*{one}" for one in endings))
    return found


def records(path: Path) -> Iterator[Line]:
    """What an export holds: one JSON object a line, a CSV table, or one JSON value.

    In a JSON value, records are the members of a list, of `data`, or of a list below it.
    """
    name = path.name.removesuffix(".gz")
    if name.endswith(".csv"):
        for number, row in read_csv(path, max_inflated=MAX_INFLATED):
            yield Line(path.name, number, dict(row))
    elif name.endswith(".json"):
        for record, one in enumerate(_members(read_json(path)), 1):
            if not isinstance(one, dict):
                raise BadImport(path.name, 1, f"record {record} is no object")
            yield Line(path.name, 1, one, record=record)
    else:
        yield from lines(path)


def _members(value: Any) -> list[Any]:
    """The records of a JSON value, as interfaces give them out: in `data`, or a list in it."""
    if isinstance(value, dict) and isinstance(value.get("data"), dict | list):
        value = value["data"]
    if isinstance(value, list):
        return value
    inner = next(
        (
            value[name]
            for name in ("examples", "model_versions")
            if isinstance(value, dict) and isinstance(value.get(name), list)
        ),
        None,
    )
    return [value] if inner is None else inner


def source_file(path: Path) -> SourceFile:
    with path.open("rb") as stream:
        hashed = sha256()
        while chunk := stream.read(1 << 20):
            hashed.update(chunk)
    return SourceFile(name=path.name, sha256=hashed.hexdigest())


def stem(path: Path) -> str:
    """The file's name without .jsonl and .gz."""
    return path.name.removesuffix(".gz").removesuffix(".jsonl")
