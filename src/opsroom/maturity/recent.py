"""What was assessed a moment ago, so that looking again does not assess everything again.

A hundred agents with their prompts are some two thousand questions to the database. What is
shown says as of when it is, and is at most a minute old.
"""

from datetime import timedelta
from threading import Lock

from opsroom.kit.db import Tx

from . import queries
from .model import Summary

FRESH = timedelta(minutes=1)


class Recent:
    """The latest summary of each project in this process."""

    def __init__(self) -> None:
        self._of: dict[str, Summary] = {}
        self._lock = Lock()

    def summary(self, tx: Tx) -> Summary:
        """Every level of a project, at most a minute old. One caller at a time assesses."""
        with self._lock:
            found = self._of.get(tx.project)
            if found is None or not timedelta(0) <= tx.now - found.at < FRESH:
                found = self._of[tx.project] = queries.summary(tx)
            return found
