"""How opsroom carries out an action itself, where its contract says so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from opsroom.contracts.model import ContractSpec

from .model import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What came of an attempt. `unknown` wherever an answer is missing after something was
    sent: whoever cannot tell does not guess. `reached` is false where nothing was ever sent.
    """

    state: Literal["happened", "not_happened", "unknown"]
    reached: bool = True
    result: Any = None
    error: str = ""


class Executor(Protocol):
    def execute(self, spec: ContractSpec, action: Action, *, timeout: float) -> Effect:
        """Carry `action` out, with its key where the other side takes one.

        Never raises for what the other side does; `timeout` is in seconds.
        """
        ...


# Finds the executor for contracts of a kind (`http`, `mcp`); None where there is none.
Executors = Callable[[str], Executor | None]


def nobody(_kind: str) -> Executor | None:
    """No executor at all: what opsroom would carry out itself is deferred."""
    return None
