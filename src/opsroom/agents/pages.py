"""What only agents show on their page: what a manifest cites and sets."""

from typing import Any

import yaml

from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter, plain
from opsroom.registry import Ref, Version
from opsroom.registry.drawing import KindPage, Panel

from . import queries
from .model import AgentSpec

SECTIONS = ("memory", "retrieval", "budgets", "thresholds", "settings")


def draw(tx: Tx, version: Version) -> Panel:
    """The manifest: prompts as links, the model and its stand-ins, and everything it sets."""
    spec = adapter(AgentSpec).validate_python(version.spec)
    cited = [(role, Ref.parse(one, kind="prompt")) for role, one in spec.prompts.items()]
    whole = queries.cited(tx, Ref.parse(version.ref))
    return Panel(
        template="agents/panel.html",
        facts={
            "version": version,
            "spec": spec,
            "prompts": [(role, ref, spec.cites.get(str(ref), "")) for role, ref in cited],
            "contracts": [
                (tool, one, contract) for tool, (one, contract) in whole.contracts.items()
            ],
            "policies": whole.policies,
            "retired": queries.retired(tx, version.name),
            "parameters": ", ".join(f"{k} {v}" for k, v in spec.model.parameters.items()),
            "sections": [
                (name, _yaml(getattr(spec, name))) for name in SECTIONS if getattr(spec, name)
            ],
        },
    )


def _yaml(data: Any) -> str:
    return yaml.safe_dump(plain(data), sort_keys=True, allow_unicode=True, width=88).rstrip()


PAGE = KindPage(
    kind="agent",
    path="/agents",
    plural="agents",
    question="Who works here, and as which version?",
    absent="An agent is a manifest: the prompts it cites, its model, what it may spend.",
    command="opsroom agent store NAME FILE.yaml",
    draw=draw,
)
