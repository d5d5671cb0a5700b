"""How long does it take to recall similar decisions, and are they the similar ones?

    python benchmarks/recall.py [MEMORIES] [--url DATABASE] [--out FILE]

One agent remembers everything, which is the worst case: nothing narrows the search but the
text. Contexts are drawn from a vocabulary with natural frequencies, some families of them
almost alike, as tickets are. Queries are remembered contexts with a fifth of their words
replaced. Quality is measured against comparing with every memory there is.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path

from rapidfuzz import fuzz, process

from opsroom.journal import store as journal_store
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, open_engine
from opsroom.kit.ids import seeded_ids
from opsroom.memory import commands, queries
from opsroom.memory.model import alike, normal, words_of
from opsroom.migrations import migrate

RESULTS = Path(__file__).parent / "results" / "recall.json"
SYSTEM = Actor("system", "default", human=False)
CONTRACTS = ("contract/refund@1", "contract/reply@2", "contract/book@1", "contract/cancel@4")
WORDS, FAMILIES = 8_000, 400
QUERIES, CHECKED = 300, 100
LIMIT_MS = 20.0


class Desk:
    """A source of contexts, the same every time."""

    def __init__(self, seed: int = 20261127) -> None:
        self.random = random.Random(seed)
        self.words = [f"w{number:x}" for number in range(WORDS)]
        self.weights = list(accumulate(1 / (rank + 3) for rank in range(WORDS)))
        self.families = [self.sentence(30) for _ in range(FAMILIES)]

    def sentence(self, length: int) -> list[str]:
        return self.random.choices(self.words, cum_weights=self.weights, k=length)

    def context(self) -> str:
        """Half of them are a family's text with some words of its own."""
        if self.random.random() < 0.5:
            return " ".join(self.varied(self.random.choice(self.families), 0.3))
        return " ".join(self.sentence(self.random.randint(8, 60)))

    def varied(self, words: Sequence[str], share: float) -> list[str]:
        return [self.sentence(1)[0] if self.random.random() < share else word for word in words]


def filled(db: Database, desk: Desk, count: int) -> list[str]:
    """Remember so many decisions, all with a verified end, and return their contexts."""
    contexts = [desk.context() for _ in range(count)]
    for start in range(0, count, 1_000):
        with db.write(SYSTEM) as tx:
            for number, context in enumerate(contexts[start : start + 1_000], start):
                commands.remember(
                    tx,
                    action=f"act_{number}",
                    agent="desk",
                    contract=CONTRACTS[number % len(CONTRACTS)],
                    context=context,
                    chosen={"number": number},
                )
                commands.outcome(tx, f"act_{number}", outcome="succeeded", verified=True)
        print(f"\r{start + 1_000:,} remembered", end="", flush=True)
    print()
    return contexts


def timed(db: Database, asked: Sequence[str], contract: str) -> list[float]:
    """How long each recall took, in milliseconds, transaction included."""
    times: list[float] = []
    for context in asked:
        began = time.perf_counter()
        with db.read(SYSTEM) as tx:
            queries.recall(tx, "desk", contract=contract, context=context, k=5)
        times.append((time.perf_counter() - began) * 1000)
    return times


def found_best(db: Database, asked: Sequence[str], contexts: Sequence[str]) -> float:
    """How often the first recalled is as alike as the best of all memories."""
    texts = [words_of(normal(context)) for context in contexts]
    hits = 0
    for context in asked:
        text = words_of(normal(context))
        near = process.extract(text, texts, scorer=fuzz.ratio, limit=20)
        wide = process.extract(text, texts, scorer=fuzz.token_set_ratio, limit=20)
        best = max(alike(text, one) for one, _, _ in (*near, *wide))
        with db.read(SYSTEM) as tx:
            first = queries.recall(tx, "desk", context=context, k=1)
        hits += bool(first) and first[0].similarity >= best - 1e-4
    return hits / len(asked)


def main(arguments: Sequence[str]) -> int:
    """Print the figures; exit 1 where recall is too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("memories", nargs="?", type=int, default=100_000)
    parser.add_argument("--url", default="")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(options.url or f"sqlite:///{folder}/memory.db")
        migrate(engine)
        clock = ManualClock(datetime(2026, 11, 27, tzinfo=UTC))
        db = Database(
            engine, clock=clock, ids=seeded_ids(clock, 1), on_commit=journal_store.append
        )
        desk = Desk()
        began = time.perf_counter()
        contexts = filled(db, desk, options.memories)
        each = (time.perf_counter() - began) / options.memories * 1000
        asked = [
            " ".join(desk.varied(desk.random.choice(contexts).split(), 0.2))
            for _ in range(QUERIES)
        ]
        timed(db, asked[:20], "")
        rows = {
            "of the agent": timed(db, asked, ""),
            "of one contract": timed(db, asked, CONTRACTS[0]),
        }
        best = found_best(db, asked[:CHECKED], contexts)
        engine.dispose()
    report: dict[str, object] = {
        "memories": options.memories,
        "engine": engine.name,
        "remember_ms": round(each, 3),
        "best_found": best,
        "limit_ms": LIMIT_MS,
    }
    slow = False
    for what, times in rows.items():
        p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        slow |= p95 > LIMIT_MS
        report[what] = {"p50_ms": round(p50, 2), "p95_ms": round(p95, 2)}
        print(f"{what:18} p50 {p50:6.2f} ms   p95 {p95:6.2f} ms   limit {LIMIT_MS:.0f} ms")
    print(f"remembering one, with its outcome: {each:.2f} ms (in batches)")
    print(f"the most similar of all was found for {best:.0%} of {CHECKED} queries")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
