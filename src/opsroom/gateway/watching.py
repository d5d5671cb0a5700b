"""Watching whether tools behind MCP servers are still what was approved.

What people see in a contract is what a model gets to see, so a description that was changed
on the server reaches nobody. This is for what the change may mean: a tool that presents
itself otherwise may well do otherwise. It is asked before each call, against a listing that
is a few seconds old at most; where the server does not answer, nothing is called.
"""

import asyncio
from collections.abc import Mapping, Sequence

from opsroom.contracts.citing import executed_in
from opsroom.contracts.model import ContractSpec, Mcp
from opsroom.kit.db import Actor, Database
from opsroom.kit.errors import OpsroomError
from opsroom.registry import Version

from . import commands
from .errors import ToolQuarantined
from .model import SeenTool, changed
from .ports import Upstreams

Contract = tuple[Version, ContractSpec]

REMEMBERED = 10_000


class Watch:
    """Compares tools with their contracts, and puts those that differ into quarantine."""

    def __init__(self, db: Database, upstreams: Upstreams) -> None:
        self._db = db
        self._upstreams = upstreams
        self._told: set[tuple[str, str, str]] = set()  # what the database knows from us

    async def check(self, actor: Actor, version: Version, spec: ContractSpec) -> None:
        """Raise `ToolQuarantined` unless the tool is what was approved, and what the server
        raises where it cannot be asked. Contracts that lead nowhere else always pass.
        """
        executor = executed_in(spec, actor.project).executor
        if isinstance(executor, Mcp):
            seen = (await self._upstreams.seen(executor)).get(executor.tool)
            if changed(spec, seen):
                await self._tell(actor, version, spec, seen)
                raise ToolQuarantined(spec.tool, version.ref)

    async def trusted(
        self, actor: Actor, contracts: Mapping[str, Contract]
    ) -> Sequence[Contract]:
        """Those of an agent's contracts whose tools are what was approved.

        A server that does not answer has changed nothing that we know of: its tools are
        listed as they were approved, and a call will ask again.
        """
        asked = await asyncio.gather(
            *(self._passes(actor, version, spec) for version, spec in contracts.values())
        )
        return [one for one, passes in zip(contracts.values(), asked, strict=True) if passes]

    async def _passes(self, actor: Actor, version: Version, spec: ContractSpec) -> bool:
        try:
            await self.check(actor, version, spec)
        except ToolQuarantined:
            return False
        except OpsroomError:
            return True
        return True

    async def _tell(
        self, actor: Actor, version: Version, spec: ContractSpec, seen: SeenTool | None
    ) -> None:
        told = (actor.project, version.digest, commands.GONE if seen is None else seen.face)
        if told not in self._told:
            if len(self._told) >= REMEMBERED:
                self._told.clear()  # telling the database again changes nothing
            await asyncio.to_thread(self._quarantine, actor, version, spec, seen)
            self._told.add(told)

    def _quarantine(
        self, actor: Actor, version: Version, spec: ContractSpec, seen: SeenTool | None
    ) -> None:
        with self._db.write(actor) as tx:
            commands.quarantine(tx, version, spec, seen)
