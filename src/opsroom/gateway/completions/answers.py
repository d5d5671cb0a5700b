"""What an answer says of itself: who served it, what it took, whether it is whole. Pure.

Answers are handed on as the bytes that came. Here they are only looked at, one JSON document or
one server-sent event at a time, so that nothing in them is lost and nothing is added.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .model import Path

MOST_EVENT = 8 * 2**20  # bytes of one event; images come as base64
MOST_TEXT = 100_000
_NEEDED = {
    Path.CHAT: "choices",
    Path.COMPLETIONS: "choices",
    Path.EMBEDDINGS: "data",
    Path.RESPONSES: "output",
}
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})


@dataclass(slots=True)
class Facts:
    """What is known of an answer so far; None and empty are what it did not say."""

    served: str = ""
    fingerprint: str = ""
    answer_id: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    finish: list[str] = field(default_factory=list[str])
    text: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    error: bool = False
    ended: bool = False


def whole(path: Path, raw: bytes) -> Facts | None:
    """The facts of an answer that came in one piece; None for something that is no such answer.
    A status of 200 makes no error an answer: `error` is set.
    """
    found = _object(raw)
    if found is None:
        return None
    facts = Facts()
    if found.get("error"):
        facts.error = True
        return facts
    if not isinstance(found.get(_NEEDED[path]), list):
        return None
    facts.ended = True
    _note(facts, found)
    for one in _dicts(found.get("choices")):
        _note_choice(facts, one, one.get("message"))
    for one in _dicts(found.get("output")):
        _note_item(facts, one)
    return facts


class Events:
    """A stream, cut into its events. `facts` is what they said so far."""

    def __init__(self, *, hide_usage: bool) -> None:
        self.facts = Facts()
        self._hide = hide_usage
        self._left = b""
        self._calls: dict[tuple[int, int], dict[str, Any]] = {}

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that are complete now, each as its bytes came. Raises `ValueError` for one
        that goes on and on.
        """
        self._left += chunk
        done: list[bytes] = []
        while (cut := _end_of_event(self._left)) > 0:
            event, self._left = self._left[:cut], self._left[cut:]
            if self._look(event):
                done.append(event)
        if len(self._left) > MOST_EVENT:
            raise ValueError("an event does not end")
        return done

    def rest(self) -> bytes:
        """What follows the last event; some providers leave out the empty line after it."""
        left, self._left = self._left, b""
        return left if left and self._look(left) else b""

    def _look(self, event: bytes) -> bool:
        """Note what an event says; whether whoever asked should see it."""
        data = b"\n".join(
            line[5:].strip() for line in event.splitlines() if line.startswith(b"data:")
        )
        facts = self.facts
        if data == b"[DONE]":
            facts.ended = True
            return True
        found = _object(data) if data else None
        if found is None:
            return True
        if found.get("error"):
            facts.error = facts.ended = True
            return True
        _note_response(facts, found)
        for one in _dicts(found.get("choices")):
            _note_choice(facts, one, one.get("delta"), calls=self._calls)
        return not (self._hide and found.get("usage") and found.get("choices") == [])


def is_event(data: bytes) -> bool:
    """Whether bytes can begin a stream of events."""
    start = data.lstrip(b"\xef\xbb\xbf\r\n \t")
    return start.startswith((b"data", b"event", b"id", b"retry", b":"))


def says_error(event: bytes) -> bool:
    """Whether an event is an error in place of an answer."""
    looked = Events(hide_usage=False)
    looked.feed(event)
    looked.rest()
    return looked.facts.error


def check_whole(path: Path, facts: Facts) -> None:
    """Raise `ValueError` for a stream that is over and had not said that it ends."""
    if not facts.ended and (path is Path.RESPONSES or not facts.finish):
        raise ValueError("the provider closed the stream before its end")


def _end_of_event(data: bytes) -> int:
    """Where the first event ends, behind its empty line; 0 where it does not yet."""
    found = [at + len(end) for end in (b"\n\n", b"\r\n\r\n") if (at := data.find(end)) >= 0]
    return min(found, default=0)


def _note_response(facts: Facts, found: Mapping[str, Any]) -> None:
    """What an event says besides choices; those of the Responses API hold a response."""
    kind, inner = found.get("type"), found.get("response")
    if isinstance(inner, dict):
        _note(facts, inner)
        if kind in _ENDS:
            facts.ended = True
            for one in _dicts(inner.get("output")):
                if not facts.text or one.get("type") != "message":
                    _note_item(facts, one)
    elif kind == "response.output_text.delta" and isinstance(found.get("delta"), str):
        _add_text(facts, found["delta"])
    elif kind == "error":
        facts.error = facts.ended = True
    else:
        _note(facts, found)


def _note(facts: Facts, found: Mapping[str, Any]) -> None:
    facts.served = _text(found.get("model")) or facts.served
    facts.fingerprint = _text(found.get("system_fingerprint")) or facts.fingerprint
    facts.answer_id = _text(found.get("id")) or facts.answer_id
    usage = found.get("usage")
    if not isinstance(usage, dict):
        # One provider of the compatible ones puts it a level deeper in its streams.
        inner = found.get("x_groq")
        usage = inner.get("usage") if isinstance(inner, dict) else None
    if not isinstance(usage, dict):
        return
    told = _number(usage, "prompt_tokens", "input_tokens")
    if told is None:
        return
    facts.input_tokens = told
    facts.output_tokens = _number(usage, "completion_tokens", "output_tokens") or 0
    facts.cached_tokens = (
        _within(usage, ("prompt_tokens_details", "input_tokens_details"), "cached_tokens") or 0
    )
    facts.reasoning_tokens = (
        _within(
            usage, ("completion_tokens_details", "output_tokens_details"), "reasoning_tokens"
        )
        or 0
    )


def _note_choice(
    facts: Facts,
    choice: Mapping[str, Any],
    said: Any,
    *,
    calls: dict[tuple[int, int], dict[str, Any]] | None = None,
) -> None:
    if isinstance(finish := choice.get("finish_reason"), str):
        facts.finish.append(finish)
    if isinstance(text := choice.get("text"), str):
        _add_text(facts, text)
    if not isinstance(said, dict):
        return
    if isinstance(text := said.get("content"), str):
        _add_text(facts, text)
    for place, one in enumerate(_dicts(said.get("tool_calls"))):
        function = one.get("function")
        named = function if isinstance(function, dict) else {}
        if calls is None:
            facts.calls.append(_call(one.get("id"), named.get("name"), named.get("arguments")))
            continue
        key = (_place(choice.get("index"), 0), _place(one.get("index"), place))
        if (known := calls.get(key)) is None:
            known = calls[key] = _call(one.get("id"), named.get("name"), "")
            facts.calls.append(known)
        if len(known["arguments"]) < MOST_TEXT:
            known["arguments"] += _text(named.get("arguments"))


def _note_item(facts: Facts, item: Mapping[str, Any]) -> None:
    if item.get("type") == "function_call":
        facts.calls.append(_call(item.get("call_id"), item.get("name"), item.get("arguments")))
    for part in _dicts(item.get("content")):
        if isinstance(text := part.get("text"), str):
            _add_text(facts, text)


def _call(call_id: Any, name: Any, arguments: Any) -> dict[str, Any]:
    return {"id": _text(call_id), "name": _text(name), "arguments": _text(arguments)}


def _add_text(facts: Facts, text: str) -> None:
    if len(facts.text) < MOST_TEXT:
        facts.text += text[: MOST_TEXT - len(facts.text)]


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _dicts(given: Any) -> list[dict[str, Any]]:
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _text(given: Any) -> str:
    return given[:MOST_TEXT] if isinstance(given, str) else ""


def _place(given: Any, otherwise: int) -> int:
    return given if isinstance(given, int) else otherwise


def _number(usage: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        found = usage.get(name)
        if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 2**40:
            return found
    return None


def _within(usage: Mapping[str, Any], holders: tuple[str, ...], name: str) -> int | None:
    for holder in holders:
        if isinstance(inner := usage.get(holder), dict):
            return _number(inner, name)
    return None
