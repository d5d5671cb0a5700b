"""Looking at what is decided and held."""

from opsroom.kit.db import Tx

from . import store
from .model import Standing


def standing(tx: Tx) -> Standing:
    """What this project decided about keeping, and the holds that stand in it."""
    return Standing(rules=store.rules(tx), holds=store.standing(tx))


def anything_held(tx: Tx) -> bool:
    """Whether a hold stands in any project: then telemetry, which projects share, stays."""
    return store.anything_held(tx)
