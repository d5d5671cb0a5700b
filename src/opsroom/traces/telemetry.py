"""The one door to telemetry of a process: opened with the first use, closed with the process."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from opsroom.kit.clock import Clock

from . import schema
from .intake import Bounds, Intake, Opened
from .ports import Row, Telemetry
from .pricing import OwnPrices, Pricing
from .retention import Keeps

log = logging.getLogger(__name__)


class Traces:
    """Reads and takes in telemetry. Opening takes a while that the start-up does not wait for."""

    def __init__(
        self,
        connect: Callable[[], Telemetry],
        *,
        clock: Clock,
        own: OwnPrices,
        keep: timedelta,
        most: int,
        bounds: Bounds | None = None,
        held: Callable[[], bool] = lambda: False,
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._own = own
        self._keep = keep
        self._most = most
        self._held = held
        self._lock = threading.Lock()
        self._opened: Opened | None = None
        self.intake = Intake(self.opened, clock, bounds)
        # Spans by project that this process stored and rejected; one thread counts them.
        self.stored: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()

    def opened(self) -> Opened:
        """The store, its tables as this version of the code needs them."""
        with self._lock:
            if self._opened is None:
                store = self._connect()
                try:
                    keeps = Keeps(store, self._keep, self._most, self._held)
                    inbox = schema.prepare(store, keep=keeps.age())
                except BaseException:
                    store.close()
                    raise
                pricing = Pricing(store, self._own)
                self._opened = Opened(store=store, inbox=inbox, pricing=pricing, keeps=keeps)
            return self._opened

    @property
    def in_use(self) -> bool:
        """Whether this process has read or taken in anything yet."""
        return self._opened is not None

    @property
    def used(self) -> "Traces | None":
        """This, where it is in use; for whoever must not be the one who opens it."""
        return self if self.in_use else None

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        return self.opened().store.rows(sql, parameters)

    def close(self) -> None:
        """Store what is waiting, and let go of the store."""
        self.intake.close()
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.store.close()
