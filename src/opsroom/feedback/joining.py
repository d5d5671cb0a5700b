"""Joining feedback to work that was not known when it came.

Exporters send a trace a while after it has ended, so what is said of one may come first. Each
project has its turn in every round, and what stays unknown is looked for ever less often, so
that neither a project nor a flood of unknown subjects keeps the rest waiting.
"""

from opsroom.access import queries as access
from opsroom.kit.db import Actor, Database
from opsroom.redactions.commands import cleaning
from opsroom.traces import queries as traces
from opsroom.traces.keepers import Keepers
from opsroom.traces.queries import Reads

from . import commands, store
from .model import Known

EVERY = 30.0  # seconds between rounds
AT_ONCE = 200
SYSTEM = "system:feedback"


def join(db: Database, telemetry: Reads | None) -> int:
    """Join what can be joined by now, up to 200 in every project; how much that was. Without
    telemetry, only to turns.

    Raises `TelemetryUnavailable`.
    """
    with db.read(Actor(SYSTEM, "", human=False)) as tx:
        projects = access.projects(tx)
    keepers = Keepers()
    return sum(_in_project(db, telemetry, keepers, one) for one in projects)


def _in_project(db: Database, telemetry: Reads | None, keepers: Keepers, project: str) -> int:
    actor = Actor(SYSTEM, project, human=False)
    with db.read(actor) as tx:
        waiting = store.waiting(tx, limit=AT_ONCE)
    if not waiting:
        return 0
    named = list(dict.fromkeys(one.trace for one in waiting if one.trace))
    at_work = {} if telemetry is None else traces.at_work(telemetry, project, named)
    known = {
        trace: Known(agent=agent, version=version.removeprefix("agent/"), trace=trace)
        for trace, (agent, version) in at_work.items()
    }
    with db.write(actor) as tx, cleaning(tx, keepers.of(tx).redactor, "feedback") as clean:
        return commands.join_waiting(tx, waiting, known, clean=clean)
