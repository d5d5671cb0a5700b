from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class BadItem(Invalid):
    code = "bad_item"
    text = "item {0.item_id!r} is not usable: {0.why}"
    hint = "correct the item and import the file again; nothing was stored"
    item_id: str
    why: str


@dataclass(eq=False)
class DuplicateItem(Invalid):
    code = "duplicate_item"
    text = "two items have the id {0.item_id!r}"
    hint = "give every item its own id"
    item_id: str


@dataclass(eq=False)
class DuplicateContent(Invalid):
    code = "duplicate_content"
    text = "items {0.first!r} and {0.second!r} have the same input and expected answer"
    hint = "keep one of them: the same question twice is one piece of evidence, not two"
    first: str
    second: str


@dataclass(eq=False)
class ContentInTwoSplits(Invalid):
    code = "content_in_two_splits"
    text = (
        "items {0.first!r} (split {0.first_split!r}) and {0.second!r} "
        "(split {0.second_split!r}) have the same input and expected answer"
    )
    hint = "keep the item in one split; a test that was also an example proves nothing"
    first: str
    first_split: str
    second: str
    second_split: str


@dataclass(eq=False)
class EmptyDataset(Invalid):
    code = "empty_dataset"
    text = "a dataset needs at least one item"
    hint = "check that the file has one JSON object per line, or a header and rows"


@dataclass(eq=False)
class NoSuchSplit(NotFound):
    code = "no_such_split"
    text = "the dataset has no split {0.split!r}; it has {0.has}"
    hint = "choose one of its splits"
    split: str
    has: str


@dataclass(eq=False)
class ItemChanged(Conflict):
    code = "item_changed"
    text = "the stored content of item {0.item_id!r} is not what its hash says"
    hint = "somebody changed the database beside opsroom; restore `dataset_items` from a backup"
    item_id: str
