"""How long do policies take to decide, by how many there are and how they are asked?

    python benchmarks/policy_decision.py [DECISIONS] [--out FILE]

Every policy reads an argument and a fact, and none is limited to a tool: the worst case.
"one tool" limits each to one of 40 tools, as real ones are. "batch" decides many requests
that are read from JSON first, as a replay does. Times are of the wall clock and of the
processor; on a busy machine only the latter tells about the code.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from opsroom.contracts.model import ContractSpec
from opsroom.kit.wire import adapter
from opsroom.policies.engine import Bundle, compile_bundle
from opsroom.policies.facts import quiet
from opsroom.policies.model import PolicyRequest, PolicySpec
from opsroom.policies.shipped import NAME, shipped

RESULTS = Path(__file__).parent / "results" / "policy_decision.json"
COUNTS = (10, 100, 1_000)
LIMIT_US, LIMIT_BATCH_US = 200.0, 100.0
TOOLS = 40
INPUT = {
    "type": "object",
    "properties": {"to": {"type": "string"}, "amount": {"type": "number"}},
    "required": ["to"],
}


def bundle(count: int, *, scoped: bool) -> Bundle:
    contracts = [ContractSpec(tool=f"tool{number}", input=INPUT) for number in range(TOOLS)]
    rules = [
        f'@id("p{number}") forbid (principal, action'
        + (f' == Action::"tool{number % TOOLS}"' if scoped else "")
        + f', resource) when {{ context.arguments.to == "x{number}" && context.facts.hour > 6 }};'
        for number in range(count)
    ]
    own = PolicySpec(cedar="\n".join(rules))
    return compile_bundle([(NAME, shipped()), ("limits", own)], contracts)


def timed(decide: Callable[[], object], times: int) -> dict[str, float]:
    """Microseconds for one decision."""
    wall: list[float] = []
    spent: list[float] = []
    for _ in range(times):
        began, before = time.perf_counter_ns(), time.thread_time_ns()
        decide()
        spent.append((time.thread_time_ns() - before) / 1000)
        wall.append((time.perf_counter_ns() - began) / 1000)
    return {
        "p50_us": round(statistics.median(wall), 1),
        "p99_us": round(statistics.quantiles(wall, n=100)[-1], 1),
        "cpu_p50_us": round(statistics.median(spent), 1),
        "cpu_p99_us": round(statistics.quantiles(spent, n=100)[-1], 1),
    }


def batched(asked: Bundle, request: PolicyRequest, times: int) -> float:
    """Microseconds for each of many, with reading them from JSON."""
    read = adapter(PolicyRequest)
    line = read.dump_json(request)
    began = time.perf_counter()
    asked.decide_many([read.validate_json(line) for _ in range(times)])
    return round((time.perf_counter() - began) / times * 1e6, 1)


def main(arguments: Sequence[str]) -> int:
    """Print the figures; exit 1 where 100 policies are slower than they may be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("decisions", nargs="?", type=int, default=5_000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    request = PolicyRequest(
        agent="desk", tool="tool1", arguments={"to": "bob", "amount": 12.5}, facts=quiet()
    )
    report: dict[str, object] = {"decisions": options.decisions, "limit_us": LIMIT_US}
    slow = False
    for count in COUNTS:
        for scoped in (False, True):
            asked = bundle(count, scoped=scoped)
            timed(lambda asked=asked: asked.decide(request), 50)  # type: ignore[misc]  # a default
            times = timed(lambda asked=asked: asked.decide(request), options.decisions)  # type: ignore[misc]  # a default
            each = batched(asked, request, max(options.decisions // 5, 100))
            name = f"{count} policies, {'one tool' if scoped else 'every tool'}"
            report[name] = times | {"batch_us": each}
            print(
                f"{name:28} p50 {times['p50_us']:7.1f}  p99 {times['p99_us']:7.1f}  processor p50"
                f" {times['cpu_p50_us']:7.1f}  p99 {times['cpu_p99_us']:7.1f}  batch {each:7.1f} µs"
            )
            if count == 100:
                slow |= times["p99_us"] > LIMIT_US or each > LIMIT_BATCH_US
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
