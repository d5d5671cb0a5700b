"""How long it takes to verify a journal of a million entries: in the database, and offline.

    python benchmarks/journal_verify.py [entries]

Each figure is the fastest of three rounds, with the processor time beside it; the bare hashes
of the same chain are measured in the same rounds. Target: 5 s for 1,000,000 in SQLite.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, update

from opsroom.journal import Entry, Head, checkpoints, files, link, queries, store
from opsroom.journal import verify_journal as stranger
from opsroom.journal.checkpoints import Notary
from opsroom.journal.model import GENESIS
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, open_engine
from opsroom.kit.ids import TimeIds
from opsroom.migrations import migrate

RESULTS = Path(__file__).parent / "results" / "journal_verify.json"
START = datetime(2026, 11, 20, tzinfo=UTC)
BATCH = 20_000
ROUNDS = 3
LIMIT = 5.0
AUDITOR = Actor("auditor", "default")


def main(entries: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        database, export = Path(folder) / "opsroom.db", Path(folder) / "journal.jsonl"
        engine = open_engine(f"sqlite:///{database}")
        migrate(engine)
        clock = ManualClock(START)
        db = Database(engine, clock=clock, ids=TimeIds(clock), on_commit=store.append)
        fill(db, entries)

        def in_database() -> Head:
            with db.read(AUDITOR) as tx:
                return queries.verify(tx)

        signed = checkpoints.make(db, Notary(Path(folder)))
        checkpoint = stranger.read_checkpoint(signed.note, stranger.read_key(signed.key))
        with db.read(AUDITOR) as tx, export.open("w") as file:
            file.writelines(files.lines(queries.chain(tx)))

        def by_a_stranger() -> Head:
            with export.open("rb") as file:
                return Head(seq=stranger.check_journal(file, checkpoint), hash=GENESIS)

        def against_the_checkpoint() -> Head:
            with db.read(AUDITOR) as tx:
                return checkpoints.verify(tx, Notary(Path(folder)))

        ways = {
            "bare SHA-256 chain": lambda: bare(export),
            "in SQLite, with columns and head": in_database,
            "an export, offline": lambda: files.verify_file(export),
            "in SQLite, and its checkpoint": against_the_checkpoint,
            "verify_journal.py, all it checks": by_a_stranger,
            "the database file, offline": lambda: files.verify_file(database),
        }
        best = {what: min(timed(run) for _ in range(ROUNDS)) for what, run in ways.items()}
        engine.dispose()
    print(f"verify {entries:,} journal entries")
    for what, (seconds, processor) in best.items():
        print(f"  {what:34} {seconds:6.2f} s   ({processor:.2f} s of processor)")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"entries": entries, "seconds": best}, indent=2) + "\n")
    return 0 if best["in SQLite, with columns and head"][0] <= LIMIT * entries / 1e6 else 1


def timed(run: Callable[[], Head]) -> tuple[float, float]:
    started, processor = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - started, time.process_time() - processor


def bare(export: Path) -> Head:
    """What no verifier can do without: reading the lines, and one hash for each."""
    last, seq = GENESIS, 0
    with export.open() as file:
        for seq, line in enumerate(file, start=1):  # noqa: B007  # the last one is the count
            last = link(last, line)
    return Head(seq=seq, hash=last)


def fill(db: Database, entries: int) -> None:
    """The chain that many ordinary writes would have made, in large transactions."""
    ids, last = TimeIds(db.clock), GENESIS
    for first in range(1, entries + 1, BATCH):
        rows = []
        for seq in range(first, min(first + BATCH, entries + 1)):
            entry = Entry(
                seq=seq,
                id=ids.new("evt"),
                at=START + timedelta(seconds=seq),
                project="default",
                actor="ada",
                event="label.moved",
                subject=f"prompt/refund-triage-{seq % 1000}",
                facts={"label": "production", "before": seq, "after": seq + 1, "how": "merge"},
            )
            record = entry.record()
            last = link(last, record)
            rows.append({"seq": seq, "record": record, "hash": last})
        with db.write(AUDITOR) as tx:
            tx.conn.execute(insert(store.journal), rows)
            tx.conn.execute(update(store.head_table).values(seq=rows[-1]["seq"], hash=last))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
