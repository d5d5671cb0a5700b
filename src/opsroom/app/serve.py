"""Running the application on a port until somebody stops it."""

import asyncio
import fcntl
import json
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

import opsroom
from opsroom.journal import witnessing
from opsroom.journal.checkpoints import Notary
from opsroom.kit import logs
from opsroom.kit.errors import Conflict
from opsroom.kit.files import write_private

from .build import build, guarded
from .runtime import Runtime, local_token, open_runtime
from .settings import Settings

log = logging.getLogger(__name__)
GRACE = 10


@dataclass(eq=False)
class PortTaken(Conflict):
    code = "port_taken"
    text = "cannot listen on {0.host}:{0.port}: {0.why}"
    hint = "choose another with --port, or stop the program that has it"
    host: str
    port: int
    why: str


@dataclass(eq=False)
class AlreadyRunning(Conflict):
    code = "already_running"
    text = "another opsroom is serving the folder {0.data!r}"
    hint = "use that one, or give this one its own folder with --data"
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What whoever started us should know: where it answers, and the link for the first login."""

    url: str
    link: str | None
    data: str


def serve(settings: Settings, *, started: Callable[[Started], None]) -> None:
    """Open the installation and answer requests until SIGINT or SIGTERM.

    `started` is called once requests are answered. While it runs, `<data>/server.json` tells
    the command line and programs on this machine where to find it.
    """
    logs.install()
    with _only_one(settings):
        port = _free_port(settings.host, settings.port)
        settings = replace(settings, port=port)
        runtime = open_runtime(settings, greet=True)
        try:
            local_token(runtime)
            witnessing.notice(runtime.db, Notary(settings.data))
            asyncio.run(_run(runtime, started))
        finally:
            runtime.close()


async def _run(runtime: Runtime, started: Callable[[Started], None]) -> None:
    settings = runtime.settings
    app = build(runtime)
    server = Server(
        guarded(app),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,  # the lifespan is ours: granian would skip its end
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        websockets=False,
        log_enabled=False,
    )
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, told.set)
    async with app.router.lifespan_context(app):
        serving = asyncio.create_task(server.serve())
        announced = asyncio.create_task(_announce(runtime, started))
        waiting = asyncio.create_task(told.wait())
        try:
            await asyncio.wait({serving, announced}, return_when=asyncio.FIRST_COMPLETED)
            if announced.done():
                announced.result()
            await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
            app.state.closing.set()
            loop.call_soon(server.stop)
            await asyncio.wait({serving}, timeout=GRACE)
            if serving.done():
                serving.result()
            else:
                log.warning("a request took longer than %s s and was cut off", GRACE)
                loop.set_exception_handler(_nothing_new)  # what granian makes of that
        finally:
            announced.cancel()
            waiting.cancel()
            (settings.data / "server.json").unlink(missing_ok=True)


def _nothing_new(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    log.debug("while stopping: %s", context.get("message"))


async def _announce(runtime: Runtime, started: Callable[[Started], None]) -> None:
    settings = runtime.settings
    url = f"http://{_reachable(settings.host)}:{settings.port}"
    while not await _answers(settings):  # noqa: ASYNC110  # granian tells nobody when it listens
        await asyncio.sleep(0.02)
    facts = {"url": url, "pid": os.getpid(), "version": opsroom.__version__}
    write_private(settings.data / "server.json", json.dumps(facts))
    link = f"{url}/login/once#{runtime.link}" if runtime.link else None
    started(Started(url=url, link=link, data=str(settings.data)))


async def _answers(settings: Settings) -> bool:
    host = _reachable(settings.host).strip("[]")
    try:
        _, writer = await asyncio.open_connection(host, settings.port)
    except OSError:
        return False
    writer.close()
    return True


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Hold the folder's lock; the system gives it back however the process ends."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (settings.data / "lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(str(settings.data)) from None
        yield


def _free_port(host: str, port: int) -> int:
    """The port to listen on, once it is clear that nobody else does; 0 finds a free one.

    granian shares ports between processes and would not notice a second server.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(host, port, (error.strerror or str(error)).lower()) from error
        return int(probe.getsockname()[1])


def _reachable(host: str) -> str:
    """An address of `host` that a client on this machine can use."""
    match host:
        case "0.0.0.0":  # noqa: S104  # a comparison, not a binding
            return "127.0.0.1"
        case "::":
            return "[::1]"
        case _:
            return f"[{host}]" if ":" in host else host
