"""What was redacted lately."""

from datetime import timedelta

from opsroom.kit.db import Tx

from . import store
from .model import Redacted

DAYS = 30


def redacted(tx: Tx, *, days: int = DAYS) -> list[Redacted]:
    """What was taken out in the last days, by door and rule, most first."""
    return store.since(tx, (tx.now - timedelta(days=days)).date().isoformat())
