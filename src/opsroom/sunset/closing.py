"""What is closed when an agent was decommissioned: each a step that is safe to repeat.

Its credentials die with the decision itself. These steps follow by themselves, one transaction
each, until nothing of the agent is left that could act or come up again.
"""

from dataclasses import replace

from opsroom.actions import turning
from opsroom.actions.model import Final
from opsroom.agents import queries as agents
from opsroom.autonomy import commands as autonomy
from opsroom.budgets import commands as budgets
from opsroom.budgets import queries as budget_queries
from opsroom.budgets.model import Scope
from opsroom.inbox import commands as inbox
from opsroom.inbox import queries as inbox_queries
from opsroom.inbox.model import State
from opsroom.integrations import queries as integrations
from opsroom.kit.db import Tx
from opsroom.registry import Artifact, Kinds, listing
from opsroom.registry import commands as artifacts
from opsroom.registry import queries as registry
from opsroom.releases import commands as releases
from opsroom.releases import queries as release_queries
from opsroom.retraining import commands as retraining
from opsroom.retraining import queries as retraining_queries
from opsroom.retraining.model import Mode

from . import exporting
from .model import Closing, Sunset

MOST = 200
MOST_INTEGRATIONS = 5_000
MOST_WORDS = 2_000
OWN = frozenset({"prompt", "contract"})  # what may have been made for one agent alone


def archive(tx: Tx, one: Sunset, *, kinds: Kinds) -> str:
    """Put the agent away, and the prompts and contracts that no other agent cites; what it was,
    in words. All of it stays and can be read; what is needed again comes back with its next
    version.
    """
    found = [
        of
        for kind, name in sorted(exporting.cited_by(tx, one.agent))
        if kind in OWN and (of := registry.found(tx, kind, name)) is not None
        if _left_alone(tx, of, kinds)
    ]
    found.append(registry.artifact(tx, "agent", one.agent))
    put = [of.ref for of in found if artifacts.archive(tx, of, reason=_why(one))]
    return f"{', '.join(put)} archived"[:MOST_WORDS] if put else "it was archived already"


def _left_alone(tx: Tx, of: Artifact, kinds: Kinds) -> bool:
    """Whether only agents cite it that ended. (Used a hundred times or more, it is needed.)"""
    uses = listing.uses(tx, of, kinds=kinds)
    return len(uses) < listing.MOST_USES and all(
        use.kind == "agent" and agents.retired(tx, use.name) is not None for use in uses
    )


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
    while some := inbox_queries.requests(tx, state=State.PENDING, agent=one.agent, limit=MOST):
        for request in some:
            inbox.cancel(tx, request.id, _why(one))
        cancelled += len(some)
    for standing in budget_queries.standings(tx, scope=Scope.AGENT, key=one.agent, limit=MOST):
        budgets.remove_budget(tx, standing.budget.id, reason=_why(one))
    alone = sorted(_only_used_by(tx, one.agent))
    for name in alone:
        of = registry.artifact(tx, "integration", name)
        artifacts.archive(tx, of, reason=_why(one))
    left = f"; {', '.join(alone)} had no other agent, and is not checked any more"
    said = f"the gate refuses it everything, {cancelled} requests were cancelled"
    return (said + left)[:MOST_WORDS] if alone else said


def _only_used_by(tx: Tx, agent: str) -> list[str]:
    """The integrations of the agent that nobody else may call, but for agents that ended."""
    found: list[str] = []
    for name in integrations.states(tx, limit=MOST_INTEGRATIONS):
        users = {use.agent for use in integrations.affected(tx, name)}
        if agent in users and all(agents.retired(tx, user) is not None for user in users):
            found.append(name)
    return found


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
