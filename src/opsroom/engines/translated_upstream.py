"""Anthropic and Gemini behind the OpenAI-compatible door, through pydantic-ai's providers.

They are asked for chat completions only. Every request goes through the one way out, is sent
once, and takes its key from the call and nothing from the environment. Import this module where
such a target is asked; it costs more than a second.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import httpx2
from anthropic import AsyncAnthropic
from google.genai import Client
from google.genai.types import HttpOptions
from pydantic_ai.direct import model_request, model_request_stream
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelConnectionError,
    ModelHTTPError,
    UserError,
)
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider

from opsroom.gateway.completions.model import Path
from opsroom.gateway.completions.ports import Broke, Incoming, NotReached, Sent
from opsroom.kit import outbound
from opsroom.kit.clock import Clock
from opsroom.kit.errors import OpsroomError
from opsroom.models.route import Api, Target

from .openai_upstream import AT_ONCE, LONGEST, MOST
from .translating import (
    Deltas,
    Untranslatable,
    completion,
    conversation,
    finish,
    parameters,
    usage,
)
from .translating import settings as settings_of

WAITING = 64  # events that may wait for whoever reads them
_NO_KEY = "none"
_PUZZLED = (AttributeError, LookupError, TypeError, ValueError)


class TranslatedUpstream:
    """Satisfies `opsroom.gateway.completions.ports.Providers` for Anthropic and Google."""

    def __init__(self, clock: Clock, *, allow: Iterable[str] = ()) -> None:
        self._clock = clock
        self._allow = tuple(allow)
        self._limits = outbound.Limits(size=MOST, seconds=LONGEST)
        self._held: tuple[asyncio.AbstractEventLoop, httpx2.AsyncClient] | None = None

    async def send(self, sent: Sent) -> Incoming:
        """Ask, in the provider's own language; the answer is a chat completion."""
        if sent.path is not Path.CHAT:
            return _refused(400, "not_translated", f"{sent.target.api} is asked for chat only")
        body = json.loads(sent.body)
        try:
            asked = (conversation(body), settings_of(body), parameters(body))
        except Untranslatable as error:
            why = f"{sent.target.api} has no equal of {error}"
            return _refused(400, "not_translated", why)
        except _PUZZLED:
            return _refused(400, "not_translated", "a message or a tool has another shape")
        model = _model(sent.target, sent.secret, self._client())
        if sent.stream:
            return await _Stream(model, asked, body, self._created()).begun()
        try:
            answer = await model_request(
                model,
                asked[0],
                model_settings=asked[1],
                model_request_parameters=asked[2],
                instrument=False,
            )
        except Exception as error:  # noqa: BLE001  # told apart, and raised again if unknown
            return _translated(error)
        told = completion(answer, created=self._created())
        return _Said(200, json.dumps(told).encode())

    async def close(self) -> None:
        held, self._held = self._held, None
        if held is not None and held[0] is asyncio.get_running_loop():
            await held[1].aclose()

    def _created(self) -> int:
        return int(self._clock.now().timestamp())

    def _client(self) -> httpx2.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._held is None or self._held[0] is not loop:
            made = outbound.async_client(
                allow=self._allow, limits=self._limits, connections=AT_ONCE
            )
            self._held = (loop, made)
        return self._held[1]


def _model(
    target: Target, secret: outbound.Secret | None, http: httpx2.AsyncClient
) -> Model[Any]:
    key = secret.value if secret is not None else _NO_KEY
    if target.api is Api.ANTHROPIC:
        sdk = AsyncAnthropic(
            api_key=key, base_url=target.endpoint, http_client=http, max_retries=0
        )
        sdk.auth_token = None  # whatever the environment holds belongs to somebody else
        return AnthropicModel(target.model, provider=AnthropicProvider(anthropic_client=sdk))
    options = HttpOptions(base_url=target.endpoint, httpx_async_client=http)
    client = Client(vertexai=False, api_key=key, http_options=options)
    return GoogleModel(target.model, provider=GoogleProvider(client=client))


class _Said:
    """An answer in one piece. Satisfies `Incoming`."""

    def __init__(self, status: int, body: bytes) -> None:
        self._status = status
        self._body = body

    @property
    def status(self) -> int:
        return self._status

    @property
    def headers(self) -> Mapping[str, str]:
        return {"content-type": "application/json"}

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._body

    async def close(self) -> None:
        """There is nothing to let go of."""


class _Stream:
    """A stream, read by a task of its own: what it is read with begins and ends in one task."""

    status = 200
    headers: Mapping[str, str] = {"content-type": "text/event-stream"}  # never changed

    def __init__(
        self, model: Model[Any], asked: Any, body: Mapping[str, Any], created: int
    ) -> None:
        self._model, self._asked, self._body, self._created = model, asked, body, created
        self._queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(WAITING)
        self._task = asyncio.create_task(self._run(), name="model stream")
        self._first: bytes | None = None

    async def begun(self) -> Incoming:
        """Itself once something came; what the provider said instead, where that is no stream."""
        try:
            first = await self._queue.get()
        except BaseException:
            await self.close()
            raise
        if isinstance(first, Exception):
            return _translated(first)
        self._first = first
        return self

    async def chunks(self) -> AsyncIterator[bytes]:
        item: bytes | Exception | None = self._first
        while isinstance(item, bytes):
            yield item
            item = await self._queue.get()
        if isinstance(item, Exception):
            raise Broke("the connection broke before the answer was whole") from item

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            async with model_request_stream(
                self._model,
                self._asked[0],
                model_settings=self._asked[1],
                model_request_parameters=self._asked[2],
                instrument=False,
            ) as stream:
                deltas = Deltas()
                async for event in stream:
                    for delta in deltas.of(event):
                        await self._put(stream, delta)
                await self._put(stream, {}, ended=finish(stream.finish_reason))
                options = self._body.get("stream_options") or {}
                if options.get("include_usage"):
                    await self._put(stream, None, usage=usage(stream.usage))
            await self._queue.put(b"data: [DONE]\n\n")
            await self._queue.put(None)
        except Exception as error:  # noqa: BLE001  # handed to whoever reads
            await self._queue.put(error)

    async def _put(
        self,
        stream: Any,
        delta: dict[str, Any] | None,
        *,
        ended: str | None = None,
        **more: Any,
    ) -> None:
        choices = [] if delta is None else [
            {"index": 0, "delta": delta, "finish_reason": ended}
        ]  # fmt: skip
        told = {
            "id": stream.provider_response_id or "",
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": stream.model_name,
            "choices": choices,
            **more,
        }
        await self._queue.put(b"data: " + json.dumps(told).encode() + b"\n\n")


def _translated(error: Exception) -> Incoming:
    """What a provider said in place of an answer. Raises as `Providers.send` says."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OpsroomError):
            raise cause
        cause = cause.__cause__
    match error:
        case ModelHTTPError(status_code=status, body=body):
            inner = body.get("error") if isinstance(body, dict) else None
            said = inner.get("message") if isinstance(inner, dict) else None
            return _refused(
                status, "provider_error", str(said or f"it answered {status}")[:2000]
            )
        case ModelConnectionError(phase=phase) if phase in {"connect", "pool"}:
            raise NotReached("no connection could be made") from error
        case UserError():
            return _refused(400, "not_translated", str(error)[:500])
        case ModelAPIError():
            raise Broke("the connection broke before the answer was whole") from error
        case _:
            raise ValueError("it sent no such answer") from error


def _refused(status: int, code: str, why: str) -> _Said:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    error = {"message": why, "type": kind, "param": None, "code": code}
    return _Said(status, json.dumps({"error": error}).encode())
