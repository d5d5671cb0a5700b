"""Named places where a test may stop the world.

`boundary("release.saved")` costs one dictionary look-up in production. A test, or
`OPSROOM_FAULT=release.saved[:n]` in the environment of a process that is to be killed, makes
the n-th passage (default: the first) end the process the way a power cut would.
"""

import os
import signal
from collections.abc import Callable

_armed: dict[str, Callable[[], None]] = {}


def boundary(name: str) -> None:
    """Pass a named place. Does nothing unless a test has armed it."""
    if _armed and (strike := _armed.get(name)):
        strike()


def arm(name: str, strike: Callable[[], None]) -> None:
    _armed[name] = strike


def disarm() -> None:
    _armed.clear()


def arm_from_environment() -> None:
    """Arm the kill that `OPSROOM_FAULT` asks for; called once by the composition root."""
    wanted = os.environ.get("OPSROOM_FAULT")
    if not wanted:
        return
    name, _, count = wanted.partition(":")
    left = [int(count or 1)]

    def strike() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    arm(name, strike)
