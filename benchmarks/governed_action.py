"""What a governed action costs its agent over HTTP: propose, and report what came of it.

    python benchmarks/governed_action.py [ACTIONS] [--out FILE]

Contract, key, policy, grounding, autonomy and budget are all asked, and two transactions are
made durable for each action. The action itself does nothing, so all of the time is ours. One
agent acts, one call after the other over a kept connection, on SQLite and on PostgreSQL; the
server is a process of its own, as it is for everybody.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import httpx2

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.browser import serving
from tests.postgres import NoPostgres, start

from opsroom.access import commands as access
from opsroom.app import Settings, build, guarded, open_runtime
from opsroom.app.kinds import KINDS
from opsroom.app.runtime import SYSTEM, Runtime
from opsroom.budgets import commands as budgets
from opsroom.budgets.model import BudgetDraft, Scope, Unit
from opsroom.contracts.model import ContractSpec, Effects, Tier, Trust
from opsroom.kit.wire import plain
from opsroom.registry import commands as registry
from opsroom.registry import queries as registered
from opsroom.registry.model import ArtifactDraft, VersionDraft

RESULTS = Path(__file__).parent / "results" / "governed_action.json"
LIMIT_MS = 8.0
WARM = 50
PER_TURN = 10
LOOK = ContractSpec(
    tool="look",
    input={
        "type": "object",
        "properties": {"order": {"type": "string"}},
        "required": ["order"],
        "additionalProperties": False,
    },
    risk=Tier.READ,
    effects=Effects(read_only=True, idempotent=True),
    returns=Trust.RECORD,
)


def agent_of(runtime: Runtime) -> str:
    """An agent that may look, with a budget that counts it; its token."""
    specs = {
        "contract": plain(LOOK),
        "agent": {"model": {"model": "m"}, "contracts": ["clerk"]},
    }
    with runtime.db.write(replace(SYSTEM, owner="bench")) as tx:
        for kind, spec in specs.items():
            registry.create_artifact(tx, ArtifactDraft(kind=kind, name="clerk"), kinds=KINDS)
            registry.create_version(tx, kind, "clerk", VersionDraft(spec=spec), kinds=KINDS)
        of = registered.artifact(tx, "agent", "clerk")
        registry.move_label(tx, of, "production", 1, how="merge", reason="bench")
        draft = BudgetDraft(
            scope=Scope.AGENT, key="clerk", unit=Unit.CALLS, hard=Decimal(1_000_000)
        )
        budgets.set_budget(tx, draft)
        return access.issue_token(tx, "bench", ("agent",), agent="clerk")[1]


def timed(base: str, token: str, actions: int) -> tuple[list[float], list[float]]:
    """How long proposing and reporting took, in milliseconds."""
    proposing: list[float] = []
    reporting: list[float] = []
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=base, headers=headers, timeout=30) as http:
        turn = ""
        for number in range(actions + WARM):
            if number % PER_TURN == 0:
                draft = {"agent": "clerk", "intent": "look at what came in"}
                turn = http.post("/v1/turns", json=draft).json()["id"]
            body = {"tool": "look", "arguments": {"order": f"o{number}"}}
            began = time.perf_counter()
            told = http.post(f"/v1/turns/{turn}/actions", json=body).json()
            between = time.perf_counter()
            assert told["kind"] == "execute", told
            said = {"state": "succeeded", "result": {"found": number}}
            done = http.post(f"/v1/actions/{told['id']}/outcome", json=said).json()
            ended = time.perf_counter()
            assert done["kind"] == "done", done
            proposing.append((between - began) * 1000)
            reporting.append((ended - between) * 1000)
    return proposing[WARM:], reporting[WARM:]


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    """The engines that are here, by their addresses."""
    found = {"sqlite": f"sqlite:///{folder}/opsroom.db"}
    try:
        with start() as server:
            server.create_template()
            yield {**found, "postgresql": server.url(server.create())}
    except NoPostgres:
        yield found


@contextmanager
def server(data: Path, url: str) -> Iterator[tuple[str, str]]:
    """A server process: its address, and the token of an agent that may act there."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(data), url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    base, token = process.stdout.readline().split()
    try:
        yield base, token
    finally:
        process.communicate()


def serve(data: Path, url: str) -> None:
    """Be that server until nobody listens any more."""
    runtime = open_runtime(Settings(data=data, database_url=url))
    token = agent_of(runtime)
    with serving(guarded(build(runtime, background=False))) as base:
        print(base, token, flush=True)
        sys.stdin.read()
    runtime.close()


def main(arguments: Sequence[str]) -> int:
    """Print the figures; exit 1 where an action costs too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("actions", nargs="?", type=int, default=500)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="opsroom-bench-"))
    figures: dict[str, dict[str, float]] = {}
    with databases(folder) as addresses:
        for engine, url in addresses.items():
            with server(folder / engine, url) as (base, token):
                proposing, reporting = timed(base, token, options.actions)
            whole = [sum(pair) for pair in zip(proposing, reporting, strict=True)]
            figures[engine] = {
                "p50_ms": round(statistics.median(whole), 2),
                "p99_ms": round(statistics.quantiles(whole, n=100)[-1], 2),
                "propose_p50_ms": round(statistics.median(proposing), 2),
                "report_p50_ms": round(statistics.median(reporting), 2),
            }
    shutil.rmtree(folder, ignore_errors=True)
    for engine, one in figures.items():
        print(
            f"{engine:10} p50 {one['p50_ms']:6.2f} ms   p99 {one['p99_ms']:6.2f} ms"
            f"   (propose {one['propose_p50_ms']:.2f}, report {one['report_p50_ms']:.2f})"
        )
    print(f"limit at p50 {LIMIT_MS:.0f} ms, {options.actions:,} actions each")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    report = {"actions": options.actions, "limit_p50_ms": LIMIT_MS, **figures}
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if all(one["p50_ms"] <= LIMIT_MS for one in figures.values()) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(Path(sys.argv[2]), sys.argv[3])
    else:
        sys.exit(main(sys.argv[1:]))
