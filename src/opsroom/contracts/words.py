"""A contract, and a call under it, in words that an operator understands."""

from collections.abc import Mapping
from typing import Any

from .model import ContractSpec, Tier
from .sinks import IDENTIFYING, sinks_of, values_at

MOST = 60
SHOWN = 3
HARM = {
    Tier.READ: "reads, and changes nothing",
    Tier.WRITE: "changes something of ours",
    Tier.IRREVERSIBLE: "changes something that cannot be taken back",
    Tier.CREDENTIAL: "changes who gets in",
    Tier.EXTERNAL: "reaches somebody outside",
}


def title(spec: ContractSpec, arguments: Mapping[str, Any]) -> str:
    """What a call would do, in a line: the tool, and whom or what it reaches."""
    named = [
        _short(value)
        for sink in sinks_of(spec)
        if sink.kind in IDENTIFYING
        for _, value in values_at(arguments, sink.path)
        if value not in (None, "")
    ]
    shown = ", ".join(named[:SHOWN]) + (" …" if len(named) > SHOWN else "")
    does = spec.tool.replace("_", " ").replace("-", " ")
    return f"{does}: {shown}" if shown else does


def harm(spec: ContractSpec) -> str:
    return HARM[spec.risk]


def reversible(spec: ContractSpec) -> str:
    """Until when a call can be undone, in words."""
    if spec.effects.read_only or spec.risk is Tier.READ:
        return "there is nothing to undo"
    return spec.effects.reversible or ""


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= MOST else f"{text[:MOST]}…"
