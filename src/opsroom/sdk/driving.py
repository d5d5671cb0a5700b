"""Protocols written once, for programs with and without an event loop.

A protocol is a generator that does nothing itself. It yields what is to be done next, and is
told what came of it; two short loops here carry the steps out.
"""

import contextvars
import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Ask the server. `late` gets an answer that nobody waits for any more; `long` says that
    it may take its time on purpose.
    """

    ask: Callable[[], Any]
    late: Callable[[Any], None] | None = None
    long: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Call a program's own function, which is a coroutine function if `awaits`."""

    call: Callable[[], Any]
    awaits: bool
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    seconds: float


class TimedOut(Exception):
    """A function did not come back in its time, and was cancelled or left alone."""


Step: TypeAlias = Ask | Run | Rest
Protocol: TypeAlias = Generator[Step, Any, T]


def run(protocol: Protocol[T]) -> T:
    """Carry a protocol out in this thread.

    A plain function runs to its end whatever its time-out: it cannot be stopped, and leaving
    it alone would hide what it still does.
    """
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            step = protocol.send(answer) if error is None else protocol.throw(error)
        except StopIteration as end:
            result: T = end.value
            return result
        answer, error = None, None
        try:
            match step:
                case Ask():
                    answer = step.ask()
                case Run(awaits=True):
                    answer = _run_coroutine(step)
                case Run():
                    answer = step.call()
                case Rest(seconds=seconds):
                    time.sleep(seconds)
        except BaseException as raised:  # noqa: BLE001  # the protocol decides what it means
            error = raised


async def arun(protocol: Protocol[T]) -> T:
    """Carry a protocol out on the running event loop, which is never blocked."""
    import asyncio

    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            step = protocol.send(answer) if error is None else protocol.throw(error)
        except StopIteration as end:
            result: T = end.value
            return result
        answer, error = None, None
        try:
            match step:
                case Ask():
                    answer = await _ask_aside(step)
                case Run():
                    answer = await _await(step)
                case Rest(seconds=seconds):
                    await asyncio.sleep(seconds)
        except BaseException as raised:  # noqa: BLE001  # the protocol decides what it means
            error = raised


def _run_coroutine(step: Run) -> Any:
    import asyncio

    return asyncio.run(_await(step))


async def _await(step: Run) -> Any:
    """Await in this very task: its first line runs now, not when the loop comes to it.

    A plain function gets a thread, which goes on alone when the time is over.
    """
    import asyncio

    clock = asyncio.timeout(step.timeout)
    try:
        async with clock:
            return await (step.call() if step.awaits else asyncio.to_thread(step.call))
    except TimeoutError as error:
        if clock.expired():
            raise TimedOut from error
        raise


async def _ask_aside(step: Ask) -> Any:
    import asyncio

    asked = (
        _thread(step.ask) if step.long else asyncio.ensure_future(asyncio.to_thread(step.ask))
    )
    try:
        return await asyncio.shield(asked)
    except asyncio.CancelledError:
        asked.add_done_callback(lambda done: _tell_late(step, done))
        raise


def _thread(work: Callable[[], Any]) -> "asyncio.Future[Any]":
    """A thread of its own: what waits for minutes must not hold one of the loop's few, nor
    keep the process from ending.
    """
    import asyncio

    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def call() -> None:
        try:
            settle = future.set_result, context.run(work)
        except BaseException as raised:  # noqa: BLE001  # whoever waits gets to hear of it
            settle = future.set_exception, raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: future.done() or settle[0](settle[1]))

    threading.Thread(target=call, name="opsroom-waiting", daemon=True).start()
    return future


def _tell_late(step: Ask, done: "asyncio.Future[Any]") -> None:
    if not done.cancelled() and done.exception() is None and step.late is not None:
        step.late(done.result())
