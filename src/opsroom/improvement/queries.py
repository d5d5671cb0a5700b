"""Looking searches and their candidates up."""

from opsroom.kit.db import Tx

from . import store
from .errors import ImprovementNotFound
from .model import Candidate, Improvement, State

PAGE = 50


def improvement(tx: Tx, improvement_id: str) -> Improvement:
    found = store.improvement(tx, improvement_id)
    if found is None:
        raise ImprovementNotFound(improvement_id)
    return found


def improvements(
    tx: Tx, *, target: str = "", before: str | None = None, limit: int = PAGE
) -> list[Improvement]:
    """Searches, newest first; go on with the last id as `before`."""
    return store.page(tx, target=target, before=before, limit=limit)


def candidates(
    tx: Tx, improvement_id: str, *, after: int = -1, limit: int = PAGE
) -> list[Candidate]:
    """The candidates of a search in order; go on with the last number as `after`."""
    improvement(tx, improvement_id)
    return store.candidates_of(tx, improvement_id, after=after, limit=limit)


def candidate(tx: Tx, improvement_id: str, number: int) -> Candidate | None:
    improvement(tx, improvement_id)
    return store.candidate(tx, improvement_id, number)


def count_at_work(tx: Tx) -> int:
    """How many searches are queued or at work."""
    return store.count(tx, State.QUEUED.value, State.RUNNING.value)
