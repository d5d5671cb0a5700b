"""How many spans a second are durable and can be asked for, through a real server?

    python benchmarks/otlp_ingest.py [SPANS] [--out FILE]

Requests of 512 spans of about 2.45 kB, packed with gzip as exporters pack them, are made
beforehand and sent over several connections at once to a server in its own process, which
shares both cores with the sender. The clock stops when the last one is answered; then every
span is counted in the store. The floor is what nobody can avoid: parsing the requests with the
protocol's own parser, packing them with zstd and writing them to disk with a sync.
"""

import argparse
import gzip
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.installation import Process
from tests.traces.otlp import many

from opsroom.app import Settings, local_token, open_runtime
from opsroom.engines.clickhouse import embedded

RESULTS = Path(__file__).parent / "results" / "otlp_ingest.json"
EACH = 512  # as many as the standard exporter puts into one
SENDERS = 24
GOAL = 20_000
DISTINCT = 40  # requests made by hand; the others differ from them in their ids


def bodies(count: int) -> list[bytes]:
    """So many requests; no two spans share an id."""
    now = time.time_ns() - 10**9
    made = [many(seed, EACH) for seed in range(min(count, DISTINCT))]
    out: list[bytes] = []
    for number in range(count):
        request = made[number % DISTINCT]
        for span in request.resource_spans[0].scope_spans[0].spans:
            lasted = span.end_time_unix_nano - span.start_time_unix_nano
            span.start_time_unix_nano = now
            span.end_time_unix_nano = now + lasted
            span.trace_id = number.to_bytes(4, "big") + span.trace_id[4:]
        out.append(request.SerializeToString())
    return out


def floor(plain: Sequence[bytes], folder: Path) -> float:
    """Spans a second of parsing, packing and writing alone, on one core."""
    began = time.perf_counter()
    pack = zstandard.ZstdCompressor(level=1)
    with (folder / "floor").open("wb") as file:
        for body in plain:
            ExportTraceServiceRequest.FromString(body)
            file.write(pack.compress(body))
        file.flush()
        os.fsync(file.fileno())
    return len(plain) * EACH / (time.perf_counter() - began)


def sent(url: str, token: str, packed: Sequence[bytes]) -> tuple[float, int]:
    """Seconds until the last request is answered, and how often one had to be repeated."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "gzip",
    }
    with httpx2.Client(base_url=url, headers=headers, timeout=60) as client:

        def send(body: bytes) -> int:
            repeated = 0
            while (answer := client.post("/v1/traces", content=body)).status_code == 503:
                repeated += 1
                time.sleep(float(answer.headers["Retry-After"]))
            answer.raise_for_status()
            return repeated

        send(packed[0])  # opens the store
        began = time.perf_counter()
        with ThreadPoolExecutor(SENDERS) as pool:
            repeated = sum(pool.map(send, packed[1:]))
        return time.perf_counter() - began, repeated


def main(arguments: Sequence[str]) -> int:
    """Print the figures; exit 1 where spans are lost, or fewer than the goal come through."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spans", nargs="?", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary) / "home"
        runtime = open_runtime(Settings(data=home))
        token = local_token(runtime)
        runtime.close()
        plain = bodies(max(2, options.spans // EACH + 1))
        size = sum(map(len, plain)) / len(plain) / EACH
        lowest = floor(plain, Path(temporary))
        packed = [gzip.compress(body, 6) for body in plain]
        server = Process(home)
        seconds, repeated = sent(server.url, token, packed)
        server.stop()
        store = embedded(home / "telemetry")
        found = store.rows("SELECT count() AS spans FROM spans FINAL")[0]["spans"]
        disk = store.rows(
            "SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND table = 'spans'"
        )[0]["bytes"]
        store.close()
    expected = len(plain) * EACH
    rate = (len(plain) - 1) * EACH / seconds
    report = {
        "spans": expected,
        "found": found,
        "bytes_each": round(size),
        "spans_per_second": round(rate),
        "floor_spans_per_second": round(lowest),
        "times_the_floor": round(lowest / rate, 2),
        "repeated": repeated,
        "bytes_on_disk_each": round(disk / max(found, 1)),
        "goal": GOAL,
    }
    print(f"{rate:,.0f} spans/s of {size:,.0f} bytes, durable and queryable (goal {GOAL:,})")
    print(
        f"floor (parse, pack, write; one core): {lowest:,.0f}/s, {lowest / rate:.1f} times that"
    )
    print(
        f"{found:,} of {expected:,} spans are there; {report['bytes_on_disk_each']} bytes on disk each"
    )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if found != expected or rate < GOAL else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.exit(main(sys.argv[1:]))
