"""Recorded lines, and where to find them."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest


def lines(data_dir: Path, name: str) -> list[dict[str, Any]]:
    """The lines of a recorded file; skips the test where it is missing."""
    path = data_dir / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"no {name}")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]
