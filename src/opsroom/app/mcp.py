"""MCP, loaded when somebody speaks it: a second of imports that nobody else should wait for.

The door belongs to the event loop that serves requests. It opens with the first request and
is closed with the application.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from opsroom.actions.ports import Executors
from opsroom.contracts.model import Mcp
from opsroom.gateway.model import SeenTool
from opsroom.gateway.ports import Upstreams
from opsroom.gateway.visiting import Act, Visit
from opsroom.gateway.watching import Watch
from opsroom.kit.db import Database

if TYPE_CHECKING:
    from opsroom.gateway.door import Door


class LazyUpstreams:
    """Satisfies `opsroom.gateway.ports.Upstreams`, with the sessions that actions use."""

    def __init__(self, executors: Executors) -> None:
        self._executors = executors

    async def seen(self, executor: Mcp) -> Mapping[str, SeenTool]:
        """What a server offers now, by name."""
        found = await asyncio.to_thread(self._executors, "mcp")
        return await cast("Upstreams", found).seen(executor)


class LazyDoor:
    """Satisfies `opsroom.gateway.visiting.Answers`."""

    def __init__(self, db: Database, upstreams: Upstreams, act: Act) -> None:
        self._watch = Watch(db, upstreams)
        self._act = act
        self._held: _Held | None = None
        self._opening = asyncio.Lock()

    def answer(self, visit: Visit) -> Response:
        """The answer to the request that `visit` came with."""
        return _Knock(self, visit)

    async def opened(self) -> "Door":
        """The door of this event loop."""
        loop = asyncio.get_running_loop()
        if self._held is not None and self._held.loop is loop:
            return self._held.door
        async with self._opening:
            if self._held is None or self._held.loop is not loop:
                make = await asyncio.to_thread(_door)
                held = _Held(loop, make(self._watch, self._act))
                await held.opened()
                self._held = held
            return self._held.door

    async def close(self) -> None:
        held, self._held = self._held, None
        if held is not None and held.loop is asyncio.get_running_loop():
            await held.close()


class _Held:
    """A door, and the task that holds it open."""

    def __init__(self, loop: asyncio.AbstractEventLoop, door: "Door") -> None:
        self.loop = loop
        self.door = door
        self._ready = asyncio.Event()
        self._closing = asyncio.Event()
        self._task = loop.create_task(self._hold(), name="mcp door")

    async def opened(self) -> None:
        await self._ready.wait()

    async def close(self) -> None:
        self._closing.set()
        await self._task

    async def _hold(self) -> None:
        async with self.door.opened():
            self._ready.set()
            await self._closing.wait()


class _Knock(Response):
    """An answer by a door that may have to be opened first."""

    def __init__(self, door: LazyDoor, visit: Visit) -> None:
        super().__init__()
        self._door = door
        self._visit = visit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = await self._door.opened()
        await door.answer(self._visit)(scope, receive, send)


def _door() -> "type[Door]":
    from opsroom.gateway.door import Door  # noqa: PLC0415

    return Door
