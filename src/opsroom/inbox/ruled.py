"""Who may answer a request by everything that says so: the request itself, and the access rules."""

from collections.abc import Collection

from opsroom.access import ruling
from opsroom.access.rules import Action, Thing
from opsroom.kit.db import Tx

from . import rules
from .model import Request, Say


def why_not(tx: Tx, request: Request, say: Say, *, barred: Collection[str] = ()) -> str:
    """Why whoever acts may not say this to `request`; nothing where they may.

    The access rules keep nobody from refusing: it lets nothing happen.
    """
    if why := rules.why_not(request, tx.actor, say, barred=barred):
        return why
    return "" if say is Say.REJECT else ruling.why_not(tx, Action.ANSWER, _thing(request))


def _thing(request: Request) -> Thing:
    """What access rules call a request: the agent that asks, what for, and how risky it is."""
    return Thing(
        kind="request", name=request.agent, label=request.tool, criticality=request.risk.value
    )
