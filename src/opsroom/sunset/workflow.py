"""What takes weeks: looking after a sunset from its approval to the archive.

One durable loop per sunset. Each look observes who calls, outside any transaction, and then takes
one step in one; after it the loop waits until the clock would change the answer.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from opsroom.journal import Entry
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.durable import SHORTEST, Durable
from opsroom.kit.errors import Conflict
from opsroom.registry import Kinds
from opsroom.traces.queries import Reads

from . import commands, reviewing, store, watching
from .commands import SYSTEM
from .model import State, Wait

log = logging.getLogger(__name__)

LOOP = "sunset.drive"
LONGEST = timedelta(days=1)
OBSERVED = frozenset({State.DEPRECATING, State.DORMANT})
TELLING = frozenset({"sunset.approved", "sunset.decommissioned", "sunset.reinstated"})


@dataclass(frozen=True, slots=True)
class Driver:
    """Looks after sunsets. Without `telemetry` nothing is proven, so a dormant agent stays so."""

    db: Database
    telemetry: Reads | None
    kinds: Kinds

    def look(self, sunset_id: str) -> float | None:
        """Take the next step, if there is one now; after how many seconds to look again, or None
        when it is over. Safe to repeat.
        """
        with self.db.read(Actor(SYSTEM, "", human=False)) as tx:
            project = store.project_of(tx, sunset_id)
        if project is None:
            return None
        actor = commands.clockwork(Actor(SYSTEM, project, human=False))
        with self.db.read(actor) as tx:
            one = store.sunset(tx, sunset_id)
        if one is None or one.over:
            return None
        observed = one.state in OBSERVED
        seen = watching.observe(self.db, self.telemetry, actor, sunset_id) if observed else None
        try:
            with self.db.write(actor) as tx:
                decision = commands.advance(tx, sunset_id, seen, kinds=self.kinds)
        except Conflict as moved:  # somebody changed it meanwhile: look again
            log.info("%s changed while it was decided: %s", sunset_id, moved)
            return 0.0
        if not isinstance(decision, Wait):
            return 0.0
        until = decision.until
        wait = LONGEST if until is None else until - self.db.clock.now()
        return max(self.db.clock.real(min(wait, LONGEST)), SHORTEST)


def reactions(durable: Durable) -> tuple[Reaction, ...]:
    """How the loop hears of news. The name is kept for ever: its cursor is filed under it."""

    def tell(_tx: Tx, entry: Entry) -> None:
        durable.signal(LOOP, entry.subject.partition("/")[2], about=entry.id)

    return (
        Reaction(name=LOOP, events=TELLING, react=tell),
        Reaction(
            name="sunset.reviews",
            events=frozenset({"annotation.settled"}),
            react=reviewing.answered,
        ),
    )
