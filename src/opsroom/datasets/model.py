"""What agents are measured on: items, and what a version of a dataset cites.

A version does not hold its items. It holds their ids and content hashes in order, so its
digest covers every question and every expected answer, while an item that stays the same
from version to version is stored once. Two items are the same test exactly when their
content hash is equal; ids, tags and metadata are only labels.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from opsroom.kit.canonical import NotCanonical, digest
from opsroom.kit.wire import Wire

from .errors import (
    BadItem,
    ContentInTwoSplits,
    DuplicateContent,
    DuplicateItem,
    EmptyDataset,
    NoSuchSplit,
)

TRAIN, SELECTION, TEST = "train", "selection", "test"
DEFAULT_SPLIT = TEST
MAX_ID_LENGTH = 200
_SPLIT = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_PRINTABLE_ID = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Wire):
    """One case: what goes in and, where it is known, what should come out."""

    id: str
    input: JsonValue
    expected: JsonValue = None
    split: str = DEFAULT_SPLIT
    tags: tuple[str, ...] = ()
    metadata: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    @property
    def hash(self) -> str:
        """The content hash: equal exactly where input and expected answer are equal."""
        return digest({"input": self.input, "expected": self.expected})


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRef(Wire):
    """An item as a version cites it."""

    id: str
    hash: str
    split: str = DEFAULT_SPLIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage(Wire):
    """Where a version came from: a file, an earlier version, a person or a rule."""

    source: str | None = None
    source_sha256: str | None = None
    parent: str | None = None
    made_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSpec(Wire):
    """What one version of a dataset cites. Its digest changes when any content changes.

    `evaluators` are the ones that judge answers to these items unless others are asked for.
    """

    items: tuple[ItemRef, ...]
    description: str = ""
    evaluators: tuple[str, ...] = ()
    lineage: Lineage = field(default_factory=Lineage)

    @property
    def splits(self) -> dict[str, int]:
        """How many items each split has, in the order in which splits appear."""
        sizes: dict[str, int] = {}
        for ref in self.items:
            sizes[ref.split] = sizes.get(ref.split, 0) + 1
        return sizes

    def only(self, split: str) -> tuple[ItemRef, ...]:
        """The items of one split, in order. Raises `NoSuchSplit` rather than give nothing."""
        chosen = tuple(ref for ref in self.items if ref.split == split)
        if not chosen:
            raise NoSuchSplit(split, ", ".join(repr(name) for name in self.splits))
        return chosen


def split_of(asked: str) -> str:
    """The split of a question, by the digest of it: half of all questions are examples, a
    quarter selects candidates, a quarter tests them, whatever dataset they get into.
    """
    return (TRAIN, TRAIN, SELECTION, TEST)[int(asked[:8], 16) % 4]


def dataset_spec(
    items: Iterable[Item],
    *,
    description: str = "",
    lineage: Lineage | None = None,
    evaluators: Iterable[str] = (),
) -> DatasetSpec:
    """Check `items` and cite them, in the order given.

    Raises `DuplicateItem`, `DuplicateContent`, `ContentInTwoSplits`, `BadItem` or
    `EmptyDataset`. Reads `items` once and keeps only their references.
    """
    spec = DatasetSpec(
        items=tuple(cite(item) for item in items),
        description=description,
        evaluators=tuple(evaluators),
        lineage=lineage or Lineage(),
    )
    check_references(spec.items)
    return spec


def cite(item: Item) -> ItemRef:
    """The reference to `item`; raises `BadItem` where it cannot be stored or compared."""
    if len(item.id) > MAX_ID_LENGTH or not _PRINTABLE_ID.fullmatch(item.id):
        raise BadItem(
            item.id[:MAX_ID_LENGTH], f"an id is 1 to {MAX_ID_LENGTH} printable characters"
        )
    if not _SPLIT.fullmatch(item.split):
        raise BadItem(
            item.id,
            f"split {item.split!r} is not 1 to 32 lower-case letters, digits, '-' or '_'",
        )
    try:
        return ItemRef(id=item.id, hash=item.hash, split=item.split)
    except NotCanonical as error:
        raise BadItem(item.id, str(error)) from error


def check_references(refs: Sequence[ItemRef]) -> None:
    """Hold the rules of a version: own ids, one item per content, no content in two splits."""
    if not refs:
        raise EmptyDataset
    ids: set[str] = set()
    first_with: dict[str, ItemRef] = {}
    for ref in refs:
        if ref.id in ids:
            raise DuplicateItem(ref.id)
        ids.add(ref.id)
        first = first_with.setdefault(ref.hash, ref)
        if first.split != ref.split:
            raise ContentInTwoSplits(first.id, first.split, ref.id, ref.split)
        if first is not ref:
            raise DuplicateContent(first.id, ref.id)


def distinct(items: Iterable[Item]) -> tuple[list[Item], list[Item]]:
    """The first item of each content, and the later ones that repeat it.

    For importers: real files do ask the same question twice, and saying which lines were
    left out is better than refusing the file. Splits are not looked at here.
    """
    kept: list[Item] = []
    repeated: list[Item] = []
    seen: set[str] = set()
    for item in items:
        content = cite(item).hash
        (repeated if content in seen else kept).append(item)
        seen.add(content)
    return kept, repeated
