"""Deciding otherwise than an agent did, where its trace is shown."""

from opsroom.kit.db import Tx
from opsroom.registry.drawing import Panel
from opsroom.traces.exchange import Exchange

from . import drawing, queries, rules

SHOWN = 5


def offer(tx: Tx, found: Exchange) -> Panel:
    """What people said instead of the agent, and a form to say it with."""
    return Panel(
        template="inbox/otherwise.html",
        facts={
            "found": found,
            "earlier": queries.overrides(tx, subject=f"trace/{found.trace_id}", limit=SHOWN),
            "may": rules.OVERRIDE in tx.actor.may,
            "spelt": drawing.spelt,
        },
    )
