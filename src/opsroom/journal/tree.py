"""The Merkle tree over the records of the journal, as RFC 6962 has it. No I/O.

A proof needs a few hashes of full subtrees. `Node` finds one: `node(level, number)` is the
root over the 2^level records from number · 2^level on, counted from 0.
"""

from collections.abc import Callable, Generator, Iterable, Sequence

from .errors import ChainBroken
from .verify_journal import Checkpoint, Tree, node_hash, root_of

# Hashes are kept of blocks of so many records and of what lies above them; what lies below is
# computed again from the records, which are there anyway.
BLOCK = 256
BLOCK_LEVEL = 8
Node = Callable[[int, int], bytes]


def root(node: Node, start: int, end: int) -> bytes:
    """The root over the records from `start` to before `end`; `start` begins a full subtree."""
    count = end - start
    if count == 0:
        return root_of(())
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(count)
    return node_hash(root(node, start, middle), root(node, middle, end))


def inclusion(node: Node, index: int, size: int) -> list[bytes]:
    """The audit path of record `index` in the tree of `size` (RFC 6962, section 2.1.1)."""
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(root(node, middle, end))
            end = middle
        else:
            path.append(root(node, start, middle))
            start = middle
    return path[::-1]


def consistency(node: Node, first: int, second: int) -> list[bytes]:
    """The proof that the tree of `second` begins with that of `first` (section 2.1.2)."""
    path: list[bytes] = []
    if first == 0:
        return path
    start, end = 0, second
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(root(node, middle, end))
            end = middle
        else:
            path.append(root(node, start, middle))
            start = middle
    if start:  # the older tree is not itself a subtree of the newer one
        path.append(root(node, start, end))
    return path[::-1]


def held(
    rows: Iterable[tuple[int, str, str]], against: Sequence[Checkpoint]
) -> Generator[tuple[int, str, str], None, None]:
    """The rows as they are, oldest first, held against checkpoints while they pass.

    Raises `ChainBroken` where they are not those that a checkpoint stands for, or where they
    end before it.
    """
    roots = {one.size: one.root for one in against if one.size}
    if not roots:
        yield from rows
        return
    whole, seq = Tree(), 0
    for row in rows:
        yield row
        seq += 1
        whole.add(row[1].encode("utf-8", "surrogatepass"))
        if seq in roots and whole.root() != roots.pop(seq):
            raise ChainBroken(
                seq, "the entries up to here are not those that a checkpoint stands for"
            )
    for size in roots:
        raise ChainBroken(
            seq + 1, f"{size - seq} entries that a checkpoint counted are missing at the end"
        )


def _split(count: int) -> int:
    """The largest power of two below `count`: how many records lie to the left."""
    return 1 << ((count - 1).bit_length() - 1)
