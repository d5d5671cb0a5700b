"""Run every benchmark, one after the other, and end with their tables."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(wanted: list[str]) -> int:
    """Run the benchmarks named (or all of them); the exit code says whether all ran."""
    scripts = [one for one in sorted(HERE.glob("*.py")) if one.name != Path(__file__).name]
    chosen = [one for one in scripts if not wanted or one.stem in wanted]
    failed = [
        one.stem
        for one in chosen
        if subprocess.run([sys.executable, str(one)], check=False).returncode != 0
    ]
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
