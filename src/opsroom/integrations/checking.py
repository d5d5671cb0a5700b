"""Checking an integration once: claim it, visit it outside of any transaction, take in what was
found.
"""

from opsroom.kit.db import Actor, Database
from opsroom.kit.faults import boundary

from . import commands
from .model import Run
from .probing import Prober


def check(
    db: Database, actor: Actor, name: str, *, prober: Prober, due_only: bool = False
) -> Run | None:
    """Check an integration now; with `due_only`, only if it is due (None where it is not).

    Raises `BeingChecked` where somebody else is at it.
    """
    with db.write(actor) as tx:
        claimed = commands.claim(tx, name, due_only=due_only)
    if claimed is None:
        return None
    boundary("integration.before_visit")
    found = prober.visit(claimed.spec, project=actor.project)
    boundary("integration.after_visit")
    with db.write(actor) as tx:
        return commands.take_in(tx, claimed, found)
