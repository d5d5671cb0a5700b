"""Feedback on the pages of other slices."""

from opsroom.kit.db import Tx
from opsroom.registry.drawing import Panel
from opsroom.traces.exchange import Exchange

from . import queries

SHOWN = 8


def of_trace(tx: Tx, found: Exchange) -> Panel | None:
    """What was said of a trace, where anything was."""
    said = queries.of_trace(tx, found.trace_id, limit=SHOWN)
    return Panel(template="feedback/of_trace.html", facts={"said": said}) if said else None
