"""One span for every call, on the way that every other span takes: checked, redacted, kept or
not, as the project decided.
"""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from opsroom.kit.wire import plain
from opsroom.models.route import Target

from .answers import Facts
from .asking import Attempt
from .preparing import Call

SERVICE = "opsroom-gateway"
MOST_MESSAGES = 100
MOST_TEXT = 100_000
_FACTS = {
    "agent": "gen_ai.agent.name",
    "version": "opsroom.agent.version",
    "manifest": "opsroom.manifest.digest",
    "route": "opsroom.route",
    "release": "opsroom.release.id",
    "arm": "opsroom.release.arm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """Where a call stands in a trace: in the one of whoever asks, or in one of its own."""

    trace: bytes
    parent: bytes
    span: bytes

    @property
    def trace_id(self) -> str:
        return self.trace.hex()


def trail(traceparent: str) -> Trail:
    """The place that a W3C `traceparent` names; a new trace where there is none."""
    parts = traceparent.strip().split("-")
    span = secrets.token_bytes(8)
    if len(parts) >= 4 and len(parts[1]) == 32 and len(parts[2]) == 16:
        try:
            trace, parent = bytes.fromhex(parts[1]), bytes.fromhex(parts[2])
        except ValueError:
            trace = parent = b""
        if any(trace) and any(parent):
            return Trail(trace=trace, parent=parent, span=span)
    return Trail(trace=secrets.token_bytes(16), parent=b"", span=span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a call ended. `target` is who answered, if anybody did; `error` is a code, or empty."""

    call: Call
    trail: Trail
    began: datetime
    ended: datetime
    first: float | None = None  # seconds to the first byte that was handed on
    target: Target | None = None
    facts: Facts | None = None
    status: int = 0
    error: str = ""
    cached: bool = False
    attempts: Sequence[Attempt] = field(default_factory=tuple[Attempt, ...])


def span_of(ended: Ended, *, contents: bool) -> bytes:
    """The call as an OTLP request with one span, in the words of the GenAI conventions."""
    call, facts = ended.call, ended.facts or Facts()
    asked = call.asked
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    _put(resource.resource, "service.name", SERVICE)
    _put(resource.resource, "deployment.environment.name", call.environment)
    scope = resource.scope_spans.add()
    scope.scope.name = "opsroom.gateway"
    model = ended.target.model if ended.target else call.spec.targets[0].model
    span = scope.spans.add()
    span.trace_id, span.span_id = ended.trail.trace, ended.trail.span
    span.parent_span_id = ended.trail.parent
    span.name = f"{asked.path.operation} {model}"
    span.kind = Span.SPAN_KIND_CLIENT
    span.start_time_unix_nano, span.end_time_unix_nano = _nano(ended.began), _nano(ended.ended)
    for name, value in _attributes(ended, facts, model):
        _put(span, name, value)
    if contents:
        _put(span, "gen_ai.input.messages", _asked(call))
        if facts.text or facts.calls:
            _put(span, "gen_ai.output.messages", _answered(facts))
    if ended.error:
        span.status.code = Status.STATUS_CODE_ERROR
        span.status.message = ended.error
    body: bytes = request.SerializeToString()
    return body


def _attributes(ended: Ended, facts: Facts, model: str) -> Iterator[tuple[str, Any]]:
    call, target = ended.call, ended.target
    asked, extra = call.asked, call.asked.extra
    yield "gen_ai.operation.name", asked.path.operation
    yield "gen_ai.request.model", model
    yield "gen_ai.request.stream", asked.stream
    yield "opsroom.call.id", call.id
    yield "opsroom.requested", asked.model
    for name, attribute in _FACTS.items():
        yield attribute, call.facts.get(name, "")
    if "agent" not in call.facts:
        yield "gen_ai.agent.name", call.spender.agent
    yield "opsroom.turn.id", extra.turn
    yield "gen_ai.conversation.id", call.spender.session
    yield "user.id", extra.subject
    if target is not None and target.endpoint:
        parts = urlsplit(target.endpoint)
        yield "gen_ai.provider.name", parts.hostname or ""
        yield "server.address", parts.hostname or ""
    yield "gen_ai.response.model", facts.served
    yield "gen_ai.response.id", facts.answer_id
    yield "gen_ai.openai.response.system_fingerprint", facts.fingerprint
    yield "gen_ai.response.finish_reasons", ",".join(facts.finish[:10])
    if facts.input_tokens is not None and not ended.cached:
        yield "gen_ai.usage.input_tokens", facts.input_tokens
        yield "gen_ai.usage.output_tokens", facts.output_tokens or 0
        yield "gen_ai.usage.cache_read.input_tokens", facts.cached_tokens
        yield "gen_ai.usage.reasoning.output_tokens", facts.reasoning_tokens
    if ended.status:
        yield "http.response.status_code", ended.status
    if ended.first is not None:
        yield "opsroom.first_byte_seconds", ended.first
    if ended.cached:
        yield "opsroom.cache", "hit"
    if ended.attempts:
        told = [plain(one) for one in ended.attempts[:50]]
        yield "opsroom.failed_attempts", json.dumps(told)
    yield "error.type", ended.error


def _asked(call: Call) -> str:
    """The conversation as it was sent, in the shape of the conventions."""
    body = call.asked.body
    given = body.get("messages") or body.get("input") or body.get("prompt") or []
    many: Sequence[Any] = given if isinstance(given, list) else [given]
    messages = [_message(one) for one in many[-MOST_MESSAGES:]]
    if isinstance(orders := body.get("instructions"), str):
        messages.insert(0, {"role": "system", "parts": [_words(orders)]})
    return json.dumps(messages, ensure_ascii=False)


def _message(given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        return {"role": "user", "parts": [_words(given if isinstance(given, str) else "")]}
    role, content = str(given.get("role") or given.get("type") or "user"), given.get("content")
    parts: list[dict[str, Any]] = []
    if isinstance(content, str):
        parts.append(_words(content))
    elif isinstance(content, list):
        parts += [
            _words(one["text"])
            if isinstance(one.get("text"), str)
            else {"type": str(one.get("type", ""))[:50]}
            for one in content
            if isinstance(one, dict)
        ]
    if role == "tool":
        said = content if isinstance(content, str) else ""
        response = said[:MOST_TEXT]
        called = str(given.get("tool_call_id", ""))
        return {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": called, "response": response}],
        }
    calls = given.get("tool_calls")
    for one in calls if isinstance(calls, list) else []:
        function = one.get("function") if isinstance(one, dict) else None
        if isinstance(function, dict):
            parts.append(
                {
                    "type": "tool_call",
                    "id": str(one.get("id", "")),
                    "name": str(function.get("name", "")),
                    "arguments": str(function.get("arguments", ""))[:MOST_TEXT],
                }
            )
    return {"role": role, "parts": parts}


def _answered(facts: Facts) -> str:
    parts: list[dict[str, Any]] = [_words(facts.text)] if facts.text else []
    parts += [{"type": "tool_call", **one} for one in facts.calls]
    reason = facts.finish[0] if facts.finish else "stop"
    message = {"role": "assistant", "parts": parts, "finish_reason": reason}
    return json.dumps([message], ensure_ascii=False)


def _words(text: str) -> dict[str, Any]:
    return {"type": "text", "content": text[:MOST_TEXT]}


def _put(holder: Any, name: str, value: Any) -> None:
    """An attribute; what is empty says nothing."""
    if value == "" or value is None:
        return
    pair = holder.attributes.add()
    pair.key = name
    match value:
        case bool():
            pair.value.bool_value = value
        case int():
            pair.value.int_value = value
        case float():
            pair.value.double_value = value
        case _:
            pair.value.string_value = str(value).encode("utf-8", "replace").decode()


def _nano(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1_000
