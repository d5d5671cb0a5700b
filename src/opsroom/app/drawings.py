"""Which slice draws what on the registry's pages, and which ways lead on from them."""

from dataclasses import replace

from opsroom.agents.pages import PAGE as AGENT
from opsroom.autonomy.drawing import panels as autonomy
from opsroom.contracts.pages import PAGE as CONTRACT
from opsroom.datasets.pages import PAGE as DATASET
from opsroom.evals.drawing import EVALUATOR, compare_action, draw_gate
from opsroom.inbox import Request
from opsroom.inbox.pages import DrawBeside
from opsroom.kit.db import Tx
from opsroom.memory.drawing import similar
from opsroom.policies.pages import PAGE as POLICY
from opsroom.prompts.pages import PAGE as PROMPT
from opsroom.registry.drawing import Drawings, Panel
from opsroom.releases.pages import offer

_PAGES = (
    replace(PROMPT, between=compare_action, offer=offer),
    replace(AGENT, between=compare_action, offer=offer, beside=autonomy),
    CONTRACT,
    DATASET,
    EVALUATOR,
    POLICY,
)
DRAWINGS = Drawings(kinds={page.kind: page for page in _PAGES}, checks={"gate": draw_gate})


def _similar(tx: Tx, request: Request) -> Panel | None:
    """What came of situations like this one."""
    return similar(tx, request.agent, "", f"{request.title}\n{request.why}")


# What other slices know about a request that a person has to decide.
BESIDE_REQUESTS: tuple[DrawBeside, ...] = (_similar,)
