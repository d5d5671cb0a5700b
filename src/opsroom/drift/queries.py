"""Looking at drifts, and at how every aspect of every agent stands."""

from opsroom.kit.db import Tx

from . import store
from .errors import DriftNotFound
from .model import Drift, State, Watch

PAGE = 50
MOST_WATCHES = 1_200


def drift(tx: Tx, drift_id: str) -> Drift:
    """Raises `DriftNotFound`."""
    found = store.drift(tx, drift_id)
    if found is None:
        raise DriftNotFound(drift_id)
    return found


def drifts(
    tx: Tx, *, everything: bool = False, before: str | None = None, limit: int = PAGE
) -> list[Drift]:
    """Drifts that are open, or all of them, newest first."""
    return store.page(tx, everything=everything, before=before, limit=limit)


def count_open(tx: Tx) -> int:
    return store.count(tx, State.OPEN)


def watches(tx: Tx) -> list[Watch]:
    """How every aspect of every agent stood at its last look, by agent."""
    return store.all_watches(tx, limit=MOST_WATCHES)
