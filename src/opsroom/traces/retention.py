"""Telemetry does not fill the disk: the oldest days go when there is too much."""

import logging

from .ports import Telemetry
from .schema import KEPT_TABLES

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
