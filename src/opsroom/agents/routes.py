"""Agents over HTTP: what they may call, and ending them. The rest is the registry's."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from opsroom.access import commands as access
from opsroom.access.http import Read, Write, called
from opsroom.access.model import ClosedIdentity
from opsroom.kit.wire import Wire
from opsroom.registry import environments
from opsroom.registry.model import PRODUCTION

from . import commands, queries

router = APIRouter(prefix="/v1/agents", tags=["agents"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Why(Wire):
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool(Wire):
    """Something an agent may call: what its model is shown, and how much harm a call can do."""

    name: str
    description: str
    input: dict[str, Any]
    risk: str
    contract: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools(Wire):
    """The tools of one version of an agent. `manifest` is the digest of that version."""

    version: str
    manifest: str
    tools: tuple[Tool, ...]


@router.get("/{name}/tools")
def tools(
    name: str,
    tx: Read,
    request: Request,
    response: Response,
    environment: str = PRODUCTION,
    number: int | None = None,
) -> Tools:
    """What an agent may call, for programs that offer it to a model. A retired agent has none."""
    access.check_acts_for(tx.actor, name)
    called(request, tx, name)
    if (ending := queries.admit(tx, name, None)) is not None:
        response.headers.update(ending.headers)
    environments.check_within(tx, environment if number is None else str(number))
    found = queries.manifest(tx, name, environment, number)
    return Tools(
        version=found.version.ref,
        manifest=found.digest,
        tools=tuple(
            Tool(
                name=tool,
                description=contract.description,
                input=contract.input,
                risk=contract.risk.value,
                contract=version.ref,
            )
            for tool, (version, contract) in found.contracts.items()
        ),
    )


@router.post("/{name}/retire")
def retire(name: str, why: Why, tx: Write) -> ClosedIdentity:
    """End an agent: its tokens are dead from the next request on, in every process."""
    return commands.retire(tx, name, reason=why.reason)


@router.post("/{name}/reinstate", status_code=204)
def reinstate(name: str, why: Why, tx: Write) -> None:
    """Let a retired agent act again, with new tokens."""
    commands.reinstate(tx, name, reason=why.reason)
