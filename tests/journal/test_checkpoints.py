"""Checkpoints: signed, kept outside the database, and held against what the journal is now."""

import json
import random
import stat
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update

from opsroom.journal import ChainBroken, checkpoints, files, proofs, queries, tree_store
from opsroom.journal import verify_journal as stranger
from opsroom.journal.checkpoints import Notary
from opsroom.journal.errors import (
    BadCheckpoint,
    BadSigningKey,
    KeyElsewhere,
    NoCheckpoint,
    NoEntry,
)
from opsroom.journal.store import head_table, journal
from opsroom.kit.db import Actor, Database


@pytest.fixture
def notary(tmp_path: Path) -> Notary:
    return Notary(tmp_path / "installation")


def write(db: Database, actor: Actor, count: int) -> None:
    """Entries, many a transaction; more than a block of the tree is quickly there."""
    while count > 0:
        with db.write(actor) as tx:
            for number in range(min(count, 200)):
                tx.record("label.moved", 'prompt/"ä"', number=number)
        count -= 200


def opened(signed: proofs.Signed) -> stranger.Checkpoint:
    return stranger.read_checkpoint(signed.note, stranger.read_key(signed.key))


def exported(db: Database, actor: Actor) -> list[bytes]:
    with db.read(actor) as tx:
        return [line.encode() for line in files.lines(queries.chain(tx))]


def test_a_checkpoint_stands_for_the_journal(
    db: Database, actor: Actor, notary: Notary
) -> None:
    write(db, actor, 700)
    first = checkpoints.make(db, notary)
    assert first.size == 701  # the key is on record, too
    assert stranger.check_journal(exported(db, actor), opened(first)) == 701
    assert checkpoints.make(db, notary) == first
    write(db, actor, 900)
    second = checkpoints.make(db, notary)
    lines = exported(db, actor)
    assert stranger.check_journal(lines, opened(second), opened(first)) == 1601
    cut = [*lines[:1500], b'{"head":{"seq":1500,' + lines[1499].split(b",")[1] + b"}}"]
    with pytest.raises(stranger.Broken, match="101 entries are missing"):
        stranger.check_journal(cut, opened(second))


def test_proofs_convince_a_stranger(db: Database, actor: Actor, notary: Notary) -> None:
    write(db, actor, 1300)
    signed = checkpoints.make(db, notary)
    rng = random.Random(6962)
    with db.read(actor) as tx:
        for seq in [1, 256, 257, 1024, signed.size - 1, *rng.sample(range(1, 1300), 8)]:
            proof = proofs.entry(tx, seq, size=signed.size, note=signed.note)
            told = json.dumps(
                {"seq": seq, "size": proof.size, "record": proof.record, "path": proof.path}
            )
            assert stranger.check_entry(told, opened(signed)) == seq
            other = told.replace("label.moved", "label.stays")
            with pytest.raises(stranger.Broken):
                stranger.check_entry(other, opened(signed))
        for first in [0, 1, 255, 256, 700, 1024, signed.size]:
            grown = proofs.growth(tx, first, signed.size)
            path = [bytes.fromhex(one) for one in grown.path]
            roots = proofs.root_at(tx, first), bytes.fromhex(signed.root)
            stranger.check_consistency(first, signed.size, path, *roots)
        with pytest.raises(NoEntry):
            proofs.entry(tx, 5000, size=signed.size, note=signed.note)
        with pytest.raises(NoCheckpoint):
            proofs.entry(tx, 600, size=500, note=signed.note)
        with pytest.raises(NoCheckpoint):
            proofs.growth(tx, 700, 5000)


def test_an_older_backup_that_was_put_back_is_noticed(
    sqlite_db: Database, actor: Actor, notary: Notary
) -> None:
    write(sqlite_db, actor, 30)
    checkpoints.make(sqlite_db, notary)
    write(sqlite_db, actor, 30)
    checkpoints.make(sqlite_db, notary)
    with sqlite_db.write(actor) as tx:  # what a copy of an hour ago would hold
        head = tree_store.head_at(tx, 31)
        tx.conn.execute(delete(journal).where(journal.c.seq > 31))
        tx.conn.execute(
            delete(tree_store.checkpoints).where(tree_store.checkpoints.c.size > 31)
        )
        tx.conn.execute(update(head_table).values(seq=head.seq, hash=head.hash))
    with sqlite_db.read(actor) as tx:
        assert queries.verify(tx) == head  # the chain itself is whole
        with pytest.raises(ChainBroken, match="30 entries that the last checkpoint counted"):
            checkpoints.check(tx, notary)
    write(sqlite_db, actor, 100)  # it goes on as if nothing had been
    with pytest.raises(ChainBroken, match="not those that the last checkpoint stands for"):
        checkpoints.make(sqlite_db, notary)
    signed = checkpoints.begin_anew(sqlite_db, notary, actor, reason="backup of Monday")
    assert signed.size == 132
    assert checkpoints.make(sqlite_db, notary) == signed
    with sqlite_db.read(checkpoints.SYSTEM) as tx:
        [(made, _)] = queries.entries(tx, event=checkpoints.KEY_MADE, limit=1)
    assert made.facts["reason"] == "backup of Monday"
    assert "not those" in made.facts["broken"]
    assert len(list(notary.folder.glob("checkpoint-before-*.txt"))) == 1


@pytest.mark.parametrize("damage", ["the record", "the whole tail"])
def test_what_was_rewritten_is_not_signed(
    db: Database, actor: Actor, notary: Notary, damage: str
) -> None:
    write(db, actor, 600)
    checkpoints.make(db, notary)
    with db.write(actor) as tx:
        if damage == "the record":  # in a block that is not yet in the tree
            change = "UPDATE journal SET record = replace(record, 'ada', 'eve') WHERE seq = 595"
            tx.conn.execute(text(change))
        else:
            tx.conn.execute(delete(journal).where(journal.c.seq > 550))
            head = tree_store.head_at(tx, 550)
            tx.conn.execute(update(head_table).values(seq=550, hash=head.hash))
    with pytest.raises(ChainBroken):
        checkpoints.make(db, notary)


def test_the_tree_takes_in_nothing_that_does_not_follow(
    db: Database, actor: Actor, notary: Notary
) -> None:
    write(db, actor, 300)
    checkpoints.make(db, notary)
    write(db, actor, 300)
    with db.write(actor) as tx:
        tx.conn.execute(
            text("UPDATE journal SET record = replace(record, 'ada', 'eve') WHERE seq = 400")
        )
    with pytest.raises(ChainBroken, match="entry 400"):
        checkpoints.make(db, notary)


def test_the_key_is_its_owners_alone(sqlite_db: Database, actor: Actor, notary: Notary) -> None:
    signed = checkpoints.make(sqlite_db, notary)
    assert stat.S_IMODE(notary.key_file.stat().st_mode) == 0o600
    key = notary.key()
    assert key is not None
    assert str(key.public) == signed.key
    assert key.seed.hex() not in repr(key)
    stolen = notary.key_file.read_text()
    notary.key_file.unlink()
    with pytest.raises(KeyElsewhere):
        checkpoints.make(sqlite_db, notary)
    notary.key_file.write_text(stolen[:-5])
    with pytest.raises(BadSigningKey):
        checkpoints.make(sqlite_db, notary)


def test_another_process_does_not_sign(
    db: Database, actor: Actor, notary: Notary, tmp_path: Path
) -> None:
    checkpoints.make(db, notary)
    write(db, actor, 3)
    with pytest.raises(KeyElsewhere):
        checkpoints.make(db, Notary(tmp_path / "elsewhere"))


def test_a_note_that_somebody_changed_is_not_believed(
    sqlite_db: Database, actor: Actor, notary: Notary
) -> None:
    signed = checkpoints.make(sqlite_db, notary)
    notary.kept_file.write_text(signed.note.replace("\n1\n", "\n0\n"))
    with sqlite_db.read(actor) as tx, pytest.raises(BadCheckpoint):
        checkpoints.check(tx, notary)


def test_only_the_newest_are_kept(
    sqlite_db: Database, actor: Actor, notary: Notary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree_store, "KEPT", 3)
    for _ in range(5):
        write(sqlite_db, actor, 1)
        checkpoints.make(sqlite_db, notary)
    with sqlite_db.read(actor) as tx:
        found = tx.conn.execute(text("SELECT size FROM journal_checkpoints ORDER BY size"))
        assert list(found.scalars()) == [4, 5, 6]
