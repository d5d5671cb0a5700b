"""Datasets: what agents are measured on, as versions that cite their items by content."""

from .errors import (
    BadItem,
    ContentInTwoSplits,
    DuplicateContent,
    DuplicateItem,
    EmptyDataset,
    ItemChanged,
    NoSuchSplit,
)
from .model import (
    DEFAULT_SPLIT,
    DatasetSpec,
    Item,
    ItemRef,
    Lineage,
    cite,
    dataset_spec,
    distinct,
)

__all__ = [
    "DEFAULT_SPLIT",
    "BadItem",
    "ContentInTwoSplits",
    "DatasetSpec",
    "DuplicateContent",
    "DuplicateItem",
    "EmptyDataset",
    "Item",
    "ItemChanged",
    "ItemRef",
    "Lineage",
    "NoSuchSplit",
    "cite",
    "dataset_spec",
    "distinct",
]
