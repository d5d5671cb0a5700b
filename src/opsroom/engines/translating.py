"""Chat completions in pydantic-ai's words and back, for providers that speak another language.

What has no equal there is refused by name: nothing of a request is left out in silence.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic_ai import messages as wire
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

# What says nothing to a model, or is told of elsewhere.
_SILENT = frozenset(
    {
        "model", "messages", "stream", "stream_options", "tools", "tool_choice",
        "response_format", "user", "metadata", "store", "safety_identifier", "prompt_cache_key",
    }
)  # fmt: skip
_SETTINGS = {
    "max_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "parallel_tool_calls": "parallel_tool_calls",
}
_FINISH = {"tool_call": "tool_calls", "error": "stop"}
_DATA = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,", re.ASCII)


class Untranslatable(Exception):
    """Something of a request has no equal at the provider; its text names it."""


def conversation(body: Mapping[str, Any]) -> list[wire.ModelMessage]:
    """The messages of a request. Raises `Untranslatable`."""
    given = body.get("messages")
    if not isinstance(given, list) or not given:
        raise Untranslatable("`messages` is no list of messages")
    called: dict[str, str] = {}
    return [_message(one, called) for one in given]


def _message(given: Any, called: dict[str, str]) -> wire.ModelMessage:
    role = given.get("role") if isinstance(given, dict) else None
    content = given.get("content") if isinstance(given, dict) else None
    match role:
        case "system" | "developer":
            return wire.ModelRequest([wire.SystemPromptPart(_words(content))])
        case "user":
            return wire.ModelRequest([wire.UserPromptPart(_parts(content))])
        case "tool":
            of = str(given.get("tool_call_id", ""))
            if of not in called:
                raise Untranslatable("a message answers a tool call that was never made")
            return wire.ModelRequest([wire.ToolReturnPart(called[of], _words(content), of)])
        case "assistant":
            spoken: list[wire.ModelResponsePart] = []
            if words := _words(content or ""):
                spoken.append(wire.TextPart(words))
            for call in given.get("tool_calls") or []:
                function = call.get("function") or {}
                name, of = str(function.get("name", "")), str(call.get("id", ""))
                called[of] = name
                arguments = function.get("arguments") or "{}"
                spoken.append(wire.ToolCallPart(name, arguments, tool_call_id=of))
            return wire.ModelResponse(spoken)
        case _:
            raise Untranslatable(f"a message of the role {str(role)[:40]!r}")


def _words(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [one.get("text") for one in content if isinstance(one, dict)]
        if len(texts) == len(content) and all(isinstance(one, str) for one in texts):
            return "".join(map(str, texts))
    raise Untranslatable("a message that is no text")


def _parts(content: Any) -> str | list[Any]:
    """What a user said: text, and pictures that stand in the request themselves. Addresses are
    refused, because whoever translates would fetch them.
    """
    if not isinstance(content, list):
        return _words(content)
    found: list[Any] = []
    for one in content:
        url = one.get("image_url", {}).get("url", "") if isinstance(one, dict) else ""
        if head := _DATA.match(url):
            try:
                data = base64.b64decode(url[head.end() :], validate=True)
            except binascii.Error as error:
                raise Untranslatable("a picture that is no base64") from error
            found.append(wire.BinaryContent(data, media_type=head[1]))
        else:
            found.append(_words([one]))
    return found


def settings(body: Mapping[str, Any]) -> ModelSettings:
    """How the model is asked. Raises `Untranslatable` for a parameter without an equal."""
    found: dict[str, Any] = {}
    for name, value in body.items():
        if name in _SILENT or value is None or (name == "n" and value == 1):
            continue
        if name == "stop":
            found["stop_sequences"] = [value] if isinstance(value, str) else value
        elif name in _SETTINGS:
            found[_SETTINGS[name]] = value
        else:
            raise Untranslatable(f"the parameter `{name[:60]}`")
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        found["tool_choice"] = [str((choice.get("function") or {}).get("name", ""))]
    elif choice is not None:
        found["tool_choice"] = choice
    return cast("ModelSettings", found)


def parameters(body: Mapping[str, Any]) -> ModelRequestParameters:
    """The tools and the shape of the answer. Raises `Untranslatable`."""
    tools = [_tool(one) for one in body.get("tools") or []]
    wanted = body.get("response_format")
    kind = wanted.get("type") if isinstance(wanted, dict) else "text"
    if not isinstance(wanted, dict) or kind == "text":
        return ModelRequestParameters(function_tools=tools)
    schema = wanted.get("json_schema")
    if kind != "json_schema" or not isinstance(schema, dict):
        raise Untranslatable(f"the response format {str(kind)[:40]!r}")
    shape = OutputObjectDefinition(
        json_schema=schema.get("schema") or {},
        name=schema.get("name"),
        description=schema.get("description"),
        strict=schema.get("strict"),
    )
    return ModelRequestParameters(
        function_tools=tools, output_mode="native", output_object=shape
    )


def _tool(given: Any) -> ToolDefinition:
    function = given.get("function") if isinstance(given, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise Untranslatable("a tool that is no function")
    return ToolDefinition(
        name=function["name"],
        description=function.get("description"),
        parameters_json_schema=function.get("parameters")
        or {"type": "object", "properties": {}},
        strict=function.get("strict"),
    )


def completion(answer: wire.ModelResponse, *, created: int) -> dict[str, Any]:
    """An answer as a chat completion."""
    text = "".join(one.content for one in answer.parts if isinstance(one, wire.TextPart))
    calls = [one for one in answer.parts if isinstance(one, wire.ToolCallPart)]
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = [
            {
                "id": one.tool_call_id,
                "type": "function",
                "function": {"name": one.tool_name, "arguments": one.args_as_json_str()},
            }
            for one in calls
        ]
    choice = {"index": 0, "message": message, "finish_reason": finish(answer.finish_reason)}
    return {
        "id": answer.provider_response_id or "",
        "object": "chat.completion",
        "created": created,
        "model": answer.model_name or "",
        "choices": [choice],
        "usage": usage(answer.usage),
    }


def finish(reason: str | None) -> str:
    return _FINISH.get(reason or "stop", reason or "stop")


def usage(took: Any) -> dict[str, Any]:
    return {
        "prompt_tokens": took.input_tokens,
        "completion_tokens": took.output_tokens,
        "total_tokens": took.input_tokens + took.output_tokens,
        "prompt_tokens_details": {"cached_tokens": took.cache_read_tokens},
    }


class Deltas:
    """Events of a stream, as what they add to a chat completion."""

    def __init__(self) -> None:
        self._calls: dict[int, int] = {}  # part of the answer: number of the call

    def of(self, event: Any) -> Iterator[dict[str, Any]]:
        match event:
            case wire.PartStartEvent(part=wire.TextPart(content=text)) if text:
                yield {"content": text}
            case wire.PartStartEvent(index=index, part=wire.ToolCallPart() as part):
                number = self._calls[index] = len(self._calls)
                named = {"name": part.tool_name, "arguments": _arguments(part.args)}
                call = {"index": number, "id": part.tool_call_id, "type": "function"}
                yield {"tool_calls": [{**call, "function": named}]}
            case wire.PartDeltaEvent(delta=wire.TextPartDelta(content_delta=text)) if text:
                yield {"content": text}
            case wire.PartDeltaEvent(
                index=index, delta=wire.ToolCallPartDelta(args_delta=given)
            ) if given and index in self._calls:
                function = {"arguments": _arguments(given)}
                yield {"tool_calls": [{"index": self._calls[index], "function": function}]}
            case _:
                return


def _arguments(given: Any) -> str:
    if given is None:
        return ""
    return given if isinstance(given, str) else json.dumps(given)
