"""Checkpoints: signed notes that say how far the journal went, and what it was.

They are made beside the work, never inside its transactions, and kept in the database and in
the installation's folder. An older backup of the database that was put back, or an end that
was cut off, then lies behind the note in the folder, and shows. Whoever has the folder has
both; a copy that is kept elsewhere shows what was done to both.

A checkpoint leaves no entry in the journal, which would call for the next checkpoint.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from opsroom.access.commands import DEFAULT_PROJECT
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.errors import Failed
from opsroom.kit.files import write_private

from . import keys, proofs, queries, store, tree_store
from .errors import BadCheckpoint, ChainBroken, KeyElsewhere, NoCheckpoint
from .keys import SigningKey
from .model import Head
from .model import verify as walk
from .proofs import Signed
from .tree import BLOCK, BLOCK_LEVEL
from .verify_journal import (
    Broken,
    Checkpoint,
    leaf_hash,
    node_hash,
    read_checkpoint,
    read_key,
    root_of,
)

SUBJECT = "journal"
KEY_MADE = "journal.key_made"
SYSTEM = Actor("system:journal", DEFAULT_PROJECT, human=False)
STEP = 64  # blocks a transaction


@dataclass(frozen=True, slots=True)
class Notary:
    """Where a process keeps its key and the newest checkpoint: the installation's folder."""

    folder: Path

    @property
    def key_file(self) -> Path:
        return self.folder / "journal.key"

    @property
    def kept_file(self) -> Path:
        return self.folder / "checkpoint.txt"

    def key(self) -> SigningKey | None:
        return keys.load(self.key_file)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody else signs here; however they end, the system lets go."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "journal.lock").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def kept(self) -> str | None:
        """The newest note in the folder."""
        try:
            return self.kept_file.read_bytes().decode()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeError) as error:
            raise BadCheckpoint(str(self.kept_file), "it cannot be read") from error


def key_on_record(tx: Tx) -> str | None:
    """The public key that signs this journal, as the journal itself says."""
    made = tree_store.newest(tx, DEFAULT_PROJECT, KEY_MADE)
    return None if made is None else str(made.facts["key"])


def last(tx: Tx) -> Signed | None:
    """The newest checkpoint that the database has."""
    key, found = key_on_record(tx), tree_store.last_checkpoint(tx)
    if key is None or found is None:
        return None
    at, note = found
    checkpoint = _opened(note, key, "the database")
    return Signed(size=checkpoint.size, root=checkpoint.root.hex(), at=at, key=key, note=note)


def check(tx: Tx, notary: Notary) -> None:
    """Hold the journal against the newest checkpoints, in the database and in the folder, by
    the tree that is kept: a look that costs little. `verify` goes through the records.

    Raises `ChainBroken` where entries that were signed are missing or are others now, and
    `BadCheckpoint` where the note is not by our key.
    """
    for kept in _kept(tx, notary):
        end = store.head(tx)
        if end.seq < kept.size:
            raise ChainBroken(
                end.seq + 1,
                f"{kept.size - end.seq} entries that the last checkpoint counted are missing:"
                " an older backup was put back, or the end was cut off",
            )
        if proofs.root_at(tx, kept.size) != kept.root:
            raise ChainBroken(
                kept.size,
                "the entries up to here are not those that the last checkpoint stands for",
            )


def verify(tx: Tx, notary: Notary | None, *, older: Head | None = None) -> Head:
    """Walk the whole chain and hold it against the newest checkpoints, record by record.

    Raises `ChainBroken` and `BadCheckpoint`.
    """
    if notary is not None:
        check(tx, notary)
    return queries.verify(tx, older=older, against=_kept(tx, notary) if notary else ())


def make(db: Database, notary: Notary) -> Signed:
    """Sign what the journal is now, unless the newest checkpoint already does.

    Only what continues every checkpoint before it is signed. Raises `ChainBroken` else, and
    `KeyElsewhere` where another process signs this journal.
    """
    with notary.alone():
        grow(db)
        with db.read(SYSTEM) as tx:
            check(tx, notary)
        return _sign(db, notary, _key(db, notary))


def begin_anew(db: Database, notary: Notary, actor: Actor, *, reason: str) -> Signed:
    """Make another key, and sign the journal as it is with it.

    For a key that was lost or got out, and for a backup that had to be put back: what the
    journal cannot show any more is put on record. The old checkpoint stays in the folder.
    """
    with notary.alone():
        note, key = notary.kept(), keys.make()
        with db.read(SYSTEM) as tx:
            before, missing = key_on_record(tx), ""
            try:
                check(tx, notary)
            except Failed as error:
                missing = str(error)
        if note is not None:
            aside = notary.kept_file.with_name(f"checkpoint-before-{key.public.id.hex()}.txt")
            write_private(aside, note)
            notary.kept_file.unlink()
        write_private(notary.key_file, key.written())
        with db.write(replace(actor, project=DEFAULT_PROJECT)) as tx:
            tx.record(
                KEY_MADE,
                SUBJECT,
                key=str(key.public),
                before=before or "",
                reason=reason,
                broken=missing,
            )
            tree_store.forget_checkpoints(tx)
        grow(db)
        return _sign(db, notary, key)


def grow(db: Database) -> None:
    """Take what was written since into the tree, block by block. Safe to repeat, and to do in
    several processes. Raises `ChainBroken` where an entry does not follow the one before.
    """
    while True:
        with db.read(SYSTEM) as tx:
            found = _fresh(tx)
        if not found:
            return
        with db.write(SYSTEM) as tx:
            tree_store.keep_nodes(tx, found)


def _fresh(tx: Tx) -> list[tuple[int, int, bytes]]:
    """The next nodes of the tree: of some full blocks, and all that they complete above."""
    first = tree_store.blocks(tx)
    end = min(store.head(tx).seq // BLOCK, first + STEP)
    found: dict[tuple[int, int], bytes] = {}
    before = tree_store.head_at(tx, first * BLOCK)
    for block in range(first, end):
        rows = tree_store.rows(tx, before.seq, before.seq + BLOCK)
        before = walk(rows, after=before)
        level, number = BLOCK_LEVEL, block
        found[level, number] = root_of([leaf_hash(_raw(record)) for _, record, _ in rows])
        while number & 1:
            left = found.get((level, number - 1)) or tree_store.node(tx, level, number - 1)
            assert left is not None, "blocks are kept in order, with what they complete"
            joined = node_hash(left, found[level, number])
            level, number = level + 1, number >> 1
            found[level, number] = joined
    return [(level, number, hash_) for (level, number), hash_ in found.items()]


def _key(db: Database, notary: Notary) -> SigningKey:
    """The key in the folder, made where the journal never had one, and put on record."""
    key = notary.key()
    with db.read(SYSTEM) as tx:
        recorded = key_on_record(tx)
    if recorded is None:
        if key is None:
            key = keys.make()
            write_private(notary.key_file, key.written())
        with db.write(SYSTEM) as tx:
            store.lock(tx)  # another process may be at the same
            recorded = key_on_record(tx)
            if recorded is None:
                recorded = str(key.public)
                tx.record(KEY_MADE, SUBJECT, key=recorded, before="", reason="", broken="")
    if key is None or str(key.public) != recorded:
        raise KeyElsewhere(recorded)
    return key


def _sign(db: Database, notary: Notary, key: SigningKey) -> Signed:
    with db.read(SYSTEM) as tx:
        found, end = last(tx), store.head(tx)
        if found is None or found.size < end.seq:
            start = tree_store.head_at(tx, tree_store.blocks(tx) * BLOCK)
            whole = walk(tree_store.rows(tx, start.seq, end.seq), after=start)
            if whole != end:
                raise ChainBroken(whole.seq, "the chain does not end at the head beside it")
            note = key.sign(end.seq, proofs.root_at(tx, end.seq))
        else:
            note = found.note
    if note != notary.kept():
        write_private(notary.kept_file, note)
    if found is None or found.note != note:
        with db.write(SYSTEM) as tx:
            tree_store.keep_checkpoint(tx, end.seq, note)
            found = last(tx)
    if found is None:
        raise NoCheckpoint(end.seq)
    return found


def _kept(tx: Tx, notary: Notary) -> list[Checkpoint]:
    """The newest checkpoints, in the database and outside it."""
    found: list[Checkpoint] = []
    if (signed := last(tx)) is not None:
        found.append(Checkpoint(signed.key, signed.size, bytes.fromhex(signed.root)))
    if (note := notary.kept()) is not None:
        mine = notary.key()
        key = str(mine.public) if mine else key_on_record(tx)
        if key is None:
            raise BadCheckpoint(str(notary.kept_file), "nobody knows the key that signed it")
        found.append(_opened(note, key, str(notary.kept_file)))
    return found


def _opened(note: str, key: str, where: str) -> Checkpoint:
    try:
        return read_checkpoint(note, read_key(key))
    except Broken as error:
        raise BadCheckpoint(where, str(error)) from error


def _raw(record: str) -> bytes:
    return record.encode("utf-8", "surrogatepass")
