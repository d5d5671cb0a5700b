"""Requests taken apart piece by piece: JSON, and binary bodies that are broken somewhere."""

import json
from base64 import b64encode
from binascii import Error as NotHex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from .errors import NotOtlp

LARGEST_RAW = 16 * 1024
_IDS = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")
_BROKEN = "it is no span of the protocol"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A span that could not be stored, and why. `raw` is the start of what was sent."""

    reason: str
    raw: str
    size: int
    trace_id: str = ""
    span_id: str = ""
    name: str = ""


def letter(reason: str, span: Any) -> DeadLetter:
    """What is kept of a span that could be read and cannot be stored."""
    size = span.ByteSize()
    told = (
        json_format.MessageToJson(span, indent=None) if size <= 4 * LARGEST_RAW else span.name
    )
    return DeadLetter(
        reason=reason,
        raw=told[:LARGEST_RAW],
        size=size,
        trace_id=span.trace_id.hex()[:64],
        span_id=span.span_id.hex()[:64],
        name=span.name,
    )


def rescued(body: bytes, dead: list[DeadLetter]) -> Any:
    """The request in `body`, without the spans that the protocol's parser refuses."""
    request = ExportTraceServiceRequest()
    for field, part in _fields(body):
        if field == 1:
            _rescue_resource(part, request.resource_spans.add(), dead)
    return request


def _rescue_resource(part: bytes, resource: Any, dead: list[DeadLetter]) -> None:
    if _merged(resource, part):
        return
    resource.Clear()
    for field, inner in _fields(part):
        if field == 2:
            _rescue_scope(inner, resource.scope_spans.add(), dead)
        else:
            _merge_field(resource, ResourceSpans, field, inner)


def _rescue_scope(part: bytes, scope: Any, dead: list[DeadLetter]) -> None:
    if _merged(scope, part):
        return
    scope.Clear()
    for field, inner in _fields(part):
        if field != 2:
            _merge_field(scope, ScopeSpans, field, inner)
        elif not _merged(span := Span(), inner):
            raw = inner[:LARGEST_RAW].decode("utf-8", "replace")
            dead.append(DeadLetter(reason=_BROKEN, raw=raw, size=len(inner)))
        else:
            scope.spans.append(span)


def _merge_field(into: Any, kind: Any, field: int, part: bytes) -> None:
    """Take over a part that is no span, where it can be read; its spans are kept without."""
    key = _varint(field << 3 | 2)
    if _merged(kind(), whole := key + _varint(len(part)) + part):
        into.MergeFromString(whole)


def _merged(message: Any, part: bytes) -> bool:
    try:
        message.MergeFromString(part)
    except DecodeError:
        return False
    return True


def _fields(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message that have a length, in order. Raises `NotOtlp` where they end
    before their length says.
    """
    at, end = 0, len(body)
    while at < end:
        key, at = _read_varint(body, at)
        match key & 7:
            case 0:
                _, at = _read_varint(body, at)
            case 1:
                at += 8
            case 5:
                at += 4
            case 2:
                size, at = _read_varint(body, at)
                if at + size > end:
                    raise NotOtlp("it ends too early")
                yield key >> 3, body[at : at + size]
                at += size
            case _:
                raise NotOtlp("it is not in the format of protocol buffers")
    if at > end:
        raise NotOtlp("it ends too early")


def _read_varint(body: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(body) and shift < 70:
        byte = body[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at
    raise NotOtlp("it ends too early")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def from_json(body: bytes, dead: list[DeadLetter]) -> Any:
    """The request in a JSON body; ids are hexadecimal there, unlike anywhere else."""
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotOtlp(f"its JSON is broken: {str(error)[:200]}") from error
    request = ExportTraceServiceRequest()
    for resource in _list(told, "resourceSpans", "resource_spans"):
        made = request.resource_spans.add()
        _parse(_dict(resource).get("resource"), made.resource)
        for scope in _list(resource, "scopeSpans", "scope_spans"):
            inner = made.scope_spans.add()
            _parse(_dict(scope).get("scope"), inner.scope)
            for span in _list(scope, "spans", "spans"):
                read = Span()
                if why := _parse(_with_binary_ids(span), read):
                    dead.append(_unread(span, why))
                else:
                    inner.spans.append(read)
    return request


def _parse(told: Any, into: Any) -> str:
    """Read a piece of JSON; says why where it cannot be."""
    if told is None:
        return ""
    if not isinstance(told, dict):
        return _BROKEN
    try:
        json_format.ParseDict(told, into, ignore_unknown_fields=True)
        into.SerializeToString()
    except (json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError):
        into.Clear()
        return _BROKEN
    return ""


def _with_binary_ids(span: Any) -> Any:
    if not isinstance(span, dict):
        return span
    made = _binary_ids(cast("dict[str, Any]", span))
    if isinstance(links := made.get("links"), list):
        made["links"] = [
            _binary_ids(cast("dict[str, Any]", link)) if isinstance(link, dict) else link
            for link in links
        ]
    return made


def _binary_ids(told: dict[str, Any]) -> dict[str, Any]:
    made = dict(told)
    for name in _IDS:
        if isinstance(text := made.get(name), str):
            try:
                made[name] = b64encode(bytes.fromhex(text)).decode()
            except (ValueError, NotHex):
                made[name] = b64encode(b"?").decode()  # no id: its length is wrong
    return made


def _unread(span: Any, why: str) -> DeadLetter:
    raw = json.dumps(span, ensure_ascii=False)
    named: dict[str, Any] = span if isinstance(span, dict) else {}
    return DeadLetter(
        reason=why,
        raw=raw.encode("utf-8", "replace")[:LARGEST_RAW].decode("utf-8", "ignore"),
        size=len(raw),
        trace_id=str(named.get("traceId", ""))[:64],
        span_id=str(named.get("spanId", ""))[:64],
        name=str(named.get("name", "")),
    )


def _dict(told: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", told) if isinstance(told, dict) else {}


def _list(told: Any, *names: str) -> list[Any]:
    if not isinstance(told, dict):
        raise NotOtlp("an object was expected")
    for name in names:
        found = cast("dict[str, Any]", told).get(name)
        if isinstance(found, list):
            return found
        if found is not None:
            raise NotOtlp(f"{name} is no list")
    return []
