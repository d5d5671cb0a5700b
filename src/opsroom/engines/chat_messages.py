"""Our conversations in pydantic-ai's words, and its answers in ours."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from pydantic_ai import messages as wire

from opsroom.models import BadMessage, Message, ToolCall


def asked(messages: Sequence[Message]) -> Iterator[wire.ModelMessage]:
    """The conversation as it is to be sent, message by message and unchanged.

    Raises `BadMessage` for a tool's answer to a call that nobody made.
    """
    called: dict[str, str] = {}
    for position, message in enumerate(messages):
        match message.role:
            case "system":
                yield wire.ModelRequest([wire.SystemPromptPart(message.content)])
            case "user":
                yield wire.ModelRequest([wire.UserPromptPart(message.content)])
            case "assistant":
                called |= {call.id: call.name for call in message.tool_calls}
                yield wire.ModelResponse(_spoken(message))
            case "tool":
                answers = message.tool_call_id or ""
                if answers not in called:
                    raise BadMessage(position, "it answers a tool call that was never made")
                yield wire.ModelRequest(
                    [wire.ToolReturnPart(called[answers], message.content, answers)]
                )


def said(answer: wire.ModelResponse) -> str:
    """The words of the answer; a refusal is an answer too."""
    words = "".join(part.content for part in answer.parts if isinstance(part, wire.TextPart))
    return words or str(details(answer).get("refusal") or "")


def called(answer: wire.ModelResponse) -> Iterator[ToolCall]:
    """The tools the answer asks for, with their arguments as data where they are JSON."""
    for part in answer.parts:
        if isinstance(part, wire.ToolCallPart):
            yield ToolCall(
                name=part.tool_name, arguments=_arguments(part.args), id=part.tool_call_id
            )


def details(answer: wire.ModelResponse) -> Mapping[str, Any]:
    return answer.provider_details or {}


def _spoken(message: Message) -> list[wire.ModelResponsePart]:
    parts: list[wire.ModelResponsePart] = []
    if message.content or not message.tool_calls:
        parts.append(wire.TextPart(message.content))
    parts.extend(
        wire.ToolCallPart(call.name, _as_text(call.arguments), tool_call_id=call.id)
        for call in message.tool_calls
    )
    return parts


def _as_text(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _arguments(given: Any) -> Any:
    if given is None or given == "":
        return {}
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given, parse_constant=_not_json)
    except ValueError:
        return given


def _not_json(word: str) -> NoReturn:
    raise ValueError(word)
