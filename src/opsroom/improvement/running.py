"""Carrying a search out: in the background as a durable loop, or at once in a request.

Both do the same. A search that was interrupted is carried out from its beginning again, and
finds on its way what was done before.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opsroom.journal import Entry
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.durable import Durable
from opsroom.kit.errors import Conflict, OpsroomError, Unavailable
from opsroom.kit.faults import boundary
from opsroom.models import Models
from opsroom.registry import Kinds

from . import commands, store
from .errors import BudgetSpent, SearchStopped
from .material import Material, gather
from .model import OVER, Improvement, Method
from .reflecting import by_reflection
from .searching import by_examples, by_parameters, by_versions
from .workbench import Workbench

log = logging.getLogger(__name__)

LOOP = "improvement.search"
SYSTEM = "system:improvement"
SEARCHES: Mapping[Method, Callable[[Workbench, Material], None]] = {
    Method.EXAMPLES: by_examples,
    Method.PARAMETERS: by_parameters,
    Method.REFLECT: by_reflection,
    Method.VERSIONS: by_versions,
}


@dataclass(frozen=True, slots=True)
class Driver:
    """Carries searches out in the background."""

    db: Database
    models: Models
    kinds: Kinds

    def look(self, improvement_id: str) -> None:
        """Carry a search out to its end. Safe to repeat."""
        with self.db.read(Actor(SYSTEM, "", human=False)) as tx:
            project = store.project_of(tx, improvement_id)
        if project is not None:
            carry_out(self.db, project, improvement_id, models=self.models, kinds=self.kinds)


def carry_out(
    db: Database, project: str, improvement_id: str, *, models: Models, kinds: Kinds
) -> Improvement:
    """Carry a search out to its end, from wherever it is.

    What makes it impossible is written down as its failure. Raises `Unavailable` where an
    engine is away, and `Conflict` where another process is at work on it; then it goes on
    when it is called again.
    """
    with db.write(Actor(SYSTEM, project, human=False)) as tx:
        found = commands.begin(tx, improvement_id)
    if found.state in OVER:
        return found
    # The one who started it answers for what comes of it, so somebody else has to approve.
    actor = Actor(SYSTEM, project, human=False, owner=found.started_by)
    try:
        return _search(db, actor, found, models=models, kinds=kinds)
    except SearchStopped:
        with db.read(actor) as tx:
            return store.improvement(tx, improvement_id) or found
    except (Unavailable, Conflict):
        raise
    except OpsroomError as error:
        with db.write(actor) as tx:
            return commands.fail(tx, improvement_id, error)


def _search(
    db: Database, actor: Actor, found: Improvement, *, models: Models, kinds: Kinds
) -> Improvement:
    with db.read(actor) as tx:
        material = gather(tx, found.dataset)
    bench = Workbench(db, actor, found, models=models)
    ended = ""
    try:
        bench.measure_base(len(material.selection))
        SEARCHES[found.plan.method](bench, material)
    except BudgetSpent as spent:
        ended = str(spent)
        if not bench.candidates:
            with db.write(actor) as tx:
                return commands.fail(tx, found.id, spent)
    boundary("improvement.searched")
    with db.write(actor) as tx:
        return commands.conclude(tx, found.id, bench.candidates, ended=ended, kinds=kinds)


def reactions(durable: Durable) -> tuple[Reaction, ...]:
    """How the loop hears of a new search. The name is kept for ever: its cursor is under it."""

    def begin(_tx: Tx, entry: Entry) -> None:
        if not entry.facts.get("inline"):
            durable.begin(LOOP, entry.subject.partition("/")[2])

    return (Reaction(name=LOOP, events=frozenset({commands.STARTED}), react=begin),)
