"""Looking at the journal."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from opsroom.kit.db import Tx

from . import store, tree_store
from .errors import ChainBroken
from .model import Entry, Head, check_end
from .model import verify as walk
from .tree import held
from .verify_journal import Checkpoint

PAGE = 100
STRETCH = 10_000


def head(tx: Tx) -> Head:
    """Where the chain ends now."""
    return store.head(tx)


def entries(
    tx: Tx,
    *,
    subject: str | None = None,
    event: str | None = None,
    actor: str | None = None,
    agent: str | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> list[tuple[Entry, str]]:
    """Entries of this project with their hashes, newest first; go on with the last `seq`.

    `agent` is the one that facts name, which is asked of every entry: name an event as well.
    """
    return store.entries(
        tx,
        subject=subject,
        event=event,
        actor=actor,
        agent=agent,
        before=before,
        limit=limit,
    )


def latest(tx: Tx, events: tuple[str, ...]) -> int:
    """The number of the newest entry of this project about one of `events`; 0 before the first."""
    found = [store.entries(tx, event=event, limit=1) for event in events]
    return max((one[0][0].seq for one in found if one), default=0)


def after(tx: Tx, seq: int, *, limit: int = PAGE) -> list[Entry]:
    """Entries of every project after `seq`, oldest first."""
    return store.entries_after(tx, seq, limit=limit)


def seq_at(tx: Tx, moment: datetime) -> int:
    """How many entries there were at that moment.

    Entries stand in the order of their commits; where a long transaction makes their times
    disagree with that, the order counts.
    """
    low, high = 0, store.head(tx).seq
    while low < high:
        middle = (low + high) // 2
        at = store.time_of(tx, middle + 1)
        if at is not None and at < moment:
            low = middle + 1
        else:
            high = middle
    return low


def counts(
    tx: Tx, *, after: int, until: int | None = None, events: Collection[str] = ()
) -> dict[str, int]:
    """How many entries of this project there are about each event (or each of these), after one
    number and up to another or to the end.
    """
    return store.counts(tx, after, store.head(tx).seq if until is None else until, events)


def about(
    tx: Tx, events: Collection[str], *, after: int, until: int, limit: int = PAGE
) -> list[tuple[Entry, str]]:
    """Entries of this project about these events with their hashes, after one number and up
    to another, newest first.
    """
    return store.about(tx, events, after, until, limit)


def stretch(tx: Tx, *, after: int, until: int) -> tuple[Head, Head]:
    """Walk the chain from one number to another, and return the heads before and behind it.

    Raises `ChainBroken` at the first entry that is missing or does not fit.
    """
    before = tree_store.head_at(tx, after)
    end = before
    while end.seq < until:
        rows = tree_store.rows(tx, end.seq, min(until, end.seq + STRETCH))
        if not rows:
            raise ChainBroken(end.seq + 1, "the entry is missing")
        end = walk(rows, after=end)
    return before, end


def chain(tx: Tx) -> Iterator[tuple[int, str, str]]:
    """Every row of every project, oldest first, as `(seq, record, hash)`."""
    return store.chain(tx)


def verify(tx: Tx, *, older: Head | None = None, against: Sequence[Checkpoint] = ()) -> Head:
    """Walk the whole chain, and compare it with the head and the columns kept beside it, and
    with checkpoints.

    Raises `ChainBroken` at the first entry that does not fit.
    """
    found = walk(held(store.chain(tx), against), older=older)
    check_end(found, store.head(tx))
    if (lying := store.first_with_other_columns(tx)) is not None:
        raise ChainBroken(lying, "its columns say something else than its record")
    return found
