"""opsroom without a server: the same application, opened on a folder in this process.

Requests take the very way they take through a socket: same routes, same permissions, same
errors. The application runs on an event loop of its own in a background thread.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from opsroom.kit.errors import Invalid

T = TypeVar("T")


@dataclass(eq=False)
class ServerNotInstalled(Invalid):
    code = "server_not_installed"
    text = "no server runs here, and this installation of opsroom cannot open {0.data!r} itself"
    hint = 'install "opsroom[server]", or say where a server is with --url or OPSROOM_URL'
    data: str


def open_folder(data: Path) -> tuple[httpx2.BaseTransport, str]:
    """A transport to the application on `data`, and the token of whoever owns that folder."""
    try:
        # By name: the client must be importable without the server, and knows nothing of it.
        app: Any = import_module("opsroom.app")
    except ModuleNotFoundError as error:
        raise ServerNotInstalled(str(data)) from error
    runtime = app.open_runtime(app.from_environment(os.environ, data=data))
    token: str = app.local_token(runtime)
    return InProcess(app.guarded(app.build(runtime, background=False)), runtime.close), token


class InProcess(httpx2.BaseTransport):
    """Hands requests of a synchronous client to an ASGI application."""

    def __init__(self, app: Any, close: Callable[[], None]) -> None:
        self._inner = httpx2.ASGITransport(app, raise_app_exceptions=False)
        self._close_app = close
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="opsroom-in-process", daemon=True
        )
        self._thread.start()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._run(self._answer(request))

    def close(self) -> None:
        self._run(self._inner.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._close_app()

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        asked = httpx2.Request(
            request.method, request.url, headers=request.headers, content=request.read()
        )
        answer = await self._inner.handle_async_request(asked)
        return httpx2.Response(
            answer.status_code, headers=answer.headers, content=await answer.aread()
        )

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
