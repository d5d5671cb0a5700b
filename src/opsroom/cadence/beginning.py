"""Beginning an occasion over telemetry: what agents did is read first, outside the transaction."""

from opsroom.kit.db import Actor, Database
from opsroom.kit.errors import Unavailable
from opsroom.registry import Kinds
from opsroom.traces.queries import Reads

from . import collecting, commands, queries
from .commands import Search
from .looking import look
from .model import Kind, Occasion


def begin(
    db: Database,
    telemetry: Reads,
    actor: Actor,
    occasion_id: str,
    *,
    kinds: Kinds,
    search: Search | None = None,
) -> Occasion:
    """Begin an occasion with all of its evidence. Raises as `commands.start` does; telemetry
    that does not answer is part of the evidence.
    """
    with db.read(actor) as tx:
        one = queries.occasion(tx, occasion_id)
        agents = collecting.agents_of(tx, one, kinds=kinds)
    work = None
    if one.kind is Kind.PROMPT_AUDIT:
        try:
            work = look(telemetry, actor.project, agents, now=db.clock.now())
        except Unavailable:
            work = None
    with db.write(actor) as tx:
        return commands.start(tx, occasion_id, kinds=kinds, work=work, search=search)
