"""A body as it came, checked: what of it may be stored, and what cannot be.

Good spans beside a bad one are kept. A bad span becomes a dead letter with the reason; it is
counted, and told to whoever sent it. The published protocol's own parser (in C) decides what a
body is; only where it refuses the whole is the body taken apart by hand to find which span it
was.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from opsroom.kit.redaction import Redactor

from . import frames
from .frames import DeadLetter, letter
from .view import LONGEST_NAME

PROTOBUF, JSON = "application/x-protobuf", "application/json"
EARLIEST = 946_684_800_000_000_000  # the year 2000
LATEST = 4_102_444_800_000_000_000  # the year 2100
AHEAD = 86_400_000_000_000  # a clock may be wrong by a day
NO_TRACE, NO_SPAN, NO_PARENT = bytes(16), bytes(8), bytes(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What is left of a request: the bytes to store, how many spans they are, and the rest.

    `digest` names what was sent, so that the same request sent again is known.
    """

    body: bytes
    spans: int
    digest: int
    dead: tuple[DeadLetter, ...] = ()
    redacted: int = 0


def check(body: bytes, *, form: str, redactor: Redactor, now: int) -> Checked:
    """Check a request in the binary or the JSON form; what comes back is binary.

    Raises `NotOtlp` where it is nothing of the kind.
    """
    broken: list[DeadLetter] = []
    anew = True
    if form == JSON:
        request = frames.from_json(body, broken)
    else:
        request = ExportTraceServiceRequest()
        try:
            request.ParseFromString(body)
            anew = False
        except DecodeError:
            request = frames.rescued(body, broken)
    spans, changed = _sort_out(request, broken, now)
    kept = request.SerializeToString() if anew or changed else body
    redacted = _redact(request, redactor) if redactor.suspects(kept) else 0
    return Checked(
        body=request.SerializeToString() if redacted else kept,
        spans=spans,
        digest=int.from_bytes(hashlib.sha256(body).digest()[:8], "little"),
        dead=tuple(_cleaned(letter, redactor) for letter in broken),
        redacted=redacted,
    )


def _sort_out(request: Any, dead: list[DeadLetter], now: int) -> tuple[int, bool]:
    """Take out what cannot be stored, and put right what can be: how many are left, and
    whether anything was changed.
    """
    count, changed = 0, False
    latest = now + AHEAD
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            spans = scope.spans
            bad: list[int] = []
            for number, span in enumerate(spans):
                start = span.start_time_unix_nano
                parent = span.parent_span_id
                if (
                    len(span.trace_id) == 16
                    and len(span.span_id) == 8
                    and len(parent) in {0, 8}
                    and EARLIEST <= start <= latest
                    and start <= span.end_time_unix_nano <= LATEST
                    and parent != NO_PARENT
                    and span.trace_id != NO_TRACE
                    and span.span_id != NO_SPAN
                ):
                    continue
                changed = True
                if reason := _wrong_with(span, latest):
                    bad.append(number)
                    dead.append(letter(reason, span))
                else:
                    _put_right(span)
            count += len(spans) - len(bad)
            for number in reversed(bad):
                del spans[number]
    return count, changed


def _wrong_with(span: Any, latest: int) -> str:
    if len(span.trace_id) != 16 or span.trace_id == NO_TRACE:
        return "its trace id is not 16 bytes, or all of them are zero"
    if len(span.span_id) != 8 or span.span_id == NO_SPAN:
        return "its span id is not 8 bytes, or all of them are zero"
    if len(span.parent_span_id) not in {0, 8}:
        return "the id of its parent is not 8 bytes"
    if not EARLIEST <= span.start_time_unix_nano <= latest:
        return "it starts before the year 2000, or more than a day from now"
    if span.end_time_unix_nano > LATEST:
        return "it ends after the year 2100"
    return ""


def _put_right(span: Any) -> None:
    """A parent of zeros is none; what ends before it starts took no time."""
    if span.parent_span_id == NO_PARENT:
        span.parent_span_id = b""
    span.end_time_unix_nano = max(span.end_time_unix_nano, span.start_time_unix_nano)


def _cleaned(dead: DeadLetter, redactor: Redactor) -> DeadLetter:
    return replace(
        dead,
        raw=redactor.clean(dead.raw),
        name=redactor.clean(dead.name)[:LONGEST_NAME],
    )


def _redact(request: Any, redactor: Redactor) -> int:
    """Take out what the rules name, wherever it stands; how many texts were changed."""
    count = 0
    for resource in request.resource_spans:
        count += _clean_pairs(resource.resource.attributes, redactor)
        for scope in resource.scope_spans:
            count += _clean_pairs(scope.scope.attributes, redactor)
            for span in scope.spans:
                if redactor.suspects(span.SerializeToString()):
                    count += _clean_span(span, redactor)
    return count


def _clean_span(span: Any, redactor: Redactor) -> int:
    count = _clean_pairs(span.attributes, redactor)
    if (name := redactor.clean(span.name)) != span.name:
        span.name, count = name, count + 1
    if (message := redactor.clean(span.status.message)) != span.status.message:
        span.status.message, count = message, count + 1
    for event in span.events:
        count += _clean_pairs(event.attributes, redactor)
    for link in span.links:
        count += _clean_pairs(link.attributes, redactor)
    return count


def _clean_pairs(pairs: Any, redactor: Redactor) -> int:
    return sum(_clean_value(pair.value, redactor) for pair in pairs)


def _clean_value(value: Any, redactor: Redactor) -> int:
    match value.WhichOneof("value"):
        case "string_value":
            told = value.string_value
            if (clean := redactor.clean(told)) != told:
                value.string_value = clean
                return 1
        case "array_value":
            return sum(_clean_value(one, redactor) for one in value.array_value.values)
        case "kvlist_value":
            return _clean_pairs(value.kvlist_value.values, redactor)
        case _:
            pass
    return 0
