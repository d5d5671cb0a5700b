"""Which slice draws what on the registry's pages, and which ways lead on from them."""

from dataclasses import replace

from opsroom.agents.pages import PAGE as AGENT
from opsroom.datasets.pages import PAGE as DATASET
from opsroom.evals.drawing import EVALUATOR, compare_action, draw_gate
from opsroom.prompts.pages import PAGE as PROMPT
from opsroom.registry.drawing import Drawings
from opsroom.releases.pages import offer

_PAGES = (
    replace(PROMPT, between=compare_action, offer=offer),
    replace(AGENT, between=compare_action, offer=offer),
    DATASET,
    EVALUATOR,
)
DRAWINGS = Drawings(kinds={page.kind: page for page in _PAGES}, checks={"gate": draw_gate})
