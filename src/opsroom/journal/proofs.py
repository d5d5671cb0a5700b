"""What can be proven about the journal: that an entry is in it, and that nothing was changed
since an older checkpoint. Looking only; the tree is made in `checkpoints`.
"""

from dataclasses import dataclass
from datetime import datetime

from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire

from . import tree, tree_store
from .errors import ChainBroken, NoCheckpoint, NoEntry
from .store import head
from .tree import BLOCK, BLOCK_LEVEL, Node
from .verify_journal import leaf_hash, node_hash, root_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed(Wire):
    """A checkpoint: the first `size` entries stand under this root, signed in `note`."""

    size: int
    root: str
    at: datetime
    key: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryProof(Wire):
    """That a record is entry `seq` of the `size` that `checkpoint` stands for. Hashes are hex."""

    seq: int
    size: int
    record: str
    path: tuple[str, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthProof(Wire):
    """That the first `second` entries begin with the first `first`, unchanged."""

    first: int
    second: int
    path: tuple[str, ...]


def node_of(tx: Tx) -> Node:
    """How to find hashes of the tree: those that are kept, and else from the records.

    Raises `ChainBroken` where records are missing.
    """
    seen: dict[int, list[bytes]] = {}

    def leaves(block: int) -> list[bytes]:
        found = tree_store.rows(tx, block * BLOCK, (block + 1) * BLOCK)
        return [leaf_hash(record.encode("utf-8", "surrogatepass")) for _, record, _ in found]

    def node(level: int, number: int) -> bytes:
        if level < BLOCK_LEVEL:
            start = number << level
            block = start // BLOCK
            if block not in seen:
                seen[block] = leaves(block)
            within = seen[block][start % BLOCK :][: 1 << level]
            if len(within) < 1 << level:
                raise ChainBroken(start + len(within) + 1, "entries are missing")
            return root_of(within)
        kept = tree_store.node(tx, level, number)
        if kept is not None:
            return kept
        if level > BLOCK_LEVEL:
            return node_hash(node(level - 1, 2 * number), node(level - 1, 2 * number + 1))
        fresh = leaves(number)
        if len(fresh) < BLOCK:
            raise ChainBroken(number * BLOCK + len(fresh) + 1, "entries are missing")
        return root_of(fresh)

    return node


def root_at(tx: Tx, size: int) -> bytes:
    """The root over the first `size` entries. Raises `ChainBroken` where there are fewer."""
    return tree.root(node_of(tx), 0, size)


def entry(tx: Tx, seq: int, *, size: int, note: str) -> EntryProof:
    """The proof that an entry of this project is in the checkpoint of that size.

    Raises `NoEntry`, and `NoCheckpoint` where the checkpoint was made before the entry.
    """
    found = tree_store.entry(tx, seq)
    if found is None:
        raise NoEntry(seq)
    if seq > size:
        raise NoCheckpoint(seq)
    return EntryProof(
        seq=seq, size=size, record=found[1], path=path(tx, seq, size), checkpoint=note
    )


def path(tx: Tx, seq: int, size: int) -> tuple[str, ...]:
    """The hashes from entry `seq` to the root of the first `size`."""
    return _hex(tree.inclusion(node_of(tx), seq - 1, size))


def growth(tx: Tx, first: int, second: int) -> GrowthProof:
    """The proof that the journal only grew from the size `first` to the size `second`.

    Raises `NoCheckpoint` where the journal is shorter than either.
    """
    end = head(tx).seq
    if not 0 <= first <= second <= end:
        raise NoCheckpoint(max(first, second))
    steps = tree.consistency(node_of(tx), first, second)
    return GrowthProof(first=first, second=second, path=_hex(steps))


def _hex(hashes: list[bytes]) -> tuple[str, ...]:
    return tuple(one.hex() for one in hashes)
