"""What the clock does to requests: they climb, they expire, and lost roles are noticed."""

from opsroom.kit.db import Actor, Tx
from opsroom.kit.faults import boundary

from . import keeping, rules, store, watch_store
from .model import GRANTED, Request, State

SYSTEM = "system:inbox"
BATCH = 500


def expire(tx: Tx) -> int:
    """Do what is due, in this project or, for an actor of none, in all; returns how many
    requests changed. Safe to repeat, and at most so many at once that the next call goes on.

    What nobody answered climbs its chain and then expires, which is a no. An approval that
    was not used in time expires as well, and one whose approvers lost their role waits again.
    """
    actor, changed = tx.actor, 0
    late, granted = store.on_the_clock(tx, limit=BATCH), store.granted(tx, limit=BATCH)
    for project, request_id in (*late, *granted):
        tx.actor = Actor(SYSTEM, project, human=False)
        changed += _look(tx, keeping.get(tx, request_id))
        boundary("inbox.expired")
    tx.actor = actor
    return changed


def _look(tx: Tx, was: Request) -> bool:
    if was.state is not State.PENDING and was.state not in GRANTED:
        return False  # somebody was faster
    if was.over(tx.now):
        keeping.close(tx, was, State.EXPIRED, "inbox.expired", before=was.state.value)
        return True
    if was.state in GRANTED:
        if not keeping.lapsed(tx, was):
            return False
        keeping.reopen(tx, was, "inbox.lapsed")
        return True
    climbed = rules.climb(was, now=tx.now)
    if climbed is None:
        return False
    check = watch_store.check(tx, was.id)
    store.save(tx, climbed, was=was)
    tx.record(
        "inbox.escalated",
        keeping.about(was, check),
        request=was.id,
        to=was.escalate_to[was.climbed],
        due_at=climbed.due_at.isoformat(),
    )
    return True
