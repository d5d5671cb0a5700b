"""How long one waits before anything happens: help, imports, the server, a prompt.

    python benchmarks/cold_start.py [rounds]

Each figure is the median of its rounds, with the fastest and the slowest beside it. A bare
`python -c pass` is measured in the same rounds: what the machine costs, opsroom does not.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "cold_start.json"
PYTHON = sys.executable
UP = [PYTHON, "-c", "from opsroom.cli import main; main()", "up", "--port", "0"]
MICRO = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure in seconds, and what it should stay below."""

    what: str
    median: float
    fastest: float
    slowest: float
    rounds: int
    limit: float | None = None

    @property
    def holds(self) -> bool:
        return self.limit is None or self.median <= self.limit


def main(rounds: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["OPSROOM_CACHE"] = f"{folder}/cache"
        home = Path(folder) / "home"
        rows = [
            measured("python -c pass", lambda: script("pass"), rounds),
            measured("opsroom --help", shown_help, rounds, limit=0.2),
            measured("import opsroom", imported("opsroom"), rounds, limit=0.06),
            measured("import opsroom.sdk", imported("opsroom.sdk"), rounds, limit=0.06),
            measured("opsroom up, ready, new folder", lambda: fresh(folder), 3),
            measured("opsroom up, ready", lambda: ready(home), max(rounds // 3, 3), limit=2.0),
            *prompts(home, rounds),
        ]
    show(rows)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    return 0 if all(row.holds for row in rows) else 1


def measured(
    what: str, run: Callable[[], float], rounds: int, *, limit: float | None = None
) -> Row:
    """Run something `rounds` times, after once for the caches; it says how long it took."""
    run()
    took = [run() for _ in range(rounds)]
    return Row(
        what=what,
        median=statistics.median(took),
        fastest=min(took),
        slowest=max(took),
        rounds=rounds,
        limit=limit,
    )


def script(code: str) -> float:
    begun = time.perf_counter()
    subprocess.run([PYTHON, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def shown_help() -> float:
    return script("from opsroom.cli import main; main(['--help'])")


def imported(module: str) -> Callable[[], float]:
    """Time inside the process: what `import` adds to a program that runs anyway."""
    code = (
        "import sys, time; begun = time.perf_counter();"
        f"import {module}; sys.stdout.write(str(time.perf_counter() - begun))"
    )

    def run() -> float:
        done = subprocess.run([PYTHON, "-c", code], check=True, capture_output=True, text=True)
        return float(done.stdout)

    return run


def fresh(folder: str) -> float:
    with tempfile.TemporaryDirectory(dir=folder) as new:
        return ready(Path(new) / "home")


def ready(home: Path) -> float:
    """From the command to the first request that can be answered."""
    begun = time.perf_counter()
    server = started(home)
    took = time.perf_counter() - begun
    stopped(server)
    return took


def started(home: Path) -> subprocess.Popen[bytes]:
    server = subprocess.Popen([*UP, "--data", str(home)], stdout=subprocess.DEVNULL)
    while not (home / "server.json").exists():
        if server.poll() is not None:
            raise RuntimeError("the server did not come up")
        time.sleep(0.002)
    return server


def stopped(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait(timeout=20)


def prompts(home: Path, rounds: int) -> list[Row]:
    """Reading a prompt through the SDK: cold, warm, and with a server that hangs."""
    import signal

    from opsroom.sdk import Opsroom

    server = started(home)
    try:
        with Opsroom(data_dir=home) as author:
            author.post("/v1/artifacts/prompt", {"name": "greeting"})
            spec = {"format": "text", "text": "Hello, {{ who }}.", "variables": {"who": {}}}
            author.post("/v1/artifacts/prompt/greeting/versions", {"spec": spec})

        def cold() -> float:
            with Opsroom(data_dir=home) as program:
                program.http()
                begun = time.perf_counter()
                program.prompt("greeting", "latest")
                return time.perf_counter() - begun

        program = Opsroom(data_dir=home)

        def warm(calls: int = 20_000) -> float:
            begun = time.perf_counter()
            for _ in range(calls):
                program.prompt("greeting", "latest")
            return (time.perf_counter() - begun) / calls

        def rendered(calls: int = 2_000) -> float:
            begun = time.perf_counter()
            for _ in range(calls):
                program.prompt("greeting", "latest").render(who="Ada")
            return (time.perf_counter() - begun) / calls

        def hanging(calls: int = 1000) -> float:
            begun = time.perf_counter()
            for _ in range(calls):
                program.prompt("missing", fallback="Hello.")
            return (time.perf_counter() - begun) / calls

        rows = [
            measured("prompt, cold, server at hand", cold, rounds, limit=0.05),
            measured("prompt, warm", warm, rounds, limit=8 * MICRO),
            measured("prompt, warm, rendered", rendered, rounds),
        ]
        server.send_signal(signal.SIGSTOP)
        time.sleep(6)
        rows += [
            measured("prompt, warm, server hangs", warm, rounds, limit=50 * MICRO),
            measured("prompt, fallback, server hangs", hanging, rounds, limit=0.005),
        ]
        server.send_signal(signal.SIGCONT)
        program.close()
        return rows
    finally:
        stopped(server)


def show(rows: list[Row]) -> None:
    print(f"{'':34} {'median':>10} {'fastest':>10} {'slowest':>10} {'limit':>10}")
    for row in rows:
        limit = "" if row.limit is None else spelt(row.limit)
        print(
            f"{row.what:34} {spelt(row.median):>10} {spelt(row.fastest):>10}"
            f" {spelt(row.slowest):>10} {limit:>10}{'' if row.holds else '  TOO SLOW'}"
        )


def spelt(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    if seconds >= 0.001:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds * 1e6:.2f} µs"


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
