"""How long do questions to millions of spans take?

    python benchmarks/trace_queries.py [SPANS] [--out FILE]

Spans are made by the store itself: traces of ten, a root that names one of forty agents, calls
of models and tools, over seven days. Each question is asked again and again, about different
traces and stretches of time, through the same code that the pages use. The floor is reading one
narrow column of the whole stretch, which nobody can avoid without an index of its own.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsroom.engines.clickhouse import embedded
from opsroom.traces import groups, queries, schema, spending
from opsroom.traces.model import Filter
from opsroom.traces.parsing import parse
from opsroom.traces.ports import Telemetry

RESULTS = Path(__file__).parent / "results" / "trace_queries.json"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BACK = timedelta(days=7)
PER_TRACE = 10
CHUNK = 500_000
TIMES = 15
GOALS_MS = {"percentiles by agent, a day": 150, "list, newest": 100, "one trace": 50}
MADE = """INSERT INTO spans (project, trace_id, span_id, parent_id, name, operation, start,
    duration, agent, session, user, tool, provider, requested_model, served_model, calls_model,
    input_tokens, output_tokens, cost, basis, status, content, attributes, received, revision)
SELECT 'default', lower(hex(MD5(toString(t)))), lower(hex(reinterpretAsFixedString(number + 1))),
    if(k = 0, '', lower(hex(reinterpretAsFixedString(t * {each} + 1)))),
    multiIf(k = 0, 'invoke_agent', k % 3 = 1, 'chat', 'execute_tool'),
    multiIf(k = 0, 'invoke_agent', k % 3 = 1, 'chat', 'execute_tool'),
    toDateTime64({begin}, 9, 'UTC') + toIntervalMicrosecond(intDiv(t * {span}, {traces}) + k * 1000),
    1000000 * (1 + cityHash64(number) % 5000), if(k = 0, concat('agent-', toString(t % 40)), ''),
    concat('s', toString(t % 90000)), concat('u', toString(t % 5000)),
    if(k % 3 = 2, concat('tool-', toString(t % 25)), ''),
    if(k % 3 = 1, 'openai', ''), if(k % 3 = 1, 'gpt-4o', ''),
    if(k % 3 = 1, 'gpt-4o-2024-08-06', ''), k % 3 = 1, if(k % 3 = 1, 900, 0),
    if(k % 3 = 1, 120, 0), if(k % 3 = 1, toDecimal128(0.0035, 15), NULL),
    if(k % 3 = 1, 'list', ''), if(cityHash64(number, 1) % 200 = 0, 'error', 'unset'),
    map('input', repeat(hex(cityHash64(number)), 40)), map('http.route', '/orders'),
    toDateTime64({begin}, 3, 'UTC'), 1
FROM (SELECT number, intDiv(number, {each}) AS t, number % {each} AS k
    FROM numbers({offset}, {count}))"""


def fill(store: Telemetry, spans: int) -> float:
    """Make so many spans; the seconds that took."""
    began = time.perf_counter()
    for offset in range(0, spans, CHUNK):
        store.run(
            MADE.format(
                each=PER_TRACE,
                begin=int((NOW - BACK).timestamp()),
                span=int(BACK.total_seconds() * 1e6),
                traces=spans // PER_TRACE,
                offset=offset,
                count=min(CHUNK, spans - offset),
            )
        )
    return time.perf_counter() - began


def asked(question: Callable[[int], object]) -> dict[str, float]:
    """Milliseconds that a question takes: the median and the slowest of several."""
    took: list[float] = []
    for turn in range(TIMES + 1):
        began = time.perf_counter()
        question(turn)
        took.append((time.perf_counter() - began) * 1e3)
    return {
        "median_ms": round(statistics.median(took[1:]), 1),
        "worst_ms": round(max(took[1:]), 1),
    }


def main(arguments: Sequence[str]) -> int:
    """Print a table; exit 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spans", nargs="?", type=int, default=5_000_000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        store = embedded(Path(temporary))
        schema.prepare(store, keep=timedelta(days=10_000))
        seconds = fill(store, options.spans)
        (total,) = store.rows("SELECT count() AS spans FROM spans")
        ids = [row["id"] for row in store.rows(
            "SELECT DISTINCT trace_id AS id FROM spans WHERE parent_id = '' "
            f"ORDER BY cityHash64(trace_id) LIMIT {TIMES + 1}"
        )]  # fmt: skip
        day = timedelta(days=1)

        def stretch(turn: int) -> tuple[datetime, datetime]:
            until = NOW - timedelta(hours=turn * 7 % 140)
            return until - day, until

        def listed(text: str) -> Callable[[int], object]:
            wanted = Filter(where=parse(text))
            return lambda turn: queries.page(
                store, "default", wanted, now=NOW - timedelta(minutes=turn)
            )

        found = {
            "one narrow column (floor)": asked(
                lambda _: store.rows("SELECT sum(duration) AS d FROM spans")
            ),
            "percentiles by agent, a day": asked(
                lambda turn: queries.percentiles(
                    store, "default", by="agent", since=stretch(turn)[0], until=stretch(turn)[1]
                )
            ),
            "list, newest": asked(listed("")),
            "list, agent:agent-7 status:error": asked(listed("agent:agent-7 status:error")),
            "list, cost>0.01": asked(listed("cost>0.01")),
            "one trace": asked(lambda turn: queries.trace(store, "default", ids[turn])),
            "spending of agents, a day": asked(
                lambda turn: spending.spent(store, "default", [stretch(turn)])
            ),
            "sessions, newest": asked(
                lambda turn: groups.page(
                    store, "default", groups.By.SESSION, now=NOW - timedelta(minutes=turn),
                    since=NOW - day,
                )
            ),
        }  # fmt: skip
        store.close()
    print(f"{total['spans']:,} spans, made in {seconds:.0f} s")
    missed = False
    for name, one in found.items():
        goal = GOALS_MS.get(name)
        missed |= goal is not None and one["median_ms"] > goal
        words = "" if goal is None else f"  goal {goal}"
        print(f"{name:36} {one['median_ms']:8,.1f} ms  worst {one['worst_ms']:8,.1f}{words}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(
        json.dumps({"spans": total["spans"], "asked": found}, indent=1) + "\n"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
