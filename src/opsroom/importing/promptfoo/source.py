"""A configuration and the files beside it: read as data, and only from its own folder.

Nothing is run, nothing is fetched, and no file outside the folder is opened. Environment
variables come from the configuration's own `env` and from those that were allowed by name.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from opsroom.kit.errors import OpsroomError
from opsroom.kit.files import FileUnreadable, inside, read_text
from opsroom.kit.texts import changed
from opsroom.kit.yamlfile import Limits, parse_yaml

from .suite import Missing

LIMITS = Limits(size=4 * 1024 * 1024, values=200_000, odd_keys=True)
MAX_FILES = 500
MAX_RESOLVED = 200_000  # values, counting what references repeat
MAX_DEPTH = 64
CODE = (
    ".js",
    ".cjs",
    ".mjs",
    ".ts",
    ".cts",
    ".mts",
    ".py",
    ".rb",
    ".sh",
    ".go",
    ".exe",
    ".ps1",
)
DATA = (".yaml", ".yml", ".json")

_ENV = re.compile(r"\{\{-?\s*env(?:\.(\w+)|\[['\"](\w+)['\"]\])\s*-?\}\}")
_SCHEME = re.compile(r"[a-z][a-z0-9+-]*://")


class Source:
    """The files of one configuration."""

    def __init__(self, path: Path, env: Mapping[str, str]) -> None:
        self.path = path
        self.folder = path.parent
        self.missing = Missing()
        self._env = dict(env)
        self.texts: dict[Path, str] = {}
        self._data: dict[Path, Any] = {}
        self._found: dict[str, list[Path]] = {}

    def document(self) -> dict[str, Any]:
        """The configuration with its environment and references in place."""
        if self.path.suffix in CODE:
            self.missing.add(self.path.name, "a configuration in code is not run")
            return {}
        data = parse_yaml(
            read_text(self.path, max_inflated=LIMITS.size), file=self.path.name, limits=LIMITS
        ).data
        if not isinstance(data, dict):
            self.missing.add(self.path.name, "it is no mapping")
            return {}
        own = data.get("env")
        if isinstance(own, dict):
            self._env |= {str(name): str(value) for name, value in own.items()}
        data = changed(data, self._with_env)
        resolved: dict[str, Any] = _References(self, data).resolved()
        return resolved

    def _with_env(self, text: str) -> str:
        def value(found: re.Match[str]) -> str:
            name = found[1] or found[2]
            if name not in self._env:
                self.missing.add(
                    f"environment variable {name}",
                    f"it is not passed on; allow it by --env {name}",
                )
            return self._env.get(name, "")

        return _ENV.sub(value, text) if "env" in text else text

    # -- files --

    def find(self, reference: str, where: str) -> list[Path]:
        """The files that `file://…` (or a plain path) names, by name. Nothing runs."""
        if reference not in self._found:
            self._found[reference] = self._find(reference, where)
        return self._found[reference]

    def _find(self, reference: str, where: str) -> list[Path]:
        name = reference.removeprefix("file://").removeprefix("./")
        base, _, function = name.rpartition(":")
        if name.endswith(CODE) or (function and base.endswith(CODE)):
            self.missing.add(where, f"{reference!r} is code, and code is not run")
            return []
        if _SCHEME.match(name):
            self.missing.add(where, f"{reference[:100]!r} is outside, and nothing is fetched")
            return []
        try:
            if any(one in name for one in "*?["):
                inside(self.folder, name)
                found = sorted(islice(self.folder.glob(name), MAX_FILES + 1))
                paths = [
                    inside(self.folder, str(one.relative_to(self.folder))) for one in found
                ]
            else:
                paths = [inside(self.folder, name)]
        except (OpsroomError, ValueError, OSError) as error:
            self.missing.add(where, str(error))
            return []
        files = [one for one in paths if one.is_file()]
        if not files or len(files) > MAX_FILES:
            self.missing.add(
                where, f"there is no file {name!r}" if not files else "too many files"
            )
            return []
        return files

    def text(self, path: Path, where: str) -> str:
        """The text of a file with its environment in place."""
        return self._with_env(self._text(path, where))

    def _text(self, path: Path, where: str) -> str:
        """The text of a file as it is, which is read once however often it is named."""
        if path not in self.texts:
            try:
                self.texts[path] = read_text(path, max_inflated=LIMITS.size)
            except OpsroomError as error:
                self.missing.add(where, str(error))
                return ""
        return self.texts[path]

    def data(self, path: Path, where: str) -> Any:
        """What a YAML or JSON file holds, or the text of another one. It is not to be changed."""
        if path not in self._data:
            self._data[path] = (
                self.parsed(self._text(path, where), path.name, where)
                if path.suffix in DATA
                else self.text(path, where).strip()
            )
        return self._data[path]

    def parsed(self, text: str, name: str, where: str) -> Any:
        try:
            found = parse_yaml(text, file=name, limits=LIMITS).data
        except OpsroomError as error:
            self.missing.add(where, str(error))
            return None
        return changed(found, self._with_env)

    def rows(self, path: Path, where: str) -> list[dict[str, str]]:
        """The rows of a CSV file under its header. Short rows are filled, as promptfoo does."""
        rows = csv.reader(io.StringIO(self._text(path, where)))
        try:
            header = next(rows, [])
            return [
                dict(
                    zip(header, [*map(self._with_env, row), *[""] * len(header)], strict=False)
                )
                for row in rows
                if any(row)
            ]
        except csv.Error as error:
            self.missing.add(where, f"{path.name}: {error}")
            return []

    def lines(self, path: Path, where: str) -> Iterator[Any]:
        for number, line in enumerate(self._text(path, where).splitlines(), 1):
            if line.strip():
                try:
                    yield changed(json.loads(line), self._with_env)
                except (ValueError, RecursionError):
                    self.missing.add(where, f"{path.name}, line {number} is no JSON")
                    return

    def one(self, reference: str, where: str) -> Any:
        """What the one file of a reference holds; None where it cannot be had."""
        found = self.find(reference, where)
        return self.data(found[0], where) if found else None


class _References:
    """Puts what `$ref` names into its place, within limits."""

    def __init__(self, source: Source, root: dict[str, Any]) -> None:
        self._source = source
        self._root = root
        self._count = 0

    def resolved(self) -> Any:
        return self._of(self._root, self._root, 0)

    def _of(self, value: Any, root: Any, depth: int) -> Any:
        self._count += 1
        if self._count > MAX_RESOLVED or depth > MAX_DEPTH:
            raise FileUnreadable(
                self._source.path.name, "its references repeat more values than are read"
            )
        match value:
            case {"$ref": str(name)} if not _is_schema(name, root):
                target, base = self._target(name, root)
                rest = {key: part for key, part in value.items() if key != "$ref"}
                found = self._of(target, base, depth + 1)
                if rest and isinstance(found, dict):
                    return {**found, **self._of(rest, root, depth + 1)}
                return found
            case dict():
                return {key: self._of(part, root, depth + 1) for key, part in value.items()}
            case list():
                return [self._of(part, root, depth + 1) for part in value]
            case _:
                return value

    def _target(self, name: str, root: Any) -> tuple[Any, Any]:
        file, _, pointer = name.partition("#")
        if file:
            root = self._source.one(file, f"$ref {name}")
        found = root
        for step in pointer.strip("/").split("/") if pointer.strip("/") else ():
            key = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            elif isinstance(found, dict) and key in found:
                found = found[key]
            else:
                self._source.missing.add(f"$ref {name}", "it leads nowhere")
                return None, root
        return found, root


def _is_schema(name: str, root: Any) -> bool:
    """A reference inside a JSON Schema stays what it is: it names a part of that schema."""
    return name.startswith(("#/definitions/", "#/$defs/")) and not (
        isinstance(root, dict) and name.split("/")[1] in root
    )
