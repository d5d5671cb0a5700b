"""Saying, on record, that the whole journal was found unbroken."""

from opsroom.kit.db import Actor, Database, Tx

from . import queries
from .model import Entry, Head

SUBJECT = "journal"
VERIFIED = "journal.verified"


def attest(db: Database, actor: Actor, *, older: Head | None = None) -> Head:
    """Verify the whole chain, and put on record up to where it was found whole.

    Walking takes a while and happens in a reading transaction, so that nobody has to wait.
    Raises `ChainBroken`; then nothing is recorded.
    """
    with db.read(actor) as tx:
        found = queries.verify(tx, older=older)
    with db.write(actor) as tx:
        tx.record(VERIFIED, SUBJECT, seq=found.seq, hash=found.hash)
    return found


def last_attested(tx: Tx) -> tuple[Entry, Head] | None:
    """Who last found the chain whole and when, and the head of what they saw."""
    found = queries.entries(tx, event=VERIFIED, limit=1)
    if not found:
        return None
    entry = found[0][0]
    return entry, Head(seq=entry.facts["seq"], hash=entry.facts["hash"])
