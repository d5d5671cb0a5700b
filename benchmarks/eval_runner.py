"""How close the eval runner comes to doing nothing but wait.

Every row is a whole process, imports included, measured from outside. Rows that wait are
compared with the waiting itself, the others with the same interpreter doing nothing.

    python benchmarks/eval_runner.py [--quick]
"""

import argparse
import asyncio
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "eval_runner.json"


@dataclass(frozen=True)
class Row:
    """One measurement and what it is held against."""

    what: str
    seconds: float
    ideal: float
    limit: float | None
    peak_mb: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.ideal

    @property
    def holds(self) -> bool:
        return self.limit is None or self.seconds <= self.limit


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the long rows")
    parser.add_argument("--child", nargs=3, metavar=("CASES", "LATENCY", "CONCURRENCY"))
    chosen = parser.parse_args()
    if chosen.child:
        cases, latency, concurrency = chosen.child
        return child(int(cases), float(latency), int(concurrency))
    rows = list(measure(quick=chosen.quick))
    show(rows)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(
        json.dumps([{**asdict(row), "ratio": round(row.ratio, 3)} for row in rows], indent=2)
        + "\n"
    )
    return 0 if all(row.holds for row in rows) else 1


def measure(*, quick: bool) -> Iterator[Row]:
    idle = min(timed([sys.executable, "-c", "pass"])[0] for _ in range(5))
    yield row("1,000 cases × 3 assertions, instant model", 1_000, 0, 50, ideal=idle, limit=1.5)
    waiting = math.ceil(1_000 / 50) * 0.2
    yield row(
        "the same, 200 ms model, 50 at once",
        1_000,
        0.2,
        50,
        ideal=waiting,
        limit=1.15 * waiting,
    )
    if not quick:
        yield row("20,000 cases, instant model", 20_000, 0, 50, ideal=idle)
        yield row("100,000 cases, instant model", 100_000, 0, 50, ideal=idle)


def row(
    what: str,
    cases: int,
    latency: float,
    concurrency: int,
    *,
    ideal: float,
    limit: float | None = None,
) -> Row:
    command = [sys.executable, __file__, "--child", str(cases), str(latency), str(concurrency)]
    repeats = 3 if cases <= 1_000 else 1
    seconds, peak = min(timed(command) for _ in range(repeats))
    return Row(what, seconds, ideal, limit, peak)


def timed(command: list[str]) -> tuple[float, float]:
    """Wall-clock seconds of a whole process, and the peak memory it printed, if it did."""
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    return seconds, float(done.stdout.strip() or 0)


def child(cases: int, latency: float, concurrency: int) -> int:
    """What the rows measure; imports are inside, so that they count."""
    from opsroom.datasets import Item
    from opsroom.evals.asking import as_it_is
    from opsroom.evals.evaluators import evaluators
    from opsroom.evals.evaluators.specs import Contains, Equals, Similar
    from opsroom.evals.runner import Pace, run
    from opsroom.models import ModelRequest, Output

    class Waiting:
        async def complete(self, request: ModelRequest) -> Output:
            if latency:
                await asyncio.sleep(latency)
            return Output(text=request.messages[0].content, latency=latency)

    items = (
        Item(id=str(n), input=f"case number {n}", expected=f"case number {n}")
        for n in range(cases)
    )
    kept: list[Any] = [0]

    def keep(batch: list[Any]) -> None:
        kept[0] += len(batch)

    chosen = (
        Equals(type="equals"),
        Contains(type="icontains", value="NUMBER"),
        Similar(type="similar"),
    )
    totals = asyncio.run(
        run(
            "run_benchmark",
            items,
            Waiting(),
            evaluators(chosen),
            compose=as_it_is("subject"),
            on_results=keep,
            pace=Pace(concurrency=concurrency),
        )
    )
    assert kept[0] == totals.answered == cases
    assert totals.unjudged == 0
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return 0


def show(rows: list[Row]) -> None:
    print(f"{'':45} {'seconds':>8} {'ideal':>7} {'ratio':>6} {'limit':>6} {'peak MB':>8}")
    for one in rows:
        limit = "" if one.limit is None else f"{one.limit:.2f}"
        verdict = "" if one.holds else "  TOO SLOW"
        print(
            f"{one.what:45} {one.seconds:8.2f} {one.ideal:7.2f} {one.ratio:6.2f} {limit:>6}"
            f" {one.peak_mb:8.0f}{verdict}"
        )


if __name__ == "__main__":
    raise SystemExit(main())
