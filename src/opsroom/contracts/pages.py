"""What only contracts show on their page: what a call does, whom it reaches, what it takes."""

import json
from typing import Any

from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.registry import Version
from opsroom.registry.drawing import KindPage, Panel

from .model import ContractSpec, Executor, Http, Mcp, Origin, Tier
from .sinks import sinks_of
from .words import harm, reversible

TONES = {Tier.READ: "good", Tier.WRITE: "info"}


def draw(_tx: Tx, version: Version) -> Panel:
    """The tool as agents see it, and what stands between them and the world."""
    spec = adapter(ContractSpec).validate_python(version.spec)
    return Panel(
        template="contracts/panel.html",
        facts={
            "version": version,
            "spec": spec,
            "tone": TONES.get(spec.risk, "warn"),
            "harm": harm(spec),
            "reversible": reversible(spec) or "it cannot be undone",
            "executor": _executor(spec.executor),
            "sinks": [
                (sink.path, sink.kind.value, sink.origin is Origin.DECLARED)
                for sink in sinks_of(spec)
            ],
            "input": _json(spec.input),
            "output": None if spec.output is None else _json(spec.output),
        },
    )


def _executor(executor: Executor) -> str:
    match executor:
        case Http():
            return f"opsroom calls {executor.method} {executor.url}"
        case Mcp():
            return f"opsroom calls {executor.tool} at {executor.url}"
        case _:
            return "the agent's own process"


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)


PAGE = KindPage(
    kind="contract",
    path="/contracts",
    plural="contracts",
    question="What may agents touch, and how much harm can a call do?",
    absent="Import what describes your tools already, or store the actions of your program.",
    command="opsroom contract import mcp tools.json",
    draw=draw,
    served=False,
)
