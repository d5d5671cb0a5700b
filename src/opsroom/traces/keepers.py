"""Every project's decision about its telemetry, made ready for use and kept at hand.

The decision is looked up for every request, by its revision alone; patterns are compiled once.
"""

import threading
from dataclasses import dataclass

from opsroom.kit.db import Tx
from opsroom.kit.redaction import Redactor

from . import keeping, store
from .model import Keeping


@dataclass(frozen=True, slots=True)
class Keeper:
    keeping: Keeping
    redactor: Redactor


class Keepers:
    """Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[str, Keeper] = {}

    def of(self, tx: Tx) -> Keeper:
        """How the project of this transaction wants its telemetry kept, as of now."""
        revision = store.revision(tx)
        made = self._made.get(tx.project)
        if made is None or made.keeping.revision != revision:
            decided = keeping.current(tx)
            made = Keeper(decided, keeping.redactor(decided))
            with self._lock:
                self._made[tx.project] = made
        return made
