"""What is asked at the OpenAI-compatible door, and what goes on to a provider. No I/O.

Nothing of a request is read that need not be: it goes on as it came, but for the name of the
model, what a version of an agent decides, and the field `opsroom`, which is ours.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NoReturn

from pydantic import JsonValue, ValidationError

from opsroom.kit.wire import Wire, adapter

from .errors import NotAsked, PromptIsSet

OURS = "opsroom"
AGENT = "agent:"
EXPECTED_OUTPUT = 1024  # tokens that are held for an answer whose length nobody bounds
MOST_OUTPUT = 10_000_000
DECIDED = frozenset({"model", "messages", "input", "prompt", "stream", "stream_options", OURS})
_TOOLS_OF_THE_CALLER = frozenset({"function", "custom"})
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # nothing that is told or stored holds it
_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


class Path(StrEnum):
    """What is asked for, as providers call it below their base address."""

    CHAT = "chat/completions"
    RESPONSES = "responses"
    EMBEDDINGS = "embeddings"
    COMPLETIONS = "completions"

    @property
    def operation(self) -> str:
        """The word for it in the GenAI conventions."""
        named = {Path.EMBEDDINGS: "embeddings", Path.COMPLETIONS: "text_completion"}
        return named.get(self, "chat")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra(Wire):
    """The field `opsroom` of a request, all of it optional.

    `subject` is whom the call is for (the same one gets the same version of an agent); `variables`
    fill the prompt of that version. `cache` keeps the answer for so many seconds, or (0) asks for
    a fresh one. Headers say the same for clients that cannot add a field.
    """

    subject: str = ""
    session: str = ""
    turn: str = ""
    environment: str = ""
    variables: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    cache: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request: its fields without ours, and ours; with what a version of an agent says, once that
    is known.
    """

    path: Path
    model: str
    body: Mapping[str, Any]
    extra: Extra

    @property
    def stream(self) -> bool:
        return self.body.get("stream") is True

    @property
    def agent(self) -> str:
        """The agent that is asked, if the name of the model names one."""
        return self.model.removeprefix(AGENT) if self.model.startswith(AGENT) else ""

    @property
    def wants_usage(self) -> bool:
        options = self.body.get("stream_options")
        return isinstance(options, dict) and options.get("include_usage") is True

    @property
    def acts(self) -> bool:
        """Whether the provider may do more than answer: run tools of its own, or go on by itself.
        Such a call is repeated only where it surely never began.
        """
        tools = self.body.get("tools")
        kinds = {
            one.get("type", "function") for one in tools if isinstance(one, dict)
        } if isinstance(tools, list) else set()  # fmt: skip
        return bool(kinds - _TOOLS_OF_THE_CALLER) or self.body.get("background") is True

    @property
    def output_tokens(self) -> int:
        """How many tokens the answers may have, as far as the request says it."""
        many = _count(self.body.get("n"), otherwise=1)
        if self.path is Path.EMBEDDINGS:
            return 0
        limits = [_count(self.body.get(name), otherwise=0) for name in _LIMITS]
        return min((max(limits) or EXPECTED_OUTPUT) * many, MOST_OUTPUT)


def read(path: Path, raw: bytes, headers: Mapping[str, str]) -> Asked:
    """A request from its bytes. Raises `NotAsked`."""
    try:
        body = json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise NotAsked("the body is no JSON") from error
    if not isinstance(body, dict):
        raise NotAsked("the body is no object")
    model = body.get("model")
    if not isinstance(model, str) or not model or len(model) > 300 or _UNFIT.search(model):
        raise NotAsked("`model` names a route, or an agent as agent:NAME")
    if not isinstance(body.get("stream", False), bool | None):
        raise NotAsked("`stream` is true or false")  # who reads 1 as true would send one
    extra = _extra(body.pop(OURS, None), headers)
    return Asked(path=path, model=model, body=body, extra=extra)


def _extra(given: Any, headers: Mapping[str, str]) -> Extra:
    told: dict[str, Any] = {
        name: value[:200]
        for name in ("subject", "session", "turn", "environment")
        if (value := headers.get(f"opsroom-{name}", ""))
    }
    if given is None:
        return Extra(**told)
    try:
        found = adapter(Extra).validate_python({**told, **given})
    except (ValidationError, TypeError) as error:
        first = (
            error.errors(include_url=False)[0] if isinstance(error, ValidationError) else None
        )
        place = ".".join(str(part) for part in first["loc"]) if first else ""
        raise NotAsked(
            f"`{OURS}.{place}` is not what it should be".replace(".`", "`")
        ) from None
    if found.cache is not None and not (math.isfinite(found.cache) and found.cache >= 0):
        raise NotAsked("`opsroom.cache` is a number of seconds")
    names = (found.subject, found.session, found.turn, found.environment)
    if any(len(one) > 200 or _UNFIT.search(one) for one in names):
        raise NotAsked("a name in `opsroom` has 200 characters at most, on one line")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a version of an agent says before anybody else does.

    `messages` come first, as role and text; `parameters` go before the caller's own.
    """

    version: str
    messages: Sequence[tuple[str, str]] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def size(self) -> int:
        """About how many bytes longer a request becomes."""
        return sum(len(text) for _, text in self.messages)


def spoken(asked: Asked, told: Told) -> dict[str, Any]:
    """The request with what the version says put into it. Raises `PromptIsSet` for a request that
    brings orders of its own to a version that has a prompt, and `NotAsked`.
    """
    given = {name: value for name, value in told.parameters.items() if name not in DECIDED}
    body = {**asked.body, **_translated(given, asked.path)}
    if not told.messages:
        return body
    first = [{"role": role, "content": text} for role, text in told.messages]
    if asked.path is Path.RESPONSES:
        if body.get("instructions") or body.get("prompt"):  # a prompt that is kept elsewhere
            raise PromptIsSet(told.version)
        asks = _said(body.get("input", []), told, name="input")
        return {**body, "input": [*first, *asks]}
    asks = _said(body.get("messages"), told, name="messages")
    return {**body, "messages": [*first, *asks]}


def _said(given: Any, told: Told, *, name: str) -> list[Any]:
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    if not isinstance(given, list):
        raise NotAsked(f"`{name}` is no list of messages")
    for one in given:
        if isinstance(one, dict) and one.get("role") in {"system", "developer"}:
            raise PromptIsSet(told.version)
    return given


def _translated(parameters: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Parameters under the names that this kind of request gives them."""
    if path is not Path.RESPONSES:
        return dict(parameters)
    renamed = {"max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens"}
    return {renamed.get(name, name): value for name, value in parameters.items()}


def onward(body: Mapping[str, Any], path: Path, model: str, *, count: bool) -> bytes:
    """What goes to a provider: the same request for its own model. With `count` a stream is asked
    to say at its end what it took.
    """
    sent = {**body, "model": model}
    if count and sent.get("stream") is True and path in {Path.CHAT, Path.COMPLETIONS}:
        options = sent.get("stream_options")
        sent["stream_options"] = {
            **(options if isinstance(options, dict) else {}),
            "include_usage": True,
        }
    return json.dumps(sent, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def _count(given: Any, *, otherwise: int) -> int:
    fits = isinstance(given, int) and not isinstance(given, bool) and given > 0
    return min(given, MOST_OUTPUT) if fits else otherwise


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)
