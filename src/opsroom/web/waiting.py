"""Answers that wait until something has changed, holding neither a transaction nor a thread."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from starlette.requests import Request

LOOK_EVERY = 0.25
T = TypeVar("T")


async def until(
    request: Request, look: Callable[[], T], *, settled: Callable[[T], bool], seconds: float
) -> T:
    """What `look` finds: once that is settled, `seconds` are over, the caller has hung up, or
    the server stops.

    `look` is called in a thread, at once and then every `LOOK_EVERY` seconds.
    """
    closing: asyncio.Event = request.app.state.closing
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    async with _line(request) as hung_up:
        while True:
            found = await asyncio.to_thread(look)
            left = end - loop.time()
            if settled(found) or left <= 0 or closing.is_set() or hung_up.done():
                return found
            await asyncio.wait({hung_up}, timeout=min(LOOK_EVERY, left))


@asynccontextmanager
async def _line(request: Request) -> AsyncIterator[asyncio.Task[None]]:
    """A task that is done when the caller hangs up.

    Starlette's `is_disconnected` asks the server and cancels the question at once; where the
    answer comes at the same moment, granian ends the request with it (its issue 525).
    """

    async def listen() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    listening = asyncio.create_task(listen())
    try:
        yield listening
    finally:
        listening.cancel()
        await asyncio.wait({listening})
