"""Saying, on record, that the whole journal was found unbroken."""

from opsroom.kit.db import Actor, Database, Tx

from . import checkpoints, queries
from .checkpoints import SUBJECT, Notary
from .model import Entry, Head

VERIFIED = "journal.verified"


def attest(
    db: Database, actor: Actor, *, older: Head | None = None, notary: Notary | None = None
) -> Head:
    """Verify the whole chain, and put on record up to where it was found whole. With a
    notary, hold it against the newest checkpoints as well.

    Walking takes a while and happens in a reading transaction, so that nobody has to wait.
    Raises `ChainBroken` or `BadCheckpoint`; then nothing is recorded.
    """
    with db.read(actor) as tx:
        found = checkpoints.verify(tx, notary, older=older)
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
