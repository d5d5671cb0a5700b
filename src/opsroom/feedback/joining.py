"""Joining feedback to traces that no turn belongs to, once telemetry knows of them.

Exporters send a trace a while after it has ended, so what is said of one may come first.
"""

from collections import defaultdict
from datetime import timedelta

from opsroom.kit.db import Actor, Database
from opsroom.traces import queries as traces
from opsroom.traces.queries import Reads

from . import commands, store
from .model import Known

EVERY = 30.0  # seconds between looks
FOR = timedelta(days=2)  # so long a trace may take to arrive
AT_ONCE = 200
SYSTEM = "system:feedback"


def waiting(db: Database) -> dict[str, list[str]]:
    """The traces that were not known when something was said of them, by project."""
    found: dict[str, list[str]] = defaultdict(list)
    with db.read(Actor(SYSTEM, "", human=False)) as tx:
        since = tx.now - tx.lasting(FOR)
        for project, trace in store.unknown_traces(tx, since, limit=AT_ONCE):
            found[project].append(trace)
    return found


def join(db: Database, telemetry: Reads) -> int:
    """Join what can be joined by now, in every project; how much that was.

    Raises `TelemetryUnavailable`.
    """
    joined = 0
    for project, names in waiting(db).items():
        known = {
            trace: Known(agent=agent, version=version.removeprefix("agent/"), trace=trace)
            for trace, (agent, version) in traces.at_work(telemetry, project, names).items()
        }
        if known:
            with db.write(Actor(SYSTEM, project, human=False)) as tx:
                joined += commands.join_traced(tx, known)
    return joined
