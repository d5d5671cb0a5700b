"""Traces as other tools write them into files, as OTLP/JSON. Pure, and light: the terminal reads
the files and sends what comes out like any exporter.

Known are exports of Langfuse (`{trace, observations}`, one or a list) and lists of spans as the
JavaScript SDK of OpenTelemetry holds them. What the frameworks said of a span is kept as it is;
what the other tool made of it is added where they did not say it themselves.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from .errors import NotATrace

PER_REQUEST = 500
_TRACE, _SPAN = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{16}")
_OPERATIONS = {
    "GENERATION": "chat",
    "EMBEDDING": "embeddings",
    "TOOL": "execute_tool",
    "AGENT": "invoke_agent",
}
Json = dict[str, Any]


def bodies(document: object) -> Iterator[tuple[Json, int]]:
    """The OTLP/JSON requests that a file comes to, and how many spans each has.

    Raises `NotATrace`.
    """
    spans = list(_spans(document))
    if not spans:
        raise NotATrace("there is no span in it")
    for start in range(0, len(spans), PER_REQUEST):
        part = spans[start : start + PER_REQUEST]
        resources: dict[str, list[Json]] = {}
        for resource, span in part:
            resources.setdefault(json.dumps(resource, sort_keys=True), []).append(span)
        yield (
            {
                "resourceSpans": [
                    {
                        "resource": {"attributes": _attributes(json.loads(resource))},
                        "scopeSpans": [{"spans": found}],
                    }
                    for resource, found in resources.items()
                ]
            },
            len(part),
        )


def _spans(document: object) -> Iterator[tuple[Json, Json]]:
    parts = document if isinstance(document, list) else [document]
    for part in parts:
        if not isinstance(part, dict):
            raise NotATrace("it is no list of objects")
        if isinstance(part.get("observations"), list) and isinstance(part.get("trace"), dict):
            for one in part["observations"]:
                yield _observed(part["trace"], one)
        elif "spanContext" in part:
            yield _held(part)
        else:
            raise NotATrace("it is neither an export of Langfuse nor a list of spans")


def _observed(trace: Json, one: object) -> tuple[Json, Json]:
    """An observation of Langfuse."""
    if not isinstance(one, dict) or not one.get("id"):
        raise NotATrace("an observation has no id")
    told = _metadata(one.get("metadata"))
    resource = told.pop("resourceAttributes", None)
    resource = dict(resource) if isinstance(resource, dict) else {}
    resource.setdefault("service.name", "langfuse")
    if one.get("environment"):
        resource.setdefault("deployment.environment.name", one["environment"])
    said = told.pop("attributes", None)
    attributes = dict(said) if isinstance(said, dict) else {}
    told.pop("scope", None)
    for name, value in _made(trace, one).items():
        if value not in {None, ""}:
            attributes.setdefault(name, value)
    attributes |= {f"langfuse.metadata.{name}": value for name, value in told.items()}
    start = _nano(one.get("startTime"))
    end = _nano(one.get("endTime")) if one.get("endTime") else start
    failed = one.get("level") == "ERROR"
    span = {
        "traceId": _id(trace.get("id"), _TRACE),
        "spanId": _id(one["id"], _SPAN),
        "name": str(one.get("name") or one.get("type") or "span"),
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(max(start, end)),
        "attributes": _attributes(attributes),
        "status": {"code": 2, "message": str(one.get("statusMessage") or "")} if failed else {},
    }
    if one.get("parentObservationId"):
        span["parentSpanId"] = _id(one["parentObservationId"], _SPAN)
    return resource, span


def _made(trace: Json, one: Json) -> Json:
    """What Langfuse knows of an observation, under the field's names."""
    kind, name = one.get("type"), one.get("name")
    usage = one.get("usageDetails")
    usage = usage if isinstance(usage, dict) else {}
    found: Json = {
        "gen_ai.operation.name": _OPERATIONS.get(str(kind), ""),
        "gen_ai.agent.name": name if kind == "AGENT" else "",
        "gen_ai.tool.name": name if kind == "TOOL" else "",
        "gen_ai.response.model": one.get("model"),
        "session.id": trace.get("sessionId"),
        "user.id": trace.get("userId"),
        "langfuse.release": trace.get("release"),
        "langfuse.prompt.name": one.get("promptName"),
        "langfuse.prompt.version": one.get("promptVersion"),
        "input.value": _said(one.get("input")),
        "output.value": _said(one.get("output")),
    }
    if kind in {"GENERATION", "EMBEDDING"}:
        found |= {
            "gen_ai.usage.input_tokens": one.get("inputUsage") or usage.get("input"),
            "gen_ai.usage.output_tokens": one.get("outputUsage") or usage.get("output"),
            "gen_ai.usage.cache_read.input_tokens": usage.get("input_cache_read"),
            "gen_ai.usage.reasoning.output_tokens": usage.get("output_reasoning"),
        }
    return found


def _held(span: Json) -> tuple[Json, Json]:
    """A span as the JavaScript SDK holds it."""
    context = span["spanContext"]
    parent = span.get("parentSpanContext") or {}
    above = parent.get("spanId") if isinstance(parent, dict) else None
    above = above or span.get("parentSpanId")
    resource = span.get("resource")
    resource = resource.get("attributes", {}) if isinstance(resource, dict) else {}
    status = span.get("status")
    made = {
        "traceId": _id(context.get("traceId"), _TRACE),
        "spanId": _id(context.get("spanId"), _SPAN),
        "name": str(span.get("name") or "span"),
        "startTimeUnixNano": str(_pair(span.get("startTime"))),
        "endTimeUnixNano": str(_pair(span.get("endTime"))),
        "attributes": _attributes(span.get("attributes") or {}),
        "events": [
            {
                "name": str(event.get("name")),
                "timeUnixNano": str(_pair(event.get("time"))),
                "attributes": _attributes(event.get("attributes") or {}),
            }
            for event in span.get("events") or ()
        ],
        "status": status if isinstance(status, dict) else {},
    }
    if above:
        made["parentSpanId"] = _id(above, _SPAN)
    return resource or {"service.name": "unknown_service"}, made


def _metadata(told: object) -> Json:
    if isinstance(told, str):
        try:
            told = json.loads(told)
        except ValueError:
            return {"text": told}
    return dict(told) if isinstance(told, dict) else {}


def _said(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else _text(value)


def _id(value: object, form: re.Pattern[str]) -> str:
    """An id as OTLP has them; what is none becomes the same one every time."""
    text = str(value or "").lower()
    if form.fullmatch(text):
        return text
    size = 32 if form is _TRACE else 16
    return hashlib.sha256(str(value).encode()).hexdigest()[:size]


def _nano(value: object) -> int:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise NotATrace(f"{str(value)[:40]!r} is no time") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1_000_000) * 1_000


def _pair(value: object) -> int:
    """A time as the JavaScript SDK has it: seconds, and nanoseconds beside them."""
    match value:
        case [int(seconds), int(nano)]:
            return seconds * 1_000_000_000 + nano
        case _:
            return _nano(value)


def _attributes(told: Mapping[str, Any]) -> list[Json]:
    return [
        {"key": str(name), "value": _any(value)}
        for name, value in told.items()
        if value is not None
    ]


def _any(value: object) -> Json:
    match value:
        case bool():
            return {"boolValue": value}
        case int() if -(2**63) <= value < 2**63:
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case Sequence() if all(isinstance(one, str | int | float) for one in value):
            return {"arrayValue": {"values": [_any(one) for one in value]}}
        case _:
            return {"stringValue": _text(value)}


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
