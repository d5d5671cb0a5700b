"""YAML files that people write: read strictly, and with the place of every value.

What we read is JSON data in the notation of YAML 1.2: text, numbers, true, false, null, lists
and mappings with text keys. So `no` and `on` are text, and dates are text. Anchors may be
used, within limits. There are no tags, no merge keys, no second document and no key twice.
Every complaint names file, line and column.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import yaml
from yaml import events

from .errors import Invalid, TooLarge
from .files import read_text

MAX_SIZE = 1024 * 1024
MAX_DEPTH = 100
MAX_VALUES = 50_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile(
    "[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_WORDS: tuple[tuple[re.Pattern[str], Callable[[str], float | bool | None]], ...] = (
    (re.compile(r"(?:~|null|Null|NULL|)\Z"), lambda _: None),
    (re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), lambda word: word[0] in "tT"),
    (re.compile(r"[-+]?[0-9]{1,300}\Z"), int),
    (re.compile(r"0(?:o[0-7]{1,300}|x[0-9a-fA-F]{1,300})\Z"), lambda word: int(word, 0)),
    (
        re.compile(
            r"[-+]?(?:\.[0-9]{1,300}|[0-9]{1,300}(?:\.[0-9]{0,300})?)(?:[eE][-+]?[0-9]{1,9})?\Z"
        ),
        float,
    ),
    (
        re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"),
        lambda word: float(word.replace(".", "")),
    ),
)

ValuePath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is read. With `odd_keys`, keys such as `200:` are taken as the text they are."""

    size: int = MAX_SIZE
    values: int = MAX_VALUES
    odd_keys: bool = False


OURS = Limits()


@dataclass(eq=False)
class YamlTooLarge(TooLarge):
    code = "yaml_too_large"
    text = "{0.file} is larger than {0.limit} bytes"
    hint = "split it, or move long texts into files of their own"
    file: str
    limit: int


@dataclass(eq=False)
class YamlWrong(Invalid):
    code = "yaml_wrong"
    text = "{0.file}:{0.line}:{0.column}: {0.why}"
    hint = "{0.fix}"
    file: str
    line: int
    column: int
    why: str
    fix: str = "correct the line"


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds, and where. `places` are line and column of each value, by its path."""

    file: str
    data: Any
    places: Mapping[ValuePath, tuple[int, int]]

    def wrong(self, path: ValuePath, why: str, *, fix: str = "correct the value") -> YamlWrong:
        """A complaint about the value at `path`, or about the nearest that is there."""
        while path and path not in self.places:
            path = path[:-1]
        line, column = self.places.get(path, (1, 1))
        return YamlWrong(self.file, line, column, why, fix)


def read_yaml(path: Path) -> Document:
    """The document in a file. Raises `YamlTooLarge` and `YamlWrong`."""
    if path.is_file() and path.stat().st_size > MAX_SIZE:
        raise YamlTooLarge(path.name, MAX_SIZE)
    return parse_yaml(read_text(path, max_inflated=MAX_SIZE), file=path.name)


def parse_yaml(text: str, *, file: str = "text", limits: Limits = OURS) -> Document:
    """The document in a text. Raises `YamlTooLarge` and `YamlWrong`."""
    if len(text) > limits.size:
        raise YamlTooLarge(file, limits.size)
    if (odd := _UNPRINTABLE.search(text)) is not None:
        start = text.rfind("\n", 0, odd.start()) + 1
        line, column = text.count("\n", 0, start) + 1, odd.start() - start + 1
        why = f"the character U+{ord(odd.group()):04X} cannot stand in YAML"
        raise YamlWrong(file, line, column, why, 'write it as "\\u…" in double quotes')
    builder = _Builder(file, limits)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        why = ", ".join(filter(None, (error.context, error.problem))) or "it is no YAML"
        raise YamlWrong(
            file, line, column, why, "check indentation, quotes and colons"
        ) from error
    return builder.document()


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read."""

    value: list[Any] | dict[str, Any]
    path: ValuePath
    anchor: str | None
    begun_at: int
    key: str | None = None


@dataclass(frozen=True, slots=True)
class _Anchored:
    """A value that an alias may repeat, and how many values that adds."""

    value: Any
    size: int


class _Builder:
    """Turns the parser's events into data, one at a time, and stops at the first excess."""

    def __init__(self, file: str, limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
        self._places: dict[ValuePath, tuple[int, int]] = {}
        self._data: Any = None
        self._count = 0
        self._documents = 0

    def document(self) -> Document:
        if self._documents == 0:
            raise YamlWrong(self._file, 1, 1, "the file is empty", "write a document into it")
        return Document(self._file, self._data, self._places)

    def take(self, event: events.Event) -> None:
        match event:
            case events.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise self._wrong(event, "a second document", "keep one document in a file")
            case events.AliasEvent():
                self._alias(event)
            case events.ScalarEvent():
                self._scalar(event)
            case events.SequenceStartEvent() | events.MappingStartEvent():
                self._begin(event)
            case events.SequenceEndEvent() | events.MappingEndEvent():
                self._end()
            case _:
                pass

    def _begin(self, event: events.CollectionStartEvent) -> None:
        self._check_tag(event)
        self._counted(event, 1)
        if self._awaits_key():
            raise self._wrong(event, "a key is text", "write a plain word before the colon")
        if len(self._open) == MAX_DEPTH:
            why = f"this is nested deeper than {MAX_DEPTH}"
            raise self._wrong(event, why, "make it flatter")
        value: list[Any] | dict[str, Any] = (
            [] if isinstance(event, events.SequenceStartEvent) else {}
        )
        path = self._path()
        self._places[path] = _place(event)
        self._open.append(_Open(value, path, event.anchor, self._count))

    def _end(self) -> None:
        done = self._open.pop()
        if done.anchor:
            size = self._count - done.begun_at + 1
            self._anchors[done.anchor] = _Anchored(done.value, size)
        self._put(done.value)

    def _scalar(self, event: events.ScalarEvent) -> None:
        self._check_tag(event)
        self._counted(event, 1)
        value = event.value if event.style else self._resolved(event)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, 1)
        if self._awaits_key():
            self._key(event, event.value if self._limits.odd_keys else value)
            return
        self._places[self._path()] = _place(event)
        self._put(value)

    def _alias(self, event: events.AliasEvent) -> None:
        name = event.anchor or ""
        found = self._anchors.get(name)
        if found is None:
            why = f"nothing complete is called &{name[:80]} before this"
            raise self._wrong(event, why, "name an anchor that stands above")
        self._counted(event, found.size)
        if self._awaits_key():
            self._key(event, found.value)
            return
        self._places[self._path()] = _place(event)
        self._put(found.value)

    def _key(self, event: events.Event, key: object) -> None:
        inner = self._open[-1]
        if not isinstance(key, str):
            raise self._wrong(event, "a key is text", "put the key in quotes")
        if key == "<<" and isinstance(event, events.ScalarEvent) and not event.style:
            raise self._wrong(event, "merge keys are not read", "write the values out")
        if key in inner.value:
            raise self._wrong(event, f"the key {key[:80]!r} stands here twice", "keep one")
        inner.key = key

    def _put(self, value: object) -> None:
        if not self._open:
            self._data = value
            return
        inner = self._open[-1]
        if isinstance(inner.value, list):
            inner.value.append(value)
        elif inner.key is not None:
            inner.value[inner.key] = value
            inner.key = None

    def _awaits_key(self) -> bool:
        inner = self._open[-1] if self._open else None
        return inner is not None and isinstance(inner.value, dict) and inner.key is None

    def _path(self) -> ValuePath:
        if not self._open:
            return ()
        inner = self._open[-1]
        if isinstance(inner.value, list):
            return (*inner.path, len(inner.value))
        return (*inner.path, inner.key or "")

    def _counted(self, event: events.Event, size: int) -> None:
        self._count += size
        if self._count > self._limits.values:
            why = f"the document holds more than {self._limits.values} values, counting what aliases repeat"
            raise self._wrong(event, why, "write less, or split the file")

    def _check_tag(self, event: events.ScalarEvent | events.CollectionStartEvent) -> None:
        if event.tag is not None and event.tag != "!":
            raise self._wrong(event, f"tags like {event.tag[:80]!r} are not read", "remove it")

    def _resolved(self, event: events.ScalarEvent) -> Any:
        value = plain_value(event.value)
        if isinstance(value, float) and not isfinite(value):
            raise self._wrong(event, f"{event.value[:40]} is not a number we take", "quote it")
        return value

    def _wrong(self, event: events.Event, why: str, fix: str) -> YamlWrong:
        return YamlWrong(self._file, *_place(event), why, fix)


def plain_value(text: str) -> str | float | bool | None:
    """What a word without quotes stands for, by the core schema of YAML 1.2."""
    for pattern, read in _WORDS:
        if pattern.match(text):
            return read(text)
    return text


def _place(event: events.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
