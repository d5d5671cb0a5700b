"""Deciding otherwise than an agent did, where its trace is shown."""

from dataclasses import replace

from opsroom.kit.db import Tx
from opsroom.registry.drawing import Panel
from opsroom.traces import queries as queries_of_traces
from opsroom.traces.errors import TelemetryUnavailable, TraceNotFound
from opsroom.traces.exchange import Exchange, exchange
from opsroom.traces.queries import Reads

from . import drawing, queries, rules
from .model import OverrideDraft

SHOWN = 5


def with_asked(traces: Reads, project: str, draft: OverrideDraft) -> OverrideDraft:
    """The draft with what the agent had been asked, where its trace still says so."""
    if draft.asked is not None or not draft.trace:
        return draft
    try:
        found = exchange(queries_of_traces.trace(traces, project, draft.trace))
    except (TraceNotFound, TelemetryUnavailable):
        return draft
    return replace(
        draft,
        asked=found.asked or None,
        agent=draft.agent or found.agent,
        version=draft.version or found.version,
    )


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
