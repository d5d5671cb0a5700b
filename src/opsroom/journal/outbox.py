"""How slices hear of what happened below them: by reading the journal, at least once.

A `Reaction` names the events it wants. `pump` hands it each such entry, in order, in a
transaction that also moves the reaction's cursor: what the reaction writes happens exactly
once, what it does outside the database at least once. After a crash it goes on where it was.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.faults import boundary

from . import store
from .model import Entry

BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What somebody does when certain events have happened. Names are kept for ever."""

    name: str
    events: frozenset[str]
    react: Callable[[Tx, Entry], None]


def pump(db: Database, reactions: Sequence[Reaction]) -> int:
    """Give every reaction what it has not seen yet; return how many entries were handed over.

    A reaction that fails holds up nobody but itself: the others get theirs, then what failed
    is raised together.
    """
    handed, failures = 0, list[Exception]()
    for reaction in reactions:
        try:
            handed += _drain(db, reaction)
        except Exception as error:  # noqa: BLE001  # raised below
            failures.append(error)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise ExceptionGroup("several reactions to the journal failed", failures)
    return handed


def _drain(db: Database, reaction: Reaction) -> int:
    handed = 0
    while True:
        with db.read(_actor(reaction, "")) as tx:
            seen = store.peek(tx, reaction.name)
            if store.head(tx).seq <= seen:
                return handed
        with db.write(_actor(reaction, "")) as tx:
            seen = store.cursor(tx, reaction.name)
            batch = store.entries_after(tx, seen, limit=BATCH)
            if not batch:
                return handed
            for entry in batch:
                if entry.event in reaction.events:
                    tx.actor = _actor(reaction, entry.project)
                    reaction.react(tx, entry)
                    handed += 1
            boundary("outbox.before_cursor")
            store.move_cursor(tx, reaction.name, batch[-1].seq)


def ahead(db: Database, reader: str) -> tuple[int, list[Entry]]:
    """How far a reader that keeps its own time has come, and the entries after that."""
    with db.read(Actor(f"system:{reader}", "", human=False)) as tx:
        seen = store.peek(tx, reader)
        return seen, store.entries_after(tx, seen, limit=BATCH)


def take(tx: Tx, reader: str, *, since: int, upto: int) -> bool:
    """Go on to `upto`, unless somebody else has gone on from `since` meanwhile."""
    if store.cursor(tx, reader) != since:
        return False
    store.move_cursor(tx, reader, upto)
    return True


def _actor(reaction: Reaction, project: str) -> Actor:
    return Actor(f"system:{reaction.name}", project, human=False)
