"""What was asked and what was answered, in the words of whoever sent the span. Pure.

Instrumentations keep the same conversation in different places: a list of messages as JSON, one
attribute for each part of a message, or one text. Of a conversation the last message of the
user is what was asked, and the last of the assistant is the answer.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

INPUTS = (
    r"gen_ai\.(input\.messages|prompt(\..*)?)|llm\.(input_messages|prompts)(\..*)?|input\.value"
    r"|traceloop\.entity\.input|ai\.prompt(\.messages)?|langfuse\.(observation|trace)\.input"
    r"|mlflow\.spanInputs|pydantic_ai\.all_messages|gcp\.vertex\.agent\.llm_request"
)
OUTPUTS = (
    r"gen_ai\.(output\.messages|completion(\..*)?)|llm\.(output_messages|completions)(\..*)?"
    r"|output\.value|traceloop\.entity\.output|ai\.response\.(text|object)|final_result"
    r"|langfuse\.(observation|trace)\.output|mlflow\.spanOutputs|gcp\.vertex\.agent\.llm_response"
)
LONGEST = 2_000
DEEPEST = 12
USER = frozenset({"user", "human"})
ASSISTANT = frozenset({"assistant", "model", "ai", ""})
_INPUT, _OUTPUT = re.compile(INPUTS), re.compile(OUTPUTS)
_PART = re.compile(
    r"(?:llm\.(?:input|output)_messages|gen_ai\.(?:prompt|completion))\.(\d+)\.(?:message\.)?"
    r"(role|content|contents\.\d+\.message_content\.text)"
)
_HOLDERS = (
    "messages",
    "input",
    "contents",
    "prompt",
    "output",
    "choices",
    "response",
    "generations",
)
_TEXTS = ("content", "text", "parts", "message", "value", "kwargs")


def asked(content: Mapping[str, str], *, most: int = LONGEST) -> str:
    """What the user asked last; empty where that was not kept."""
    return _last(content, _INPUT, USER, most)


def answered(content: Mapping[str, str], *, most: int = LONGEST) -> str:
    """What the assistant answered; empty where that was not kept."""
    return _last(content, _OUTPUT, ASSISTANT, most)


def _last(
    content: Mapping[str, str], names: re.Pattern[str], roles: frozenset[str], most: int
) -> str:
    mine = {name: value for name, value in content.items() if names.fullmatch(name)}
    for messages in (_parts(mine), *(_messages(_read(value), 0) for value in mine.values())):
        said = [text for _, text in messages if text.strip()]
        fitting = [text for role, text in messages if role in roles and text.strip()]
        if fitting or said:
            return (fitting or said)[-1].strip()[:most]
    return ""


def _parts(mine: Mapping[str, str]) -> list[tuple[str, str]]:
    """Messages of which every part is an attribute of its own, in their order."""
    found: dict[int, dict[str, str]] = {}
    for name, value in sorted(mine.items()):
        if part := _PART.fullmatch(name):
            message = found.setdefault(int(part[1]), {"role": "", "text": ""})
            if part[2] == "role":
                message["role"] = value.lower()
            else:
                message["text"] += value
    return [(found[place]["role"], found[place]["text"]) for place in sorted(found)]


def _read(value: str) -> Any:
    if value[:1] not in {"{", "[", '"'}:
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _messages(value: Any, depth: int) -> list[tuple[str, str]]:
    """The messages in what was read: who said each, and what."""
    match value:
        case str():
            return [("", value)]
        case list() if depth < DEEPEST:
            return [one for item in value for one in _messages(item, depth + 1)]
        case dict() if depth < DEEPEST:
            for holder in _HOLDERS:
                if isinstance(value.get(holder), list | dict):
                    return _messages(value[holder], depth + 1)
            role = value.get("role") or value.get("type") or ""
            text = "".join(_texts(value, depth))
            return [(str(role).lower(), text or json.dumps(value, ensure_ascii=False))]
        case _:
            return []


def _texts(value: Any, depth: int) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list() if depth < DEEPEST:
            for item in value:
                yield from _texts(item, depth + 1)
        case dict() if depth < DEEPEST:
            for name in _TEXTS:
                if name in value:
                    yield from _texts(value[name], depth + 1)
        case _:
            pass
