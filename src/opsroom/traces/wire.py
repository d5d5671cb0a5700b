"""The shape of OTLP as ClickHouse reads it.

Field numbers are those of the published protocol. A list of values is read one level deep;
what lies deeper, and every list of pairs, is kept as the bytes that came (`deep.py` reads
them). Fields from 1000 on are ours: they are appended to a body that has been checked, and the
last one wins.
"""

import struct
from dataclasses import dataclass

FORMAT = "Protobuf"
MESSAGE = "Item"
SCHEMA = """
syntax = "proto3";
message Flat { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3;
  double double_value = 4; bytes array_value = 5; bytes kvlist_value = 6; bytes bytes_value = 7; } }
message Flats { repeated Flat values = 1; }
message Any { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3;
  double double_value = 4; Flats array_value = 5; bytes kvlist_value = 6; bytes bytes_value = 7; } }
message Pair { string key = 1; Any value = 2; }
message Resource { repeated Pair attributes = 1; }
message Scope { string name = 1; string version = 2; }
message Status { string message = 2; int32 code = 3; }
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated Pair attributes = 3; }
message Link { bytes trace_id = 1; bytes span_id = 2; repeated Pair attributes = 4; }
message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5;
  int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated Pair attributes = 9; uint32 dropped_attributes_count = 10; repeated Event events = 11;
  repeated Link links = 13; Status status = 15; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Item { repeated ResourceSpans resource_spans = 1; string project = 1000;
  bool capture = 1001; fixed64 received = 1002; fixed64 digest = 1003; string sender = 1004; }
"""
_CASES = (
    "string_value", "bool_value", "int_value", "double_value", "array_value", "kvlist_value",
    "bytes_value",
)  # fmt: skip
TEXT, TRUTH, WHOLE, REAL, LIST, PAIRS_WITHIN, BYTES = range(1, 8)
_CASE = "Enum8('absent' = 0, {})".format(
    ", ".join(f"'{name}' = {number}" for number, name in enumerate(_CASES, 1))
)


def _any(array: str) -> str:
    """A value: which of its members is set, and all of them. Numbers are read as text."""
    return (
        f"Tuple(value {_CASE}, string_value String, bool_value String, int_value String, "
        f"double_value String, array_value {array}, kvlist_value String, bytes_value String)"
    )


_FLATS = f"Tuple(values Array({_any('String')}))"
PAIRS = f"Array(Tuple(key String, value {_any(_FLATS)}))"
# The fields of a span that are read, in the order of its tuple.
SPAN = {
    "trace_id": "String",
    "span_id": "String",
    "parent_span_id": "String",
    "name": "String",
    "kind": "Int32",
    "start_time_unix_nano": "UInt64",
    "end_time_unix_nano": "UInt64",
    "attributes": PAIRS,
    "dropped_attributes_count": "UInt32",
    "events": f"Array(Tuple(time_unix_nano UInt64, name String, attributes {PAIRS}))",
    "links": f"Array(Tuple(trace_id String, span_id String, attributes {PAIRS}))",
    "status": "Tuple(code Int32, message String)",
}
SPAN_COLUMNS = ", ".join(f"{name} {kind}" for name, kind in SPAN.items())
COLUMNS = f"""
    project String, capture Bool, received UInt64, digest UInt64, sender String,
    resource_spans Array(Tuple(
        resource Tuple(attributes {PAIRS}),
        scope_spans Array(Tuple(
            scope Tuple(name String, version String),
            spans Array(Tuple({SPAN_COLUMNS}))))))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What we say about a body: whose it is, who sent it, and when it came (in nanoseconds)."""

    project: str
    sender: str
    capture: bool
    received: int
    digest: int


def item(body: bytes, stamp: Stamp) -> bytes:
    """One checked body with its stamp, as one row of a batch. Batches are rows, joined."""
    tail = b"".join((
        _tag(1000, 2), _text(stamp.project),
        _tag(1001, 0), b"\x01" if stamp.capture else b"\x00",
        _tag(1002, 1), struct.pack("<Q", stamp.received),
        _tag(1003, 1), struct.pack("<Q", stamp.digest),
        _tag(1004, 2), _text(stamp.sender),
    ))  # fmt: skip
    return varint(len(body) + len(tail)) + body + tail


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _tag(field: int, kind: int) -> bytes:
    return varint(field << 3 | kind)


def _text(text: str) -> bytes:
    raw = text.encode()
    return varint(len(raw)) + raw
