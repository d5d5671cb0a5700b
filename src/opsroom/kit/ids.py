"""Identifiers: a prefix that says what it is, and a body that sorts by time.

The body is 26 characters of Crockford base32: 48 bits of milliseconds and 80 random bits
(the layout of ULID). Prefixes: `rel_` release, `run_` evaluation run, `prp_` proposal …
"""

import random
import secrets
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from .clock import Clock

_STEP = 1 << 80  # one millisecond
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Ids(Protocol):
    def new(self, prefix: str) -> str:
        """A fresh identifier, unique, and later in order than those made before it."""
        ...


class TimeIds:
    """Identifiers from a clock and a source of random bits.

    Within a process they only ever go up, also when many are made in one millisecond, when
    the clock stands still and when it is stepped back.
    """

    def __init__(self, clock: Clock, bits: Callable[[int], int] = secrets.randbits) -> None:
        self._clock = clock
        self._bits = bits
        self._last = 0
        self._lock = threading.Lock()

    def new(self, prefix: str) -> str:
        milliseconds = int(self._clock.now().timestamp() * 1000)
        fresh = (milliseconds << 80) | self._bits(80)
        with self._lock:
            self._last = (
                fresh if fresh > self._last + _STEP else self._last + self._bits(32) + 1
            )
            return f"{prefix}_{_base32(self._last)}"


def earliest(prefix: str, at: datetime) -> str:
    """What every identifier that is made from a moment on is no smaller than."""
    return f"{prefix}_{_base32(int(at.timestamp() * 1000) << 80)}"


def seeded_ids(clock: Clock, seed: int) -> TimeIds:
    """Identifiers that come out the same in every run with the same seed and clock."""
    return TimeIds(clock, random.Random(seed).getrandbits)  # noqa: S311  # repeatable on purpose


def _base32(number: int) -> str:
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
