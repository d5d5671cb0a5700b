"""Models behind an OpenAI-compatible endpoint, through pydantic-ai.

What a version says is what is sent: its parameters go out under the names it gives them,
its text goes out unchanged, and nothing is added or left out on a model's behalf. A call is
repeated only while nothing can have been answered or charged yet: the connection was not
made, or the provider said 503 or 429. Contents are never logged and never part of an error.

Import this module where an endpoint is configured; it costs more than half a second.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2
from openai import AsyncOpenAI
from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelConnectionError,
    ModelHTTPError,
    ModelQuotaExceededError,
    UnexpectedModelBehavior,
)
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from opsroom.kit.clock import Clock
from opsroom.kit.errors import OpsroomError
from opsroom.models import (
    ModelGarbled,
    ModelRefused,
    ModelRequest,
    ModelUnavailable,
    Output,
    ReservedParameter,
)
from opsroom.models.prices import price

from .chat_messages import asked, called, details, said

RESERVED = frozenset({"model", "messages", "stream", "stream_options", "n"})
_WORTH_REPEATING = frozenset({429, 503})
_NOT_SENT_YET = frozenset({"connect", "pool"})
_NO_KEY = "none"  # the client insists on a key; local servers do not

# What the SDK stumbles with over an answer of another shape, which it does not check itself.
_NOT_CHECKED = (AttributeError, LookupError, TypeError, ValueError)

# The SDK writes whole requests to its log at level DEBUG, prompts and answers included.
logging.getLogger("openai._base_client").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a call may take, and how often it may be tried again.

    `timeout` bounds one attempt from first byte to last. A provider that asks for a longer
    pause than `longest_pause` is taken at its word: the call ends there.
    """

    timeout: timedelta = timedelta(seconds=60)
    attempts: int = 4
    first_pause: timedelta = timedelta(seconds=0.5)
    longest_pause: timedelta = timedelta(seconds=30)


class OpenAICompatible:
    """One model at one endpoint. Satisfies `opsroom.models.Model`.

    `client` is ours to use and the caller's to close: it brings the guards that every
    outbound call of this product goes through.
    """

    def __init__(
        self,
        model: str,
        *,
        endpoint: str,
        key: str | None,
        client: httpx2.AsyncClient,
        clock: Clock,
        patience: Patience | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._name = model
        self._endpoint = endpoint
        self._secret = key
        self._clock = clock
        self._patience = patience or Patience()
        self._pause = pause
        self._timer = timer
        self._chat = OpenAIChatModel(
            model,
            provider=OpenAICompatibleProvider(
                "opsroom",
                openai_client=_sdk(endpoint=endpoint, key=key, client=client),
            ),
            profile=_VERBATIM,
        )

    async def complete(self, request: ModelRequest) -> Output:
        """Ask, and ask again while that is harmless. Raises as `Model.complete` says."""
        conversation = tuple(asked(request.messages))
        settings = _settings(request)
        for attempt in range(1, self._patience.attempts + 1):
            started = self._timer()
            at = self._clock.now()
            try:
                async with asyncio.timeout(self._patience.timeout.total_seconds()):
                    answer = await model_request(
                        self._chat, conversation, model_settings=settings, instrument=False
                    )
            except TimeoutError as error:
                waited = self._patience.timeout.total_seconds()
                raise self._unavailable(f"no answer within {waited:g} s", attempt) from error
            except ModelAPIError as error:
                _raise_ours(error)
                wait = self._wait_after(error, attempt)
                if wait is None:
                    # A refusal may quote the prompt, and a traceback ends up in logs.
                    harmless = error if isinstance(error, ModelConnectionError) else None
                    raise self._translated(error, attempt) from harmless
                await self._pause(wait.total_seconds())
            except (UnexpectedModelBehavior, *_NOT_CHECKED):
                # From None: what it says quotes the answer, which belongs in no log.
                raise self._garbled() from None
            else:
                return self._output(answer, at=at, latency=self._timer() - started)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _wait_after(self, error: ModelAPIError, attempt: int) -> timedelta | None:
        """How long to wait before the next attempt, or None when there must not be one."""
        if attempt == self._patience.attempts or isinstance(error, ModelQuotaExceededError):
            return None
        match error:
            case ModelHTTPError(status_code=status) if status in _WORTH_REPEATING:
                pass
            case ModelConnectionError(phase=phase) if phase in _NOT_SENT_YET:
                pass
            case _:
                return None
        longest = self._patience.longest_pause
        if error.retry_after is None:
            return min(self._patience.first_pause * (1 << (attempt - 1)), longest)
        asked_for = timedelta(seconds=max(0.0, error.retry_after))
        return asked_for if asked_for <= longest else None

    def _translated(self, error: ModelAPIError, attempt: int) -> Exception:
        match error:
            case ModelHTTPError(status_code=status) if (
                status in _WORTH_REPEATING or status >= 500
            ):
                if isinstance(error, ModelQuotaExceededError):
                    return self._refused(error, status)
                asked_for = (
                    f"; it asks for a pause of {error.retry_after:g} s"
                    if error.retry_after is not None
                    else ""
                )
                return self._unavailable(f"it answered {status}{asked_for}", attempt)
            case ModelHTTPError(status_code=status):
                return self._refused(error, status)
            case ModelConnectionError(phase=phase):
                during = {"connect": "could not connect", "pool": "no free connection"}
                why = during.get(
                    phase or "", "the connection broke before the answer was whole"
                )
                return self._unavailable(why, attempt)
            case _:
                return self._garbled()

    def _unavailable(self, why: str, attempts: int) -> ModelUnavailable:
        return ModelUnavailable(self._name, self._endpoint, why, attempts)

    def _refused(self, error: ModelHTTPError, status: int) -> ModelRefused:
        named = [
            text for text in (error.provider_error_code, error.provider_error_type) if text
        ]
        # The provider's sentence may quote the prompt; its code names the reason without it.
        return ModelRefused(
            self._name, self._endpoint, status, ", ".join(named)[:200] or "no reason given"
        )

    def _garbled(self) -> ModelGarbled:
        return ModelGarbled(self._name, self._endpoint, "not with a chat completion")

    def _output(self, answer: ModelResponse, *, at: datetime, latency: float) -> Output:
        usage = answer.usage
        counted = usage.input_tokens > 0 or usage.output_tokens > 0
        tokens_in = usage.input_tokens if counted else None
        tokens_out = usage.output_tokens if counted else None
        known = price(
            answer.model_name,
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            cached_tokens=usage.cache_read_tokens,
            at=at,
            endpoint=self._endpoint,
        )
        return Output(
            text=said(answer),
            tool_calls=tuple(called(answer)),
            latency=latency,
            cost=known.cost,
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            served_model=answer.model_name,
            finish_reason=details(answer).get("finish_reason") or answer.finish_reason,
        )


# Without these, pydantic-ai drops sampling parameters for models it takes for reasoning
# models, renames the system role for others, and splits special tokens that an item contains.
_VERBATIM = OpenAIModelProfile(
    openai_supports_reasoning=False,
    openai_system_prompt_role="system",
    may_tokenize_special_tokens_in_content=False,
)


def _sdk(*, endpoint: str, key: str | None, client: httpx2.AsyncClient) -> AsyncOpenAI:
    """The SDK's client, deaf to the environment: no other account's key, headers or address."""
    sdk = AsyncOpenAI(
        base_url=endpoint, api_key=key or _NO_KEY, http_client=client, max_retries=0
    )
    sdk.organization = None
    sdk.project = None
    sdk._custom_headers = {}  # noqa: SLF001  # OPENAI_CUSTOM_HEADERS has no public way out
    return sdk


def _settings(request: ModelRequest) -> OpenAIChatModelSettings:
    body: dict[str, Any] = {}
    for name, value in request.parameters.items():
        if name in RESERVED:
            raise ReservedParameter(name)
        body[name] = value
    if request.seed is not None:
        body["seed"] = request.seed
    return OpenAIChatModelSettings(extra_body=body)


def _raise_ours(error: BaseException) -> None:
    """Raise what our own outbound client said, where the SDK has wrapped it as a failure."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OpsroomError):
            raise cause
        cause = cause.__cause__
