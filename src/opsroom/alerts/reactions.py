"""What makes the rules of a project be looked at before their time."""

from opsroom.journal import Entry
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Tx

from . import store
from .model import COUNTED
from .queries import KIND

CHANGED = frozenset({"version.created", "label.moved"})


def _heard(tx: Tx, entry: Entry) -> None:
    changed = entry.subject.startswith(f"{KIND}/")
    if entry.event in COUNTED or changed:
        store.hurry(tx, everything=changed)
    else:
        store.wind(tx)


REACTIONS = (Reaction(name="alerts.look", events=COUNTED | CHANGED, react=_heard),)
