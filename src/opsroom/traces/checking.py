"""A body as it came, checked: what of it may be stored, and what cannot be.

Good spans beside a bad one are kept. A bad span becomes a dead letter with the reason; it is
counted, and told to whoever sent it. The published protocol's own parser (in C) decides what a
body is; only where it refuses the whole is the body taken apart by hand to find which span it
was.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from opsroom.kit.redaction import Counted, Redactor

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

    `digest` names what was sent, so that the same request sent again is known; `redacted` counts
    what was taken out of it, by rule.
    """

    body: bytes
    spans: int
    digest: int
    dead: tuple[DeadLetter, ...] = ()
    redacted: Mapping[str, int] = field(default_factory=dict[str, int])


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
    counted = Counted(redactor)
    if counted.suspects(kept):
        _redact(request, counted)
    changed = bool(counted.counts)
    return Checked(
        body=request.SerializeToString() if changed else kept,
        spans=spans,
        digest=int.from_bytes(hashlib.sha256(body).digest()[:8], "little"),
        dead=tuple(_cleaned(letter, counted) for letter in broken),
        redacted=dict(counted.counts),
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


def _cleaned(dead: DeadLetter, redactor: Counted) -> DeadLetter:
    return replace(
        dead,
        raw=redactor.clean(dead.raw),
        name=redactor.clean(dead.name)[:LONGEST_NAME],
    )


def _redact(request: Any, redactor: Counted) -> None:
    """Take out what the rules name, wherever it stands."""
    for resource in request.resource_spans:
        _clean_pairs(resource.resource.attributes, redactor)
        for scope in resource.scope_spans:
            _clean_named(scope.scope, redactor)
            for span in scope.spans:
                if redactor.suspects(span.SerializeToString()):
                    _clean_span(span, redactor)


def _clean_span(span: Any, redactor: Counted) -> None:
    _clean_named(span, redactor)
    _clean_text(span, "trace_state", redactor)
    _clean_text(span.status, "message", redactor)
    for event in span.events:
        _clean_named(event, redactor)
    for link in span.links:
        _clean_pairs(link.attributes, redactor)
        _clean_text(link, "trace_state", redactor)


def _clean_named(one: Any, redactor: Counted) -> None:
    _clean_text(one, "name", redactor)
    _clean_pairs(one.attributes, redactor)


def _clean_text(one: Any, field_: str, redactor: Counted) -> None:
    told = getattr(one, field_)
    if (clean := redactor.clean(told)) is not told:
        setattr(one, field_, clean)


def _clean_pairs(pairs: Any, redactor: Counted) -> None:
    for pair in pairs:
        _clean_text(pair, "key", redactor)
        _clean_value(pair.value, redactor)


def _clean_value(value: Any, redactor: Counted) -> None:
    match value.WhichOneof("value"):
        case "string_value":
            _clean_text(value, "string_value", redactor)
        case "array_value":
            for one in value.array_value.values:
                _clean_value(one, redactor)
        case "kvlist_value":
            _clean_pairs(value.kvlist_value.values, redactor)
        case "bytes_value":
            value.bytes_value = _clean_bytes(value.bytes_value, redactor)
        case _:
            pass


def _clean_bytes(raw: bytes, redactor: Counted) -> bytes:
    """Bytes that are text are cleaned as text; from others, what is suspect is taken whole."""
    try:
        return redactor.clean(raw.decode()).encode()
    except UnicodeDecodeError:
        if not redactor.suspects(raw):
            return raw
        redactor.counts["bytes"] += 1
        return b"[redacted:bytes]"
