"""What an entry costs inside the transaction that writes it, alone and while checkpoints are made.

    python benchmarks/journal_append.py [entries]

Measured is `store.append`, which is all that a command pays for its entry, without the commit
that it pays anyway. A checkpoint is made every 100 ms, 600 times as often as in the product.
Rounds of both take turns; target: the same figures in both.
"""

import json
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from opsroom.journal import checkpoints, store
from opsroom.journal.checkpoints import Notary
from opsroom.kit.clock import SystemClock
from opsroom.kit.db import Actor, Database, Tx, open_engine
from opsroom.kit.ids import TimeIds
from opsroom.migrations import migrate

RESULTS = Path(__file__).parent / "results" / "journal_append.json"
ROUNDS = 6
ADA = Actor("ada", "default")


def main(entries: int) -> int:
    taken: list[float] = []

    def timed(tx: Tx) -> None:
        started = time.perf_counter()
        store.append(tx)
        taken.append(time.perf_counter() - started)

    found: dict[str, list[float]] = {"alone": [], "with checkpoints": []}
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/opsroom.db")
        migrate(engine)
        clock = SystemClock()
        db = Database(engine, clock=clock, ids=TimeIds(clock), on_commit=timed)
        notary = Notary(Path(folder))
        checkpoints.make(db, notary)
        for number in range(ROUNDS):
            what = ("alone", "with checkpoints")[number % 2]
            taken.clear()
            stop = threading.Event()
            thread = threading.Thread(target=sign, args=(db, notary, stop))
            if number % 2:
                thread.start()
            for one in range(entries // ROUNDS):
                with db.write(ADA) as tx:
                    tx.record("label.moved", "prompt/refund-triage", before=one, after=one + 1)
            if number % 2:
                stop.set()
                thread.join()
            found[what] += taken
        engine.dispose()
    told = {
        what: {f"p{p}": float(np.percentile(some, p)) * 1e6 for p in (50, 95, 99)}
        for what, some in found.items()
    }
    print(f"append {entries:,} entries, microseconds in the transaction")
    for what, figures in told.items():
        print(f"  {what:18} " + "  ".join(f"{p} {n:7.0f}" for p, n in figures.items()))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(told, indent=2) + "\n")
    return 0


def sign(db: Database, notary: Notary, stop: threading.Event) -> None:
    while not stop.wait(0.1):
        checkpoints.make(db, notary)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 12_000))
