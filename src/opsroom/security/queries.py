"""Looking at security events."""

from datetime import timedelta

from opsroom.journal import Entry
from opsroom.journal import queries as journal
from opsroom.kit.db import Tx

from .model import Event

# What other slices saw that is one as well.
OTHERS = ("release.security_event", "gateway.tool_quarantined")
EVENTS = (*(one.value for one in Event), *OTHERS)
PAGE = 50


def events(
    tx: Tx,
    *,
    event: str | None = None,
    agent: str | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> list[Entry]:
    """Security events, newest first; of one kind or agent. Go on with the last `seq`."""
    found = [
        entry
        for name in ((event,) if event else EVENTS)
        for entry, _ in journal.entries(tx, event=name, agent=agent, before=before, limit=limit)
    ]
    return sorted(found, key=lambda entry: -entry.seq)[:limit]


def counts(tx: Tx, *, back: timedelta) -> dict[str, int]:
    """How many there were of each kind, by how many there were."""
    found = journal.counts(tx, after=journal.seq_at(tx, tx.now - back), events=EVENTS)
    return dict(sorted(found.items(), key=lambda one: -one[1]))
