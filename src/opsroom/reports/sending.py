"""Sending what is due: one round for each project, by whichever process is free.

A report is made in a transaction that only reads. It is kept, put on record and handed to its
channel in another, which first takes the schedule on: of two processes, one does it.
"""

import logging
from datetime import timedelta

from opsroom.access import queries as access
from opsroom.kit import rounds
from opsroom.kit.db import Actor, Database
from opsroom.kit.errors import OpsroomError
from opsroom.traces.queries import Reads

from . import commands, queries, store
from .model import Ask, Schedule, complete

log = logging.getLogger(__name__)
SYSTEM = "system:reports"
EVERY = timedelta(minutes=5)
LEASE = timedelta(minutes=10)


def overdue(db: Database) -> bool:
    """Whether the schedules of any project are to be looked at."""
    return rounds.overdue(db, store.clocks, SYSTEM, access.projects)


def look(db: Database, telemetry: Reads | None) -> int:
    """Send what is due in the project that is longest due; how much that was.

    Safe to repeat, and in several processes at once.
    """
    actor = rounds.take(db, store.clocks, SYSTEM, access.projects, lease=LEASE)
    if actor is None:
        return 0
    with db.read(actor) as tx:
        due = store.due(tx)
    sent = sum(send(db, actor, one, telemetry) for one in due)
    with db.write(actor) as tx:
        commands.forget(tx)
        rounds.wind(tx, store.clocks, actor.project, at=tx.now + EVERY)
    return sent


def send(db: Database, actor: Actor, one: Schedule, telemetry: Reads | None) -> bool:
    """Send one report that is due; False where it could not be, or somebody else was faster."""
    try:
        with db.read(actor) as tx:
            since, until = complete(one.every, tx.now)
            ask = Ask(since=since, until=until, agent=one.agent)
            answer = queries.answer(tx, one.report, ask, telemetry=telemetry)
        with db.write(actor) as tx:
            return commands.send(tx, one, answer) is not None
    except OpsroomError as error:
        log.warning("report %s was not sent to %s: %s", one.report, one.channel, error)
        with db.write(actor) as tx:
            commands.hold(tx, one, str(error))
        return False
