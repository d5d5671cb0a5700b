"""What has been read before a call: from the records of actions, not from what anybody says.

A call that only reads counts from when it may be carried out, for what it brings is in the
agent's hands before it is reported. One that had no effect does not count.
"""

from datetime import datetime

from sqlalchemy import and_, or_, select

from opsroom.grounding.plan import plan
from opsroom.kit.db import Tx
from opsroom.registry import Ref
from opsroom.registry import queries as registry

from . import caches
from .model import Enforcement, State
from .store import actions
from .turn_store import turns

MOST = 200  # contracts; a session that used more is too much to tell
_BEGUN = or_(
    actions.c.state.in_(
        [
            State.EXECUTING.value,
            State.SUCCEEDED.value,
            State.UNKNOWN.value,
            State.VERIFIED.value,
            State.COMPENSATED.value,
        ]
    ),
    and_(
        actions.c.state == State.RECONCILED.value,
        actions.c.enforcement == Enforcement.EXECUTED.value,
    ),
)


def had_read(
    tx: Tx, *, turn_id: str, session: str, beside: str, until: datetime | None = None
) -> list[str] | None:
    """What was read in the session (without one, in the turn) but by the action `beside`, and
    as far as it was decided `until` then: names and tools of contracts, and their tags of today
    as `tag:NAME`. None where more contracts were used than can be told.
    """
    within = turns.c.session == session if session else turns.c.id == turn_id
    wanted = select(actions.c.contract, actions.c.contract_digest).where(
        actions.c.project == tx.project,
        actions.c.turn.in_(select(turns.c.id).where(turns.c.project == tx.project, within)),
        actions.c.id != beside,
        _BEGUN,
    )
    if until is not None:
        wanted = wanted.where(actions.c.decided_at <= until)
    used = tx.conn.execute(wanted.distinct().limit(MOST + 1)).all()
    if len(used) > MOST:
        return None
    found: set[str] = set()
    for reference, digest in used:
        spec = caches.spec(tx, reference, digest)
        if not plan(spec).reads:
            continue
        name = Ref.parse(reference).name
        found |= {name, spec.tool}
        if (artifact := registry.found(tx, "contract", name)) is not None:
            found |= {f"tag:{tag}" for tag in artifact.tags}
    return sorted(found)
