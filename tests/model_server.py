"""A small model server on loopback that speaks chat completions, and misbehaves on request.

It runs on its own thread, so both synchronous and asynchronous tests can use it.

    with ModelServer(reply=lambda asked: say("yes")) as server:
        server.next(status(429, retry_after="0"))   # once, then back to the usual reply
        ...
        assert server.requests[0].body["messages"] == ...
"""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

from tests.patience import PATIENCE


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer, and how it is to go wrong."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hang: bool = False
    close_after: int | None = None  # send only so many bytes of the body, then hang up


def say(
    text: str | None = "ok",
    *,
    tool_calls: list[dict[str, Any]] | None = None,
    delay: float = 0.0,
    tokens: tuple[int, int] | None = (10, 5),
    model: str = "gpt-4o-2024-11-20",
    finish_reason: str = "stop",
    refusal: str | None = None,
) -> Reply:
    """An ordinary chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": refusal}
    if tool_calls:
        message["tool_calls"] = tool_calls
    completion: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
    }
    if tokens is not None:
        completion["usage"] = {
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "total_tokens": sum(tokens),
        }
    return Reply(body=json.dumps(completion).encode(), delay=delay)


def tool_call(name: str, arguments: str, call_id: str = "call_1") -> dict[str, Any]:
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def status(
    number: int, /, *, retry_after: str | None = None, error: str = "no", **more: str
) -> Reply:
    """An error as providers send it."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    body = {"error": {"message": error, **more}}
    return Reply(status=number, body=json.dumps(body).encode(), headers=headers)


def garbage(text: str = "<html>welcome</html>") -> Reply:
    return Reply(body=text.encode())


def hang() -> Reply:
    return Reply(hang=True)


class ModelServer:
    """The server; `requests` holds everything that arrived, in order."""

    def __init__(self, reply: Callable[[Asked], Reply] = lambda _: say()) -> None:
        self.requests: list[Asked] = []
        self.most_at_once = 0
        self._reply = reply
        self._next: deque[Reply] = deque()
        self._at_once = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._port = 0
        self._server: asyncio.Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def next(self, *replies: Reply) -> None:
        """Answer the next requests with these, in order; then with the usual reply again."""
        self._next.extend(replies)

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=PATIENCE)

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=256)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (asked := await _read(reader)) is not None:
                self.requests.append(asked)
                self._at_once += 1
                self.most_at_once = max(self.most_at_once, self._at_once)
                try:
                    whole = await self._answer(asked, writer.write, writer.drain)
                finally:
                    self._at_once -= 1
                if not whole:
                    break
        except ConnectionError:
            pass  # the other side hung up; that is what some tests are about
        finally:
            writer.close()

    async def _answer(
        self,
        asked: Asked,
        write: Callable[[bytes], None],
        drain: Callable[[], Awaitable[None]],
    ) -> bool:
        reply = self._next.popleft() if self._next else self._reply(asked)
        if reply.hang:
            await asyncio.sleep(3600)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(reply.body)),
            **reply.headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        write(f"HTTP/1.1 {reply.status} Status\r\n{head}\r\n".encode())
        write(reply.body[: reply.close_after])
        await drain()
        return reply.close_after is None


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(
        path=first.split(" ")[1], headers=headers, body=json.loads(body) if body else {}
    )
