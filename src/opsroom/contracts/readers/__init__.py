"""Contracts read from what describes tools already.

What others say of their tools is a claim: it can make a tool graver than its name suggests,
and never milder.
"""

from dataclasses import dataclass

from opsroom.contracts.model import ContractSpec, Tier
from opsroom.kit.wire import Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut(Wire):
    """A tool that no contract could be made of, and why."""

    tool: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Wire):
    contracts: tuple[ContractSpec, ...]
    left_out: tuple[LeftOut, ...] = ()


def graver(*tiers: Tier) -> Tier:
    """The gravest of several tiers."""
    return max(tiers, key=tuple(Tier).index)
