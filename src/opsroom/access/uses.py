"""Who was seen calling which agent: noted in memory while requests are answered, kept soon after.

It is what proves that nobody calls an agent any more, so refused calls count as well. A process
that dies takes the last second of notes with it; who calls again is noted again.
"""

import threading
from dataclasses import replace
from datetime import datetime

from opsroom.kit.db import Actor, Database

from . import store
from .model import Use

MOST = 10_000  # callers and doors that wait to be kept
AT_ONCE = 500
_Key = tuple[str, str, str, str, str]


class Uses:
    """What one process has seen since it last kept it. Safe from any thread."""

    def __init__(self) -> None:
        self._seen: dict[_Key, Use] = {}
        self._lock = threading.Lock()

    def note(self, actor: Actor, agent: str, door: str, *, at: datetime) -> None:
        """Note that `actor` called `agent`, or came in as it, through a door."""
        key = (actor.project, agent, actor.name, actor.token, door)
        with self._lock:
            was = self._seen.get(key)
            if was is not None:
                self._seen[key] = replace(was, last_at=max(at, was.last_at))
            elif len(self._seen) < MOST:
                self._seen[key] = Use(
                    agent=agent,
                    caller=actor.name,
                    token=actor.token,
                    door=door,
                    first_at=at,
                    last_at=at,
                )

    def keep(self, db: Database) -> int:
        """Write down what was noted; returns how many notes there were. What cannot be written
        now is noted still.
        """
        kept = 0
        while batch := self._batch():
            with db.write(Actor("system:access", "", human=False)) as tx:
                for (project, *_), use in batch:
                    store.add_use(tx, project, use)
            self._forget(batch)
            kept += len(batch)
        return kept

    def _batch(self) -> list[tuple[_Key, Use]]:
        with self._lock:
            return list(self._seen.items())[:AT_ONCE]

    def _forget(self, batch: list[tuple[_Key, Use]]) -> None:
        with self._lock:
            for key, use in batch:
                if self._seen.get(key) == use:
                    del self._seen[key]
