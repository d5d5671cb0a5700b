"""What was said in a turn, piece by piece, and in whose voice. It decides what may be done."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

VOICES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "model",
    "tool": "tool",
}


def heard(text: str) -> dict[str, Any]:
    return {"voice": "user", "text": text}


def observed(
    tool: str, result: Any, arguments: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What a tool answered, as text."""
    text = result if isinstance(result, str) else _json(result)
    given = json.loads(_json(dict(arguments or {})))
    return {"voice": "tool", "text": text, "tool": tool, "arguments": given}


def from_messages(messages: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """A conversation in the form of chat completions.

    A message in a role that we do not know is untrusted, like an answer of a tool.
    """
    calls: dict[str, tuple[str, dict[str, Any]]] = {}
    for message in messages:
        for call in message.get("tool_calls") or ():
            called = call["function"]
            calls[str(call["id"])] = str(called["name"]), _arguments(called.get("arguments"))
        text = _text(message.get("content"))
        if not text:
            continue
        voice = VOICES.get(str(message.get("role")), "tool")
        piece: dict[str, Any] = {"voice": voice, "text": text}
        if voice == "tool":
            tool, arguments = calls.get(str(message.get("tool_call_id")), ("", {}))
            piece |= {"tool": str(message.get("name") or tool), "arguments": arguments}
        yield piece


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = [one.get("text", "") for one in content or () if isinstance(one, Mapping)]
    return "\n".join(str(one) for one in parts if one)


def _arguments(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _json(value: Any) -> str:
    from pydantic_core import to_json

    return to_json(value, inf_nan_mode="strings", serialize_unknown=True).decode()
