"""Which slice draws what on the registry's pages, and which ways lead on from them."""

from collections.abc import Sequence
from dataclasses import replace

from opsroom.actions import pages as actions
from opsroom.agents.pages import PAGE as AGENT
from opsroom.alerts.pages import PAGE_OF_KIND as ALERT_RULE
from opsroom.autonomy.drawing import panels as autonomy
from opsroom.channels.pages import PAGE_OF_KIND as CHANNEL
from opsroom.contracts.pages import PAGE as CONTRACT
from opsroom.datasets.pages import PAGE as DATASET
from opsroom.evals.drawing import EVALUATOR, compare_action, draw_gate
from opsroom.evals.weighing import draw_weight
from opsroom.feedback.drawing import of_trace
from opsroom.gateway.drawing import PAGE_OF_KIND as ROUTE
from opsroom.inbox import Request, otherwise
from opsroom.inbox.pages import DrawBeside
from opsroom.integrations import queries as integrations
from opsroom.integrations.pages import PAGE_OF_KIND as INTEGRATION
from opsroom.kit.db import Tx
from opsroom.memory.drawing import similar
from opsroom.policies.pages import PAGE as POLICY
from opsroom.prompts.pages import PAGE as PROMPT
from opsroom.registry import Artifact, Version
from opsroom.registry.drawing import Action, Drawings, Panel
from opsroom.releases import queries as releases
from opsroom.releases.pages import offer
from opsroom.scoring.pages import panels as scoring
from opsroom.sunset import drawing as sunset
from opsroom.thresholds.drawing import panels as thresholds
from opsroom.traces.exchange import Exchange


def _under_way(tx: Tx, artifact: Artifact, _version: Version) -> Sequence[Panel]:
    """Releases under way of agents that an integration hurts."""
    names = {one.agent for one in integrations.affected(tx, artifact.name)}
    found = [
        one
        for name in sorted(names)
        for one in releases.releases(tx, active=True, kind="agent", name=name)
    ]
    return (
        (Panel(template="releases/under_way.html", facts={"releases": found}),) if found else ()
    )


def _trust(tx: Tx, artifact: Artifact, version: Version) -> Sequence[Panel]:
    """Whether an agent lingers or ends, what it may do alone, what its confidence is worth, and
    how it is judged while it works.
    """
    return (
        *sunset.panels(tx, artifact, version),
        *autonomy(tx, artifact, version),
        *thresholds(tx, artifact, version),
        *scoring(tx, artifact, version),
    )


def _ways(tx: Tx, artifact: Artifact, version: Version) -> Sequence[Action]:
    """The ways on from an agent: to a release, and to its end."""
    return (*offer(tx, artifact, version), *sunset.offer(tx, artifact))


_PAGES = (
    replace(PROMPT, between=compare_action, offer=offer),
    replace(AGENT, between=compare_action, offer=_ways, beside=_trust, flags=sunset.flags),
    ALERT_RULE,
    CHANNEL,
    CONTRACT,
    DATASET,
    EVALUATOR,
    replace(INTEGRATION, beside=_under_way),
    POLICY,
    ROUTE,
)
DRAWINGS = Drawings(
    kinds={page.kind: page for page in _PAGES}, checks={"gate": draw_gate}, weigh=draw_weight
)


def turn_strip(tx: Tx, turn_id: str) -> Panel | None:
    """What a turn was about, for its trace: intent, plan, actions, result, final state."""
    return actions.strip(tx, turn_id)


def offered_at_trace(tx: Tx, found: Exchange) -> Sequence[Panel]:
    """What other slices offer to do about a trace."""
    said = of_trace(tx, found)
    return (otherwise.offer(tx, found), *([said] if said else []))


def _similar(tx: Tx, request: Request) -> Panel | None:
    """What came of situations like this one."""
    return similar(tx, request.agent, "", f"{request.title}\n{request.why}")


# What other slices know about a request that a person has to decide.
BESIDE_REQUESTS: tuple[DrawBeside, ...] = (_similar,)
