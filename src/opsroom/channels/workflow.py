"""Sending what is due: one durable loop for each channel, so that none holds up another.

A look claims what is due, sends it outside any transaction, and writes down what came of it.
"""

from dataclasses import dataclass
from datetime import timedelta

from opsroom.journal import Entry
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.durable import LONGEST, SHORTEST, Durable
from opsroom.kit.errors import Conflict, NotFound
from opsroom.kit.faults import boundary

from . import commands, queries, store
from .commands import PageFor, RedactorOf
from .model import TELLABLE, Answer
from .sending import Sender

LOOP = "channels.send"
SYSTEM = "system:channels"


@dataclass(frozen=True, slots=True)
class Driver:
    """Sends what is due."""

    db: Database
    sender: Sender

    def look(self, key: str) -> float:
        """Send what is due through the channel `project/name`; say after how many seconds to
        look again. A loop never ends: a channel may be switched on again.
        """
        project, _, name = key.partition("/")
        actor = Actor(SYSTEM, project, human=False)
        while deliver(self.db, actor, name, sender=self.sender):
            pass
        with self.db.read(actor) as tx:
            due = store.next_at(tx, name)
        if due is None:
            return LONGEST
        wait = max(due - self.db.clock.now(), timedelta(0))
        return max(self.db.clock.real(min(wait, timedelta(seconds=LONGEST))), SHORTEST)


def deliver(db: Database, actor: Actor, name: str, *, sender: Sender) -> int:
    """Attempt what is due once; return how much that was."""
    with db.write(actor) as tx:
        claimed = commands.claim(tx, name)
        try:
            spec, why = queries.channel(tx, name)[1], ""
        except (Conflict, NotFound) as error:
            spec, why = None, str(error)
    for one in claimed:
        boundary("channel.before_send")
        if spec is None:
            answer = Answer(taken=False, said=why, gone=True)
        else:
            answer = sender.send(spec, one, now=db.clock.now())
        boundary("channel.after_send")
        with db.write(actor) as tx:
            commands.settle(tx, one, answer)
    return len(claimed)


def reactions(
    durable: Durable, *, redactor: RedactorOf, page_for: PageFor
) -> tuple[Reaction, ...]:
    """How channels hear of what happened. Names are kept for ever: cursors lie under them.

    Of what is told, `redactor` says what the project does not want to leave, and `page_for` where it
    leads the person whose channel it is.
    """

    def announced(tx: Tx, entry: Entry) -> None:
        commands.announce(tx, entry, redactor=redactor, page_for=page_for)

    def queued(tx: Tx, entry: Entry) -> None:
        name = entry.subject.partition("/")[2]
        durable.signal(LOOP, f"{tx.project}/{name}", about=entry.id)

    return (
        Reaction(name="channels.announce", events=TELLABLE, react=announced),
        Reaction(name=LOOP, events=frozenset({commands.QUEUED}), react=queued),
    )
