"""What a tool answered, as records and their fields, where it has any.

Text that somebody wrote stands in the long fields of a record; who and what a record is about
stands in the short ones, and nobody can reach from a long field into a short one. So an answer
is read as JSON, YAML, a Python literal or a plain list of short lines, and everything else is
prose. Hostile answers cost no more than their length: depth, leaves and size are bounded.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from .shapes import things, whole
from .words import normal, tokens

LONGEST = 200_000  # characters that are read for structure; the rest is prose
LEAVES = 20_000
DEPTH = 48
NAME_WORDS = 8
NAME_LENGTH = 96
FREE_WORDS = 4

_FIELD = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]*)*")
_YAML = re.compile(r"(?:- |[\w'\"][^\n]{0,80}?:(?:\s|$))")
_FENCED = re.compile(r"```\w*\n(.*)\n```", re.DOTALL)
_OPENING, _CLOSING = "<«{[(", ">»}])"
_IDENTIFIES = re.compile(r"(?:^|_)(?:id|number|name)_?$", re.IGNORECASE)
_WRAPPINGS = 3
_NOTHING = frozenset({"", "null", "none", "true", "false", "~", "[]", "{}"})


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of one record. `name` says that it is short enough to be one, and no prose."""

    record: int
    field: str
    text: str  # normal
    name: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool answered. Without structure it is one leaf of prose."""

    leaves: tuple[Leaf, ...]
    structured: bool
    records: int

    @property
    def free(self) -> bool:
        """Whether there is text in it in which somebody could tell an agent something."""
        return any(not one.name or one.text.count(" ") >= FREE_WORDS - 1 for one in self.leaves)


def read(text: str) -> Answer:
    """The records of an answer."""
    text = text.strip()
    if len(text) <= LONGEST:
        for inner in _unwrapped(text):
            data = _parsed(inner)
            if data is not None:
                return _answer(data)
        listed = _listed(text)
        if listed is not None:
            return _answer(listed)
    return Answer((Leaf(0, "", normal(text), name=False),), structured=False, records=1)


def is_name(text: str) -> bool:
    """Whether normal text is a name, an address or a number, and not a place for prose."""
    if len(text) > NAME_LENGTH or "\n" in text:
        return whole(text) is not None
    if whole(text) is not None:
        return True
    return len(tokens(text)) <= NAME_WORDS and next(things(text), None) is None


def _unwrapped(text: str) -> Iterator[str]:
    """The text, and what is inside of fences or doubled brackets that were put around it."""
    yield text
    fenced = _FENCED.fullmatch(text)
    if fenced is not None:
        yield fenced.group(1)
    for opening, closing in zip(_OPENING, _CLOSING, strict=True):
        if text.startswith(opening * 2) and text.endswith(closing * 2) and len(text) > 4:
            yield text[2:-2].strip()


def _parsed(text: str) -> Any:
    if not text or _nests_too_deep(text):
        return None
    if text[0] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            pass
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            pass
    if text[0] in "[{" or _YAML.match(text) or ("\n" not in text and whole(normal(text))):
        try:
            return _from_yaml(text)
        except yaml.YAMLError:
            return None
    return None


def _from_yaml(text: str) -> Any:
    """YAML as text, lists and mappings, event by event: libyaml's own composer recurses, and
    overflows the stack on hostile nesting. References and tags make an answer prose.
    """
    open_: list[list[Any]] = [[]]
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent) or len(open_) > DEPTH:
            return None
        if isinstance(event, yaml.ScalarEvent):
            open_[-1].append(event.value)
        elif isinstance(event, yaml.CollectionStartEvent):
            open_.append([])
        elif isinstance(event, yaml.SequenceEndEvent):
            done = open_.pop()
            open_[-1].append(done)
        elif isinstance(event, yaml.MappingEndEvent):
            parts = open_.pop()
            keys = [one if isinstance(one, str) else str(one) for one in parts[::2]]
            open_[-1].append(dict(zip(keys, parts[1::2], strict=True)))
    return open_[0][0] if len(open_[0]) == 1 else None


_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def _nests_too_deep(text: str) -> bool:
    depth = 0
    for one in re.findall(r"[\[\]{}()]", text):
        depth += 1 if one in "[{(" else -1
        if depth > DEPTH:
            return True
    return False


def _listed(text: str) -> Any:
    """What an answer of nothing but short lines lists: its items, or the fields of a form."""
    lines = [one.strip(" \t-*•") for one in text.splitlines()]
    pairs = [re.split(r":\s+", one, maxsplit=1) for one in lines if one]
    names = [part for pair in pairs for part in pair if part]
    if not 1 < len(pairs) <= LEAVES or not all(is_name(normal(one)) for one in names):
        return None
    form = any(len(pair) > 1 and whole(normal(pair[1])) for pair in pairs)
    return [names] if form else names


def _answer(data: Any) -> Answer:
    records = _records(data)
    leaves: list[Leaf] = []
    for number, record in enumerate(records):
        for field, text in _leaves(record, "", DEPTH):
            clean = normal(text).strip()
            if clean not in _NOTHING:
                leaves.append(Leaf(number, field, clean, is_name(clean)))
            if len(leaves) >= LEAVES:
                break
    return Answer(tuple(leaves), structured=True, records=len(records))


def _records(data: Any) -> list[Any]:
    """The things an answer is about: the items of its list, however that is wrapped."""
    for _ in range(_WRAPPINGS):
        if not isinstance(data, Mapping) or not data:
            break
        if len(data) == 1:
            (data,) = data.values()
        elif all(isinstance(one, Mapping) for one in data.values()):
            return [{"": key, **one} for key, one in data.items()]
        elif not any(_FIELD.fullmatch(str(key)) for key in data):
            return [{"": key, "value": one} for key, one in data.items()]
        else:
            lists = [key for key, one in data.items() if _holds_records(one)]
            if len(lists) != 1 or any(_IDENTIFIES.search(str(key)) for key in data):
                break  # a record of its own, with parts
            rest = {key: one for key, one in data.items() if key != lists[0]}
            return [*data[lists[0]], rest]
    return list(data) if isinstance(data, list) and data else [data]


def _holds_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _leaves(value: Any, field: str, left: int) -> Iterator[tuple[str, str]]:
    if left == 0:
        return
    if isinstance(value, Mapping):
        for key, part in value.items():
            name = str(key)
            if name and not _FIELD.fullmatch(name):
                yield f"{field}/*", name  # a key that is data: {"ada@corp.com": "rw"}
            yield from _leaves(part, f"{field}/{name}", left - 1)
    elif isinstance(value, list | tuple | set):
        for part in value:
            yield from _leaves(part, field, left - 1)
    elif value is not None and not isinstance(value, bool):
        yield field, str(value)
