"""Slowing down whoever guesses passwords.

Failures are counted for a name from an address, and for an address over all names. Nobody
can lock somebody else out: their failures from one address do not count against another. The
counts live in this process; losing them costs a guesser's few free tries, nothing else.
"""

import threading
from collections import deque
from datetime import datetime, timedelta

from .errors import TooManyTries

WINDOW = timedelta(minutes=1)
PER_NAME = 5
PER_ADDRESS = 30
REMEMBERED = 10_000


class Throttle:
    """Counts failed logins within the last minute."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str], deque[datetime]] = {}
        self._lock = threading.Lock()

    def count(self, name: str, address: str, *, now: datetime) -> None:
        """Count a try before it is made, so that many at once do not slip through together.

        Raises `TooManyTries` while there were too many.
        """
        with self._lock:
            mine = self._recent((name, address), now)
            ours = self._recent(("", address), now)
            if mine >= PER_NAME or ours >= PER_ADDRESS:
                raise TooManyTries
            for key in ((name, address), ("", address)):
                self._failures.setdefault(key, deque(maxlen=PER_ADDRESS)).append(now)
            while len(self._failures) > REMEMBERED:
                del self._failures[next(iter(self._failures))]

    def succeeded(self, name: str, address: str) -> None:
        with self._lock:
            self._failures.pop((name, address), None)
            if ours := self._failures.get(("", address)):
                ours.pop()

    def _recent(self, key: tuple[str, str], now: datetime) -> int:
        times = self._failures.get(key)
        if times is None:
            return 0
        while times and now - times[0] >= WINDOW:
            times.popleft()
        if not times:
            del self._failures[key]
        return len(times)
