"""MCP, loaded when somebody speaks it: a second of imports that nobody else should wait for.

A door belongs to the event loop that serves requests. It opens with the first request and
is closed with the application.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, Protocol, TypeVar, cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from opsroom.actions.ports import Executors
from opsroom.contracts.model import Mcp
from opsroom.gateway.model import SeenTool
from opsroom.gateway.ports import Upstreams
from opsroom.gateway.visiting import Act
from opsroom.gateway.watching import Watch

V = TypeVar("V")
V_contra = TypeVar("V_contra", contravariant=True)


class Door(Protocol[V_contra]):
    """What answers requests for as long as it is opened."""

    def opened(self) -> AbstractAsyncContextManager[None]: ...

    def answer(self, visit: V_contra, /) -> Response: ...


class LazyUpstreams:
    """Satisfies `opsroom.gateway.ports.Upstreams`, with the sessions that actions use."""

    def __init__(self, executors: Executors) -> None:
        self._executors = executors

    async def seen(self, executor: Mcp) -> Mapping[str, SeenTool]:
        """What a server offers now, by name."""
        found = await asyncio.to_thread(self._executors, "mcp")
        return await cast("Upstreams", found).seen(executor)


class LazyDoor(Generic[V]):
    """A door that `make` makes when it is first knocked at, in a thread of its own."""

    def __init__(self, make: Callable[[], Door[V]]) -> None:
        self._make = make
        self._held: _Held[V] | None = None
        self._opening = asyncio.Lock()

    def answer(self, visit: V) -> Response:
        """The answer to the request that `visit` came with."""
        return _Knock(self, visit)

    async def opened(self) -> Door[V]:
        """The door of this event loop."""
        loop = asyncio.get_running_loop()
        if self._held is not None and self._held.loop is loop:
            return self._held.door
        async with self._opening:
            if self._held is None or self._held.loop is not loop:
                held = _Held(loop, await asyncio.to_thread(self._make))
                await held.opened()
                self._held = held
            return self._held.door

    async def close(self) -> None:
        held, self._held = self._held, None
        if held is not None and held.loop is asyncio.get_running_loop():
            await held.close()


class _Held(Generic[V]):
    """A door, and the task that holds it open."""

    def __init__(self, loop: asyncio.AbstractEventLoop, door: Door[V]) -> None:
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


class _Knock(Response, Generic[V]):
    """An answer by a door that may have to be opened first."""

    def __init__(self, door: LazyDoor[V], visit: V) -> None:
        super().__init__()
        self._door = door
        self._visit = visit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = await self._door.opened()
        await door.answer(self._visit)(scope, receive, send)


def gateway_door(watch: Watch, act: Act) -> Callable[[], Door[Any]]:
    """What makes the door through which agents act."""

    def make() -> Door[Any]:
        from opsroom.gateway.door import Door as Gate  # noqa: PLC0415

        return Gate(watch, act)

    return make


def coding_desk() -> Door[Any]:
    """The door at which coding agents look things up and propose."""
    from opsroom.coding.door import Desk  # noqa: PLC0415

    return Desk()
