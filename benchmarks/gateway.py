"""What the door to models adds to a call: straight to a model server, and through a route to it.

    python benchmarks/gateway.py [CALLS] [--out FILE]

Client, opsroom and the model server share this process and machine. Calls go in turn straight and
through, over kept connections; every call through the door is authenticated, looked up in the
registry and told of in a span. Figures are medians, for whole answers and for the first event of
a stream.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.browser import serving
from tests.gateway.desk import CHAT, chunk, stream
from tests.model_server import Asked, ModelServer, Reply, say

from opsroom.access import commands as access
from opsroom.app import Settings, build, guarded, open_runtime
from opsroom.app.kinds import KINDS
from opsroom.app.runtime import SYSTEM
from opsroom.registry import commands as registry
from opsroom.registry import queries as registered
from opsroom.registry.model import ArtifactDraft, VersionDraft

RESULTS = Path(__file__).parent / "results" / "gateway.json"
LIMIT_MS = {"answer": 1.5, "first event": 2.0}
WARM = 30
KINDS_OF_CALL: dict[str, dict[str, Any]] = {"answer": {}, "first event": {"stream": True}}


def reply(asked: Asked) -> Reply:
    if asked.body.get("stream"):
        return stream(*(chunk(f"word {number} ") for number in range(20)), chunk(finish="stop"))
    return say("yes")


def once(client: httpx2.Client, url: str, body: dict[str, Any]) -> float:
    """Milliseconds to the first byte of the body; the rest is read, too."""
    began = time.perf_counter()
    with client.stream("POST", url, json=body) as answer:
        assert answer.status_code == 200, answer.read()
        pieces = answer.iter_raw()
        next(pieces)
        took = time.perf_counter() - began
        for _ in pieces:
            pass
    return took * 1000


def main(arguments: Sequence[str]) -> int:
    """Print the figures; exit 1 where the door adds too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("calls", nargs="?", type=int, default=300)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, ModelServer(reply) as there:
        settings = Settings(data=Path(folder), allowed_hosts=(urlsplit(there.url).netloc,))
        runtime = open_runtime(settings)
        spec = {"targets": [{"model": "m", "endpoint": there.url}]}
        with runtime.db.write(replace(SYSTEM, owner="bench")) as tx:
            draft = ArtifactDraft(kind="route", name="desk")
            registry.create_artifact(tx, draft, kinds=KINDS)
            registry.create_version(tx, "route", "desk", VersionDraft(spec=spec), kinds=KINDS)
            of = registered.artifact(tx, "route", "desk")
            registry.move_label(tx, of, "production", 1, how="merge", reason="bench")
            _, token = access.issue_token(tx, "bench", ("agent",), agent="scout")
        headers = {"Authorization": f"Bearer {token}"}
        with (
            serving(guarded(build(runtime, background=False))) as base,
            httpx2.Client(timeout=30) as straight,
            httpx2.Client(timeout=30, headers=headers) as through,
        ):
            here, there_too = f"{there.url}/chat/completions", f"{base}{CHAT}"
            figures = {
                name: measured(
                    options.calls,
                    partial(once, straight, here, body(more)),
                    partial(once, through, there_too, body(more)),
                )
                for name, more in KINDS_OF_CALL.items()
            }
        runtime.close()
    for name, one in figures.items():
        print(
            f"{name:12} straight {one['straight_p50_ms']:5.2f} ms   through"
            f" {one['through_p50_ms']:5.2f} ms   added {one['added_p50_ms']:5.2f} ms"
            f"   ratio {one['ratio']:4.1f}   limit {LIMIT_MS[name]} ms"
        )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    report = {"calls": options.calls, "limits_ms": LIMIT_MS, **figures}
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    return (
        0 if all(one["added_p50_ms"] <= LIMIT_MS[name] for name, one in figures.items()) else 1
    )


def body(more: dict[str, Any]) -> dict[str, Any]:
    return {"model": "desk", "messages": [{"role": "user", "content": "hello"}], **more}


def measured(calls: int, straight: Any, through: Any) -> dict[str, float]:
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(calls + WARM):
        for kept, call in zip(times, (straight, through), strict=True):
            took = call()
            if number >= WARM:
                kept.append(took)
    direct, ours = map(statistics.median, times)
    return {
        "straight_p50_ms": round(direct, 2),
        "through_p50_ms": round(ours, 2),
        "added_p50_ms": round(ours - direct, 2),
        "ratio": round(ours / direct, 2),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
