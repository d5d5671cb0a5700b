"""Connecting to the address that was checked, and to no other; and not for ever.

Under the outbound client. A name is looked up once for each connection, everything that it
leads to is put before `choose`, and the connection goes to what comes back.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

import httpcore2

Resolve = Callable[[str, int], list[str]]
Choose = Callable[[str, int, list[str]], str]


class Network(httpcore2.NetworkBackend):
    """Looks a name up once, checks all that it leads to, and connects to just that."""

    def __init__(self, choose: Choose, resolve: Resolve) -> None:
        self._choose = choose
        self._resolve = resolve
        self._below = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            found = self._resolve(host, port)
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        address = self._choose(host, port, found)
        stream = self._below.connect_tcp(
            address, port, _left(timeout), local_address, socket_options or ()
        )
        return _Stream(stream)


class AsyncNetwork(httpcore2.AsyncNetworkBackend):
    def __init__(self, choose: Choose, resolve: Resolve) -> None:
        self._choose = choose
        self._resolve = resolve
        self._below = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # as httpcore has it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        try:
            found = await asyncio.to_thread(self._resolve, host, port)
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        address = self._choose(host, port, found)
        return await self._below.connect_tcp(
            address, port, timeout, local_address, socket_options or ()
        )


class _Stream(httpcore2.NetworkStream):
    """A connection on which no single read or write outlasts the request it is for.

    httpx knows time-outs for one read at a time: a server that sends a byte of its headers
    every second would be waited for all day.
    """

    def __init__(self, below: httpcore2.NetworkStream) -> None:
        self._below = below

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._below.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._below.write(buffer, _left(timeout))

    def close(self) -> None:
        self._below.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        return _Stream(self._below.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._below.get_extra_info(info)


_until: ContextVar[float] = ContextVar("opsroom_outbound_until")


@contextmanager
def finishing_by(until: float) -> Iterator[None]:
    token = _until.set(until)
    try:
        yield
    finally:
        _until.reset(token)


def _left(timeout: float | None) -> float | None:
    """What is left of the time for the present request, and never more than `timeout`."""
    until = _until.get(None)
    if until is None:
        return timeout
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("no time left")
    return left if timeout is None else min(left, timeout)


def look_up(host: str, port: int) -> list[str]:
    """Every address that a name leads to."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]
