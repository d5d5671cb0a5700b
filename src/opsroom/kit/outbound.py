"""The one way out: every request that opsroom makes to somebody else's server.

A client from here speaks http and https, to public addresses only, and connects to the very
address it has checked, so that a name cannot lead elsewhere a moment later. The same holds
for each redirect. Answers are capped in size and in time, and are taken as they are: nothing
is unpacked. A `Secret` goes to its own origin and nowhere else. The environment's proxies
and cookies of earlier answers play no part.

Servers of one's own (a model on this machine) are exceptions, named exactly as `host:port`.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpcore2
import httpx2

from .addresses import BadAddress, HostPort, allowed, check, check_address, check_url, literal
from .connecting import AsyncNetwork, Network, Resolve, finishing_by, look_up
from .errors import TooLarge, Unavailable

__all__ = [
    "SECRETS",
    "AnswerTooLarge",
    "AnswerTooSlow",
    "BadAddress",
    "Limits",
    "PackedAnswer",
    "Secret",
    "async_client",
    "check_url",
    "client",
]

REDIRECTS = 5
CONNECTIONS = 100
SECRETS = "OPSROOM_SECRET_"  # what the names of variables that hold one begin with
_SECRET = "opsroom.secret"  # noqa: S105  # the name of an extension


@dataclass(eq=False)
class AnswerTooLarge(TooLarge):
    code = "answer_too_large"
    text = "{0.host!r} answered with more than {0.limit} bytes"
    hint = "ask for less, or fetch it outside opsroom"
    host: str
    limit: int


@dataclass(eq=False)
class AnswerTooSlow(Unavailable):
    code = "answer_too_slow"
    text = "{0.host!r} did not finish its answer within {0.seconds:g} s"
    hint = "try again, or ask for less at once"
    host: str
    seconds: float


@dataclass(eq=False)
class PackedAnswer(Unavailable):
    code = "packed_answer"
    text = "{0.host!r} packed its answer ({0.encoding}), although it was asked not to"
    hint = "turn compression off at that server; what could unpack to anything is not read"
    host: str
    encoding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an answer may take: bytes of body, and seconds from asking to its last byte.

    With the synchronous client, looking up a name comes on top.
    """

    size: int = 2**20
    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Secret(httpx2.Auth):
    """A credential that belongs to one origin: pass it as `auth`, and it goes nowhere else.

    `origin` is a URL of the server; a stored secret whose URL changes is not carried over.
    """

    origin: str
    value: str = field(repr=False)
    header: str = "Authorization"
    prefix: str = "Bearer "

    def belongs_to(self, url: httpx2.URL) -> bool:
        return httpx2.URL(self.origin).origin == url.origin

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        # Not as a header: httpx would carry those to wherever a redirect leads.
        request.extensions = {**request.extensions, _SECRET: self}
        yield request


def client(
    *,
    allow: Iterable[str] = (),
    limits: Limits | None = None,
    follow_redirects: bool = False,
    tls: ssl.SSLContext | None = None,
    resolve: Resolve = look_up,
) -> httpx2.Client:
    """A client that holds every promise of this module; close it, or use it in a `with`."""
    guard = _Guard(allowed(allow), limits or Limits())
    return httpx2.Client(
        transport=_Transport(guard, tls or httpx2.create_ssl_context(), resolve),
        follow_redirects=follow_redirects,
        max_redirects=REDIRECTS,
        timeout=guard.limits.seconds,
        trust_env=False,
        cookies=_no_cookies(),
    )


def async_client(
    *,
    allow: Iterable[str] = (),
    limits: Limits | None = None,
    follow_redirects: bool = False,
    tls: ssl.SSLContext | None = None,
    resolve: Resolve = look_up,
    connections: int = CONNECTIONS,
) -> httpx2.AsyncClient:
    """The same for code that waits; for asyncio. Whoever is beyond so many `connections` waits."""
    guard = _Guard(allowed(allow), limits or Limits())
    return httpx2.AsyncClient(
        transport=_AsyncTransport(
            guard, tls or httpx2.create_ssl_context(), resolve, connections
        ),
        follow_redirects=follow_redirects,
        max_redirects=REDIRECTS,
        timeout=guard.limits.seconds,
        trust_env=False,
        cookies=_no_cookies(),
    )


@dataclass(frozen=True, slots=True)
class _Guard:
    """What both clients check."""

    allow: frozenset[HostPort]
    limits: Limits

    def admit(self, request: httpx2.Request) -> httpx2.Request:
        """The request as it leaves: checked, unpacked answers only, its own secret if any."""
        check(request.url, allow=self.allow)
        headers = httpx2.Headers(request.headers)
        headers["Accept-Encoding"] = "identity"
        secret = request.extensions.get(_SECRET)
        if isinstance(secret, Secret) and secret.belongs_to(request.url):
            headers[secret.header] = f"{secret.prefix}{secret.value}"
        seconds = self.limits.seconds
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
        return httpx2.Request(
            request.method,
            request.url,
            headers=headers,
            stream=request.stream,
            extensions={**request.extensions, "timeout": timeout},
        )

    def receive(self, request: httpx2.Request, response: httpx2.Response) -> None:
        """Refuse an answer by its headers."""
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"", "identity"}:
            raise PackedAnswer(request.url.host, encoding)
        length = response.headers.get("content-length", "")
        if length.isdecimal() and len(length) < 19 and int(length) > self.limits.size:
            raise AnswerTooLarge(request.url.host, self.limits.size)

    def counted(self, host: str, seen: int, chunk: bytes) -> int:
        if seen + len(chunk) > self.limits.size:
            raise AnswerTooLarge(host, self.limits.size)
        return seen + len(chunk)

    def choose(self, host: str, port: int, found: list[str]) -> str:
        """The address to connect to; every one that the name leads to must be public."""
        if (host.lower(), port) not in self.allow:
            for text in found:
                address = literal(text)
                assert address is not None
                check_address(host, address)
        return found[0]

    def slow(self, request: httpx2.Request) -> AnswerTooSlow:
        return AnswerTooSlow(request.url.host, self.limits.seconds)


class _Transport(httpx2.HTTPTransport):
    def __init__(self, guard: _Guard, tls: ssl.SSLContext, resolve: Resolve) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._guard = guard
        # There is no public way to say how httpx connects.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls,
            max_connections=CONNECTIONS,
            keepalive_expiry=5.0,
            network_backend=Network(guard.choose, resolve),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        leaving = self._guard.admit(request)
        until = time.monotonic() + self._guard.limits.seconds
        with _prompt(self._guard, request, until):
            response = super().handle_request(leaving)
        try:
            self._guard.receive(request, response)
        except Exception:
            response.close()
            raise
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _Body(self._guard, request, response.stream, until)
        return response


@contextmanager
def _prompt(guard: _Guard, request: httpx2.Request, until: float) -> Iterator[None]:
    try:
        with finishing_by(until):
            yield
    except httpx2.TimeoutException as error:
        raise guard.slow(request) from error


class _Body(httpx2.SyncByteStream):
    """The body of an answer, as much of it as may be, while there is time."""

    def __init__(
        self,
        guard: _Guard,
        request: httpx2.Request,
        stream: httpx2.SyncByteStream,
        until: float,
    ) -> None:
        self._guard = guard
        self._request = request
        self._stream = stream
        self._until = until

    def __iter__(self) -> Iterator[bytes]:
        seen = 0
        chunks = iter(self._stream)
        while True:
            with _prompt(self._guard, self._request, self._until):
                chunk = next(chunks, None)
            if chunk is None:
                return
            seen = self._guard.counted(self._request.url.host, seen, chunk)
            yield chunk

    def close(self) -> None:
        self._stream.close()


class _AsyncTransport(httpx2.AsyncHTTPTransport):
    def __init__(
        self, guard: _Guard, tls: ssl.SSLContext, resolve: Resolve, connections: int
    ) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._guard = guard
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=connections,
            keepalive_expiry=5.0,
            network_backend=AsyncNetwork(guard.choose, resolve),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        leaving = self._guard.admit(request)
        until = asyncio.get_running_loop().time() + self._guard.limits.seconds
        try:
            async with asyncio.timeout_at(until):
                response = await super().handle_async_request(leaving)
        except TimeoutError as error:
            raise self._guard.slow(request) from error
        try:
            self._guard.receive(request, response)
        except Exception:
            await response.aclose()
            raise
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _AsyncBody(self._guard, request, response.stream, until)
        return response


class _AsyncBody(httpx2.AsyncByteStream):
    def __init__(
        self,
        guard: _Guard,
        request: httpx2.Request,
        stream: httpx2.AsyncByteStream,
        until: float,
    ) -> None:
        self._guard = guard
        self._request = request
        self._stream = stream
        self._until = until

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        chunks = aiter(self._stream)
        while True:
            try:
                async with asyncio.timeout_at(self._until):
                    chunk = await anext(chunks, None)
            except TimeoutError as error:
                raise self._guard.slow(self._request) from error
            if chunk is None:
                return
            seen = self._guard.counted(self._request.url.host, seen, chunk)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _no_cookies() -> CookieJar:
    return CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
