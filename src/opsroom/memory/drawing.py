"""What other slices' pages show of decision memory."""

from opsroom.kit.db import Tx
from opsroom.registry.drawing import Panel

from . import queries

SHOWN = 3


def similar(tx: Tx, agent: str, contract: str, context: str) -> Panel | None:
    """The most similar past decisions, for a person who is about to decide; None without any."""
    found = queries.recall(tx, agent, contract=contract, context=context, k=SHOWN)
    if not found:
        return None
    return Panel(template="memory/similar.html", facts={"recalled": found})
