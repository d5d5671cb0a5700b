"""Checking every integration when it is due: one durable loop each.

A look claims the check, visits the system outside any transaction, and takes in what was
found. It is safe to repeat: what is not due is left alone.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from opsroom.journal import Entry
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.durable import SHORTEST, Durable
from opsroom.kit.errors import NotFound
from opsroom.registry import queries as registry

from . import commands, store
from .checking import check
from .probing import Prober

log = logging.getLogger(__name__)

LOOP = "integrations.check"
SYSTEM = "system:integrations"
KIND = "integration"
LEFT_ALONE = "integration.left_alone"  # agents met failure after failure: look at once
LONGEST = timedelta(days=1)
BUSY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Driver:
    """Checks integrations when they are due."""

    db: Database
    prober: Prober

    def look(self, integration_id: str) -> float | None:
        """Check it if it is due; say after how many seconds to look again, or None when there
        is nothing left to check. What is archived is left alone.
        """
        with self.db.read(Actor(SYSTEM, "", human=False)) as tx:
            place = store.place_of(tx, integration_id)
        if place is None:
            return None
        actor = Actor(SYSTEM, place[0], human=False)
        with self.db.read(actor) as tx:
            of = registry.found(tx, KIND, place[1])
        if of is not None and of.archived_at is not None:  # a new version wakes it
            return self.db.clock.real(LONGEST)
        try:
            check(self.db, actor, place[1], prober=self.prober, due_only=True)
        except NotFound:
            return None
        with self.db.read(actor) as tx:
            standing = store.standing(tx, place[1])
        if standing is None:
            return None
        now = self.db.clock.now()
        wait = max(standing.next_at - now, BUSY if standing.busy_until else timedelta(0))
        return max(self.db.clock.real(min(wait, LONGEST)), SHORTEST)


def reactions(durable: Durable) -> tuple[Reaction, ...]:
    """How the loops hear of integrations. Names are kept for ever: cursors are filed under them."""

    def news(tx: Tx, entry: Entry) -> None:
        kind, _, name = entry.subject.partition("/")
        known = store.standing(tx, name) if kind == KIND else None
        if known is not None:
            standing = known if entry.event == commands.WATCHED else commands.watch(tx, name)
            durable.signal(LOOP, standing.id, about=entry.id)
        elif kind == KIND and entry.event != LEFT_ALONE:
            commands.watch(tx, name)  # its loop is woken once that is committed

    return (
        Reaction(
            name=LOOP,
            events=frozenset({"version.created", "label.moved", LEFT_ALONE, commands.WATCHED}),
            react=news,
        ),
    )
