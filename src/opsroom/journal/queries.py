"""Looking at the journal."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from opsroom.kit.db import Tx

from . import store
from .errors import ChainBroken
from .model import Entry, Head, check_end
from .model import verify as walk
from .tree import held
from .verify_journal import Checkpoint

PAGE = 100


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


def counts(tx: Tx, events: Collection[str], *, since: datetime) -> dict[str, int]:
    """How many entries of this project about each of `events` are not older than `since`."""
    return store.counts(tx, events, since=store.first_since(tx, since))


def latest(tx: Tx, events: tuple[str, ...]) -> int:
    """The number of the newest entry of this project about one of `events`; 0 before the first."""
    found = [store.entries(tx, event=event, limit=1) for event in events]
    return max((one[0][0].seq for one in found if one), default=0)


def after(tx: Tx, seq: int, *, limit: int = PAGE) -> list[Entry]:
    """Entries of every project after `seq`, oldest first."""
    return store.entries_after(tx, seq, limit=limit)


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
