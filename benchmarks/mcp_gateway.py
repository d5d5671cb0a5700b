"""What the MCP door adds to a call: straight to a server, and through the gate to the same one.

    python benchmarks/mcp_gateway.py [CALLS] [--out FILE]

Client, opsroom and the server behind it are three processes' worth of work on one machine; all
calls are made one after the other over kept connections, with a durable record of each.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.browser import serving
from tests.gateway.upstream import upstream

from opsroom.access import commands as access
from opsroom.app import Settings, build, guarded, open_runtime
from opsroom.app.kinds import KINDS
from opsroom.app.runtime import SYSTEM
from opsroom.contracts.model import ContractSpec, Effects, Mcp, Tier
from opsroom.kit.wire import plain
from opsroom.registry import commands as registry
from opsroom.registry import queries as registered
from opsroom.registry.model import ArtifactDraft, VersionDraft

RESULTS = Path(__file__).parent / "results" / "mcp_gateway.json"
LIMIT_MS = 6.0


async def timed(url: str, calls: int, token: str = "") -> list[float]:
    """How long each call took, in milliseconds."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    meta: Any = {"opsroom/turn": "bench"}
    times: list[float] = []
    async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, cache=None) as client:
            for number in range(calls + 20):
                began = time.perf_counter()
                answer = await client.call_tool("look", {"city": f"city {number}"}, meta=meta)
                times.append((time.perf_counter() - began) * 1000)
                assert not answer.is_error, answer
    return times[20:]


def main(arguments: Sequence[str]) -> int:
    """Print the figures; exit 1 where the door adds too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("calls", nargs="?", type=int, default=500)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, upstream() as there:
        settings = Settings(data=Path(folder), allowed_hosts=(urlsplit(there.url).netloc,))
        runtime = open_runtime(settings)
        look = ContractSpec(
            tool="look",
            description=there.tools["look"],
            input=there.schema,
            risk=Tier.READ,
            effects=Effects(read_only=True, idempotent=True),
            executor=Mcp(url=there.url, tool="look"),
        )
        specs = {
            "contract": plain(look),
            "agent": {"model": {"model": "m"}, "contracts": ["scout"]},
        }
        with runtime.db.write(replace(SYSTEM, owner="bench")) as tx:
            for kind, spec in specs.items():
                draft = ArtifactDraft(kind=kind, name="scout")
                of = registry.create_artifact(tx, draft, kinds=KINDS)
                registry.create_version(tx, kind, "scout", VersionDraft(spec=spec), kinds=KINDS)
            of = registered.artifact(tx, "agent", "scout")
            registry.move_label(tx, of, "production", 1, how="merge", reason="bench")
            _, token = access.issue_token(tx, "bench", ("agent",), agent="scout")
        with serving(guarded(build(runtime, background=False))) as base:
            direct = asyncio.run(timed(there.url, options.calls))
            through = asyncio.run(timed(f"{base}/mcp/scout", options.calls, token))
        runtime.close()
    figures = {
        name: {
            "p50_ms": round(statistics.median(times), 2),
            "p95_ms": round(statistics.quantiles(times, n=20)[-1], 2),
        }
        for name, times in (("direct", direct), ("through", through))
    }
    added = round(figures["through"]["p50_ms"] - figures["direct"]["p50_ms"], 2)
    for name, figure in figures.items():
        print(f"{name:8} p50 {figure['p50_ms']:6.2f} ms   p95 {figure['p95_ms']:6.2f} ms")
    print(f"the door adds {added:.2f} ms at p50   limit {LIMIT_MS:.0f} ms")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    report = {"calls": options.calls, **figures, "added_p50_ms": added, "limit_ms": LIMIT_MS}
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if added <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
