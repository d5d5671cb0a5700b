"""Counting what is redacted: in memory while requests are answered, kept soon after.

A process that dies takes the last second of counts with it; nothing else is lost.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping

from opsroom.kit.db import Actor, Database
from opsroom.kit.redaction import Redactor

from . import store

SYSTEM = Actor("system:redactions", "", human=False)


class Tally:
    """What one process has taken out since it last kept count. Safe from any thread."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()

    def note(self, project: str, door: str, counts: Mapping[str, int]) -> None:
        """Count what was taken out at a door, by rule."""
        if counts:
            with self._lock:
                self._counts.update(
                    {(project, door, rule): count for rule, count in counts.items()}
                )

    def cleaner(self, redactor: Redactor, project: str, door: str) -> Callable[[str], str]:
        """Cleans texts as `redactor` does, and counts what it takes out."""

        def clean(text: str) -> str:
            counts: Counter[str] = Counter()
            cleaned = redactor.clean(text, counts)
            self.note(project, door, counts)
            return cleaned

        return clean

    def keep(self, db: Database) -> int:
        """Write down what was counted; returns how much that was. What cannot be written now is
        counted still.
        """
        with self._lock:
            taken, self._counts = self._counts, Counter()
        if not taken:
            return 0
        try:
            with db.write(SYSTEM) as tx:
                store.add(tx, taken)
        except BaseException:
            with self._lock:
                self._counts.update(taken)
            raise
        return taken.total()
