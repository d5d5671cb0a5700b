"""Requests to OpenAI-compatible providers, sent and answered as bytes, through the one way out.

There is one client for an event loop; its connections are kept between calls.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping

import httpx2

from opsroom.gateway.completions.ports import Broke, Incoming, NotReached, Sent
from opsroom.kit import outbound
from opsroom.kit.errors import OpsroomError

MOST = 32 * 2**20  # bytes of one answer
LONGEST = 900.0  # seconds for one answer, to its last byte
AT_ONCE = 500  # answers; who waited for a connection would count as a model that is slow


class OpenAIUpstream:
    """Satisfies `opsroom.gateway.completions.ports.Providers`. `allow` names hosts of one's own."""

    def __init__(
        self, *, allow: Iterable[str] = (), limits: outbound.Limits | None = None
    ) -> None:
        self._allow = tuple(allow)
        self._limits = limits or outbound.Limits(size=MOST, seconds=LONGEST)
        self._held: tuple[asyncio.AbstractEventLoop, httpx2.AsyncClient] | None = None

    async def send(self, sent: Sent) -> Incoming:
        """Send a request; the answer has begun when its headers are here."""
        target = sent.target
        client = self._client()
        request = client.build_request(
            "POST",
            f"{target.endpoint.rstrip('/')}/{sent.path}",
            content=sent.body,
            params=target.query or None,
            headers={
                "Content-Type": "application/json",
                "Accept": "text/event-stream" if sent.stream else "application/json",
            },
        )
        try:
            response = await client.send(request, auth=sent.secret, stream=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise NotReached("no connection could be made") from error
        except httpx2.HTTPError as error:
            raise Broke("the connection broke before the answer began") from error
        except outbound.AnswerTooLarge as error:
            raise Broke(str(error)) from error
        return _Response(response)

    async def close(self) -> None:
        held, self._held = self._held, None
        if held is not None and held[0] is asyncio.get_running_loop():
            await held[1].aclose()

    def _client(self) -> httpx2.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._held is None or self._held[0] is not loop:
            made = outbound.async_client(
                allow=self._allow, limits=self._limits, connections=AT_ONCE
            )
            self._held = (loop, made)
        return self._held[1]


class _Response:
    """Satisfies `Incoming`."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response

    @property
    def status(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises `Broke`."""
        try:
            async for chunk in self._response.aiter_raw():
                yield chunk
        except httpx2.HTTPError as error:
            raise Broke("the connection broke before the answer was whole") from error
        except OpsroomError as error:  # too large, or too slow
            raise Broke(str(error)) from error

    async def close(self) -> None:
        await self._response.aclose()
