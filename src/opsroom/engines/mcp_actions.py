"""Carrying out actions whose contract leads to an MCP server.

Actions are carried out by threads, sessions live on an event loop: there is one loop for them
in a thread of its own, which starts with the first action and ends with the process.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from opsroom.actions.model import Action
from opsroom.actions.ports import Effect
from opsroom.contracts.model import ContractSpec, Mcp
from opsroom.gateway.model import SeenTool, changed
from opsroom.kit.errors import OpsroomError

from .mcp_upstream import McpAnswer, McpUncertain, McpUpstreams

T = TypeVar("T")
MARGIN = 5.0  # seconds that opening a session may take beside the call


class McpExecutor:
    """Satisfies `opsroom.actions.ports.Executor`, and `opsroom.gateway.ports.Upstreams`."""

    def __init__(self, *, allow: Iterable[str] = (), **how: Any) -> None:
        self._upstreams = McpUpstreams(allow=allow, **how)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="opsroom-mcp", daemon=True)
        self._thread.start()

    def execute(self, spec: ContractSpec, action: Action, *, timeout: float) -> Effect:
        """Call the tool, unless it is not what was approved."""
        assert isinstance(spec.executor, Mcp), "this executor is for contracts of MCP servers"
        asked = self._there(self._execute(spec, spec.executor, action, timeout))
        try:
            return asked.result(timeout + MARGIN)
        except TimeoutError:
            asked.cancel()
            return Effect(state="unknown", error=f"no answer within {timeout:g} s")

    async def seen(self, executor: Mcp) -> Mapping[str, SeenTool]:
        """What a server offers now, by name; a few seconds old at most."""
        fresh = self._upstreams.known(executor)
        if fresh is not None:
            return fresh
        return await asyncio.wrap_future(self._there(self._upstreams.seen(executor)))

    def close(self) -> None:
        """End the sessions and the loop."""
        self._there(self._upstreams.close()).result(MARGIN)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(MARGIN)
        self._loop.close()

    async def _execute(
        self, spec: ContractSpec, executor: Mcp, action: Action, seconds: float
    ) -> Effect:
        try:
            tool = (await self._upstreams.seen(executor)).get(executor.tool)
            if changed(spec, tool):
                why = f"the tool {spec.tool!r} is not what was approved and is in quarantine"
                return Effect(state="not_happened", error=why)
            answer = await self._upstreams.call(
                executor, action.arguments, key=action.key, seconds=seconds
            )
        except McpUncertain as error:
            return Effect(state="unknown", error=str(error))
        except OpsroomError as error:
            return Effect(state="not_happened", error=str(error))
        return effect_of(answer)

    def _there(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()


def effect_of(answer: McpAnswer) -> Effect:
    """What a tool's answer says of the action.

    A tool that answers with an error says that it did not do it. Structured content is the
    result where there is some; otherwise it is the text, or the blocks as they came.
    """
    if answer.failed:
        return Effect(state="not_happened", error=answer.text[:2000] or "the tool failed")
    if answer.structured is not None:
        return Effect(state="happened", result=answer.structured)
    if all(block.get("type") == "text" for block in answer.content):
        return Effect(state="happened", result=answer.text)
    return Effect(state="happened", result={"content": answer.content})
