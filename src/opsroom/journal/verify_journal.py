"""Check an exported journal of opsroom, on any machine, with nothing but Python 3.9 or later.

    python verify_journal.py journal.jsonl checkpoint.txt --key KEY
    python verify_journal.py journal.jsonl checkpoint.txt --key KEY --older last-month.txt
    python verify_journal.py --entry proof.json checkpoint.txt --key KEY

This one file needs no opsroom and no other package, so that whoever doubts a journal can read
the whole of it first. It answers 0 when everything holds, and 1 with the first thing that
does not. What it checks, in the order of the code below:

1.  The signature. A checkpoint is a signed note (c2sp.org/signed-note) that says: "this
    journal has so many entries, and this hash stands for all of them" (c2sp.org/tlog-checkpoint).
    Ed25519, as in RFC 8032. KEY is what `opsroom audit key` printed: get it from somebody you
    trust, not from whoever gave you the journal.
2.  The tree. The hash is the root of a Merkle tree over all records (RFC 6962, section 2.1).
    It is computed again from the records themselves.
3.  The chain. Each entry carries SHA-256(hash of the entry before, line feed, record), and its
    own number. An entry that was edited, dropped, inserted or moved breaks it.
4.  The past. With --older, the journal must begin with exactly what an older checkpoint stood
    for: nothing that was on record then was changed since.
5.  Or, with --entry, that one entry is among those that the checkpoint stands for, without
    the rest of the journal.
"""

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Optional

MAX_LINE = 64 * 2**20  # bytes; an entry is never that long
MAX_NOTE = 1_000_000


class Broken(Exception):
    """Something does not hold. The message says what, and where."""


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


# -- 1a. Ed25519: is this signature of this message by this key? (RFC 8032, section 5.1) ------

P = 2**255 - 19  # the field that the curve lies over
ORDER = 2**252 + 27742317777372353535851937790883648493  # how many points B generates
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)

# A point (x, y) is kept as (X, Y, Z, T) with x = X/Z, y = Y/Z and xy = T/Z.
Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


def add(p: Point, q: Point) -> Point:
    """The sum of two points of the curve (RFC 8032, section 5.1.4)."""
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(number: int, point: Point) -> Point:
    """`point` added to itself so many times."""
    total = NEUTRAL
    while number:
        if number & 1:
            total = add(total, point)
        point = add(point, point)
        number >>= 1
    return total


def packed(point: Point) -> bytes:
    """The 32 bytes that stand for a point: y, and the lowest bit of x as the highest bit."""
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def unpacked(data: bytes) -> Optional[Point]:
    """The point that 32 bytes stand for (RFC 8032, section 5.1.3); None where there is none."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


_base = unpacked((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
assert _base is not None  # y = 4/5 is on the curve
BASE: Point = _base


def signed_by(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether S·B = R + k·A, which only the holder of the private half of A can bring about."""
    point = unpacked(public) if len(public) == 32 and len(signature) == 64 else None
    s = int.from_bytes(signature[32:], "little")
    if point is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little")
    minus_a: Point = (P - point[0], point[1], point[2], P - point[3])
    return packed(add(times(s, BASE), times(k % ORDER, minus_a))) == signature[:32]


# -- 1b. Signed notes and checkpoints ---------------------------------------------------------


class Key(NamedTuple):
    """Who may sign: a name, and the public half of an Ed25519 key."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that stand in every signature, so that the key to it is found."""
        return sha256(self.name.encode() + b"\n\x01" + self.public)[:4]

    def __str__(self) -> str:
        half = base64.b64encode(b"\x01" + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{half}"


def read_key(text: str) -> Key:
    """The key that `name+id+base64` writes down."""
    name, _, rest = text.strip().partition("+")
    id_, _, half = rest.partition("+")
    raw = _unbase64(half)
    if (
        not name
        or name.split() != [name]
        or raw is None
        or raw[:1] != b"\x01"
        or len(raw) != 33
    ):
        raise Broken(f"this is no key: {text[:100]!r}")
    key = Key(name, raw[1:])
    if key.id.hex() != id_:
        raise Broken(f"the key of {name!r} does not fit its own id; it was not copied whole")
    return key


class Checkpoint(NamedTuple):
    """What was signed: which journal, how many entries, and the hash of them all."""

    origin: str
    size: int
    root: bytes


def read_checkpoint(note: str, key: Key) -> Checkpoint:
    """What the note says, once it is certain that `key` signed it."""
    if len(note) > MAX_NOTE:
        raise Broken("the checkpoint is too long to be one")
    text, gap, signatures = note.rpartition("\n\n")
    text += "\n"
    good = False
    if not gap or not signatures.endswith("\n"):
        raise Broken("this is no signed checkpoint, or not the whole of one")
    for line in signatures[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, data = rest.partition(" ")
        raw = _unbase64(data)
        if dash != "\u2014" or raw is None:
            raise Broken(f"this is no line of a signature: {line[:100]!r}")
        if name == key.name and raw[:4] == key.id:  # others may have signed as well
            if not signed_by(key.public, text.encode(), raw[4:]):
                raise Broken("the signature of the checkpoint is not by this key")
            good = True
    if not good:
        raise Broken("the checkpoint is not signed by this key")
    lines = text.split("\n")
    root = _unbase64(lines[2]) if len(lines) > 3 else None
    if (
        root is None
        or len(root) != 32
        or not re.fullmatch("0|[1-9][0-9]{0,17}", lines[1], re.ASCII)
    ):
        raise Broken("what was signed is no checkpoint")
    if lines[0] != key.name:
        raise Broken(f"the checkpoint is of {lines[0]!r}, and the key of {key.name!r}")
    return Checkpoint(lines[0], int(lines[1]), root)


def _unbase64(text: str) -> Optional[bytes]:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None  # one way to write it


# -- 2. The tree (RFC 6962, section 2.1) ------------------------------------------------------


def leaf_hash(record: bytes) -> bytes:
    return sha256(b"\x00" + record)


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right)


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over leaves. Pairs are joined level by level; one that is left over goes up as
    it is, which is the same tree as that of RFC 6962.
    """
    if not hashes:
        return sha256(b"")
    level = list(hashes)
    while len(level) > 1:
        joined = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = joined + level[len(joined) * 2 :]
    return level[0]


class Tree:
    """A tree that grows record by record and remembers no more than it needs: the leaves of
    the last block of 256, and the roots of the full subtrees before it, largest first.
    """

    def __init__(self) -> None:
        self.leaves: list[bytes] = []
        self.full: list[tuple[int, bytes]] = []  # (blocks below it, root)

    def add(self, record: bytes) -> None:
        self.leaves.append(sha256(b"\x00" + record))
        if len(self.leaves) == 256:
            blocks, root = 1, root_of(self.leaves)
            while self.full and self.full[-1][0] == blocks:
                root = node_hash(self.full.pop()[1], root)
                blocks *= 2
            self.full.append((blocks, root))
            self.leaves.clear()

    def root(self) -> bytes:
        """The root over everything so far."""
        if not self.full:
            return root_of(self.leaves)
        parts = [root for _, root in self.full]
        if self.leaves:
            parts.append(root_of(self.leaves))
        whole = parts.pop()
        while parts:
            whole = node_hash(parts.pop(), whole)
        return whole


# -- 3 and 4. The journal: one JSON line for each entry, and a last one that repeats the head --

ENTRY = re.compile(rb'\{"seq":([0-9]{1,18}),"hash":"([0-9a-f]{64})","record":(\{.*\})\}\n?')
HEAD = re.compile(rb'\{"head":\{"seq":([0-9]{1,18}),"hash":"([0-9a-f]{64})"\}\}\n?')


def entries_in(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes, bytes]]:
    """The number, hash and record of each line; after them the line that closes the journal."""
    number, last = b"0", b"0" * 64
    closed = False
    entry_in = ENTRY.fullmatch
    for line in lines:
        if closed:
            raise Broken("something follows the line that closes the journal")
        entry = entry_in(line)
        if entry is not None:
            number, last, record = entry.groups()
            yield number, last, record
        else:
            head = HEAD.fullmatch(line)
            if head is None:
                raise Broken(f"what follows entry {number.decode()} is no entry")
            if head.groups() != (number, last):
                raise Broken(
                    f"the last entry, {number.decode()}, is not the head that is named"
                )
            closed = True
    if not closed:
        raise Broken(f"the journal breaks off after entry {number.decode()}")


def check_journal(
    lines: Iterable[bytes], checkpoint: Checkpoint, older: Optional[Checkpoint] = None
) -> int:
    """Check every line, and answer how many entries there are. Raises `Broken`."""
    wanted = [("checkpoint", checkpoint)] + ([("older checkpoint", older)] if older else [])
    sizes = {one.size for _, one in wanted}
    tree, seq, last = Tree(), 0, b"0" * 64
    _hold(tree, seq, wanted)
    for number, stored, record in entries_in(lines):
        seq += 1
        if number != b"%d" % seq:
            raise Broken(f"entry {seq} is missing, or out of its place")
        # Keys are sorted and quotes in text are escaped, so the last one is the entry's own.
        if not record.startswith(b',"seq":%d,"subject":"' % seq, record.rfind(b',"seq":')):
            raise Broken(f"entry {seq}: the record carries another number")
        last = hashlib.sha256(last + b"\n" + record).hexdigest().encode()
        if last != stored:
            raise Broken(f"entry {seq}: its hash does not cover its content and the one before")
        tree.add(record)
        if seq in sizes:
            _hold(tree, seq, wanted)
    for which, one in wanted:
        if one.size > seq:
            raise Broken(f"{one.size - seq} entries are missing: the {which} counts {one.size}")
    return seq


def _hold(tree: Tree, size: int, wanted: Iterable[tuple[str, Checkpoint]]) -> None:
    for which, one in wanted:
        if one.size == size and tree.root() != one.root:
            raise Broken(f"the first {size} entries are not those of the {which}")


# -- 5. Proofs (RFC 9162, sections 2.1.3.2 and 2.1.4.2) ---------------------------------------


def check_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Raise `Broken` unless `leaf` is number `index`, counted from 0, of the `size` under `root`."""
    if not 0 <= index < size:
        raise Broken("the entry lies behind the end of the tree")
    here, last, found = index, size - 1, leaf
    for other in path:
        if last == 0:
            raise Broken("the proof is longer than the tree is high")
        if here & 1 or here == last:
            found = node_hash(other, found)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, other)
        here, last = here >> 1, last >> 1
    if last or found != root:
        raise Broken("the proof does not lead to the root: the entry is not in the journal")


def check_consistency(  # noqa: C901  # the steps of the RFC, in its order
    first: int, second: int, path: Sequence[bytes], first_root: bytes, second_root: bytes
) -> None:
    """Raise `Broken` unless the tree of `second` leaves begins with that of `first` leaves."""
    if not 0 <= first <= second:
        raise Broken("the older tree is the larger one")
    if first in {0, second}:
        if path or (first == second and first_root != second_root):
            raise Broken("the two trees are not the same")
        return
    steps = list(path) if first & (first - 1) else [first_root, *path]
    here, last = first - 1, second - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    if not steps:
        raise Broken("the proof is empty")
    old = new = steps[0]
    for other in steps[1:]:
        if last == 0:
            raise Broken("the proof is longer than the tree is high")
        if here & 1 or here == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            new = node_hash(new, other)
        here, last = here >> 1, last >> 1
    if last or old != first_root or new != second_root:
        raise Broken("the newer tree does not begin with the older one")


def check_entry(text: str, checkpoint: Checkpoint) -> int:
    """Check what `opsroom audit prove` wrote, and answer the number of the entry."""
    try:
        proof: dict[str, Any] = json.loads(text)
        seq, size, record = int(proof["seq"]), int(proof["size"]), str(proof["record"])
        path = [bytes.fromhex(one) for one in proof["path"]]
    except (KeyError, TypeError, ValueError) as error:
        raise Broken("this is no proof of an entry") from error
    if size != checkpoint.size:
        raise Broken(
            f"the proof is for {size} entries, and the checkpoint for {checkpoint.size}"
        )
    data = record.encode("utf-8", "surrogatepass")
    if not data.startswith(b',"seq":%d,"subject":"' % seq, data.rfind(b',"seq":')):
        raise Broken("the record carries another number")
    check_inclusion(leaf_hash(data), seq - 1, size, path, checkpoint.root)
    return seq


# -- The command ------------------------------------------------------------------------------


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(description="Check an exported journal of opsroom.")
    parser.add_argument("file", type=Path, help="the export, or with --entry the proof")
    parser.add_argument("checkpoint", type=Path, help="the signed checkpoint")
    parser.add_argument("--key", required=True, help="the key, or a file that holds it")
    parser.add_argument("--older", type=Path, help="an older checkpoint, kept elsewhere")
    parser.add_argument("--entry", action="store_true", help="check the proof of one entry")
    asked = parser.parse_args(arguments)
    try:
        key = read_key(_key_text(asked.key))
        checkpoint = read_checkpoint(_text(asked.checkpoint), key)
        older = read_checkpoint(_text(asked.older), key) if asked.older else None
        if asked.entry:
            seq = check_entry(_text(asked.file), checkpoint)
            print(f"holds: entry {seq} is one of the {checkpoint.size} that {key.name} signed")
            return 0
        with asked.file.open("rb") as file:
            lines = iter(lambda: file.readline(MAX_LINE), b"")
            entries = check_journal(lines, checkpoint, older)
    except (Broken, OSError, UnicodeError) as error:
        print(f"BROKEN: {error}")
        return 1
    print(f"holds: {checkpoint.size} entries, as {key.name} signed them")
    if older:
        print(f"holds: it begins with the {older.size} entries of the older checkpoint")
    if entries > checkpoint.size:
        print(f"note: {entries - checkpoint.size} entries after it are held by the chain alone")
    return 0


def _key_text(given: str) -> str:
    return given if "+" in given else _text(Path(given))


def _text(path: Path) -> str:
    with path.open("rb") as file:  # its bytes, with no end of a line turned into another
        return file.read(MAX_LINE).decode("utf-8")


def _run() -> NoReturn:
    sys.exit(main())


if __name__ == "__main__":
    _run()
