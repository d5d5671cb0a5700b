"""Telemetry does not fill the disk: the oldest days go when there is too much."""

import logging
from collections.abc import Callable
from datetime import timedelta

from .ports import Telemetry
from .schema import KEPT_TABLES, LONGEST_KEPT, keep_for

log = logging.getLogger(__name__)
_SIZES = """
SELECT partition, sum(bytes_on_disk) AS bytes FROM system.parts
WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)}
GROUP BY partition ORDER BY partition"""


def make_room(store: Telemetry, *, most: int) -> tuple[str, ...]:
    """Drop whole days, oldest first, until what is left is at most so many bytes.

    The newest day stays, whatever its size. Says which days (YYYYMMDD) went; age is the
    store's own business. Safe to repeat.
    """
    days = [
        (row["partition"], row["bytes"])
        for row in store.rows(_SIZES, {"tables": list(KEPT_TABLES)})
    ]
    size = sum(bytes_ for _, bytes_ in days)
    gone: list[str] = []
    for day, bytes_ in days[:-1]:
        if size <= most:
            break
        for table in KEPT_TABLES:
            store.run(f"ALTER TABLE {table} DROP PARTITION {int(day)}")
        size -= bytes_
        gone.append(day)
    if gone:
        log.warning("telemetry of %s was dropped to stay within its size", ", ".join(gone))
    return tuple(gone)


class Keeps:
    """How long, and how much telemetry is kept; everything while something is held, since
    projects share it.
    """

    def __init__(
        self, store: Telemetry, keep: timedelta, most: int, held: Callable[[], bool]
    ) -> None:
        self._store = store
        self._keep = keep
        self._most = most
        self._held = held
        self._was_held = False

    def age(self) -> timedelta:
        """For how long, as it is now."""
        self._was_held = self._held()
        return timedelta(days=LONGEST_KEPT) if self._was_held else self._keep

    def look(self) -> None:
        """Make room, unless something is held; notice that it is, or no longer."""
        before, age = self._was_held, self.age()
        if before != self._was_held:
            keep_for(self._store, age)
        if not self._was_held:
            make_room(self._store, most=self._most)
