"""Ending an agent, and bringing it back."""

from opsroom.access import commands as access
from opsroom.access.errors import AgentGone
from opsroom.access.model import ClosedIdentity
from opsroom.kit.db import Tx
from opsroom.kit.reasons import reason as reason_of
from opsroom.registry import queries as registry

from . import queries, store
from .errors import AlreadyRetired, NotRetired
from .model import Ending


def retire(
    tx: Tx, agent: str, *, reason: str, sunset: str = "", successor: str = ""
) -> ClosedIdentity:
    """End an agent: from the next request on no token of it works, in any process, and none
    is made. What it did and what it was stay on record.

    The last step of a `sunset` ends it for good: late callers are told so, and who the successor
    is. Raises `ArtifactNotFound`, `ReasonMissing` or `AlreadyRetired`.
    """
    of, why = _named(tx, agent, reason)
    if (there := queries.retired(tx, agent)) is not None:
        raise AlreadyRetired(agent, there.reason)
    revoked = access.close_identity(tx, agent, reason=why, sunset=sunset, successor=successor)
    store.remove(tx, agent)
    tx.record("agent.retired", of, reason=why, tokens=revoked)
    closed = queries.retired(tx, agent)
    assert closed is not None, "an identity that was just closed is closed"
    return closed


def reinstate(tx: Tx, agent: str, *, reason: str) -> None:
    """Let a retired agent act again. It needs new tokens: the old ones stay dead.

    Raises `ArtifactNotFound`, `ReasonMissing`, `NotRetired`, or `AgentGone` for one that was
    decommissioned.
    """
    of, why = _named(tx, agent, reason)
    closed = queries.retired(tx, agent)
    if closed is not None and closed.sunset:
        raise AgentGone(agent, closed.successor)
    if not access.open_identity(tx, agent):
        raise NotRetired(agent)
    tx.record("agent.reinstated", of, reason=why)


def wind_down(tx: Tx, ending: Ending) -> None:
    """Let an agent serve only a share of its calls from now on, and say who is to be called.

    Whoever decides that journals it.
    """
    store.put(tx, ending)


def keep(tx: Tx, agent: str) -> None:
    """Let an agent that was being ended serve everybody again."""
    store.remove(tx, agent)


def _named(tx: Tx, agent: str, reason: str) -> tuple[str, str]:
    of = registry.artifact(tx, "agent", agent).ref
    return of, reason_of(reason, to="retire or reinstate an agent")
