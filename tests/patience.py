"""How long a test waits for what has to come.

A machine that runs other things as well may be slow for minutes. Waiting longer costs nothing
where the fact comes, and where it does not the test fails as surely, only later.
"""

import time
from collections.abc import Callable

PATIENCE = 120.0  # seconds


def eventually(holds: Callable[[], object]) -> bool:
    """Wait until it holds; whether it did before patience ended."""
    until = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
