"""Time, passed in.

Nothing below the composition root asks the machine what time it is. A `Clock` is handed
down, so that 48 hours of shadow run take a second in a test and a minute in the demo.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The current time, aware and UTC."""
        ...

    def real(self, span: timedelta) -> float:
        """How many seconds of machine time pass while `span` passes on this clock."""
        ...

    def lasting(self, span: timedelta) -> timedelta:
        """How much time passes on this clock while `span` passes on the machine's.

        For what people hold in their hands: a session lasts as long for them on a fast clock.
        """
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def real(self, span: timedelta) -> float:
        return span.total_seconds()

    def lasting(self, span: timedelta) -> timedelta:
        return span


class FastClock:
    """A clock that starts at `start` and runs `rate` times as fast as the machine's."""

    def __init__(self, start: datetime, rate: float) -> None:
        self._start = start
        self._rate = rate
        self._origin = time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._origin) * self._rate)

    def real(self, span: timedelta) -> float:
        return span.total_seconds() / self._rate

    def lasting(self, span: timedelta) -> timedelta:
        return span * self._rate


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def real(self, span: timedelta) -> float:  # noqa: ARG002  # waiting does not move this clock
        return 0.0

    def lasting(self, span: timedelta) -> timedelta:
        return span

    def move(self, span: timedelta) -> None:
        """Let `span` pass; a negative span steps the clock back, as a bad NTP server would."""
        self._now += span
