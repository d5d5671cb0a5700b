"""What is closed when an agent was decommissioned: each a step that is safe to repeat.

Its credentials die with the decision itself. These steps follow by themselves, one transaction
each, until nothing of the agent is left that could act or come up again.
"""

from dataclasses import replace

from opsroom.actions import turning
from opsroom.actions.model import Final
from opsroom.autonomy import commands as autonomy
from opsroom.budgets import commands as budgets
from opsroom.budgets import queries as budget_queries
from opsroom.budgets.model import Scope
from opsroom.inbox import commands as inbox
from opsroom.inbox import queries as inbox_queries
from opsroom.inbox.model import State
from opsroom.integrations import queries as integrations
from opsroom.kit.db import Tx
from opsroom.releases import commands as releases
from opsroom.releases import queries as release_queries
from opsroom.retraining import commands as retraining
from opsroom.retraining import queries as retraining_queries
from opsroom.retraining.model import Mode

from . import exporting
from .model import Closing, Sunset

MOST = 200
MOST_INTEGRATIONS = 200


def close(tx: Tx, one: Sunset, what: Closing) -> tuple[Sunset, str]:
    """Carry one step out; the sunset as it is then, and what was done in words."""
    match what:
        case Closing.EXPORT:
            digest, counted = exporting.put_away(tx, one)
            held = ", ".join(f"{times} {part}" for part, times in sorted(counted.items()))
            return replace(one, export=digest), f"{held}; sha256 {digest[:12]}"
        case Closing.INTEGRATIONS:
            return one, _integrations(tx, one)
        case Closing.SCHEDULES:
            return one, _schedules(tx, one)


def _integrations(tx: Tx, one: Sunset) -> str:
    """No call of the agent passes the gate any more, and nothing waits for a person's yes."""
    autonomy.kill(tx, one.agent, _why(one))
    cancelled = 0
    for request in inbox_queries.requests(tx, state=State.PENDING, agent=one.agent, limit=MOST):
        inbox.cancel(tx, request.id, _why(one))
        cancelled += 1
    for standing in budget_queries.standings(tx, scope=Scope.AGENT, key=one.agent, limit=MOST):
        budgets.remove_budget(tx, standing.budget.id, reason=_why(one))
    alone = sorted(_only_used_by(tx, one.agent))
    left = f"; nobody else uses {', '.join(alone)}" if alone else ""
    return f"the gate refuses it everything, {cancelled} requests were cancelled{left}"


def _only_used_by(tx: Tx, agent: str) -> list[str]:
    """The integrations that no other agent may call."""
    return [
        name
        for name in integrations.states(tx, limit=MOST_INTEGRATIONS)
        if {use.agent for use in integrations.affected(tx, name)} == {agent}
    ]


def _schedules(tx: Tx, one: Sunset) -> str:
    """Nothing about the agent begins by itself any more: releases, searches, open turns."""
    stopped = 0
    for release in release_queries.releases(tx, active=True, kind="agent", name=one.agent):
        end = releases.roll_back if release.met_traffic else releases.abort
        end(tx, release.id, reason=_why(one))
        stopped += 1
    was = retraining_queries.settings(tx, one.agent)
    retraining.set_settings(tx, one.agent, replace(was, mode=Mode.OFF, every_days=0))
    for entry in retraining_queries.entries(tx, agent=one.agent, limit=MOST):
        retraining.dismiss(tx, entry.id, reason=_why(one))
        stopped += 1
    ended = _turns(tx, one.agent)
    return f"{stopped} releases and searches were stopped, {ended} turns were abandoned"


def _turns(tx: Tx, agent: str) -> int:
    found = list(exporting.open_turns(tx, agent))
    for turn in found:
        turning.end(tx, turn.id, Final.ABANDONED)
    return len(found)


def _why(one: Sunset) -> str:
    return f"the agent was decommissioned ({one.id})"
