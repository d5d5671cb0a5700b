"""What a search may see: the one place where items are read, and the guard on it.

`Material` cannot hold a held-out item, and everything that searches takes `Material` and
nothing else that items could be had from. So a test item reaches no optimiser and no model
while a search goes on.
"""

from dataclasses import dataclass

from opsroom.datasets import DatasetSpec, Item
from opsroom.datasets import queries as datasets
from opsroom.kit.db import Tx

from .errors import HeldOut, SplitMissing
from .model import HELD_OUT, SEEN, SELECTION, TRAIN


@dataclass(frozen=True, slots=True)
class Material:
    """Items to learn from and items to choose by. Raises `HeldOut` for any other."""

    train: tuple[Item, ...]
    selection: tuple[Item, ...]

    def __post_init__(self) -> None:
        for wanted, items in ((TRAIN, self.train), (SELECTION, self.selection)):
            for item in items:
                if item.split not in SEEN or item.split != wanted:
                    raise HeldOut(item.id, item.split)


def gather(tx: Tx, dataset: str) -> Material:
    """The items of both splits of a dataset's version. Raises as `check_splits` does."""
    version, spec = datasets.dataset(tx, dataset)
    check_splits(version.ref, spec)
    return Material(
        train=tuple(datasets.items(tx, spec, split=TRAIN)) if TRAIN in spec.splits else (),
        selection=tuple(datasets.items(tx, spec, split=SELECTION)),
    )


def check_splits(name: str, spec: DatasetSpec, *, learns: bool = False) -> None:
    """Raises `SplitMissing` where there is nothing to choose by, nothing to prove it on, or
    (where a method `learns` from items) nothing to learn from.
    """
    for split in (SELECTION, HELD_OUT, *((TRAIN,) if learns else ())):
        if split not in spec.splits:
            raise SplitMissing(name, split)
