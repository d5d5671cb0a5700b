"""Verifying where no opsroom runs: exports and database files."""

import json
import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsroom.journal import ChainBroken, Head, files, link, queries
from opsroom.journal.errors import BadExport, NoJournal
from opsroom.journal.model import GENESIS
from opsroom.kit.db import Actor, Database


@pytest.fixture
def export(db: Database, actor: Actor, tmp_path: Path) -> Path:
    for number in range(30):
        with db.write(actor) as tx:
            tx.record("label.moved", 'prompt/"ä"\n', number=number)
    path = tmp_path / "journal.jsonl"
    with db.read(actor) as tx:
        path.write_text("".join(files.lines(queries.chain(tx))), encoding="utf-8")
    return path


def test_an_export_verifies_to_the_same_head(db: Database, actor: Actor, export: Path) -> None:
    with db.read(actor) as tx:
        head = queries.verify(tx)
    assert files.verify_file(export) == head
    assert files.verify_file(export, older=head) == head


def test_an_export_is_json_lines(export: Path) -> None:
    *entries, closing = [json.loads(line) for line in export.read_text().splitlines()]
    assert entries[4]["record"]["facts"] == {"number": 4}
    assert entries[4]["seq"] == entries[4]["record"]["seq"] == 5
    assert closing == {"head": {"seq": 30, "hash": entries[-1]["hash"]}}


def test_every_damaged_byte_and_every_cut_is_found(export: Path) -> None:
    whole = export.read_bytes()
    rng = random.Random(20261120)
    for _ in range(400):
        data = bytearray(whole)
        at = rng.randrange(len(data) - 1)
        data[at] ^= 1 << rng.randrange(8)
        export.write_bytes(data)
        with pytest.raises((ChainBroken, BadExport)):
            files.verify_file(export)
    for _ in range(100):
        export.write_bytes(whole[: rng.randrange(len(whole) - 1)])
        with pytest.raises((ChainBroken, BadExport)):
            files.verify_file(export)


def test_an_older_head_finds_a_history_that_was_replaced(export: Path) -> None:
    head = files.verify_file(export)
    with pytest.raises(ChainBroken, match="missing"):
        files.verify_file(export, older=Head(seq=31, hash=head.hash))
    with pytest.raises(ChainBroken, match="differs"):
        files.verify_file(export, older=Head(seq=12, hash=head.hash))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"{}\n",
        b"null\n",
        b"\x00\xff\xfe\n",
        b'{"seq":1,"hash":"","record":{}}\n',
        b"[" * 100_000,
        b'{"head":{"seq":' + b"9" * 5000 + b"}}\n",
        b"SQLite format 3\x00" + b"garbage" * 1000,
    ],
)
def test_other_files_are_refused_with_a_reason(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises((BadExport, ChainBroken, NoJournal)):
        files.verify_file(path)


def test_nothing_may_follow_the_closing_line(export: Path) -> None:
    export.write_bytes(export.read_bytes() * 2)
    with pytest.raises(BadExport) as refused:
        files.verify_file(export)
    assert refused.value.line == 32


def test_a_database_file_is_verified_where_it_lies(
    sqlite_db: Database, sqlite_url: str, actor: Actor
) -> None:
    for _ in range(5):
        with sqlite_db.write(actor) as tx:
            tx.record("label.moved", "prompt/a")
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with sqlite_db.read(actor) as tx:
        assert files.verify_file(path) == queries.verify(tx)
    with sqlite_db.write(actor) as tx:
        tx.conn.exec_driver_sql("DELETE FROM journal WHERE seq = 5")
    with pytest.raises(ChainBroken, match="entry 5"):
        files.verify_file(path)


def test_verifying_needs_little_memory(tmp_path: Path) -> None:
    def chain() -> Iterator[files.Row]:
        last = GENESIS
        for seq in range(1, 20_001):
            record = f'{{"facts":{{"x":"{"x" * 300}"}},"seq":{seq},"subject":"s"}}'
            last = link(last, record)
            yield seq, record, last

    path = tmp_path / "journal.jsonl"
    with path.open("w") as file:
        file.writelines(files.lines(chain()))
    tracemalloc.start()
    assert files.verify_file(path).seq == 20_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
