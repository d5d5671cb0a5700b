"""Carrying a search out: in the background as a durable loop, or at once in a request.

Both do the same. A search that was interrupted is carried out from its beginning again, and
finds on its way what was done before.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread

from opsroom.journal import Entry
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.durable import SHORTEST, Durable
from opsroom.kit.errors import OpsroomError, Unavailable
from opsroom.kit.faults import boundary
from opsroom.models import Models
from opsroom.registry import Kinds

from . import commands, store
from .commands import LEASE
from .errors import BudgetSpent, ImprovementClaimed, SearchStopped
from .material import Material, gather
from .metering import Meter
from .model import OVER, Improvement, Method, Spent, choose
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

    def look(self, improvement_id: str) -> float | None:
        """Carry a search out to its end; or say after how many seconds to look again, where
        somebody else is at work on it. Safe to repeat.
        """
        with self.db.read(Actor(SYSTEM, "", human=False)) as tx:
            project = store.project_of(tx, improvement_id)
        if project is None:
            return None
        try:
            carry_out(self.db, project, improvement_id, models=self.models, kinds=self.kinds)
        except ImprovementClaimed as claimed:
            wait = max(claimed.until - self.db.clock.now(), timedelta(0))
            return max(self.db.clock.real(wait), SHORTEST)
        return None


def carry_out(
    db: Database, project: str, improvement_id: str, *, models: Models, kinds: Kinds
) -> Improvement:
    """Carry a search out to its end, from wherever it is. Nobody else can meanwhile.

    What makes it impossible is written down as its failure, and so is what it meets again and
    again. Raises `ImprovementClaimed` where somebody else is at work on it, and
    `Unavailable` where an engine is away; then it goes on when it is called again.
    """
    with db.write(Actor(SYSTEM, project, human=False)) as tx:
        mine = commands.claim(tx, improvement_id)
    if mine.state in OVER:
        return mine
    # The one who started it answers for what comes of it, so somebody else has to approve.
    actor = Actor(SYSTEM, project, human=False, owner=mine.started_by)
    meter = Meter(mine.plan.budget, mine.spent)
    try:
        with _staying(db, actor, mine):
            _search(db, actor, mine, meter, models=models, kinds=kinds)
    except SearchStopped:
        pass
    except (Unavailable, ImprovementClaimed):
        raise
    except Exception as error:
        with db.write(actor) as tx:
            ended = commands.fail(tx, mine, error).state in OVER
        if not ended:
            raise
        if not isinstance(error, OpsroomError):
            log.exception("%s ended over a bug", improvement_id)
    finally:
        with db.write(actor) as tx:
            done = commands.let_go(tx, mine, meter.unnoted)
    return done


def _search(
    db: Database,
    actor: Actor,
    mine: Improvement,
    meter: Meter,
    *,
    models: Models,
    kinds: Kinds,
) -> None:
    if mine.plan.method is Method.THRESHOLDS:
        with db.write(actor) as tx:
            mine, choice = commands.try_cutoffs(tx, mine)
            commands.conclude(tx, mine, choice, kinds=kinds)
        return
    with db.read(actor) as tx:
        material = gather(tx, mine.dataset)
    bench = Workbench(db, actor, mine, models=models, meter=meter)
    ended = ""
    try:
        bench.measure_base(len(material.selection))
        SEARCHES[mine.plan.method](bench, material)
    except BudgetSpent as spent:
        if not bench.candidates:
            raise
        ended = str(spent)
    boundary("improvement.searched")
    with db.write(actor) as tx:
        choice = choose([one for one in bench.candidates if not one.reason or one.number == 0])
        commands.conclude(tx, mine, choice, ended=ended, kinds=kinds)


@contextmanager
def _staying(db: Database, actor: Actor, mine: Improvement) -> Iterator[None]:
    """Stay at work on a search while answers take their time, however long."""
    done = Event()

    def stay() -> None:
        while not done.wait(LEASE.total_seconds() / 3):
            try:
                with db.write(actor) as tx:
                    commands.hold(tx, mine, Spent())
            except Unavailable as away:
                log.warning("%s: %s", mine.id, away)
            except OpsroomError:  # stopped or taken over, which the search itself finds out
                return

    beside = Thread(target=stay, name=f"stay-{mine.id}", daemon=True)
    beside.start()
    try:
        yield
    finally:
        done.set()
        beside.join()


def reactions(durable: Durable) -> tuple[Reaction, ...]:
    """How the loop hears of a new search. The name is kept for ever: its cursor is under it."""

    def begin(_tx: Tx, entry: Entry) -> None:
        if not entry.facts.get("inline"):
            durable.begin(LOOP, entry.subject.partition("/")[2])

    return (Reaction(name=LOOP, events=frozenset({commands.STARTED}), react=begin),)
